// Creates a tenant with its domain, project, first administrator, seeds and default client in one transaction.

import type { TenantTx } from '#db/engine/tenant'
import { bindRole } from '#db/store/bindings'
import { insertClient } from '#db/store/clients'
import { claimDomain, insertDomain } from '#db/store/domains'
import { insertProject } from '#db/store/projects'
import { insertTenant } from '#db/store/tenants'
import { insertUser, putAdministrator } from '#db/store/users'
import type { BaseCtx } from '#shared/domains/context'
import type { RequestInfo } from '#shared/kernel/context'
import { AppError } from '#shared/kernel/errors'
import { type Actor, recordEvent } from '#shared/platform/audit/audit-log'
import { emailHash } from '#shared/platform/crypto/email-hash'
import { consumeQuota } from './quotas.ts'
import { seedTenant } from './seeds.ts'

export type NewTenant = {
  readonly name: string
  /** Full domain, normalised. */
  readonly domain: string
  readonly source?: string
  readonly actor: Actor
  readonly admin: {
    readonly email: string
    readonly name: string
    readonly passwordHash: string | null
    /** When the address was proved by mail. */
    readonly provedAt: Date | null
    readonly temporaryPassword?: boolean
  }
}

export type CreatedTenant = {
  readonly tenantId: string
  readonly userId: string
  readonly projectId: string
  readonly clientId: string
}

type Deps = Pick<BaseCtx, 'clock' | 'random' | 'keyring' | 'hash'> & { readonly request?: RequestInfo }

/**
 * Creates the tenant of the transaction, whose id must be new. Returns the ids of tenant, first user, default client and default project.
 * @throws AppError tenant_domain_taken
 */
export const createTenant = async (t: TenantTx, ctx: Deps, given: NewTenant): Promise<CreatedTenant> => {
  const at = ctx.clock.now()
  const ids = { tenantId: t.tenantId, userId: ctx.random.id(), projectId: ctx.random.id(), clientId: ctx.random.id() }
  await insertTenant(t, { name: given.name, email: given.admin.email, domain: given.domain, at, ...(given.source ? { source: given.source } : {}) })
  const claimed = await claimDomain(t, { domain: given.domain, kind: 'platform_subdomain', isVerified: true, createdAt: at })
  if (!claimed) throw new AppError('tenant_domain_taken')
  await insertPlatformDomain(t, ctx, given.domain, at)
  const roleId = await seedTenant(t, ctx, at)
  await consumeQuota(t, {}, 'users')
  await consumeQuota(t, {}, 'clients')
  await insertUser(t, {
    id: ids.userId,
    clientId: ids.clientId,
    projectId: ids.projectId,
    email: given.admin.email,
    emailVerifiedAt: given.admin.provedAt,
    name: given.admin.name,
    username: given.admin.email,
    passwordHash: given.admin.passwordHash,
    temporaryPassword: given.admin.temporaryPassword ?? false,
    provider: 'local',
    isPrimaryAdmin: true,
    announcedAt: at,
    validFrom: at,
    createdAt: at,
    updatedAt: at,
  })
  await bindRole(t, { id: ctx.random.id(), roleId, userId: ids.userId, at })
  await putAdministrator(t, { emailHash: emailHash(ctx, given.admin.email), userId: ids.userId, provedAt: given.admin.provedAt })
  await insertProject(t, { id: ids.projectId, name: 'Default project', userId: ids.userId, at })
  await insertClient(t, {
    id: ids.clientId,
    projectId: ids.projectId,
    name: 'Default client',
    email: given.admin.email,
    isDefault: true,
    validFrom: at,
    createdAt: at,
    updatedAt: at,
  })
  await recordCreation(t, ctx, given, ids)
  return ids
}

/** The platform's subdomain in the tenant's list of domains: verified, and primary until another domain is verified. */
const insertPlatformDomain = async (t: TenantTx, ctx: Deps, domain: string, at: Date): Promise<void> => {
  await insertDomain(
    t,
    {
      id: ctx.random.id(),
      domain,
      kind: 'platform_subdomain',
      isPrimary: true,
      isVerified: true,
      verificationToken: '',
      verifiedAt: at,
      createdAt: at,
      updatedAt: at,
    },
    at,
  )
}

const recordCreation = async (t: TenantTx, ctx: Deps, given: NewTenant, ids: CreatedTenant): Promise<void> => {
  const { actor } = given
  await recordEvent(t, ctx, {
    event: 'tenant.created',
    actor,
    target: { type: 'tenant', id: ids.tenantId },
    after: { name: given.name, domain: given.domain },
  })
  await recordEvent(t, ctx, {
    event: 'user.created',
    actor,
    target: { type: 'user', id: ids.userId },
    subjectId: ids.userId,
    after: { email: given.admin.email, name: given.admin.name, roles: ['admin'] },
  })
  await recordEvent(t, ctx, { event: 'client.created', actor, target: { type: 'client', id: ids.clientId }, after: { name: 'Default client' } })
}
