// Tenants: administrators see and change their own tenant, platform administrators all of them.

import {
  createTenantOperation,
  deleteTenantOperation,
  listTenantsOperation,
  updateTenantOperation,
} from '#shared/domains/administration/tenants.operations'
import { actingTenant } from '#shared/domains/authority/acting-tenant'
import { may } from '#shared/platform/http/access'
import { json } from '#shared/platform/http/route'
import { managementAccess } from './access.ts'
import { route } from './group.ts'
import { TenantDone, Tenants } from './management.schema.ts'

const BASE = '/authsec/hmgr/admin/tenants'
const rules = () => import('#shared/domains/administration/tenants')

export const managedTenantRoutes = [
  route({
    ...listTenantsOperation,
    id: 'management.listTenants',
    on: `GET ${BASE}`,
    access: managementAccess(),
    reply: json(200, Tenants),
    handle: async ({ ctx, principal, query }) => ({ message: 'Tenants', ...(await (await rules()).listTenants(ctx, principal, query)) }),
  }),
  route({
    ...createTenantOperation,
    id: 'management.createTenant',
    on: `POST ${BASE}`,
    access: may('platform:tenants'),
    reply: json(201, TenantDone),
    handle: async ({ ctx, principal, body }) => {
      const { tenant } = await (await rules()).addTenant(ctx, principal, body)
      return { message: 'Tenant created', tenant_id: tenant.tenant_id }
    },
  }),
  route({
    ...updateTenantOperation,
    id: 'management.updateTenant',
    on: `PUT ${BASE}/:tenant_id`,
    access: managementAccess(),
    reply: json(200, TenantDone),
    handle: async ({ ctx, principal, path, body }) => {
      const { tenant } = await (await rules()).changeTenant(ctx, principal, actingTenant(principal, path.tenant_id), body)
      return { message: 'Tenant updated', tenant_id: tenant.tenant_id }
    },
  }),
  route({ ...deleteTenantOperation, id: 'management.deleteTenant', on: `DELETE ${BASE}/:tenant_id`, access: managementAccess('tenants:delete') }),
]
