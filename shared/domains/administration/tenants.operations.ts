// Endpoints of tenants for both of AuthSec's administrations; each has its own response shape.

import { actingTenant } from '#shared/domains/authority/acting-tenant'
import { json } from '#shared/platform/http/route'
import { operation } from './operation.ts'
import { CreateTenant, DeleteTenantQuery, TenantDeletion, TenantPath, TenantsQuery, UpdateTenant } from './tenants.schema.ts'

export const listTenantsOperation = {
  summary: 'The caller\u2019s own tenant; for platform administrators all of them, newest first.',
  query: TenantsQuery,
  errors: ['not_found'],
  emits: 'nothing',
} as const

export const createTenantOperation = {
  summary: 'Create a tenant with its seeds and first administrator.',
  body: CreateTenant,
  errors: [
    'single_tenant',
    'tenant_exists',
    'tenant_domain_invalid',
    'tenant_domain_taken',
    'password_too_short',
    'password_too_long',
    'password_guessable',
    'password_breached',
  ],
  emits: ['tenant.created', 'user.created', 'client.created'],
} as const

export const updateTenantOperation = {
  summary: 'Change a tenant.',
  path: TenantPath,
  body: UpdateTenant,
  actsIn: 'path.tenant_id',
  errors: ['not_found', 'forbidden', 'tenant_domain_invalid', 'tenant_domain_taken', 'username_taken'],
  emits: ['tenant.updated'],
} as const

export const deleteTenantOperation = operation({
  summary: 'Close a tenant at once and delete it after a grace period.',
  path: TenantPath,
  query: DeleteTenantQuery,
  actsIn: 'path.tenant_id',
  reply: json(200, TenantDeletion),
  errors: ['not_found', 'forbidden', 'insufficient_user_authentication'],
  emits: ['tenant.deletion_scheduled'],
  handle: async ({ ctx, principal, path, query }) =>
    (await import('./tenant-deletion.ts')).deleteTenant(ctx, principal, actingTenant(principal, path.tenant_id), query.confirm),
})
