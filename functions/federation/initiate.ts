// Starts a sign-in through a provider: determines the tenant and the action, and builds the redirect.
import type * as z from 'zod'
import { directory, forTenant, SYSTEM_TENANT, type TenantId } from '#db/engine/tenant'
import { findDomainOwner, findTenantByDomain } from '#db/store/domains'
import { findTenant } from '#db/store/tenants'
import { type ReturnTarget, requireRedirectAfter, requireReturnTarget, requireReturnTargetOf } from '#shared/domains/federation/return-target'
import { listUpstreams, requireUpstream } from '#shared/domains/federation/upstream'
import { fullDomain, namedDomain } from '#shared/domains/sign-in/choose-tenant'
import { isSingleTenantTaken, requireOpenSignUp } from '#shared/domains/sign-up/open-sign-up'
import { AppError } from '#shared/kernel/errors'
import { normaliseTenantDomain } from '#shared/kernel/tenant-domain'
import { HttpResult } from '#shared/platform/http/route'
import type { User } from '#shared/platform/principals/principal'
import type { Ctx } from './group.ts'
import type {
  CheckedTenant,
  EnabledProviders,
  FederationInitiated,
  InitiatedAction,
  InitiateFederation,
  InitiateFor,
  LinkIdentity,
  LinkStarted,
} from './initiate.schema.ts'
import { type StartedRedirect, startRedirectFlow } from './state.ts'

type Input = z.output<typeof InitiateFederation>

const activeTenant = async (ctx: Ctx, domain: string): Promise<TenantId | undefined> => {
  const tenantId = await findTenantByDomain(directory(ctx.db), domain)
  if (tenantId === undefined) return undefined
  return (await findTenant(forTenant(ctx.db, tenantId)))?.status === 'active' ? tenantId : undefined
}

export const showEnabledProviders = async (ctx: Ctx, domain: string | undefined): Promise<z.input<typeof EnabledProviders>> => {
  const given = namedDomain(ctx, domain)
  const named = given === undefined ? undefined : await activeTenant(ctx, given)
  // On an unknown origin the providers of the platform are listed, because listing starts nothing.
  const here = await requireReturnTarget(ctx).catch((error: unknown) => {
    if (error instanceof AppError) return undefined
    throw error
  })
  const upstreams = await listUpstreams(ctx, named ?? here?.tenantId ?? SYSTEM_TENANT)
  return {
    providers: upstreams.map(({ name, displayName, iconUrl }) => ({
      provider_name: name,
      display_name: displayName,
      ...(iconUrl === undefined ? {} : { icon_url: iconUrl }),
    })),
  }
}

type Led = Pick<Input, 'provider' | 'redirect_after'> & { readonly target: ReturnTarget }

const lead = async (
  ctx: Ctx,
  led: Led,
  start: { readonly tenantId: TenantId; readonly action: 'login' | 'register' | 'discover'; readonly tenantDomain?: string },
): Promise<StartedRedirect> => {
  const tenantId = start.tenantId === SYSTEM_TENANT && start.action !== 'login' ? undefined : start.tenantId
  requireReturnTargetOf(led.target, tenantId)
  await requireRedirectAfter(ctx, led.redirect_after, led.target, tenantId)
  const upstream = await requireUpstream(ctx, start.tenantId, led.provider)
  return startRedirectFlow(ctx, { ...start, upstream, origin: led.target.origin, redirectAfter: led.redirect_after })
}

const login = (ctx: Ctx, led: Led, tenantId: TenantId): Promise<StartedRedirect> => lead(ctx, led, { tenantId, action: 'login' })

/** @throws AppError sign_up_closed, single_tenant, tenant_domain_invalid, tenant_domain_taken */
const register = async (ctx: Ctx, led: Led, typed: string): Promise<StartedRedirect> => {
  const tenantDomain = normaliseTenantDomain(typed, ctx.config.TENANT_DOMAIN_SUFFIX)
  if (tenantDomain === undefined) throw new AppError('tenant_domain_invalid', undefined, { field: 'body.tenant_domain' })
  requireOpenSignUp(ctx)
  if (await isSingleTenantTaken(ctx)) throw new AppError('single_tenant')
  if ((await findDomainOwner(directory(ctx.db), tenantDomain)) !== undefined)
    throw new AppError('tenant_domain_taken', undefined, { field: 'body.tenant_domain' })
  return lead(ctx, led, { tenantId: SYSTEM_TENANT, action: 'register', tenantDomain })
}

