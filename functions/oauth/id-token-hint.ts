// Reads an ID token that a client sends back: as a hint (OpenID Connect Core section 3.1.2.1, RP-Initiated Logout section 2, CIBA Core section 7.1), which may have
// expired, names a person and does not authenticate the caller; or as the subject of a token exchange.

import { compactVerify } from 'jose'
import { asTenantId, type TenantId } from '#db/engine/tenant'
import type { BaseCtx } from '#shared/domains/context'
import { isUuid } from '#shared/kernel/ids'
import { MAX_TOKEN_LENGTH, objectIn, parseStrictJws } from '#shared/platform/tokens/strict-jws'

export type IdTokenHint = {
  readonly tenantId: TenantId
  readonly userId: string
  /** The public id of the client that it was issued to. */
  readonly audience: string
  readonly sessionId: string
  readonly authorizationId: string
  readonly expiresAt: Date
}

/**
 * Whether the token claims to be an ID token of ours, signed with a key that was deleted: keys are deleted a day after their last token expired, and clients
 * keep ID tokens for longer. Its content is not trusted, but the request is not refused either.
 */
export const isSignedWithRetiredKey = async (ctx: Pick<BaseCtx, 'config' | 'signingKeys'>, token: string): Promise<boolean> => {
  const jws = token.length > MAX_TOKEN_LENGTH ? undefined : parseStrictJws(token)
  if (jws === undefined || jws.header.alg !== 'RS256' || jws.header.typ !== 'JWT') return false
  const isOurs = objectIn(jws.payloadSegment)?.iss === ctx.config.BASE_URL
  return isOurs && (await ctx.signingKeys.verifier(jws.header.kid)) === undefined
}

/** The claims of an ID token of ours, expired or not; undefined for anything else. */
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
