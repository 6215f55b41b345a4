// Tenants: platform administrators list and create them; a tenant's administrators read and change their own.
import type * as z from 'zod'
import { asTenantId, atomically, directory, forTenant, inOtherTenant, SYSTEM_TENANT, type TenantId, type TenantTx } from '#db/engine/tenant'
import { claimDomain, moveSubDomain } from '#db/store/domains'
import { isUsernameTaken } from '#db/store/people'
import { findTenant, listTenantIds, setTenantStatus, type Tenant, updateTenant } from '#db/store/tenants'
import { findAdministeredTenants, findPrimaryAdministrator, updateUser } from '#db/store/users'
import { actInTenant } from '#shared/domains/authority/acting-tenant'
import type { RequestCtx } from '#shared/domains/context'
import type { BreachedPasswords } from '#shared/domains/passwords/breached'
import { checkNewPassword } from '#shared/domains/passwords/policy'
import { refuseSecondCompany } from '#shared/domains/sign-up/open-sign-up'
import { createTenant } from '#shared/domains/tenancy/create-tenant'
import { secondsAfter } from '#shared/kernel/clock'
import { AppError } from '#shared/kernel/errors'
import { normaliseTenantDomain } from '#shared/kernel/tenant-domain'
import { byUser, recordEvent } from '#shared/platform/audit/audit-log'
import { emailHash } from '#shared/platform/crypto/email-hash'
import { isPlatformAdministrator } from '#shared/platform/http/tenant-rule'
import type { User } from '#shared/platform/principals/principal'
import { requireTenant } from './people.ts'
import { TEMPORARY_SECONDS } from './temporary-password.ts'
import type { CreateTenant, TenantObject, Tenants, TenantsQuery, UpdateTenant } from './tenants.schema.ts'

export const toTenantResponse = (tenant: Tenant): z.input<typeof TenantObject> => ({
  id: tenant.tenantId,
  tenant_id: tenant.tenantId,
  tenant_db: '',
  email: tenant.email ?? '',
  provider: 'local',
  name: tenant.name,
  source: tenant.source,
  status: tenant.status,
  created_at: tenant.createdAt.toISOString(),
  updated_at: tenant.updatedAt.toISOString(),
  tenant_domain: tenant.domain,
  ...(tenant.deleteAfter === null ? {} : { delete_after: tenant.deleteAfter.toISOString() }),
})

/** The caller's own tenant; for platform administrators all tenants, newest first by UUIDv7. */
export const listTenants = async (ctx: RequestCtx, caller: User, query: z.output<typeof TenantsQuery>): Promise<z.input<typeof Tenants>> => {
  if (!isPlatformAdministrator(caller)) return { tenants: [toTenantResponse(await requireTenant(forTenant(ctx.db, caller.tenantId)))] }
  const { cursor, limit } = query
  const rows = await listTenantIds(directory(ctx.db), parseCursor(cursor), limit + 1, 'newest first')
  const page = rows.slice(0, limit)
  const found = await Promise.all(page.map(({ tenantId }) => findTenant(forTenant(ctx.db, tenantId))))
  return {
    tenants: found.flatMap((tenant) => (tenant === undefined || tenant.tenantId === SYSTEM_TENANT ? [] : [toTenantResponse(tenant)])),
    ...(rows.length > limit && page.at(-1) !== undefined ? { next_cursor: page.at(-1)?.tenantId } : {}),
  }
}

/** @throws AppError invalid_request */
const parseCursor = (cursor: string | undefined): TenantId | undefined => {
  if (cursor === undefined) return undefined
  try {
    return asTenantId(cursor)
  } catch {
    throw new AppError('invalid_request', 'The cursor does not belong to this list.', { field: 'query.cursor' })
  }
}

/** The requested domain, or one made from the tenant's name and random letters. @throws AppError tenant_domain_invalid */
const domainFor = (ctx: RequestCtx, body: z.output<typeof CreateTenant>): string => {
  const suffix = ctx.config.TENANT_DOMAIN_SUFFIX
  const made = body.name
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^[^a-z]+|-+$/g, '')
    .slice(0, 40)
  const domain = normaliseTenantDomain(body.tenant_domain ?? `${made || 'tenant'}-${Buffer.from(ctx.random.bytes(4)).toString('hex')}`, suffix)
  if (domain === undefined) throw new AppError('tenant_domain_invalid', undefined, { field: 'body.tenant_domain' })
  return domain
}

type CreateCtx = RequestCtx & { readonly breached: BreachedPasswords }

/**
 * Creates a tenant with its seeds and first administrator, whose password is temporary because another person chose it.
 * @throws AppError single_tenant, tenant_exists, tenant_domain_invalid, tenant_domain_taken, password_*
 */
