// The token endpoints of AuthSec's identity plane: a workload exchanges its JWT-SVID for an access token, or for a JWT-SVID of another audience. Who calls
// follows from the verified token alone. Access tokens are signed by the deployment; what they may do is nothing that the JWT-SVID could not.
import type * as z from 'zod'
import { asTenantId, atomically, forTenant } from '#db/engine/tenant'
import { findEntry, type RegistrationEntry } from '#db/store/registration-entries'
import { TOKEN_EXCHANGE, TOKEN_TYPES } from '#shared/domains/oauth/supported'
import { issuerOfTenant } from '#shared/domains/spiffe/bundle'
import { type IssuedToken, revokeSvidIn } from '#shared/domains/spiffe/issued'
import { issueJwtSvid } from '#shared/domains/spiffe/jwt-svid'
import { issuePlaneToken } from '#shared/domains/spiffe/plane-token'
import { type VerifiedSvid, verifyJwtSvid, verifyWorkloadToken } from '#shared/domains/spiffe/verify'
import { AppError } from '#shared/kernel/errors'
import { byCaller, byWorkload } from '#shared/platform/audit/audit-log'
import { requireProvedBody, SVID_PROOF } from '#shared/platform/http/workload-authentication'
import type { Client } from '#shared/platform/principals/principal'
import type { Ctx } from './group.ts'
import { planeIssuer } from './plane-jwt.ts'
import type { PlaneDiscovery, PlaneIntrospection, PlaneJwks, PlaneTokenRequest, PlaneTokenResponse } from './plane-oidc.schema.ts'
import { entryOfWorkload } from './svids.ts'

type TokenResponse = z.input<typeof PlaneTokenResponse>
const DEFAULT_SECONDS = 3600

const planeBase = ({ config }: Pick<Ctx, 'config'>): string => `${config.BASE_URL}/authsec/spire`

export const planeDiscovery = async (ctx: Ctx): Promise<z.input<typeof PlaneDiscovery>> => {
  const issuer = planeBase(ctx)
  return {
    issuer,
    token_endpoint: `${issuer}/oidc/token`,
    jwks_uri: `${issuer}/.well-known/jwks.json`,
    introspection_endpoint: `${issuer}/oidc/introspect`,
    revocation_endpoint: `${issuer}/oidc/revoke`,
    response_types_supported: ['id_token'],
    subject_types_supported: ['public'],
    id_token_signing_alg_values_supported: ['RS256'],
    scopes_supported: ['openid', 'profile', 'email', 'spiffe'],
    token_endpoint_auth_methods_supported: ['none'],
    introspection_endpoint_auth_methods_supported: ['client_secret_basic'],
    revocation_endpoint_auth_methods_supported: ['client_secret_basic'],
    claims_supported: ['sub', 'iss', 'aud', 'exp', 'iat', 'spiffe_id'],
    grant_types_supported: [TOKEN_EXCHANGE],
  }
}

export const planeJwks = async (ctx: Ctx): Promise<z.input<typeof PlaneJwks>> => ({
  keys: (await ctx.signingKeys.jwks()).keys.filter(({ alg }) => alg === 'RS256').map((key) => ({ ...key })),
})

type Subject = { readonly verified: VerifiedSvid; readonly entry: RegistrationEntry }

/** A JWT-SVID that was issued for us, with its entry. */
const subjectOf = async (ctx: Ctx, token: string): Promise<Subject | undefined> => {
  const verified = await verifyJwtSvid(ctx, token)
  if (verified === undefined) return undefined
  const accepted = [planeBase(ctx), ctx.config.BASE_URL, issuerOfTenant(ctx.config, verified.tenantId), ...ctx.config.AUTHSEC_SPIFFE_AUDIENCE]
  if (!verified.audience.some((one) => accepted.includes(one))) return undefined
  const entry = await findEntry(forTenant(ctx.db, verified.tenantId), verified.state.entryId)
  return entry === undefined ? undefined : { verified, entry }
}

/** The scopes of the subject among those that are requested: an exchange never widens them. */
const scopeOf = ({ claims }: VerifiedSvid, requested: string | undefined): string => {
  const held = typeof claims.scope === 'string' ? claims.scope.split(' ') : []
  return (requested ?? '')
    .split(' ')
    .filter((scope) => scope !== '' && held.includes(scope))
    .join(' ')
}

const secondsLeft = ({ issuedAt, expiresAt }: IssuedToken): number => Math.round((expiresAt.getTime() - issuedAt.getTime()) / 1000)

const exchanged = async (
  ctx: Ctx,
  { verified, entry }: Subject,
  audience: string | undefined,
  requested: string | undefined,
): Promise<TokenResponse> => {
  const issuer = planeBase(ctx)
  const scope = scopeOf(verified, requested)
  const { instanceId } = verified.state
  const issued = await issuePlaneToken(ctx, entry, {
    audience: [audience ?? issuer],
    issuer,
    scope,
    actor: byWorkload(entry.id),
    ...(instanceId === null ? {} : { instanceId }),
  })
  return {
    access_token: issued.token,
    issued_token_type: TOKEN_TYPES.access,
    token_type: 'Bearer',
    expires_in: secondsLeft(issued),
    ...(scope === '' ? {} : { scope }),
  }
}

