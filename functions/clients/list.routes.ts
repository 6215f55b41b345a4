// Routes to list and read clients.
import { ClientOut, ClientsPage, ClientsQuery } from '#shared/domains/administration/clients.schema'
import { actingTenant } from '#shared/domains/authority/acting-tenant'
import { may } from '#shared/platform/http/access'
import { statusError } from '#shared/platform/http/problem'
import { json } from '#shared/platform/http/route'
import { route } from './group.ts'
import { ClientPath, ClientsTenantPath, PlatformQuery, PlatformSelectors, TenantClients, TenantClientsBody } from './list.schema.ts'
import { adminClients, platformSelectors, readClient, tenantClients, tenantClientsInOnePage } from './list.ts'

const BASE = '/authsec/clientms/tenants/:tenantId/clients'
const access = may('clients:read')

const ofAllTenants = {
  summary: 'List the clients of the caller\u2019s tenant; for a platform administrator, those of all tenants.',
  access: may('clients:admin'),
  query: ClientsQuery,
  reply: json(200, ClientsPage),
  errors: ['invalid_request'],
  emits: 'nothing',
} as const

export const clientListRoutes = [
  route({
    id: 'clients.list',
    on: `GET ${BASE}/getClients`,
    summary: 'List a page of the tenant\u2019s clients, filtered, newest first.',
    access,
    path: ClientsTenantPath,
    query: ClientsQuery,
    actsIn: 'path.tenantId',
    reply: json(200, ClientsPage),
    errors: [],
    emits: 'nothing',
    handle: ({ ctx, principal, path, query }) => tenantClients(ctx, actingTenant(principal, path.tenantId), query),
  }),
  route({
    id: 'clients.listAtOnce',
    on: `POST ${BASE}/getClients`,
    summary: 'List all clients of the tenant, oldest first.',
    access,
    path: ClientsTenantPath,
    body: TenantClientsBody,
    actsIn: 'body.tenant_id',
    reply: json(200, TenantClients),
    errors: [],
    emits: 'nothing',
    render: statusError,
    handle: ({ ctx, principal, body }) => tenantClientsInOnePage(ctx, principal, body),
  }),
  route({
    id: 'clients.platformSelectors',
    on: `GET ${BASE}/platform-selectors`,
    summary: 'List the selector keys of agents on a platform.',
    access,
    path: ClientsTenantPath,
    actsIn: 'path.tenantId',
    query: PlatformQuery,
    reply: json(200, PlatformSelectors),
    errors: ['invalid_request'],
    emits: 'nothing',
    handle: ({ query }) => platformSelectors(query.platform),
  }),
  route({
    id: 'clients.get',
    on: `GET ${BASE}/:id`,
    summary: 'Read a client.',
    access,
    path: ClientPath,
    actsIn: 'path.tenantId',
    reply: json(200, ClientOut),
    errors: ['not_found'],
    emits: 'nothing',
    handle: ({ ctx, principal, path }) => readClient(ctx, actingTenant(principal, path.tenantId), path.id),
  }),
  route({
    ...ofAllTenants,
    id: 'clients.listOfAll',
    on: 'GET /authsec/clientms/admin/clients',
    actsIn: 'query.tenant_id',
    handle: ({ ctx, principal, query }) => adminClients(ctx, principal, query),
  }),
  route({
    ...ofAllTenants,
    id: 'clients.listOfAllSlash',
    on: 'GET /authsec/clientms/admin/clients/',
    actsIn: 'query.tenant_id',
    handle: ({ ctx, principal, query }) => adminClients(ctx, principal, query),
  }),
]
