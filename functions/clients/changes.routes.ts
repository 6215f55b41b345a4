// Routes to create, change and delete clients.
import { createClient } from '#shared/domains/administration/clients'
import { ClientOut, CreatedClient, NewClient } from '#shared/domains/administration/clients.schema'
import { actingTenant } from '#shared/domains/authority/acting-tenant'
import { may } from '#shared/platform/http/access'
import { statusError } from '#shared/platform/http/problem'
import { json } from '#shared/platform/http/route'
import type { User } from '#shared/platform/principals/principal'
import { ClientChange, ClientStatusSet, DeletedClient, RemoveClient, RemovedClient, SetClientStatus, SwitchedClient } from './changes.schema.ts'
import { type ClientSelector, changeClientStatus, deleteSoftly, editClient, removeClient, switchClient } from './changes.ts'
import { route } from './group.ts'
import { ClientPath, ClientsTenantPath } from './list.schema.ts'

const BASE = '/authsec/clientms/tenants/:tenantId/clients'
const access = may('clients:write')

const inPath = (caller: User, path: { readonly tenantId: string; readonly id: string }): ClientSelector => ({
  tenantId: actingTenant(caller, path.tenantId),
  clientId: path.id,
})
const inBody = (caller: User, body: { readonly tenant_id: string; readonly client_id: string }): ClientSelector => ({
  tenantId: actingTenant(caller, body.tenant_id),
  clientId: body.client_id,
})

const edit = {
  access,
  path: ClientPath,
  body: ClientChange,
  reply: json(200, ClientOut),
  errors: ['not_found', 'default_client', 'client_exists', 'invalid_request', 'precondition_failed', 'cannot_grant'],
  emits: ['client.updated'],
} as const
const soft = {
  access,
  path: ClientPath,
  reply: json(200, DeletedClient),
  errors: ['not_found', 'default_client', 'precondition_failed'],
  emits: ['client.deleted'],
} as const
const removal = {
  access,
  body: RemoveClient,
  reply: json(200, RemovedClient),
  errors: ['not_found', 'default_client'],
  emits: ['client.removed'],
} as const
const switching = {
  access,
  path: ClientPath,
  reply: json(200, SwitchedClient),
  errors: ['not_found', 'default_client', 'precondition_failed', 'cannot_grant'],
} as const

export const changeRoutes = [
  route({
    id: 'clients.create',
    on: `POST ${BASE}/create`,
    summary: 'Create a client. Its secrets are returned only here.',
    access,
    path: ClientsTenantPath,
    body: NewClient,
    actsIn: 'path.tenantId',
    reply: json(201, CreatedClient),
    errors: ['invalid_request', 'not_found', 'quota_exceeded'],
    emits: ['client.created'],
    handle: ({ ctx, principal, path, body }) => createClient(ctx, principal, actingTenant(principal, path.tenantId), body),
  }),
  route({
    id: 'clients.removeCompletely',
    on: `POST ${BASE}/delete-complete`,
    summary: 'Remove a client and everything that belongs to it.',
    ...removal,
    path: ClientsTenantPath,
    actsIn: 'body.tenant_id',
    handle: ({ ctx, principal, body }) => removeClient(ctx, principal, inBody(principal, body)),
  }),
  route({
    id: 'clients.removeCompletelyAlias',
    on: 'POST /authsec/clientms/oocmgr/tenant/delete-complete',
    summary: 'Remove a client and everything that belongs to it, on the path for older callers.',
    ...removal,
    actsIn: 'body.tenant_id',
    handle: ({ ctx, principal, body }) => removeClient(ctx, principal, inBody(principal, body)),
  }),
  route({
    id: 'clients.setStatus',
    on: `POST ${BASE}/set-status`,
    summary: 'Activate or deactivate a client.',
    access,
    path: ClientsTenantPath,
    body: SetClientStatus,
    actsIn: 'body.tenant_id',
    reply: json(200, ClientStatusSet),
    errors: ['not_found', 'default_client', 'precondition_failed', 'cannot_grant'],
    emits: ['client.activated', 'client.deactivated'],
    render: statusError,
    handle: ({ ctx, principal, body }) => changeClientStatus(ctx, principal, inBody(principal, body), body.active),
  }),
  route({
    ...edit,
    id: 'clients.replace',
    on: `PUT ${BASE}/:id`,
    summary: 'Change the members that the body has, and no others.',
    actsIn: 'path.tenantId',
    handle: ({ ctx, principal, path, body }) => editClient(ctx, principal, inPath(principal, path), body),
  }),
  route({
    ...edit,
    id: 'clients.edit',
    on: `PATCH ${BASE}/:id`,
    summary: 'Change the members that the body has.',
    actsIn: 'path.tenantId',
    handle: ({ ctx, principal, path, body }) => editClient(ctx, principal, inPath(principal, path), body),
  }),
  route({
    ...soft,
    id: 'clients.softDelete',
    on: `PATCH ${BASE}/:id/soft-delete`,
    summary: 'Delete a client; its row is kept.',
    actsIn: 'path.tenantId',
    handle: ({ ctx, principal, path }) => deleteSoftly(ctx, principal, inPath(principal, path)),
  }),
  route({
    ...soft,
    id: 'clients.delete',
    on: `DELETE ${BASE}/:id`,
    summary: 'Delete a client; its row is kept.',
    actsIn: 'path.tenantId',
    handle: ({ ctx, principal, path }) => deleteSoftly(ctx, principal, inPath(principal, path)),
  }),
  route({
    ...switching,
    id: 'clients.activate',
    on: `PATCH ${BASE}/:id/activate`,
    summary: 'Activate a client.',
    actsIn: 'path.tenantId',
    emits: ['client.activated'],
    handle: ({ ctx, principal, path }) => switchClient(ctx, principal, inPath(principal, path), true),
  }),
  route({
    ...switching,
    id: 'clients.deactivate',
    on: `PATCH ${BASE}/:id/deactivate`,
    summary: 'Deactivate a client; its sessions end.',
    actsIn: 'path.tenantId',
    emits: ['client.deactivated'],
    handle: ({ ctx, principal, path }) => switchClient(ctx, principal, inPath(principal, path), false),
  }),
]