const SUBJECT_TYPES: readonly string[] = [TOKEN_TYPES.jwt, TOKEN_TYPES.access, 'urn:ietf:params:oauth:token-type:jwt-svid']

/** RFC 8693 section 2.1. @throws AppError invalid_request, unsupported_grant_type, invalid_grant, invalid_target */
export const exchangePlaneToken = async (ctx: Ctx, request: z.output<typeof PlaneTokenRequest>): Promise<TokenResponse> => {
  const { grant_type: grantType, subject_token: subjectToken, subject_token_type: subjectType } = request
  if (grantType === undefined) throw new AppError('invalid_request', 'grant_type is missing', { field: 'body.grant_type' })
  if (grantType !== TOKEN_EXCHANGE) throw new AppError('unsupported_grant_type')
  if (subjectToken === undefined) throw new AppError('invalid_request', 'subject_token is missing', { field: 'body.subject_token' })
  if (subjectType === undefined || !SUBJECT_TYPES.includes(subjectType)) {
    throw new AppError('invalid_request', 'subject_token_type is missing or not supported', { field: 'body.subject_token_type' })
  }
  const subject = await subjectOf(ctx, subjectToken)
  if (subject === undefined) throw new AppError('invalid_grant')
  return orInvalidGrant(exchanged(ctx, subject, request.audience, request.scope))
}

/** The entry ended meanwhile. */
const orInvalidGrant = async <T>(work: Promise<T>): Promise<T> => {
  try {
    return await work
  } catch (error) {
    if (error instanceof AppError && error.code === 'not_found') throw new AppError('invalid_grant', undefined, {}, error)
    throw error
  }
}

const invalidClient = (): AppError =>
  new AppError('client_authentication_failed', 'A JWT-SVID of this deployment is required.', {
    headers: { 'WWW-Authenticate': 'Bearer realm="authsec"' },
  })

/** The bearer JWT-SVID of the request. @throws AppError client_authentication_failed */
const requireBearer = async (ctx: Ctx): Promise<Subject> => {
  const [scheme, token, ...rest] = (ctx.request.header('authorization') ?? '').split(' ')
  if (scheme?.toLowerCase() !== 'bearer' || token === undefined || rest.length > 0) throw invalidClient()
  const subject = await subjectOf(ctx, token)
  if (subject === undefined) throw invalidClient()
  return subject
}

/** An access token for the presented JWT-SVID, never for an identity of the server. @throws AppError client_authentication_failed, invalid_grant */
export const exchangePresentedSvid = async (ctx: Ctx): Promise<TokenResponse> =>
  orInvalidGrant(exchanged(ctx, await requireBearer(ctx), undefined, undefined))

/** The entry of the caller: by a bearer JWT-SVID, or by proof of its X.509-SVID. @throws AppError client_authentication_failed */
const requireEntry = async (ctx: Ctx): Promise<RegistrationEntry> => {
  if (ctx.request.header(SVID_PROOF) === undefined) return (await requireBearer(ctx)).entry
  try {
    const workload = await ctx.workloadAuthentication.authenticate(ctx.request)
    requireProvedBody(workload, '')
    return await entryOfWorkload(ctx, workload)
  } catch (error) {
    if (error instanceof AppError && error.status === 401) throw invalidClient()
    throw error
  }
}

/** @throws AppError client_authentication_failed, invalid_target, invalid_request, invalid_grant */
export const issuePlaneSvid = async (ctx: Ctx, audience: string): Promise<TokenResponse> => {
  const entry = await requireEntry(ctx)
  const tenantId = asTenantId(entry.tenantId)
  const issued = await orInvalidGrant(
    issueJwtSvid(ctx, entry, {
      audience: [audience],
      issuer: planeIssuer(tenantId),
      seconds: DEFAULT_SECONDS,
      claims: { tenant_id: tenantId, workspace_id: tenantId },
      actor: byWorkload(entry.id),
    }),
  )
  return { access_token: issued.token, issued_token_type: TOKEN_TYPES.jwt, token_type: 'Bearer', expires_in: secondsLeft(issued) }
}

/** A token of another tenant is answered like an unknown one. */
export const introspectPlaneToken = async (ctx: Ctx, caller: Client, token: string): Promise<z.input<typeof PlaneIntrospection>> => {
  const verified = await verifyWorkloadToken(ctx, token)
  if (verified === undefined || verified.tenantId !== caller.tenantId) return { active: false }
  const { spiffeId, issuer, audience, claims, state } = verified
  return {
    active: true,
    sub: spiffeId,
    iss: issuer,
    aud: [...audience],
    exp: Number(claims.exp),
    iat: Number(claims.iat),
    jti: state.id,
    spiffe_id: spiffeId,
  }
}

/** RFC 7009: unknown tokens, and those of other tenants, are answered alike. Events: svid.revoked. */
export const revokePlaneToken = async (ctx: Ctx, caller: Client, token: string): Promise<Record<string, never>> => {
  const verified = await verifyWorkloadToken(ctx, token)
  if (verified?.tenantId !== caller.tenantId) return {}
  await atomically(forTenant(ctx.db, caller.tenantId), (t) => revokeSvidIn(t, ctx, verified.state.id, 'revoked_by_client', byCaller(caller)))
  return {}
}
