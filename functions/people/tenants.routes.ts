// Export of a tenant's data, and undoing its deletion within the grace period.

import { TenantPath, TenantRestored } from '#shared/domains/administration/tenants.schema'
import { actingTenant } from '#shared/domains/authority/acting-tenant'
import { may, open } from '#shared/platform/http/access'
import { json, text } from '#shared/platform/http/route'
import { route } from './group.ts'
import { RestoreByPlatform, RestoreToken } from './people.schema.ts'

export const ownTenantRoutes = [
  route({
    id: 'people.exportTenant',
    on: 'GET /tenants/:tenant_id/export',
    summary: 'Export all data of a tenant except its secrets, as JSON lines.',
    access: may('admin:access', 'admin:manage', 'users:read', 'roles:read', 'clients:read'),
    path: TenantPath,
    actsIn: 'path.tenant_id',
    reply: text(200, 'application/jsonl; charset=utf-8', { 'Content-Disposition': 'attachment; filename="tenant.jsonl"' }),
    errors: ['not_found'],
    emits: ['tenant.exported'],
    handle: async ({ ctx, principal, path }) =>
      (await import('#shared/domains/administration/tenant-export')).exportTenant(ctx, principal, actingTenant(principal, path.tenant_id)),
  }),
  route({
    id: 'people.restoreTenant',
    on: 'POST /tenants/restore',
    summary: 'Undo the deletion of a tenant with the token from the deletion response.',
    access: open('No one can sign in to a tenant that is being deleted; the token is the proof.', { class: 'credential' }),
    body: RestoreToken,
    reply: json(200, TenantRestored),
    errors: ['restore_token_invalid', 'not_found'],
    emits: ['tenant.restored'],
    handle: async ({ ctx, body }) => (await import('#shared/domains/administration/tenant-deletion')).restoreByToken(ctx, body.restore_token),
  }),
  route({
    id: 'people.restoreTenantByPlatform',
    on: 'POST /tenants/restore/by-platform',
    summary: 'Undo the deletion of a tenant, as a platform administrator.',
    access: may('platform:tenants'),
    body: RestoreByPlatform,
    actsIn: 'body.tenant_id',
    reply: json(200, TenantRestored),
    errors: ['not_found'],
    emits: ['tenant.restored'],
    handle: async ({ ctx, principal, body }) =>
      (await import('#shared/domains/administration/tenant-deletion')).restoreTenant(ctx, principal, actingTenant(principal, body.tenant_id)),
  }),
]
