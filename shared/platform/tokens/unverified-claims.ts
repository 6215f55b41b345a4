import { decodeJwt } from 'jose'

/** What a JWT claims before its signature is checked; empty for anything else. It says which row to load and proves nothing, not even types. */
export const unverifiedClaims = (token: string | undefined): Readonly<Record<string, unknown>> => {
  try {
    return decodeJwt(token ?? '')
  } catch {
    return {}
  }
}
