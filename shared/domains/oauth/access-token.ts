// Access tokens: JWTs of RFC 9068, one audience each. A token proves what was granted; whether that is still valid is read from the store.
import { compactVerify, SignJWT } from 'jose'
import { asTenantId, type TenantId } from '#db/engine/tenant'
import type { Act } from '#db/store/oauth-delegations'
import type { AuthorizationDetail } from '#db/store/oauth-details'
import type { BaseCtx } from '#shared/domains/context'
import { unixSeconds } from '#shared/kernel/clock'
import { isUuid } from '#shared/kernel/ids'
import { MAX_TOKEN_LENGTH, objectIn, parseStrictJws } from '#shared/platform/tokens/strict-jws'
import { tokenDigest, VerifiedTokenCache } from '#shared/platform/tokens/verified-token-cache'

const TYP = 'at+jwt'
/** Tolerated clock difference of another instance for times in the future. Expiry has no tolerance. */
const CLOCK_TOLERANCE_SECONDS = 60

export type AccessClaims = {
  readonly tenantId: TenantId
  /** A person, or the client itself for a token without a person (RFC 9068 section 2.2). */
  readonly sub: string
  readonly clientId: string
  readonly audience: string
  readonly scopes: readonly string[]
  readonly tokenId: string
  readonly issuedAt: Date
  readonly expiresAt: Date
  /** The authorization that the token depends on; absent where the client acts in its own name. */
  readonly authorizationId: string | undefined
  /** The delegation step that issued the token from another token (RFC 8693) or from an assertion (RFC 7523). The token then depends on that step. */
  readonly delegationId: string | undefined
  /** The actor, with earlier actors nested (RFC 8693 section 4.1). */
  readonly act: Act | undefined
  /** The only permitted actor (RFC 8693 section 4.4). */
  readonly mayAct: string | undefined
  /** RFC 9396 section 9.1 */
  readonly details: readonly AuthorizationDetail[]
  /** Thumbprint of the key to which the token is bound (RFC 9449 section 6.1). */
  readonly jkt: string | undefined
  readonly authentication: { readonly authTime: Date; readonly acr: string; readonly amr: readonly string[]; readonly sessionId: string } | undefined
}
type Below = 'delegationId' | 'act' | 'mayAct' | 'details'
export type NewAccessToken = Omit<AccessClaims, 'tokenId' | 'issuedAt' | 'expiresAt' | Below> &
  Partial<Pick<AccessClaims, Below>> & { readonly ttlSeconds: number }

type SignDeps = Pick<BaseCtx, 'config' | 'clock' | 'random' | 'signingKeys'>

/** Signs with ES256; not to be called inside a transaction. */
export const issueAccessToken = async (ctx: SignDeps, grant: NewAccessToken): Promise<string> => {
  const iat = unixSeconds(ctx.clock.now())
  const { kid, key } = await ctx.signingKeys.signer('ES256')
  const { authentication } = grant
  const claims = {
    iss: ctx.config.BASE_URL,
    sub: grant.sub,
    aud: grant.audience,
    client_id: grant.clientId,
    tenant_id: grant.tenantId,
    scope: grant.scopes.join(' '),
    jti: ctx.random.id(),
    iat,
    exp: iat + grant.ttlSeconds,
    ...(grant.authorizationId === undefined ? {} : { authorization_id: grant.authorizationId }),
    ...(grant.delegationId === undefined ? {} : { delegation_id: grant.delegationId }),
    ...(grant.act === undefined ? {} : { act: grant.act }),
    ...(grant.mayAct === undefined ? {} : { may_act: { sub: grant.mayAct } }),
    ...(grant.details === undefined || grant.details.length === 0 ? {} : { authorization_details: grant.details }),
    ...(grant.jkt === undefined ? {} : { cnf: { jkt: grant.jkt } }),
    ...(authentication === undefined
      ? {}
      : {
          auth_time: unixSeconds(authentication.authTime),
          acr: authentication.acr,
          amr: authentication.amr,
          sid: authentication.sessionId,
        }),
  }
  return new SignJWT(claims).setProtectedHeader({ alg: 'ES256', kid, typ: TYP }).sign(key)
}

const at = (seconds: number): Date => new Date(seconds * 1000)
const isText = (value: unknown): value is string => typeof value === 'string'
const isSeconds = (value: unknown): value is number => typeof value === 'number' && Number.isInteger(value) && value >= 0

const authenticationOf = (p: Readonly<Record<string, unknown>>): AccessClaims['authentication'] =>
  isSeconds(p.auth_time) && isText(p.acr) && Array.isArray(p.amr) && isUuid(p.sid)
    ? { authTime: at(p.auth_time), acr: p.acr, amr: p.amr.filter(isText), sessionId: p.sid }
    : undefined

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> => typeof value === 'object' && value !== null && !Array.isArray(value)
const MOST_ACTORS = 32
const isAct = (value: unknown, left = MOST_ACTORS): value is Act =>
  isObject(value) && left > 0 && isText(value.sub) && (value.act === undefined || isAct(value.act, left - 1))
