// Checks a token by introspection at its issuer (RFC 7662), so revocations take effect immediately.

import { AuthorizationServerUnavailable } from './refusal.ts'
import type { Check } from './token.ts'
import { accessTokenOf, type Claims } from './token.ts'

const TIMEOUT_MS = 5000

/** Id and introspection secret of the resource server at its issuer. */
export type IntrospectionCredentials = {
  readonly id: string
  readonly secret: string
}
type Options = {
  readonly issuer: string
  readonly resource: string
  readonly endpoint: string
  readonly credentials: IntrospectionCredentials
  readonly fetch: typeof fetch
  readonly now: () => Date
}

export const basicHeader = ({ id, secret }: IntrospectionCredentials): string =>
  `Basic ${btoa(`${encodeURIComponent(id)}:${encodeURIComponent(secret)}`)}`
const isFor = (resource: string, aud: unknown): boolean => aud === resource || (Array.isArray(aud) && aud.includes(resource))

export const checkByIntrospection = ({ issuer, resource, endpoint, credentials, fetch, now }: Options): Check => {
  const headers = { authorization: basicHeader(credentials), accept: 'application/json' }
  const ask = async (token: string): Promise<Claims> => {
    try {
      const body = new URLSearchParams({ token, token_type_hint: 'access_token' })
      // A redirect is not a valid answer; the mode `error` would refuse it, but workers do not support that mode.
      const response = await fetch(endpoint, { method: 'POST', headers, body, redirect: 'manual', signal: AbortSignal.timeout(TIMEOUT_MS) })
      if (response.status !== 200) throw new Error(`introspection answered ${response.status}`)
      return (await response.json()) as Claims
    } catch (error) {
      throw new AuthorizationServerUnavailable('The authorization server cannot be reached for introspection.', { cause: error })
    }
  }
  return async (token) => {
    const claims = await ask(token)
    const isGood = claims.active === true && claims.iss === issuer && isFor(resource, claims.aud)
    return isGood ? accessTokenOf(token, claims, now()) : undefined
  }
}
