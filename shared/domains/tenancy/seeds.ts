// The permissions of every tenant, and its system role, which holds all of them.

import { SYSTEM_TENANT, type TenantTx } from '#db/engine/tenant'
import { ensurePermissions } from '#db/store/permissions'
import { ensureSystemRole } from '#db/store/roles'
import type { BaseCtx } from '#shared/domains/context'

type Seed = readonly [resource: string, action: string, description: string]

const EVERY_TENANT: readonly Seed[] = [
  ['admin', 'access', 'Use the administration.'],
  ['admin', 'manage', 'Manage the tenant itself.'],
  ['users', 'read', 'See people.'],
  ['users', 'write', 'Add and change people.'],
  ['users', 'active', 'Enable and disable people.'],
  ['users', 'delete', 'Delete people.'],
  ['users', 'password', "Set other people's passwords."],
  ['roles', 'read', 'See roles, permissions and bindings.'],
  ['roles', 'write', 'Change roles, permissions and bindings.'],
  ['groups', 'write', 'Change groups and their members.'],
  ['scopes', 'write', 'Change scopes.'],
  ['clients', 'read', 'See clients.'],
  ['clients', 'write', 'Change clients.'],
  ['clients', 'admin', 'Administer clients.'],
  ['connections', 'read', 'See how people sign in through other providers.'],
  ['connections', 'write', 'Change how people sign in through other providers.'],
  ['tenants', 'delete', 'Delete the tenant.'],
  ['policy', 'check', 'Ask for decisions about others.'],
  ['audit', 'read', 'Read the audit log.'],
  ['webhooks', 'write', 'Send the audit log to systems of the tenant.'],
  ['scim', 'read', 'Read through SCIM.'],
  ['scim', 'write', 'Provision through SCIM.'],
  ['spire', 'manage', 'Manage workload identity: registration entries, attestors, keys and federation.'],
  ['external-service', 'create', 'Add external services.'],
  ['external-service', 'read', 'See external services.'],
  ['external-service', 'update', 'Change external services.'],
  ['external-service', 'delete', 'Delete external services.'],
  ['external-service', 'credentials', 'Read credentials of external services.'],
]

/** The resource `platform` exists only in the system tenant. */
const SYSTEM_ONLY: readonly Seed[] = [
  ['platform', 'migrate', 'Run migrations.'],
  ['platform', 'tenants', 'List and create tenants.'],
  ['platform', 'providers', 'Change providers of the whole platform.'],
]

export const ADMIN_ROLE = 'admin'
export const PLATFORM_ROLE = 'super_admin'

/** Idempotent. Returns the id of the administrators' role. */
export const seedTenant = async (t: TenantTx, ctx: Pick<BaseCtx, 'random'>, at: Date): Promise<string> => {
  const seeds = t.tenantId === SYSTEM_TENANT ? [...EVERY_TENANT, ...SYSTEM_ONLY] : EVERY_TENANT
  const permissionIds = await ensurePermissions(
    t,
    seeds.map(([resource, action, description]) => ({ id: ctx.random.id(), resource, action, description })),
    at,
  )
  const name = t.tenantId === SYSTEM_TENANT ? PLATFORM_ROLE : ADMIN_ROLE
  return ensureSystemRole(t, { id: ctx.random.id(), name, description: 'Holds every permission of the tenant.', permissionIds, at })
}
