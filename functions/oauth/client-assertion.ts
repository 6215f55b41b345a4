// Client authentication by a signed assertion (RFC 7523 section 2.2, as narrowed by draft-ietf-oauth-rfc7523bis: the audience is the issuer, and nothing else
// unless COMPATIBILITY=authsec).
import { compactVerify, decodeProtectedHeader, importJWK, type JWK } from 'jose'
import { forTenant } from '#db/engine/tenant'
import { consumeIdOnce } from '#db/store/oauth-authorizations'
import type { OauthClient } from '#db/store/oauth-clients'
import { CLIENT_SIGNING_ALGS, ENDPOINTS } from '#shared/domains/oauth/supported'
import { secondsAfter, unixSeconds } from '#shared/kernel/clock'
import { weaknessOf } from '#shared/platform/crypto/public-key'
import { sha256 } from '#shared/platform/crypto/sha256'
import type { Ctx } from './group.ts'

/** The `jti` of an assertion is stored until it expires. Clients sign one per request, so a short life is enough. */
const MAX_LIFETIME_SECONDS = 600
const SKEW_SECONDS = 30
const MAX_LENGTH = 8192

type Keys = Pick<Ctx, 'db' | 'clock' | 'outbound'>
export type Claims = Readonly<Record<string, unknown>>

/** The key that `kid` names; without `kid`, the only key. Never tries several keys. */
export const findAssertionKey = (keys: readonly JWK[], kid: unknown): JWK | undefined => {
  const named = kid === undefined ? keys : keys.filter((key) => key.kid === kid)
  return named.length === 1 ? named[0] : undefined
}

export const verifyClientAssertion = async (
  keys: readonly JWK[],
  assertion: string,
  isType: (typ: unknown) => boolean,
): Promise<Claims | undefined> => {
  try {
    const { alg = '', kid, typ, crit } = decodeProtectedHeader(assertion)
    const jwk = findAssertionKey(keys, kid)
    if (jwk === undefined || !isType(typ) || crit !== undefined || !(CLIENT_SIGNING_ALGS as readonly string[]).includes(alg)) return undefined
    if ((jwk.alg !== undefined && jwk.alg !== alg) || weaknessOf(jwk) !== undefined) return undefined
    const { payload } = await compactVerify(assertion, await importJWK(jwk, alg), { algorithms: [alg] })
    const claims: unknown = JSON.parse(new TextDecoder().decode(payload))
    return typeof claims === 'object' && claims !== null && !Array.isArray(claims) ? (claims as Claims) : undefined
  } catch {
    return undefined
  }
}

const isClientAssertion = (typ: unknown): boolean =>
  typ === undefined || (typeof typ === 'string' && /^(?:jwt|client-authentication\+jwt)$/i.test(typ))

export const isInTime = ({ exp, iat, nbf }: Claims, now: number): boolean => {
  const isUnixTime = (value: unknown): value is number => typeof value === 'number' && Number.isFinite(value)
  if (!isUnixTime(exp) || exp <= now - SKEW_SECONDS || exp > now + MAX_LIFETIME_SECONDS) return false
  return [iat, nbf].every((value) => value === undefined || (isUnixTime(value) && value <= now + SKEW_SECONDS))
}

const kidIn = (assertion: string): unknown => {
  try {
    return decodeProtectedHeader(assertion).kid
  } catch {
    return undefined
  }
}

/** The client's keys: the registered ones, or those at its `jwks_uri`. */
const keysOf = async (ctx: Keys, client: OauthClient, assertion: string): Promise<readonly JWK[]> => {
  if (client.jwksUri === undefined) return (client.jwks?.keys ?? []) as readonly JWK[]
  const { publishedKeys } = await import('./published-keys.ts')
  return (await publishedKeys(ctx, client, kidIn(assertion))) as readonly JWK[]
}

/** The audience is the issuer. COMPATIBILITY=authsec also accepts the URL of the token endpoint, which RFC 7523 section 3 allowed and AuthSec's clients send. */
const isForUs = ({ config }: Pick<Ctx, 'config'>, { aud }: Claims): boolean =>
  aud === config.BASE_URL || (config.COMPATIBILITY === 'authsec' && aud === `${config.BASE_URL}${ENDPOINTS.token}`)

/** Whether the assertion is from this client, for this server, within its time, and used for the first time. */
export const isAssertionOf = async (ctx: Keys & Pick<Ctx, 'config'>, client: OauthClient, assertion: string): Promise<boolean> => {
  if (assertion.length > MAX_LENGTH) return false
  const claims = await verifyClientAssertion(await keysOf(ctx, client, assertion), assertion, isClientAssertion)
  if (claims === undefined || claims.iss !== client.publicId || claims.sub !== client.publicId || !isForUs(ctx, claims)) return false
  const { jti, exp } = claims
  if (typeof jti !== 'string' || jti === '' || jti.length > 256 || !isInTime(claims, unixSeconds(ctx.clock.now()))) return false
  const storedUntil = secondsAfter(new Date((exp as number) * 1000), 2 * SKEW_SECONDS)
  return consumeIdOnce(forTenant(ctx.db, client.tenantId), sha256(`client-assertion ${client.clientId} ${jti}`), storedUntil)
}
