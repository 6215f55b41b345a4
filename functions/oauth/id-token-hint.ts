// An ID token that comes back to us as a hint (OpenID Connect Core section 3.1.2.1, RP-Initiated Logout section 2, CIBA Core section 7.1). It may have expired:
// it says who was meant, and proves nothing about who calls.
import { compactVerify } from 'jose'
import type { BaseCtx } from '#shared/context'
import { MAX_TOKEN_LENGTH, objectIn, parseStrictJws } from '#shared/token/strict-jws'

export type Hinted = { readonly userId: string; readonly audience: string; readonly sessionId: string | undefined }

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/

/** What an ID token of ours says, in time or not; undefined for anything else. */
export const readIdTokenHint = async (ctx: Pick<BaseCtx, 'config' | 'signingKeys'>, token: string): Promise<Hinted | undefined> => {
  const jws = token.length > MAX_TOKEN_LENGTH ? undefined : parseStrictJws(token)
  if (jws === undefined || jws.header.alg !== 'RS256' || jws.header.typ !== 'JWT') return undefined
  const verifier = await ctx.signingKeys.verifier(jws.header.kid)
  if (verifier?.alg !== 'RS256') return undefined
  try {
    await compactVerify(token, verifier.key, { algorithms: ['RS256'] })
  } catch {
    return undefined
  }
  const { iss, sub, aud, sid, at_hash } = objectIn(jws.payloadSegment) ?? {}
  const isIdToken = iss === ctx.config.BASE_URL && typeof sub === 'string' && UUID.test(sub) && typeof aud === 'string' && typeof at_hash === 'string'
  if (!isIdToken) return undefined
  return { userId: sub, audience: aud, sessionId: typeof sid === 'string' && UUID.test(sid) ? sid : undefined }
}
