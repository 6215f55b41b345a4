// Endpoints of role bindings, shared by the administrators' and the end users' paths.
import { json } from '#shared/platform/http/route'
import { AssignedBinding, BindingBody, BindingPath, BindingQuery, Bindings, RevokedBinding } from './bindings.schema.ts'
import { assignRole, revokeBinding, showBindings } from './bindings.ts'
import { operation } from './operation.ts'

export const assignRoleOperation = operation({
  summary: 'Give a role to a person, a service account or a group, tenant-wide or for one resource, with optional conditions and expiry.',
  body: BindingBody,
  reply: json(200, AssignedBinding),
  errors: ['invalid_request', 'not_found', 'cannot_grant', 'conflict'],
  emits: ['role_binding.assigned'],
  handle: ({ ctx, principal, body }) => assignRole(ctx, principal, body),
})

export const listBindingsOperation = operation({
  summary: 'The tenant\u2019s role bindings, newest first.',
  query: BindingQuery,
  reply: json(200, Bindings),
  errors: [],
  emits: 'nothing',
  handle: ({ ctx, principal, query }) => showBindings(ctx, principal, query),
})

export const revokeBindingOperation = operation({
  summary: 'Revoke a role binding.',
  path: BindingPath,
  reply: json(200, RevokedBinding),
  errors: ['not_found', 'cannot_grant', 'last_administrator'],
  emits: ['role_binding.revoked'],
  handle: ({ ctx, principal, path }) => revokeBinding(ctx, principal, path.id),
})
