// Lists of clients, and one of them.

import { ClientOut, ClientsPage, ClientsQuery } from '#shared/domains/administration/clients.schema'
import { actingTenant } from '#shared/domains/authority/acting'
import { may } from '#shared/platform/http/access'
import { statusError } from '#shared/platform/http/problem'
import { json } from '#shared/platform/http/route'
import { route } from './group.ts'
import { ClientPath, PlatformQuery, PlatformSelectors, TenantClients, TenantClientsBody, TenantPath } from './list.schema.ts'
import { adminClients, oneClient, platformSelectors, tenantClients, tenantClientsAtOnce } from './list.ts'

const BASE = '/authsec/clientms/tenants/:tenantId/clients'
const access = may('clients:read')

const ofAll = {
  summary: 'Clients of the caller\u2019s tenant; those of all tenants for who administers the platform.',
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
    summary: 'A page of the tenant\u2019s clients, filtered, newest first.',
    access,
    path: TenantPath,
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
    summary: 'All clients of the tenant, oldest first.',
    access,
    path: TenantPath,
    body: TenantClientsBody,
    actsIn: 'body.tenant_id',
    reply: json(200, TenantClients),
    errors: [],
    emits: 'nothing',
    render: statusError,
    handle: ({ ctx, principal, body }) => tenantClientsAtOnce(ctx, principal, body),
  }),
  route({
    id: 'clients.platformSelectors',
    on: `GET ${BASE}/platform-selectors`,
    summary: 'What an agent can be recognised by on a platform.',
    access,
    path: TenantPath,
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
    summary: 'One client.',
    access,
    path: ClientPath,
    actsIn: 'path.tenantId',
    reply: json(200, ClientOut),
    errors: ['not_found'],
    emits: 'nothing',
    handle: ({ ctx, principal, path }) => oneClient(ctx, actingTenant(principal, path.tenantId), path.id),
  }),
  route({
    ...ofAll,
    id: 'clients.listOfAll',
    on: 'GET /authsec/clientms/admin/clients',
    actsIn: 'query.tenant_id',
    handle: ({ ctx, principal, query }) => adminClients(ctx, principal, query),
  }),
  route({
    ...ofAll,
    id: 'clients.listOfAllSlash',
    on: 'GET /authsec/clientms/admin/clients/',
    actsIn: 'query.tenant_id',
    handle: ({ ctx, principal, query }) => adminClients(ctx, principal, query),
  }),
]
