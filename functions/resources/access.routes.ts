// Roles that give access to a resource server, and their bindings.
import { may } from '#shared/platform/http/access'
import { json } from '#shared/platform/http/route'
import {
  EligibleUsers,
  EligibleUsersQuery,
  NewServerBinding,
  ServerBinding,
  ServerBindingPath,
  ServerBindingRevoked,
  ServerBindings,
  ServerRoles,
} from './access.schema.ts'
import { route } from './group.ts'
import { ServerPath } from './servers.schema.ts'

const BASE = '/authsec/resource-servers'
/** Loaded on first use, to keep the cold start small. */
const rules = () => import('./access.ts')
const reading = may('admin:access', 'roles:read')
const writing = may('admin:access', 'roles:write')

export const accessRoutes = [
  route({
    id: 'resources.roles',
    on: `GET ${BASE}/:id/roles`,
    summary: 'The roles that give access to the resource server.',
    access: reading,
    path: ServerPath,
    reply: json(200, ServerRoles),
    errors: ['not_found'],
    emits: 'nothing',
    handle: async ({ ctx, principal, path }) => (await rules()).showServerRoles(ctx, principal, path.id),
  }),
  route({
    id: 'resources.bindings',
    on: `GET ${BASE}/:id/bindings`,
    summary: 'The people who have one of these roles.',
    access: reading,
    path: ServerPath,
    reply: json(200, ServerBindings),
    errors: ['not_found'],
    emits: 'nothing',
    handle: async ({ ctx, principal, path }) => (await rules()).showServerBindings(ctx, principal, path.id),
  }),
  route({
    id: 'resources.bind',
    on: `POST ${BASE}/:id/bindings`,
    summary: 'Give a person one of these roles; the caller must hold all its permissions.',
    access: writing,
    path: ServerPath,
    body: NewServerBinding,
    reply: json(201, ServerBinding),
    errors: ['not_found', 'cannot_grant', 'conflict', 'quota_exceeded'],
    emits: ['role_binding.assigned'],
    handle: async ({ ctx, principal, path, body }) => (await rules()).bindAtServer(ctx, principal, path.id, body),
  }),
  route({
    id: 'resources.unbind',
    on: `DELETE ${BASE}/:id/bindings/:binding_id`,
    summary: 'Revoke a binding of one of these roles.',
    access: writing,
    path: ServerBindingPath,
    reply: json(200, ServerBindingRevoked),
    errors: ['not_found', 'cannot_grant', 'last_administrator'],
    emits: ['role_binding.revoked'],
    handle: async ({ ctx, principal, path }) => (await rules()).unbindAtServer(ctx, principal, path),
  }),
  route({
    id: 'resources.eligibleUsers',
    on: `GET ${BASE}/:id/eligible-users`,
    summary: 'Active people of the tenant, to give a role to.',
    access: may('admin:access', 'users:read'),
    path: ServerPath,
    query: EligibleUsersQuery,
    reply: json(200, EligibleUsers),
    errors: ['not_found'],
    emits: 'nothing',
    handle: async ({ ctx, principal, path, query }) => (await rules()).showEligibleUsers(ctx, principal, path.id, query),
  }),
]
