// Client routes of the end-user API.
import { CreatedClient, RegisterClient, UserClients, UserClientsBody, UserClientsQuery } from '#shared/domains/administration/clients.schema'
import { may } from '#shared/platform/http/access'
import { json } from '#shared/platform/http/route'
import { route } from './group.ts'

export const userClientRoutes = [
  route({
    id: 'user.registerClient',
    on: 'POST /authsec/uflow/user/clients/register',
    summary: 'Register an application. Its secrets are returned only here.',
    access: may('clients:write'),
    body: RegisterClient,
    actsIn: 'body.tenant_id',
    reply: json(201, CreatedClient),
    errors: ['not_found', 'quota_exceeded'],
    emits: ['client.created'],
    handle: async ({ ctx, principal, body }) => (await import('./clients.ts')).registerClient(ctx, principal, body),
  }),
  route({
    id: 'user.listClients',
    on: 'GET /authsec/uflow/user/clients',
    summary: 'List a page of the tenant’s clients, newest first.',
    access: may('clients:read'),
    query: UserClientsQuery,
    actsIn: 'query.tenant_id',
    reply: json(200, UserClients),
    errors: [],
    emits: 'nothing',
    handle: async ({ ctx, principal, query }) => (await import('./clients.ts')).showClients(ctx, principal, query),
  }),
  route({
    id: 'user.getClients',
    on: 'POST /authsec/uflow/user/clients/get',
    summary: 'List a page of the tenant’s clients, newest first, with the filter in the body.',
    access: may('clients:read'),
    body: UserClientsBody,
    actsIn: 'body.tenant_id',
    reply: json(200, UserClients),
    errors: [],
    emits: 'nothing',
    handle: async ({ ctx, principal, body }) => (await import('./clients.ts')).showClients(ctx, principal, body),
  }),
]
