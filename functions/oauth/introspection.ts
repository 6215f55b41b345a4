// Introspection (RFC 7662) by the resource server that a token is for.

import type * as z from 'zod'
import { asTenantId, forTenant, type TenantDb, type TenantId } from '#db/engine/tenant'
import { findIntrospectionCaller, findTokenStateFor, type IntrospectionCaller, type TokenState } from '#db/store/oauth-introspection'
import { type AccessClaims, tokenQueryOf, verifyAccessToken } from '#shared/domains/oauth/access-token'
import { isIdentityScope } from '#shared/domains/oauth/supported'
import { unixSeconds } from '#shared/kernel/clock'
import { AppError } from '#shared/kernel/errors'
import { isUuid, splitHandle } from '#shared/kernel/ids'
import { constantTimeEqual } from '#shared/platform/crypto/equal'
import { sha256 } from '#shared/platform/crypto/sha256'
import { basicCredentials, clientAuthenticationFailed } from '#shared/platform/http/basic-auth'
import { addressKey, anonymousLimitEntry } from '#shared/platform/http/guard'
import type { Ctx } from './group.ts'
import type { IntrospectionForm, TokenDescription } from './introspection.schema.ts'

type Description = z.input<typeof TokenDescription>
const INACTIVE: Description = { active: false }
const MOST_FAILURES = 60

type CallerCredentials = { readonly tenantId: TenantId; readonly id: string; readonly secret: string }

/** A resource server's secret begins with its tenant, so nothing has to be looked up without one. */
const callerCredentials = (ctx: Ctx): CallerCredentials | undefined => {
  const presented = basicCredentials(ctx.request)
  const tenantId = presented instanceof AppError ? undefined : splitHandle(presented.secret)?.id
  if (presented instanceof AppError || tenantId === undefined || !isUuid(presented.clientId)) return undefined
  return { tenantId: asTenantId(tenantId), id: presented.clientId, secret: presented.secret }
}

const refused = async (ctx: Ctx): Promise<AppError> => {
  const key = `oauth-asker-failed:${addressKey(ctx, ctx.request.address)}`
  await ctx.limits.check([{ key, windowSeconds: 60, max: MOST_FAILURES, guardsCredential: true }, anonymousLimitEntry(ctx, ctx.request)])
  return clientAuthenticationFailed()
}

const keepsScopes = (claims: AccessClaims, state: TokenState): boolean =>
  claims.scopes.every((scope) => isIdentityScope(scope) || state.scopes.includes(scope))

const described = (ctx: Ctx, claims: AccessClaims, state: TokenState, left: Description['authorization_details_left']): Description => ({
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
  ...(claims.details.length === 0 ? {} : { authorization_details: [...claims.details], authorization_details_left: left }),
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

export type ExaminedToken = { readonly t: TenantDb; readonly counts: { readonly claims: AccessClaims; readonly state: TokenState } | undefined }

/**
 * A token, as the resource server that it is for may know it; to all others it is like a token that never was.
 * @throws AppError client_authentication_failed, rate_limited, invalid_request
 */
export const examineToken = async (ctx: Ctx, token: string | undefined): Promise<ExaminedToken> => {
  const presented = callerCredentials(ctx)
  if (presented === undefined) throw await refused(ctx)
  const t = forTenant(ctx.db, presented.tenantId)
  const claims = token === undefined ? undefined : await verifyAccessToken(ctx, token)
  const isOwn = claims?.tenantId === presented.tenantId
  const { caller, state } = isOwn
    ? await findTokenStateFor(t, tokenQueryOf(claims, ctx.clock.now()), presented.id)
    : { caller: await findIntrospectionCaller(t, presented.id), state: undefined }
  if (!isCaller(caller, presented)) throw await refused(ctx)
  if (token === undefined) throw new AppError('invalid_request', 'token is missing.')
  const counts = isOwn && state?.alive === true && claims.audience === caller?.resource && keepsScopes(claims, state)
  return { t, counts: counts ? { claims, state } : undefined }
}

/** @throws AppError client_authentication_failed, rate_limited, invalid_request */
export const introspect = async (ctx: Ctx, form: z.output<typeof IntrospectionForm>): Promise<Description> => {
  const { t, counts } = await examineToken(ctx, form.token)
  if (counts === undefined) return INACTIVE
  const left = counts.claims.details.length === 0 ? [] : await (await import('./remaining-limits.ts')).remainingLimits(t, counts.claims)
  return described(ctx, counts.claims, counts.state, left)
}

/** The resource server that asks, proved. @throws AppError client_authentication_failed, rate_limited */
export const authenticateResourceServer = async (ctx: Ctx): Promise<{ readonly t: TenantDb; readonly caller: IntrospectionCaller }> => {
  const presented = callerCredentials(ctx)
  if (presented === undefined) throw await refused(ctx)
  const t = forTenant(ctx.db, presented.tenantId)
  const caller = await findIntrospectionCaller(t, presented.id)
  if (caller === undefined || !isCaller(caller, presented)) throw await refused(ctx)
  return { t, caller }
}

const isCaller = (caller: IntrospectionCaller | undefined, { secret }: CallerCredentials): boolean =>
  caller?.active === true && constantTimeEqual(sha256(secret), caller.introspectionHash)
