// The deployment's own tenant and the platform administrators. The first to register is never one of them.
import { isUniqueViolation } from '#db/engine/client'
import { atomically, forTenant, SYSTEM_TENANT, type TenantTx } from '#db/engine/tenant'
import { bindRole } from '#db/store/bindings'
import { claimDomain } from '#db/store/domains'
import { findTenant, insertTenant, useQuota } from '#db/store/tenants'
import { findUserByEmail, insertUser, putAdministrator } from '#db/store/users'
import type { BaseCtx } from '#shared/domains/context'
import { bySystem, recordEvent } from '#shared/platform/audit/audit-log'
import { emailHash } from '#shared/platform/crypto/email-hash'
import { QUOTAS } from './quotas.ts'
import { PLATFORM_ROLE, seedTenant } from './seeds.ts'

type Deps = Pick<BaseCtx, 'db' | 'clock' | 'random' | 'keyring' | 'hash' | 'config'>

/** The subdomain by which platform administrators may name their tenant at sign-in. */
export const platformDomain = (config: BaseCtx['config']): string => `platform.${config.TENANT_DOMAIN_SUFFIX}`

/** Idempotent; run after migrations. Of concurrent processes one creates it and the others find it. */
export const ensureSystemTenant = (ctx: Deps): Promise<void> =>
  createSystemTenant(ctx).catch((error: unknown) => {
    if (isUniqueViolation(error)) return createSystemTenant(ctx)
    throw error
  })

const createSystemTenant = (ctx: Deps): Promise<void> =>
  atomically(forTenant(ctx.db, SYSTEM_TENANT), async (t) => {
    const at = ctx.clock.now()
    if ((await findTenant(t)) === undefined) {
      await insertTenant(t, { name: 'System', email: null, domain: platformDomain(ctx.config), source: 'system', at })
      await claimDomain(t, { domain: platformDomain(ctx.config), kind: 'platform_subdomain', isVerified: true, createdAt: at })
      await recordEvent(t, ctx, { event: 'tenant.created', actor: bySystem, target: { type: 'tenant', id: t.tenantId }, after: { name: 'System' } })
    }
    await seedTenant(t, ctx, at)
  })

export type EnsuredAdministrator = { readonly userId: string; readonly created: boolean }

type NewAdministrator = { readonly email: string; readonly name: string; readonly passwordHash: string | null; readonly proved: boolean }

/** Adds a platform administrator; undefined when the address exists, which then stays unchanged. */
export const addPlatformAdministrator = async (t: TenantTx, ctx: Omit<Deps, 'db'>, given: NewAdministrator): Promise<string | undefined> => {
  const at = ctx.clock.now()
  const id = ctx.random.id()
  const provedAt = given.proved ? at : null
  const added = await insertUser(t, {
    id,
    email: given.email,
    emailVerifiedAt: provedAt,
    name: given.name,
    username: given.email,
    passwordHash: given.passwordHash,
    isPrimaryAdmin: true,
    announcedAt: at,
    validFrom: at,
    createdAt: at,
    updatedAt: at,
  })
  if (!added) return undefined
  await useQuota(t, 'users', QUOTAS.users)
  await bindRole(t, { id: ctx.random.id(), roleId: await seedTenant(t, ctx, at), userId: id, at })
  await putAdministrator(t, { emailHash: emailHash(ctx, given.email), userId: id, provedAt })
  await recordEvent(t, ctx, {
    event: 'user.created',
    actor: bySystem,
    target: { type: 'user', id },
    after: { email: given.email, roles: [PLATFORM_ROLE] },
  })
  return id
}

/** Makes sure that the platform administrator exists. An existing person stays unchanged. */
export const ensurePlatformAdministrator = (ctx: Deps, given: NewAdministrator): Promise<EnsuredAdministrator> =>
  atomically(forTenant(ctx.db, SYSTEM_TENANT), async (t) => {
    const known = await findUserByEmail(t, given.email)
    if (known) return { userId: known.id, created: false }
    const userId = await addPlatformAdministrator(t, ctx, given)
    if (userId !== undefined) return { userId, created: true }
    // Another process added the person meanwhile.
    return { userId: (await findUserByEmail(t, given.email))?.id ?? '', created: false }
  })