const detailsIn = (value: unknown): readonly AuthorizationDetail[] | undefined => {
  if (value === undefined) return []
  return Array.isArray(value) && value.every((one) => isObject(one) && isText(one.type)) ? (value as AuthorizationDetail[]) : undefined
}

/** Hand-written, because every introspection runs it; access-token.test.ts compares it with issued tokens. */
const claimsIn = (p: Readonly<Record<string, unknown>>, issuer: string, now: Date): AccessClaims | undefined => {
  const { iss, sub, aud, client_id, tenant_id, scope, jti, iat, exp, authorization_id, delegation_id, act, may_act, authorization_details, cnf } = p
  if (iss !== issuer || !isUuid(sub) || !isText(aud) || !isUuid(client_id) || !isUuid(tenant_id) || !isText(scope) || !isUuid(jti)) return undefined
  if (!isSeconds(iat) || !isSeconds(exp) || exp <= unixSeconds(now) || iat > unixSeconds(now) + CLOCK_TOLERANCE_SECONDS) return undefined
  const jkt = cnf === undefined ? undefined : (cnf as Readonly<Record<string, unknown>>).jkt
  if ((cnf !== undefined && !isText(jkt)) || (authorization_id !== undefined && !isUuid(authorization_id))) return undefined
  const details = detailsIn(authorization_details)
  const mayAct = isObject(may_act) ? may_act.sub : undefined
  if ((delegation_id !== undefined && !isUuid(delegation_id)) || (act !== undefined && !isAct(act)) || details === undefined) return undefined
  if (may_act !== undefined && !isUuid(mayAct)) return undefined
  return {
    tenantId: asTenantId(tenant_id),
    sub,
    clientId: client_id,
    audience: aud,
    scopes: scope === '' ? [] : scope.split(' '),
    tokenId: jti,
    issuedAt: at(iat),
    expiresAt: at(exp),
    authorizationId: authorization_id as string | undefined,
    delegationId: delegation_id as string | undefined,
    act: act as Act | undefined,
    mayAct: mayAct as string | undefined,
    details,
    jkt: jkt as string | undefined,
    authentication: authenticationOf(p),
  }
}

type VerifyDeps = Pick<BaseCtx, 'config' | 'clock' | 'signingKeys'>

type Seen = { readonly issuer: string; readonly kid: string; readonly claims: AccessClaims }
const seenBy = new WeakMap<VerifyDeps['signingKeys'], VerifiedTokenCache<Seen>>()

const isAccepted = async ({ signingKeys }: VerifyDeps, kid: string): Promise<boolean> => (await signingKeys.verifier(kid))?.alg === 'ES256'

const verifyUnseen = async (ctx: VerifyDeps, token: string): Promise<Seen | undefined> => {
  const jws = parseStrictJws(token)
  if (jws === undefined || jws.header.typ !== TYP || jws.header.alg !== 'ES256') return undefined
  const verifier = await ctx.signingKeys.verifier(jws.header.kid)
  if (verifier?.alg !== 'ES256') return undefined
  try {
    await compactVerify(token, verifier.key, { algorithms: ['ES256'] })
  } catch {
    return undefined
  }
  const payload = objectIn(jws.payloadSegment)
  const issuer = ctx.config.BASE_URL
  const claims = payload === undefined ? undefined : claimsIn(payload, issuer, ctx.clock.now())
  return claims === undefined ? undefined : { issuer, kid: jws.header.kid, claims }
}

/**
 * The claims of one of our access tokens, in our exact encoding and unexpired; undefined for any other token. A token that was verified
 * before costs one digest: expiry and key are checked again, the signature is not. Revocation is not checked here.
 */
export const verifyAccessToken = async (ctx: VerifyDeps, token: string): Promise<AccessClaims | undefined> => {
  if (token.length > MAX_TOKEN_LENGTH) return undefined
  const tokens = seenBy.get(ctx.signingKeys) ?? new VerifiedTokenCache<Seen>()
  seenBy.set(ctx.signingKeys, tokens)
  const digest = tokenDigest(token)
  const seen = tokens.recall(digest)
  if (seen?.issuer === ctx.config.BASE_URL) {
    if (seen.claims.expiresAt > ctx.clock.now() && (await isAccepted(ctx, seen.kid))) return seen.claims
    tokens.forget(digest)
    return undefined
  }
  const verified = await verifyUnseen(ctx, token)
  if (verified !== undefined) tokens.keep(digest, verified)
  return verified?.claims
}

/** The time of issue in milliseconds: the token's id is a UUIDv7. */
export const madeAt = ({ tokenId }: Pick<AccessClaims, 'tokenId'>): Date => new Date(Number.parseInt(tokenId.replace('-', '').slice(0, 12), 16))

/** The query for the state of a token. */
export const tokenQueryOf = (claims: AccessClaims, now: Date) => ({
  tokenId: claims.tokenId,
  clientId: claims.clientId,
  authorizationId: claims.authorizationId,
  delegationId: claims.delegationId,
  audience: claims.audience,
  madeAt: madeAt(claims),
  now,
})
