// X.509-SVIDs. The certificate request gives a key and nothing else, and no certificate is valid for longer than its authority.
import { asTenantId } from '#db/engine/tenant'
import type { RegistrationEntry } from '#db/store/registration-entries'
import { secondsAfter } from '#shared/kernel/clock'
import { AppError } from '#shared/kernel/errors'
import { certificatePem, findCaBundle } from './bundle.ts'
import { isInTenantTrustDomain, parseSpiffeId } from './id.ts'
import { type IssueCtx, type IssueOptions, lifetime, recordSigned, type SignedSvid } from './issued.ts'
import { workloadSigner } from './signer.ts'

export type X509SvidRequested = {
  /** PEM. */
  readonly csr: string
  /** Lifetime, shortened to what the entry allows. */
  readonly seconds?: number | undefined
}
export type IssuedCertificate = {
  /** The serial number in hexadecimal. */
  readonly id: string
  readonly spiffeId: string
  /** PEM of the leaf certificate. */
  readonly certificate: string
  /** PEM of the authorities of the trust domain. */
  readonly bundle: string
  /** Thumbprint of its key. */
  readonly jkt: string
  readonly issuedAt: Date
  readonly expiresAt: Date
}

const CLOCK_MARGIN_SECONDS = 30

/** @throws AppError invalid_request: keys of the tenant's trust domain sign its own ids, except for JWT-SVIDs */
export const requireOwnTrustDomain = (entry: RegistrationEntry): void => {
  const id = parseSpiffeId(entry.spiffeId)
  if (id === undefined || !isInTenantTrustDomain(asTenantId(entry.tenantId), id)) {
    throw new AppError('invalid_request', 'This SPIFFE id is outside the organisation\u2019s own trust domain, so it has JWT-SVIDs only.')
  }
}

/** @throws AppError invalid_request, not_found */
export const signX509Svid = async (
  ctx: IssueCtx,
  entry: RegistrationEntry,
  { csr, seconds }: X509SvidRequested,
): Promise<SignedSvid<IssuedCertificate>> => {
  requireOwnTrustDomain(entry)
  const { createLeafCertificate, keyOfCsr, serialText } = await import('./x509.ts')
  const { publicKey, jkt } = await keyOfCsr(csr)
  const { spiffeId } = entry
  const tenantId = asTenantId(entry.tenantId)
  const key = await workloadSigner(ctx, tenantId, 'x509', 'ES256')
  if (key.certificate === undefined || key.notAfter === null) throw new Error('A certificate authority has a certificate.')
  const [id, issuedAt] = [serialText(ctx.random.bytes(16)), ctx.clock.now()]
  const end = secondsAfter(issuedAt, lifetime(seconds, entry.x509Seconds, entry.x509Seconds))
  const expiresAt = new Date(Math.min(end.getTime(), key.notAfter.getTime()))
  const leaf = await createLeafCertificate({
    ca: { certificate: key.certificate, signingKey: key.signingKey },
    spiffeId,
    publicKey,
    serial: id,
    notBefore: secondsAfter(issuedAt, -CLOCK_MARGIN_SECONDS),
    notAfter: expiresAt,
  })
  const bundle = (await findCaBundle(ctx, tenantId)) ?? ''
  return {
    result: { id, spiffeId, certificate: certificatePem(leaf), bundle, jkt, issuedAt, expiresAt },
    record: { row: { id, kind: 'x509', kid: key.kid, jkt, issuedAt, expiresAt } },
  }
}

/** Events: svid.issued. @throws AppError invalid_request, not_found */
export const issueX509Svid = async (ctx: IssueCtx, entry: RegistrationEntry, options: IssueOptions & X509SvidRequested): Promise<IssuedCertificate> =>
  recordSigned(ctx, entry, options, await signX509Svid(ctx, entry, options))
