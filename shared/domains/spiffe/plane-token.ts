// Access tokens of AuthSec's identity plane for workloads, signed by the deployment's key.
import { SignJWT } from 'jose'
import type { RegistrationEntry } from '#db/store/registration-entries'
import { secondsAfter, unixSeconds } from '#shared/kernel/clock'
import { type IssueCtx, type IssuedToken, type IssueOptions, recordSigned } from './issued.ts'
import { requireAudience } from './jwt-svid.ts'

const ACCESS_TOKEN_SECONDS = 3600
export const ACCESS_TOKEN_TYPE = 'spire+jwt'

export type PlaneTokenRequested = { readonly audience: readonly string[]; readonly issuer: string; readonly scope: string }

/** Events: svid.issued. @throws AppError invalid_request, invalid_target, not_found */
export const issuePlaneToken = async (ctx: IssueCtx, entry: RegistrationEntry, options: IssueOptions & PlaneTokenRequested): Promise<IssuedToken> => {
  const { audience, issuer, scope } = options
  requireAudience(entry, audience, [issuer])
  const { kid, key } = await ctx.signingKeys.signer('RS256')
  const [id, issuedAt] = [ctx.random.id(), ctx.clock.now()]
  const expiresAt = secondsAfter(issuedAt, ACCESS_TOKEN_SECONDS)
  const { spiffeId, tenantId } = entry
  const token = await new SignJWT({
    iss: issuer,
    sub: spiffeId,
    aud: [...audience],
    iat: unixSeconds(issuedAt),
    exp: unixSeconds(expiresAt),
    jti: id,
    spiffe_id: spiffeId,
    tenant_id: tenantId,
    workspace_id: tenantId,
    claims: scope === '' ? {} : { scope },
  })
    .setProtectedHeader({ alg: 'RS256', kid, typ: ACCESS_TOKEN_TYPE })
    .sign(key)
  return recordSigned(ctx, entry, options, {
    result: { id, token, spiffeId, issuedAt, expiresAt },
    record: { row: { id, kind: 'access_token', kid, issuedAt, expiresAt }, isOfDeployment: true, details: { audience } },
  })
}
