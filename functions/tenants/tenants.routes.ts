// Tenants.

import { listTenantUsers } from '#shared/domains/administration/lists'
import { addTenant, changeTenant, listTenants } from '#shared/domains/administration/tenants'
import {
  createTenantOperation,
  deleteTenantOperation,
  listTenantsOperation,
  updateTenantOperation,
} from '#shared/domains/administration/tenants.operations'
import { OneTenant, TenantPath, Tenants, TenantUsers, TenantUsersQuery, UpdatedTenant } from '#shared/domains/administration/tenants.schema'
import { actingTenant } from '#shared/domains/authority/acting-tenant'
import { may } from '#shared/platform/http/access'
import { json } from '#shared/platform/http/route'
import { route } from './group.ts'

const BASE = '/authsec/uflow/admin/tenants'

export const adminTenantRoutes = [
  route({
    ...listTenantsOperation,
    id: 'admin.listTenants',
    on: `GET ${BASE}`,
    access: may('admin:access'),
    reply: json(200, Tenants),
    handle: ({ ctx, principal, query }) => listTenants(ctx, principal, query),
  }),
  route({
    ...createTenantOperation,
    id: 'admin.createTenant',
    on: `POST ${BASE}`,
    access: may('platform:tenants'),
    reply: json(201, OneTenant),
    handle: ({ ctx, principal, body }) => addTenant(ctx, principal, body),
  }),
  route({
    ...updateTenantOperation,
    id: 'admin.updateTenant',
    on: `PUT ${BASE}/:tenant_id`,
    access: may('admin:access', 'admin:manage'),
    reply: json(200, UpdatedTenant),
    handle: ({ ctx, principal, path, body }) => changeTenant(ctx, principal, actingTenant(principal, path.tenant_id), body),
  }),
  route({ ...deleteTenantOperation, id: 'admin.deleteTenant', on: `DELETE ${BASE}/:tenant_id`, access: may('admin:access', 'tenants:delete') }),
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
