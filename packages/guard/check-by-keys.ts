// Checks a token with the issuer's public keys, without a request for each token (RFC 9068 section 4).
import { createRemoteJWKSet, customFetch, jwtVerify } from 'jose'
import { JOSEError, JWKSTimeout } from 'jose/errors'
import { AuthorizationServerUnavailable } from './refusal.ts'
import type { Check } from './token.ts'
import { accessTokenOf } from './token.ts'

/** A revoked key is dropped within a minute. */
const KEYS_KEPT_MS = 60_000
/** The shortest time between two look-ups of an unknown key. */
const LOOK_AGAIN_MS = 1000
const TIMEOUT_MS = 5000

const REFUSED = ['ERR_JWT_EXPIRED', 'ERR_JWT_CLAIM_VALIDATION_FAILED', 'ERR_JWKS_NO_MATCHING_KEY', 'ERR_JWS_SIGNATURE_VERIFICATION_FAILED']
const isOfTheToken = (error: unknown): boolean =>
  error instanceof JOSEError && !(error instanceof JWKSTimeout) && (REFUSED.includes(error.code) || /^ERR_(?:JOSE|JWS|JWT)/.test(error.code))

type Options = {
  readonly issuer: string
  readonly resource: string
  readonly jwksUri: string
  readonly fetch: typeof fetch
  readonly now: () => Date
}

export const checkByKeys = ({ issuer, resource, jwksUri, fetch, now }: Options): Check => {
  const keys = createRemoteJWKSet(new URL(jwksUri), {
    cacheMaxAge: KEYS_KEPT_MS,
    cooldownDuration: LOOK_AGAIN_MS,
    timeoutDuration: TIMEOUT_MS,
    [customFetch]: fetch,
  })
  return async (token) => {
    try {
      // Algorithm, type, issuer and audience are pinned: the token's header selects only a key.
      const { payload } = await jwtVerify(token, keys, { issuer, audience: resource, typ: 'at+jwt', algorithms: ['ES256'], currentDate: now() })
      return payload.aud === resource ? accessTokenOf(token, payload, now()) : undefined
    } catch (error) {
      if (isOfTheToken(error)) return undefined
      throw new AuthorizationServerUnavailable('The keys of the authorization server cannot be read.', { cause: error })
    }
  }
}
