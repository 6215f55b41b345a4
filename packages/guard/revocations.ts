// Reads the issuer's revocations when a token is checked, at most once a second: a token revoked at the issuer is refused here within two seconds. There is no timer, so
// a process that is frozen between two requests works as correctly as one that runs all the time.
import { createRemoteJWKSet, customFetch, jwtVerify } from 'jose'
import { disclosedId, idsIn, isMeant } from '../../shared/domains/oauth/distrust-ids.ts'
import { digest } from '../../shared/domains/oauth/dpop-proof.ts'
import { basicHeader, type IntrospectionCredentials } from './check-by-introspection.ts'
import { AuthorizationServerUnavailable } from './refusal.ts'
import type { AccessToken } from './token.ts'

export type Revocations = {
  /** Whether a grant that the token depends on was revoked; then its issuer is asked. @throws Away when all known revocations are older than promised */
  readonly mean: (token: AccessToken) => Promise<boolean>
}

const READ_AGAIN_MS = 1000
/** The greatest age of the revocations that are used. */
const PROMISED_MS = 2000
const TIMEOUT_MS = 5000

type Options = {
  readonly issuer: string
  readonly resource: string
  readonly jwksUri: string
  readonly credentials: IntrospectionCredentials
  readonly fetch: typeof fetch
  readonly now: () => Date
}
type Known = { readonly revoked: ReadonlyMap<string, number>; readonly cursor: string | undefined; readonly readAt: number }

const entriesIn = (value: unknown): readonly (readonly [string, number])[] => {
  if (!Array.isArray(value)) throw new Error('The feed is malformed.')
  return value as readonly (readonly [string, number])[]
}

export const revocationFeed = ({ issuer, resource, jwksUri, credentials, fetch, now }: Options): Revocations => {
  const keys = createRemoteJWKSet(new URL(jwksUri), {
    cacheMaxAge: 60_000,
    cooldownDuration: 1000,
    timeoutDuration: TIMEOUT_MS,
    [customFetch]: fetch,
  })
  let known: Known | undefined
  let reading: Promise<Known> | undefined

  const read = async (): Promise<Known> => {
    // The time of the request: a revocation made while the response travelled may be missing from it.
    const readAt = now().getTime()
    const url = `${issuer}/oauth/revocations${known?.cursor === undefined ? '' : `?after=${known.cursor}`}`
    const headers = { authorization: basicHeader(credentials), accept: 'application/jwt' }
    const response = await fetch(url, { headers, redirect: 'manual', signal: AbortSignal.timeout(TIMEOUT_MS) })
    if (response.status !== 200) throw new Error(`The feed answered ${response.status}.`)
    const { payload } = await jwtVerify(await response.text(), keys, {
      issuer,
      audience: resource,
      typ: 'revocations+jwt',
      algorithms: ['ES256'],
      currentDate: now(),
    })
    const revoked = new Map(known?.revoked)
    for (const [id, until] of entriesIn(payload.revoked)) revoked.set(id, Math.max(revoked.get(id) ?? 0, until))
    // No token lives longer than an hour, so older revocations can be dropped.
    for (const [id, until] of revoked) if (until < readAt / 1000 - 2 * 3600) revoked.delete(id)
    return { revoked, cursor: typeof payload.cursor === 'string' ? payload.cursor : undefined, readAt }
  }

  const fresh = async (): Promise<Known> => {
    const age = now().getTime() - (known?.readAt ?? Number.NEGATIVE_INFINITY)
    if (known !== undefined && age < READ_AGAIN_MS) return known
    // Concurrent callers share one request.
    reading ??= read().finally(() => {
      reading = undefined
    })
    try {
      known = await reading
    } catch (error) {
      if (known !== undefined && age < PROMISED_MS) return known
      throw new AuthorizationServerUnavailable('The revocations of the authorization server cannot be read.', { cause: error })
    }
    // A slow response, or one that an earlier caller requested, may already be too old.
    if (now().getTime() - known.readAt >= PROMISED_MS)
      throw new AuthorizationServerUnavailable('The revocations of the authorization server arrive too late.')
    return known
  }

  return {
    mean: async ({ claims }) => {
      const { revoked } = await fresh()
      if (revoked.size === 0) return false
      const digests = await Promise.all(idsIn(claims).map(async ([kind, id]) => disclosedId(await digest(`${kind} ${id}`))))
      return isMeant(revoked, digests, claims.iat)
    },
  }
}
