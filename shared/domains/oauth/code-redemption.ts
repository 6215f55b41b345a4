// Whether an authorization code may be redeemed (RFC 6749 section 4.1.3, RFC 7636 section 4.6, RFC 9449 section 10).
import type { AuthorizationState } from '#db/store/oauth-families'
import { sha256 } from '#shared/platform/crypto/sha256'

export type PresentedCode = {
  readonly clientId: string
  readonly codeVerifier: string
  readonly redirectUri: string | undefined
  /** The thumbprint of the key whose possession the request proves. */
  readonly jkt: string | undefined
}

export const challengeOf = (codeVerifier: string): string => Buffer.from(sha256(codeVerifier)).toString('base64url')

/** `replayed`: the client's own code, which was redeemed before. Pure. */
export const decideRedemption = (
  code: AuthorizationState | undefined,
  presented: PresentedCode,
  now: Date,
): 'redeemable' | 'replayed' | 'refused' => {
  if (code === undefined || code.clientId !== presented.clientId) return 'refused'
  if (code.codeUsed) return 'replayed'
  const isProved =
    code.codeChallenge === challengeOf(presented.codeVerifier) &&
    (presented.redirectUri === undefined || code.redirectUri === presented.redirectUri) &&
    (code.jkt === undefined || code.jkt === presented.jkt)
  return isProved && !code.revoked && code.alive && now < code.codeExpiresAt ? 'redeemable' : 'refused'
}
