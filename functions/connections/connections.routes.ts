// Routes of a tenant's own providers.
import type { ErrorCode } from '#shared/kernel/errors'
import { may } from '#shared/platform/http/access'
import { problem } from '#shared/platform/http/problem'
import { empty, json } from '#shared/platform/http/route'
import { Connection, ConnectionChanges, ConnectionOrder, ConnectionPath, Connections, ConnectionTest, NewConnection } from './connections.schema.ts'
import { route } from './group.ts'

const rules = () => import('./connections.ts')

export const READ_CONNECTIONS = may('admin:access', 'connections:read')
export const WRITE_CONNECTIONS = may('admin:access', 'connections:write')
/** A test sends requests to the provider, so it has a stricter rate limit. */
export const TEST_CONNECTIONS = { ...WRITE_CONNECTIONS, limit: { class: 'status' } } as const
const PRECONDITIONS: readonly ErrorCode[] = ['precondition_required', 'precondition_failed']

export const ownConnectionRoutes = [
  route({
    id: 'connections.list',
    on: 'GET /connections',
    summary: 'List the tenant\u2019s own providers in the order in which people see them.',
    access: READ_CONNECTIONS,
    reply: json(200, Connections),
    errors: [],
    emits: 'nothing',
    render: problem,
    handle: async ({ ctx, principal }) => (await rules()).listConnections(ctx, principal),
  }),
  route({
    id: 'connections.create',
    on: 'POST /connections',
    summary: 'Let people sign in with Google, GitHub, Microsoft or any OpenID provider, through a client of the tenant\u2019s own.',
    access: WRITE_CONNECTIONS,
    body: NewConnection,
    reply: json(201, Connection),
    errors: ['invalid_request', 'provider_exists', 'provider_limit', 'cannot_grant'],
    emits: ['oidc_provider.created'],
    render: problem,
    handle: async ({ ctx, principal, body }) => (await rules()).createConnection(ctx, principal, body),
  }),
  route({
    id: 'connections.read',
    on: 'GET /connections/:connection_id',
    summary: 'Read a provider, with the ETag that a change needs.',
    access: READ_CONNECTIONS,
    path: ConnectionPath,
    reply: json(200, Connection),
    errors: ['not_found'],
    emits: 'nothing',
    render: problem,
    handle: async ({ ctx, principal, path }) => (await rules()).readConnection(ctx, principal, path.connection_id),
  }),
  route({
    id: 'connections.update',
    on: 'PATCH /connections/:connection_id',
    summary: 'Change a provider (If-Match required). For another issuer its secret must be sent again.',
    access: WRITE_CONNECTIONS,
    path: ConnectionPath,
    body: ConnectionChanges,
    reply: json(200, Connection),
    errors: ['not_found', 'invalid_request', 'cannot_grant', ...PRECONDITIONS],
    emits: ['oidc_provider.updated'],
    render: problem,
    handle: async ({ ctx, principal, path, body }) => (await rules()).updateConnection(ctx, principal, path.connection_id, body),
  }),
  route({
    id: 'connections.delete',
    on: 'DELETE /connections/:connection_id',
    summary: 'Delete a provider: people can no longer sign in with it.',
    access: WRITE_CONNECTIONS,
    path: ConnectionPath,
    reply: empty(204),
    errors: ['not_found'],
    emits: ['oidc_provider.deleted'],
    render: problem,
    handle: async ({ ctx, principal, path }) => (await rules()).deleteConnection(ctx, principal, path.connection_id),
  }),
  route({
    id: 'connections.order',
    on: 'PUT /connections/order',
    summary: 'Set the order in which people see the providers.',
    access: WRITE_CONNECTIONS,
    body: ConnectionOrder,
    reply: json(200, Connections),
    errors: ['invalid_request'],
    emits: ['oidc_providers.ordered'],
    render: problem,
    handle: async ({ ctx, principal, body }) => (await rules()).orderConnections(ctx, principal, body),
  }),
  route({
    id: 'connections.test',
    on: 'POST /connections/:connection_id/test',
    summary: 'Test now whether people could sign in with the provider.',
    access: TEST_CONNECTIONS,
    path: ConnectionPath,
    reply: json(200, ConnectionTest),
    errors: ['not_found'],
    emits: ['oidc_provider.tested'],
    render: problem,
    handle: async ({ ctx, principal, path }) => (await rules()).testConnection(ctx, principal, path.connection_id),
  }),
]
