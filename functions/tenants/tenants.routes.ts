// Tenants.
import { actingTenant } from '#shared/administration/acting'
import { listTenantUsers } from '#shared/administration/lists'
import { addTenant, changeTenant, listTenants } from '#shared/administration/tenants'
import {
  CreateTenant,
  DeleteTenantQuery,
  OneTenant,
  TenantDeletion,
  TenantPath,
  Tenants,
  TenantsQuery,
  TenantUsers,
  TenantUsersQuery,
  UpdatedTenant,
  UpdateTenant,
} from '#shared/administration/tenants.schema'
import { may } from '#shared/http/access'
import { json } from '#shared/http/route'
import { route } from './group.ts'

const BASE = '/authsec/uflow/admin/tenants'

export const tenantRoutes = [
  route({
    id: 'admin.listTenants',
    on: `GET ${BASE}`,
    summary: 'The caller\u2019s own tenant; for platform administrators all of them, newest first.',
    access: may('admin:access'),
    query: TenantsQuery,
    reply: json(200, Tenants),
    errors: ['not_found'],
    emits: 'nothing',
    handle: ({ ctx, principal, query }) => listTenants(ctx, principal, query),
  }),
  route({
    id: 'admin.createTenant',
    on: `POST ${BASE}`,
    summary: 'Create a company with its seeds and its first administrator.',
    access: may('platform:tenants'),
    body: CreateTenant,
    reply: json(201, OneTenant),
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
    handle: ({ ctx, principal, body }) => addTenant(ctx, principal, body),
  }),
  route({
    id: 'admin.updateTenant',
    on: `PUT ${BASE}/:tenant_id`,
    summary: 'Change a tenant\u2019s own record.',
    access: may('admin:access', 'admin:manage'),
    path: TenantPath,
    body: UpdateTenant,
    actsIn: 'path.tenant_id',
    reply: json(200, UpdatedTenant),
    errors: ['not_found', 'forbidden', 'tenant_domain_invalid', 'tenant_domain_taken', 'username_taken'],
    emits: ['tenant.updated'],
    handle: ({ ctx, principal, path, body }) => changeTenant(ctx, principal, actingTenant(principal, path.tenant_id), body),
  }),
  route({
    id: 'admin.deleteTenant',
    on: `DELETE ${BASE}/:tenant_id`,
    summary: 'Close a tenant at once and delete it after a grace period.',
    access: may('admin:access', 'tenants:delete'),
    path: TenantPath,
    query: DeleteTenantQuery,
    actsIn: 'path.tenant_id',
    reply: json(200, TenantDeletion),
    errors: ['not_found', 'forbidden', 'insufficient_user_authentication'],
    emits: ['tenant.deletion_scheduled'],
    handle: async ({ ctx, principal, path, query }) =>
      (await import('#shared/administration/tenant-deletion')).deleteTenant(ctx, principal, actingTenant(principal, path.tenant_id), query.confirm),
  }),
  route({
    id: 'admin.listTenantUsers',
    on: `GET ${BASE}/:tenant_id/users`,
    summary: 'All people of a tenant, newest first.',
    access: may('admin:access', 'users:read'),
    path: TenantPath,
    query: TenantUsersQuery,
    actsIn: 'path.tenant_id',
    reply: json(200, TenantUsers),
    errors: [],
    emits: 'nothing',
    handle: ({ ctx, principal, path, query }) => listTenantUsers(ctx, actingTenant(principal, path.tenant_id), { provider: query.provider }, query),
  }),
]
