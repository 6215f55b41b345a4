// The scopes of a resource server, for the administration UI.
import { may } from '#shared/platform/http/access'
import { empty, json } from '#shared/platform/http/route'
import { route } from './group.ts'
import { NewServerScope, ScopePath, ServerScope, ServerScopeChange, ServerScopes } from './scopes.schema.ts'
import { ServerPath } from './servers.schema.ts'

const BASE = '/authsec/resource-servers'
/** Loaded on first use, to keep the cold start small. */
const rules = () => import('./scopes.ts')
const reading = may('clients:read')
const writing = may('admin:access', 'clients:write')

export const scopeRoutes = [
  route({
    id: 'resources.scopes',
    on: `GET ${BASE}/:id/scopes`,
    summary: 'The scopes of the resource server.',
    access: reading,
    path: ServerPath,
    reply: json(200, ServerScopes),
    errors: ['not_found'],
    emits: 'nothing',
    handle: async ({ ctx, principal, path }) => (await rules()).listScopes(ctx, principal, path.id),
  }),
  route({
    id: 'resources.createScope',
    on: `POST ${BASE}/:id/scopes`,
    summary: 'Add a scope to the resource server.',
    access: writing,
    path: ServerPath,
    body: NewServerScope,
    reply: json(201, ServerScope),
    errors: ['not_found', 'invalid_request', 'scope_exists', 'conflict'],
    emits: ['resource_server.updated'],
    handle: async ({ ctx, principal, path, body }) => (await rules()).createScope(ctx, principal, path.id, body),
  }),
  route({
    id: 'resources.updateScope',
    on: 'PUT /authsec/scopes/:scope_id',
    summary: 'Change a scope of a resource server. The caller needs the permission that the scope requires, to remove that requirement.',
    access: writing,
    path: ScopePath,
    body: ServerScopeChange,
    reply: json(200, ServerScope),
    errors: ['not_found', 'invalid_request', 'cannot_grant'],
    emits: ['resource_server.updated'],
    handle: async ({ ctx, principal, path, body }) => (await rules()).updateScope(ctx, principal, path.scope_id, body),
  }),
  route({
    id: 'resources.deleteScope',
    on: 'DELETE /authsec/scopes/:scope_id',
    summary: 'Delete a scope of a resource server. It no longer lets callers use any tool.',
    access: writing,
    path: ScopePath,
    reply: empty(204),
    errors: ['not_found', 'cannot_grant'],
    emits: ['resource_server.updated'],
    handle: async ({ ctx, principal, path }) => (await rules()).deleteScope(ctx, principal, path.scope_id),
  }),
]
