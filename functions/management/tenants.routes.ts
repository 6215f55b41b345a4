// Companies: a tenant's administrators see and change their own, the platform's all of them.
import { actingTenant } from '#shared/administration/acting'
import { CreateTenant, DeleteTenantQuery, TenantDeletion, TenantPath, TenantsQuery, UpdateTenant } from '#shared/administration/tenants.schema'
import { may } from '#shared/http/access'
import { json } from '#shared/http/route'
import { route } from './group.ts'
import { TenantDone, Tenants } from './management.schema.ts'
import { managing } from './managing.ts'

const BASE = '/authsec/hmgr/admin/tenants'
const rules = () => import('#shared/administration/tenants')

export const tenantRoutes = [
  route({
    id: 'management.listTenants',
    on: `GET ${BASE}`,
    summary: 'The caller\u2019s own tenant; for platform administrators all of them, newest first.',
    access: managing(),
    query: TenantsQuery,
    reply: json(200, Tenants),
    errors: ['not_found'],
    emits: 'nothing',
    handle: async ({ ctx, principal, query }) => ({ message: 'Tenants', ...(await (await rules()).listTenants(ctx, principal, query)) }),
  }),
  route({
    id: 'management.createTenant',
    on: `POST ${BASE}`,
    summary: 'Create a company with its seeds and its first administrator.',
    access: may('platform:tenants'),
    body: CreateTenant,
    reply: json(201, TenantDone),
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
    handle: async ({ ctx, principal, body }) => {
      const { tenant } = await (await rules()).addTenant(ctx, principal, body)
      return { message: 'Tenant created', tenant_id: tenant.tenant_id }
    },
  }),
  route({
    id: 'management.updateTenant',
    on: `PUT ${BASE}/:tenant_id`,
    summary: 'Change a tenant\u2019s own record.',
    access: managing(),
    path: TenantPath,
    body: UpdateTenant,
    actsIn: 'path.tenant_id',
    reply: json(200, TenantDone),
    errors: ['not_found', 'forbidden', 'tenant_domain_invalid', 'tenant_domain_taken', 'username_taken'],
    emits: ['tenant.updated'],
    handle: async ({ ctx, principal, path, body }) => {
      const { tenant } = await (await rules()).changeTenant(ctx, principal, actingTenant(principal, path.tenant_id), body)
      return { message: 'Tenant updated', tenant_id: tenant.tenant_id }
    },
  }),
  route({
    id: 'management.deleteTenant',
    on: `DELETE ${BASE}/:tenant_id`,
    summary: 'Close a tenant at once and delete it after a grace period.',
    access: managing('tenants:delete'),
    path: TenantPath,
    query: DeleteTenantQuery,
    actsIn: 'path.tenant_id',
    reply: json(200, TenantDeletion),
    errors: ['not_found', 'forbidden', 'insufficient_user_authentication'],
    emits: ['tenant.deletion_scheduled'],
    handle: async ({ ctx, principal, path, query }) =>
      (await import('#shared/administration/tenant-deletion')).deleteTenant(ctx, principal, actingTenant(principal, path.tenant_id), query.confirm),
  }),
]