export const addTenant = async (
  ctx: CreateCtx,
  caller: User,
  body: z.output<typeof CreateTenant>,
): Promise<{ tenant: z.input<typeof TenantObject> }> => {
  const domain = domainFor(ctx, body)
  const { email, password } = body
  if ((await findAdministeredTenants(directory(ctx.db), emailHash(ctx, email))).length > 0)
    throw new AppError('tenant_exists', undefined, { field: 'body.email' })
  await checkNewPassword(
    { password, email, name: body.name, tenantDomain: domain, secondFactorRequired: false, field: 'body.password' },
    ctx.breached,
  )
  const passwordHash = await ctx.passwords.hash(password)
  const tenantId = asTenantId(ctx.random.id())
  const tenant = await atomically(forTenant(ctx.db, caller.tenantId), async (t) => {
    await refuseSecondCompany(t, ctx)
    return inOtherTenant(t, tenantId, async (own) => {
      const admin = { email, name: body.username, passwordHash, provedAt: null, temporaryPassword: true }
      const { userId } = await createTenant(own, ctx, { name: body.name, domain, source: 'admin', actor: byUser(caller), admin })
      await updateUser(own, userId, { username: body.username, temporaryPasswordExpiresAt: secondsAfter(ctx.clock.now(), TEMPORARY_SECONDS) })
      return requireTenant(own)
    })
  })
  ctx.metrics.count('tenant_operations_total', { operation: 'create', result: 'success' })
  return { tenant: { ...toTenantResponse(tenant), username: body.username } }
}

type Update = z.output<typeof UpdateTenant>

/** Moves the tenant to a new platform subdomain; the old one stays reserved for a while. @throws AppError tenant_domain_invalid, tenant_domain_taken */
const moveDomain = async (t: TenantTx, ctx: RequestCtx, from: string, requested: string): Promise<string> => {
  const domain = normaliseTenantDomain(requested, ctx.config.TENANT_DOMAIN_SUFFIX)
  if (domain === undefined) throw new AppError('tenant_domain_invalid', undefined, { field: 'body.tenant_domain' })
  if (domain === from) return from
  const at = ctx.clock.now()
  if (!(await claimDomain(t, { domain, kind: 'platform_subdomain', isVerified: true, createdAt: at })))
    throw new AppError('tenant_domain_taken', undefined, { field: 'body.tenant_domain' })
  await moveSubDomain(t, { id: ctx.random.id(), from, to: domain, at })
  return domain
}

/** Renames the primary administrator and returns the previous name; undefined when nothing changes. @throws AppError username_taken */
const renamePrimary = async (t: TenantTx, username: string, at: Date): Promise<string | null | undefined> => {
  const primary = await findPrimaryAdministrator(t)
  if (primary === undefined || primary.username === username) return undefined
  if (await isUsernameTaken(t, username, primary.id)) throw new AppError('username_taken', undefined, { field: 'body.username' })
  await updateUser(t, primary.id, { username, updatedAt: at })
  return primary.username
}

/**
 * Changes a tenant. Only platform administrators change its status: a tenant that suspended itself could not undo it.
 * @throws AppError not_found, forbidden, tenant_domain_invalid, tenant_domain_taken, username_taken
 */
export const changeTenant = async (ctx: RequestCtx, caller: User, tenantId: TenantId, body: Update) => {
  const tenant = await actInTenant(ctx, caller, tenantId, async (t) => {
    const before = await requireTenant(t)
    if (body.status !== undefined && body.status !== before.status) {
      if (!isPlatformAdministrator(caller) || before.status === 'deleting' || tenantId === SYSTEM_TENANT)
        throw new AppError('forbidden', 'Only platform administrators can change the status of a tenant.', { field: 'body.status' })
      await setTenantStatus(t, body.status, ctx.clock.now())
    }
    const domain = body.tenant_domain === undefined ? before.domain : await moveDomain(t, ctx, before.domain, body.tenant_domain)
    const username = body.username === undefined ? undefined : await renamePrimary(t, body.username, ctx.clock.now())
    const isRenamed = username !== undefined
    const set = { name: body.name || before.name, email: body.email ?? before.email, domain }
    await updateTenant(t, set, ctx.clock.now())
    await recordEvent(t, ctx, {
      event: 'tenant.updated',
      actor: byUser(caller),
      target: { type: 'tenant', id: tenantId },
      subjectId: tenantId,
      before: { name: before.name, email: before.email, domain: before.domain, status: before.status, ...(isRenamed ? { username } : {}) },
      after: { ...set, status: body.status ?? before.status, ...(isRenamed ? { username: body.username } : {}) },
    })
    return requireTenant(t)
  })
  return { message: 'Tenant updated', tenant: toTenantResponse(tenant) }
}
