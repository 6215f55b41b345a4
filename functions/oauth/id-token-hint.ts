// An ID token of ours that comes back to us: as a hint (OpenID Connect Core section 3.1.2.1, RP-Initiated Logout section 2, CIBA Core section 7.1), where it may have
// expired, says who was meant and proves nothing about who calls; or as what a token exchange begins with.

import { compactVerify } from 'jose'
import { asTenantId, type TenantId } from '#db/engine/tenant'
import type { BaseCtx } from '#shared/domains/context'
import { isUuid } from '#shared/kernel/ids'
import { MAX_TOKEN_LENGTH, objectIn, parseStrictJws } from '#shared/platform/tokens/strict-jws'

export type IdTokenHint = {
  readonly tenantId: TenantId
  readonly userId: string
  /** What the client calls itself to which it was given. */
  readonly audience: string
  readonly sessionId: string
  readonly authorizationId: string
  readonly expiresAt: Date
}

/**
 * Whether it claims to be an ID token of ours under a key that is not kept any more: keys go a day after the last token that they signed is over, and clients keep
 * ID tokens for longer. Nothing of it can be believed; that is no reason to turn away whoever is sent with it.
 */
export const isSignedWithRetiredKey = async (ctx: Pick<BaseCtx, 'config' | 'signingKeys'>, token: string): Promise<boolean> => {
  const jws = token.length > MAX_TOKEN_LENGTH ? undefined : parseStrictJws(token)
  if (jws === undefined || jws.header.alg !== 'RS256' || jws.header.typ !== 'JWT') return false
  const isOurs = objectIn(jws.payloadSegment)?.iss === ctx.config.BASE_URL
  return isOurs && (await ctx.signingKeys.verifier(jws.header.kid)) === undefined
}

/** What an ID token of ours says, in time or not; undefined for anything else. */
export const readIdTokenHint = async (ctx: Pick<BaseCtx, 'config' | 'signingKeys'>, token: string): Promise<IdTokenHint | undefined> => {
  const jws = token.length > MAX_TOKEN_LENGTH ? undefined : parseStrictJws(token)
  if (jws === undefined || jws.header.alg !== 'RS256' || jws.header.typ !== 'JWT') return undefined
  const verifier = await ctx.signingKeys.verifier(jws.header.kid)
  if (verifier?.alg !== 'RS256') return undefined
  try {
    await compactVerify(token, verifier.key, { algorithms: ['RS256'] })
  } catch {
    return undefined
  }
  const { iss, sub, aud, exp, sid, at_hash, tenant_id, authorization_id } = objectIn(jws.payloadSegment) ?? {}
  if (iss !== ctx.config.BASE_URL || typeof aud !== 'string' || typeof at_hash !== 'string' || typeof exp !== 'number') return undefined
  if (!isUuid(sub) || !isUuid(sid) || !isUuid(tenant_id) || !isUuid(authorization_id)) return undefined
  const expiresAt = new Date(exp * 1000)
  return { tenantId: asTenantId(tenant_id), userId: sub, audience: aud, sessionId: sid, authorizationId: authorization_id, expiresAt }
}
