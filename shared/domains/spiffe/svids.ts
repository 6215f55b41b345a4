// SVIDs of several kinds for one workload: all of them are issued, or none.
import type { RegistrationEntry } from '#db/store/registration-entries'
import { type IssueCtx, type IssuedToken, type IssueOptions, recordSvids } from './issued.ts'
import { type JwtSvidRequested, signJwtSvid } from './jwt-svid.ts'
import { signWitSvid, type WitSvidRequested } from './wit-svid.ts'
import { type IssuedCertificate, signX509Svid, type X509SvidRequested } from './x509-svid.ts'

export type SvidsRequested = {
  readonly x509?: X509SvidRequested | undefined
  readonly jwt?: JwtSvidRequested | undefined
  readonly wit?: WitSvidRequested | undefined
}
export type IssuedSvids = { readonly x509?: IssuedCertificate; readonly jwt?: IssuedToken; readonly wit?: IssuedToken }

/**
 * Issues what is requested for an entry, in one transaction with `within`: for example, evidence is consumed exactly when its SVIDs are issued. Call it
 * outside a transaction. Events: svid.issued.
 * @throws AppError invalid_request, invalid_target, not_found
 */
export const issueSvids = async (ctx: IssueCtx, entry: RegistrationEntry, options: IssueOptions, requested: SvidsRequested): Promise<IssuedSvids> => {
  const x509 = requested.x509 === undefined ? undefined : await signX509Svid(ctx, entry, requested.x509)
  const jwt = requested.jwt === undefined ? undefined : await signJwtSvid(ctx, entry, requested.jwt)
  const wit = requested.wit === undefined ? undefined : await signWitSvid(ctx, entry, requested.wit)
  await recordSvids(
    ctx,
    entry,
    options,
    [x509, jwt, wit].flatMap((signed) => (signed === undefined ? [] : [signed.record])),
  )
  return {
    ...(x509 === undefined ? {} : { x509: x509.result }),
    ...(jwt === undefined ? {} : { jwt: jwt.result }),
    ...(wit === undefined ? {} : { wit: wit.result }),
  }
}
