// JWT-SVIDs (JWT-SVID, section 3), always with `iss`, `iat`, `jti` and `kid`, which the workload identity federation of clouds requires.
import { SignJWT } from 'jose'
import { asTenantId } from '#db/engine/tenant'
import type { RegistrationEntry } from '#db/store/registration-entries'
import { secondsAfter, unixSeconds } from '#shared/kernel/clock'
import { AppError } from '#shared/kernel/errors'
import type { Alg } from '#shared/platform/tokens/signing-key'
import { MAX_TOKEN_LENGTH } from '#shared/platform/tokens/strict-jws'
import { issuerOfTenant } from './bundle.ts'
import { allowsAudience, DEFAULT_JWT_SECONDS, MAX_SVID_SECONDS } from './entries.ts'
import { type IssueCtx, type IssuedToken, type IssueOptions, lifetime, recordSigned, type SignedSvid, type SvidSeries } from './issued.ts'
import { workloadSigner } from './signer.ts'

const MAX_AUDIENCES = 10
const AUDIENCE = /^[\x21-\x7e]{1,400}$/

/** @throws AppError invalid_request, invalid_target */
export const requireAudience = (entry: RegistrationEntry, audience: readonly string[], always: readonly string[] = []): void => {
  if (audience.length === 0 || audience.length > MAX_AUDIENCES || !audience.every((one) => AUDIENCE.test(one) && one !== '*')) {
    throw new AppError('invalid_request', `audience: 1 to ${MAX_AUDIENCES} audiences`, { field: 'audience' })
  }
  if (!audience.every((one) => always.includes(one) || allowsAudience(entry, one))) {
    throw new AppError('invalid_target', 'The registration entry does not allow this audience.')
  }
}

/** Names of claims that callers cannot set: those of the standards, and those that grant something. */
const RESERVED = new Set(
  [
    'iss',
    'sub',
    'aud',
    'exp',
    'nbf',
    'iat',
    'jti',
    'cnf',
    'act',
    'azp',
    'client_id',
    'delegated_by',
    'user_id',
    'agent_id',
    'spiffe_id',
    'email',
    'sid',
  ]
    .concat(['role', 'roles', 'perms', 'permissions', 'scope', 'scopes', 'groups', 'admin', 'is_admin', 'tenant_id', 'workspace_id'])
    .concat(['acr', 'amr', 'auth_time', 'nonce', 'events', 'entitlements', 'authorization_details', 'may_act']),
)
/** The caller's claims without the reserved ones. */
export const customClaims = (claims: Readonly<Record<string, unknown>> | undefined): Readonly<Record<string, unknown>> =>
  Object.fromEntries(Object.entries(claims ?? {}).filter(([name]) => !RESERVED.has(name.toLowerCase())))

export type JwtSvidRequested = {
  readonly audience: readonly string[]
  /** Lifetime, shortened to what the entry allows. */
  readonly seconds?: number | undefined
  /** Audiences that need no entry. */
  readonly alwaysAllowed?: readonly string[]
  readonly alg?: Alg
  /** By default the issuer of the tenant. */
  readonly issuer?: string
  readonly claims?: Readonly<Record<string, unknown>>
  readonly series?: SvidSeries
}

const endOf = (from: Date, seconds: number, series: SvidSeries | undefined): Date => {
  const ends = [secondsAfter(from, seconds), ...(series === undefined ? [] : [secondsAfter(series.firstIssuedAt, MAX_SVID_SECONDS)])]
  return new Date(Math.min(...ends.map((end) => end.getTime())))
}

/** @throws AppError invalid_request, invalid_target, not_found, invalid_token */
export const signJwtSvid = async (ctx: IssueCtx, entry: RegistrationEntry, requested: JwtSvidRequested): Promise<SignedSvid<IssuedToken>> => {
  const { audience, series, alg = 'RS256' } = requested
  requireAudience(entry, audience, requested.alwaysAllowed)
  const tenantId = asTenantId(entry.tenantId)
  const key = await workloadSigner(ctx, tenantId, 'jwt', alg)
  const [id, issuedAt] = [ctx.random.id(), ctx.clock.now()]
  const expiresAt = endOf(issuedAt, lifetime(requested.seconds, DEFAULT_JWT_SECONDS, entry.jwtSeconds), series)
  if (expiresAt <= issuedAt) throw new AppError('invalid_token')
  const token = await new SignJWT({
    ...requested.claims,
    iss: requested.issuer ?? issuerOfTenant(ctx.config, tenantId),
    sub: entry.spiffeId,
    aud: audience.length === 1 ? (audience[0] ?? '') : [...audience],
    iat: unixSeconds(issuedAt),
    exp: unixSeconds(expiresAt),
    jti: id,
    ...(entry.agentId === null ? {} : { agent_id: entry.agentId }),
  })
    .setProtectedHeader({ alg, kid: key.kid, typ: 'JWT' })
    .sign(key.signingKey)
  if (token.length > MAX_TOKEN_LENGTH) throw new AppError('invalid_request', 'The claims are too large.')
  return {
    result: { id, token, spiffeId: entry.spiffeId, issuedAt, expiresAt },
    record: { row: { id, kind: 'jwt', kid: key.kid, issuedAt, expiresAt }, series, details: { audience } },
  }
}

/** Events: svid.issued, and svid.revoked for a renewal. @throws AppError invalid_request, invalid_target, not_found, invalid_token */
export const issueJwtSvid = async (ctx: IssueCtx, entry: RegistrationEntry, options: IssueOptions & JwtSvidRequested): Promise<IssuedToken> =>
  recordSigned(ctx, entry, options, await signJwtSvid(ctx, entry, options))