const toResponse = ({ redirectUrl, state }: StartedRedirect) => ({ redirect_url: redirectUrl, state })
const sent = <R>(started: StartedRedirect, body: R): HttpResult<R> => new HttpResult(body, { cookies: [started.cookie] })

/**
 * Without a domain, or with the platform's, the identity determines the account. A known domain starts a sign-in, and an unknown one the sign-up of a company. On a
 * tenant's own domain only that tenant is used.
 * @throws AppError provider_not_enabled, provider_unavailable, redirect_refused, sign_up_closed, single_tenant, tenant_domain_invalid, tenant_domain_taken
 */
export const initiateFederation = async (ctx: Ctx, body: Input): Promise<HttpResult<z.input<typeof InitiatedAction>>> => {
  const led = { ...body, target: await requireReturnTarget(ctx) }
  const named = namedDomain(ctx, body.tenant_domain)
  if (named === undefined) {
    const started = await lead(ctx, led, { tenantId: led.target.tenantId ?? SYSTEM_TENANT, action: 'discover' })
    return sent(started, { ...toResponse(started), action: 'discover' })
  }
  const tenantId = await activeTenant(ctx, named)
  const started = tenantId === undefined ? await register(ctx, led, named) : await login(ctx, led, tenantId)
  return sent(started, { ...toResponse(started), action: tenantId === undefined ? 'register' : 'login' })
}

export const initiateFederatedRegistration = async (
  ctx: Ctx,
  body: z.output<typeof InitiateFor>,
): Promise<HttpResult<z.input<typeof FederationInitiated>>> => {
  const started = await register(ctx, { ...body, target: await requireReturnTarget(ctx) }, body.tenant_domain)
  return sent(started, toResponse(started))
}

/** @throws AppError tenant_not_found, provider_not_enabled, provider_unavailable, redirect_refused */
export const initiateFederatedLogin = async (
  ctx: Ctx,
  body: z.output<typeof InitiateFor>,
): Promise<HttpResult<z.input<typeof FederationInitiated>>> => {
  const named = namedDomain(ctx, body.tenant_domain)
  const target = named === undefined ? await requireReturnTarget(ctx) : undefined
  const tenantId = named === undefined ? target?.tenantId : await activeTenant(ctx, named)
  if (tenantId === undefined) throw new AppError('tenant_not_found')
  const started = await login(ctx, { ...body, target: target ?? (await requireReturnTarget(ctx)) }, tenantId)
  return sent(started, toResponse(started))
}

/** Returns whether the domain leads to a sign-in or to a sign-up. @throws AppError tenant_domain_invalid */
export const checkTenant = async (ctx: Ctx, typed: string): Promise<z.input<typeof CheckedTenant>> => {
  const domain = fullDomain(ctx.config, typed)
  const exists = (await findTenantByDomain(directory(ctx.db), domain)) !== undefined
  if (!exists && normaliseTenantDomain(domain, ctx.config.TENANT_DOMAIN_SUFFIX) === undefined)
    throw new AppError('tenant_domain_invalid', undefined, { field: 'query.domain' })
  return { domain, exists, action: exists ? 'login' : 'register' }
}

/** Starts to connect a provider with the caller's account. Only the same session can finish it, at `exchange-code`. */
export const startLink = async (
  ctx: Ctx,
  caller: User,
  { provider }: z.output<typeof LinkIdentity>,
): Promise<HttpResult<z.input<typeof LinkStarted>>> => {
  const target = await requireReturnTarget(ctx)
  requireReturnTargetOf(target, caller.tenantId)
  const started = await startRedirectFlow(ctx, {
    tenantId: caller.tenantId,
    action: 'link',
    upstream: await requireUpstream(ctx, caller.tenantId, provider),
    origin: target.origin,
    redirectAfter: undefined,
    userId: caller.userId,
    sessionId: caller.sessionId,
  })
  return sent(started, { ...toResponse(started), message: 'Continue at the provider.' })
}
