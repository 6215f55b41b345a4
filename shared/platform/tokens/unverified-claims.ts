import { decodeJwt, type JWTPayload } from 'jose'

/** What a JWT claims before its signature is checked; empty for anything else. It says which row to load and proves nothing. */
export const unverifiedClaims = (token: string | undefined): JWTPayload => {
  try {
    return decodeJwt(token ?? '')
  } catch {
    return {}
  }
}
