// Where a sign-in through a provider begins: which tenant it is for, what it shall do, and where the browser goes.
import type * as z from 'zod'
import { directory, forTenant, SYSTEM_TENANT, type TenantId } from '#db/engine/tenant'
import { findDomainOwner, findTenantByDomain } from '#db/store/domains'
import { findTenant } from '#db/store/tenants'
import { requireRedirectAfter, requireTarget, requireTargetOf, type Target } from '#shared/domains/federation/target'
import { listUpstreams, requireUpstream } from '#shared/domains/federation/upstream'
import { fullDomain, isPlatformDomain } from '#shared/domains/sign-in/choose-tenant'
import { isFull, requireOpenSignUp } from '#shared/domains/sign-up/open-sign-up'
import { AppError } from '#shared/kernel/errors'
import { normaliseTenantDomain } from '#shared/kernel/tenant-domain'
import { Sent } from '#shared/platform/http/route'
import type { User } from '#shared/platform/principals/principal'
import type { Ctx } from './group.ts'
import type { CheckedTenant, EnabledProviders, Initiate, Initiated, InitiatedAction, InitiateFor, Link, LinkStarted } from './initiate.schema.ts'
import { type Started, startDance } from './state.ts'

type Asked = z.output<typeof Initiate>

const activeTenant = async (ctx: Ctx, domain: string): Promise<TenantId | undefined> => {
  const tenantId = await findTenantByDomain(directory(ctx.db), domain)
  if (tenantId === undefined) return undefined
  return (await findTenant(forTenant(ctx.db, tenantId)))?.status === 'active' ? tenantId : undefined
}

export const showProviders = async (ctx: Ctx, domain: string | undefined): Promise<z.input<typeof EnabledProviders>> => {
  const named = domain === undefined ? undefined : await activeTenant(ctx, fullDomain(ctx.config, domain))
  // Somewhere else the platform's are shown: nothing is begun by that.
  const here = await requireTarget(ctx).catch((error: unknown) => {
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

type Led = Pick<Asked, 'provider' | 'redirect_after'> & { readonly target: Target }

const lead = async (
  ctx: Ctx,
  led: Led,
  start: { readonly tenantId: TenantId; readonly action: 'login' | 'register' | 'discover'; readonly tenantDomain?: string },
): Promise<Started> => {
  const tenantId = start.tenantId === SYSTEM_TENANT && start.action !== 'login' ? undefined : start.tenantId
  requireTargetOf(led.target, tenantId)
  await requireRedirectAfter(ctx, led.redirect_after, led.target, tenantId)
  const upstream = await requireUpstream(ctx, start.tenantId, led.provider)
  return startDance(ctx, { ...start, upstream, origin: led.target.origin, redirectAfter: led.redirect_after })
}

const login = (ctx: Ctx, led: Led, tenantId: TenantId): Promise<Started> => lead(ctx, led, { tenantId, action: 'login' })

/** @throws AppError sign_up_closed, single_tenant, tenant_domain_invalid, tenant_domain_taken */
const register = async (ctx: Ctx, led: Led, typed: string): Promise<Started> => {
  const tenantDomain = normaliseTenantDomain(typed, ctx.config.TENANT_DOMAIN_SUFFIX)
  if (tenantDomain === undefined) throw new AppError('tenant_domain_invalid', undefined, { field: 'body.tenant_domain' })
  requireOpenSignUp(ctx)
  if (await isFull(ctx)) throw new AppError('single_tenant')
  if ((await findDomainOwner(directory(ctx.db), tenantDomain)) !== undefined)
    throw new AppError('tenant_domain_taken', undefined, { field: 'body.tenant_domain' })
  return lead(ctx, led, { tenantId: SYSTEM_TENANT, action: 'register', tenantDomain })
}

const shown = ({ redirectUrl, state }: Started) => ({ redirect_url: redirectUrl, state })
const sent = <R>(started: Started, body: R): Sent<R> => new Sent(body, { cookies: [started.cookie] })

/**
 * No domain (or the platform's): whoever it is; a known one: sign in there; an unknown one: a company signs up. On a tenant's own domain only that tenant is
 * meant.
 * @throws AppError provider_not_enabled, provider_unavailable, redirect_refused, sign_up_closed, single_tenant, tenant_domain_invalid, tenant_domain_taken
 */
export const initiate = async (ctx: Ctx, body: Asked): Promise<Sent<z.input<typeof InitiatedAction>>> => {
  const led = { ...body, target: await requireTarget(ctx) }
  const named = body.tenant_domain === undefined ? undefined : fullDomain(ctx.config, body.tenant_domain)
  if (named === undefined || isPlatformDomain(ctx.config, named)) {
    const started = await lead(ctx, led, { tenantId: led.target.tenantId ?? SYSTEM_TENANT, action: 'discover' })
    return sent(started, { ...shown(started), action: 'discover' })
  }
  const tenantId = await activeTenant(ctx, named)
  const started = tenantId === undefined ? await register(ctx, led, named) : await login(ctx, led, tenantId)
  return sent(started, { ...shown(started), action: tenantId === undefined ? 'register' : 'login' })
}

export const initiateRegistration = async (ctx: Ctx, body: z.output<typeof InitiateFor>): Promise<Sent<z.input<typeof Initiated>>> => {
  const started = await register(ctx, { ...body, target: await requireTarget(ctx) }, body.tenant_domain)
  return sent(started, shown(started))
}

/** @throws AppError tenant_not_found, provider_not_enabled, provider_unavailable, redirect_refused */
export const initiateLogin = async (ctx: Ctx, body: z.output<typeof InitiateFor>): Promise<Sent<z.input<typeof Initiated>>> => {
  const tenantId = await activeTenant(ctx, fullDomain(ctx.config, body.tenant_domain))
  if (tenantId === undefined) throw new AppError('tenant_not_found')
  const started = await login(ctx, { ...body, target: await requireTarget(ctx) }, tenantId)
  return sent(started, shown(started))
}

/** Whether the name leads to a sign-in or to a sign-up. @throws AppError tenant_domain_invalid */
export const checkTenant = async (ctx: Ctx, typed: string): Promise<z.input<typeof CheckedTenant>> => {
  const domain = fullDomain(ctx.config, typed)
  const exists = (await findTenantByDomain(directory(ctx.db), domain)) !== undefined
  if (!exists && normaliseTenantDomain(domain, ctx.config.TENANT_DOMAIN_SUFFIX) === undefined)
    throw new AppError('tenant_domain_invalid', undefined, { field: 'query.domain' })
  return { domain, exists, action: exists ? 'login' : 'register' }
}

/** Begins to connect a provider's sign-in with the caller's account; `exchange-code` ends it, for the same session alone. */
export const startLink = async (ctx: Ctx, caller: User, { provider }: z.output<typeof Link>): Promise<Sent<z.input<typeof LinkStarted>>> => {
  const target = await requireTarget(ctx)
  requireTargetOf(target, caller.tenantId)
  const started = await startDance(ctx, {
    tenantId: caller.tenantId,
    action: 'link',
    upstream: await requireUpstream(ctx, caller.tenantId, provider),
    origin: target.origin,
    redirectAfter: undefined,
    userId: caller.userId,
    sessionId: caller.sessionId,
  })
  return sent(started, { ...shown(started), message: 'Continue at the provider.' })
}
