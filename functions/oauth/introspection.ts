// Introspection (RFC 7662) by the resource server that a token is for.

import type * as z from 'zod'
import { forTenant, type TenantDb } from '#db/engine/tenant'
import { findIntrospectionCaller, findTokenStateFor, type TokenState } from '#db/store/oauth-introspection'
import { type AccessClaims, tokenQueryOf, verifyAccessToken } from '#shared/domains/oauth/access-token'
import { isThatServer, resourceServerRefused, serverCredentials } from '#shared/domains/oauth/resource-server-authentication'
import { isIdentityScope } from '#shared/domains/oauth/supported'
import { unixSeconds } from '#shared/kernel/clock'
import { AppError } from '#shared/kernel/errors'
import type { Ctx } from './group.ts'
import type { IntrospectionForm, TokenDescription } from './introspection.schema.ts'

type Description = z.input<typeof TokenDescription>
const INACTIVE: Description = { active: false }

const keepsScopes = (claims: AccessClaims, state: TokenState): boolean =>
  claims.scopes.every((scope) => isIdentityScope(scope) || state.scopes.includes(scope))

const described = (ctx: Ctx, claims: AccessClaims, state: TokenState, remaining: Description['authorization_details_left']): Description => ({
  active: true,
  iss: ctx.config.BASE_URL,
  sub: claims.sub,
  subject_type: state.userId === undefined ? 'service_account' : 'user',
  client_id: claims.clientId,
  tenant_id: claims.tenantId,
  aud: [claims.audience],
  scope: claims.scopes.join(' '),
  exp: unixSeconds(claims.expiresAt),
  iat: unixSeconds(claims.issuedAt),
  jti: claims.tokenId,
  token_type: claims.jkt === undefined ? 'Bearer' : 'DPoP',
  ...(claims.jkt === undefined ? {} : { cnf: { jkt: claims.jkt } }),
  ...(claims.act === undefined ? {} : { act: { ...claims.act } }),
  ...(claims.mayAct === undefined ? {} : { may_act: { sub: claims.mayAct } }),
  ...(state.agentType === undefined ? {} : { agent_type: state.agentType }),
  ...(state.ownerId === undefined ? {} : { owner_id: state.ownerId }),
  ...(claims.details.length === 0 ? {} : { authorization_details: [...claims.details], authorization_details_left: remaining }),
  ...(state.serviceAccountId === undefined ? {} : { service_account_id: state.serviceAccountId }),
  ...(state.userId === undefined ? {} : { acting_user_id: state.userId }),
  ...(claims.authentication === undefined
    ? {}
    : {
        auth_time: unixSeconds(claims.authentication.authTime),
        acr: claims.authentication.acr,
        amr: [...claims.authentication.amr],
        sid: claims.authentication.sessionId,
      }),
})

export type ExaminedToken = { readonly t: TenantDb; readonly activeToken: { readonly claims: AccessClaims; readonly state: TokenState } | undefined }

/**
 * Reads a token for the resource server that it is issued for. For every other resource server the result is that of an unknown token.
 * @throws AppError client_authentication_failed, rate_limited, invalid_request
 */
export const examineToken = async (ctx: Ctx, token: string | undefined): Promise<ExaminedToken> => {
  const presented = serverCredentials(ctx)
  if (presented === undefined) throw await resourceServerRefused(ctx)
  const t = forTenant(ctx.db, presented.tenantId)
  const claims = token === undefined ? undefined : await verifyAccessToken(ctx, token)
  const isOwn = claims?.tenantId === presented.tenantId
  const { caller, state } = isOwn
    ? await findTokenStateFor(t, tokenQueryOf(claims, ctx.clock.now()), presented.id)
    : { caller: await findIntrospectionCaller(t, presented.id), state: undefined }
  if (!isThatServer(caller, presented)) throw await resourceServerRefused(ctx)
  if (token === undefined) throw new AppError('invalid_request', 'token is missing.')
  const activeToken = isOwn && state?.alive === true && claims.audience === caller?.resource && keepsScopes(claims, state)
  return { t, activeToken: activeToken ? { claims, state } : undefined }
}

/** @throws AppError client_authentication_failed, rate_limited, invalid_request */
export const introspect = async (ctx: Ctx, form: z.output<typeof IntrospectionForm>): Promise<Description> => {
  const { t, activeToken } = await examineToken(ctx, form.token)
  if (activeToken === undefined) return INACTIVE
  const remaining =
    activeToken.claims.details.length === 0 ? [] : await (await import('./remaining-limits.ts')).remainingLimits(t, activeToken.claims)
  return described(ctx, activeToken.claims, activeToken.state, remaining)
}
