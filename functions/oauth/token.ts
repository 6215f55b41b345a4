// The token endpoint: small checks, in this order, because their order is the security property.
import type * as z from 'zod'
import type { OauthClient } from '#db/store/oauth-clients'
import { proofKey } from '#shared/domains/oauth/dpop'
import { CIBA, DEVICE_CODE, GRANT_TYPES, type GrantType, JWT_BEARER, TOKEN_EXCHANGE, TOKEN_TYPES } from '#shared/domains/oauth/supported'
import { stoppedClock } from '#shared/kernel/clock'
import { AppError } from '#shared/kernel/errors'
import { HttpResult } from '#shared/platform/http/route'
import { authenticateClient } from './client-authentication.ts'
import { clientCredentials } from './grants/client-credentials.ts'
import { refreshTokenGrant } from './grants/refresh-token.ts'
import type { Ctx } from './group.ts'
import { canonicalResource, requireOneResource } from './scopes.ts'
import type { TokenForm } from './token.schema.ts'
import type { Grant, TokenRequest } from './token-request.ts'
import type { TokenSet } from './token-set.ts'

type Form = z.output<typeof TokenForm>
const GRANTS: Readonly<Record<GrantType, Grant>> = {
  refresh_token: refreshTokenGrant,
  client_credentials: clientCredentials,
  // Loaded with the first code, like the authorization endpoint.
  authorization_code: async (ctx, request) => (await import('./grants/authorization-code.ts')).authorizationCode(ctx, request),
  // Loaded with the first poll: few clients have these grants.
  [DEVICE_CODE]: async (ctx, request) => (await import('./grants/device-code.ts')).deviceCode(ctx, request),
  [CIBA]: async (ctx, request) => (await import('./grants/ciba.ts')).ciba(ctx, request),
  // Loaded with the first request of that type.
  [TOKEN_EXCHANGE]: async (ctx, request) => (await import('./grants/token-exchange.ts')).tokenExchange(ctx, request),
  [JWT_BEARER]: async (ctx, request) => (await import('./grants/jwt-bearer.ts')).jwtBearer(ctx, request),
}

const grantTypeIn = ({ grant_type: named }: Form): GrantType => {
  if (named === undefined) throw new AppError('invalid_request', 'grant_type is missing.')
  const known = GRANT_TYPES.find((type) => type === named)
  if (known === undefined) throw new AppError('unsupported_grant_type')
  return known
}

const requireRegistered = (client: OauthClient, type: GrantType): void => {
  if (!client.grantTypes.includes(type)) throw new AppError('unauthorized_client', 'The client is not registered for this grant type.')
}

/** RFC 9449 section 5.2 */
const requireProof = (client: OauthClient, jkt: string | undefined): void => {
  if (client.dpopBound && jkt === undefined) throw new AppError('invalid_dpop_proof', 'This client must send a DPoP proof.')
}

const claimsIn = (token: string | undefined): Readonly<Record<string, unknown>> => {
  try {
    const claims: unknown = JSON.parse(Buffer.from(token?.split('.')[1] ?? '', 'base64url').toString('utf8'))
    return typeof claims === 'object' && claims !== null ? (claims as Record<string, unknown>) : {}
  } catch {
    return {}
  }
}

/** Unverified hint: which resource server to load in the same query, from the request or from the presented token or assertion. */
const resourceHint = (form: Form): string | undefined => {
  const { grant_type: type, resource, audience, requested_token_type: wanted } = form
  if (resource !== undefined || wanted === TOKEN_TYPES.idJag) return undefined
  const { aud, client_id: holder } = type === TOKEN_EXCHANGE ? claimsIn(form.subject_token) : {}
  const { resource: asserted } = type === JWT_BEARER ? claimsIn(form.assertion) : {}
  const named = audience ?? (holder === undefined ? undefined : aud) ?? asserted
  return type === TOKEN_EXCHANGE || type === JWT_BEARER ? (typeof named === 'string' ? canonicalResource(named) : undefined) : undefined
}

/** The resource of an identity assertion keeps the spelling of the other server. */
const withCanonicalResource = (form: Form): Form =>
  form.resource !== undefined && form.requested_token_type !== TOKEN_TYPES.idJag ? { ...form, resource: canonicalResource(form.resource) } : form

/** The authorization of a code is read together with the client. */
const authenticateRequest = async (ctx: Ctx, form: Form): Promise<Pick<TokenRequest, 'client' | 'code'>> => {
  const requested = { ...form, resource: resourceHint(form) ?? form.resource }
  if (form.grant_type === 'authorization_code') return (await import('./grants/authorization-code.ts')).authenticateWithCode(ctx, requested)
  return { client: await authenticateClient(ctx, requested) }
}

/** @throws AppError what RFC 6749 section 5.2 and RFC 9449 section 5 name */
export const issueTokens = async (ctx: Ctx, sent: Form): Promise<HttpResult<TokenSet>> => {
  const form = withCanonicalResource(sent)
  const type = grantTypeIn(form)
  const { client, code } = await authenticateRequest(ctx, form)
  requireRegistered(client, type)
  requireOneResource(form.resource)
  requireOneResource(form.audience)
  const jkt = await proofKey(ctx, { method: 'POST', target: ctx.request.page })
  requireProof(client, jkt)
  // The grant reads one fixed time, so that no token outlives its subject token. The cache of clients, which outlives the request, has already used the real
  // clock.
  const tokens = await GRANTS[type]({ ...ctx, clock: stoppedClock(ctx.clock) }, { form, client, jkt, code })
  return new HttpResult(tokens, { headers: { Pragma: 'no-cache' } })
}
