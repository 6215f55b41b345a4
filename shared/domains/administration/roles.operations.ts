// Endpoints of roles, shared by the administrators' and the end users' paths.
import { json } from '#shared/platform/http/route'
import { operation } from './operation.ts'
import { DeletedRole, RoleBody, RoleDetails, RolePath, RoleQuery, Roles, SavedRole } from './roles.schema.ts'
import { createRole, removeRole, showRole, showRoles, updateRole } from './roles.ts'

export const createRoleOperation = operation({
  summary: 'Create a role with its permissions, all of which the caller must hold.',
  body: RoleBody,
  reply: json(200, SavedRole),
  errors: ['invalid_request', 'cannot_grant', 'system_role', 'role_exists'],
  emits: ['role.created'],
  handle: ({ ctx, principal, body }) => createRole(ctx, principal, body),
})

export const listRolesOperation = operation({
  summary: 'The tenant\u2019s roles, with the number of people and permissions of each.',
  query: RoleQuery,
  reply: json(200, Roles),
  errors: [],
  emits: 'nothing',
  handle: ({ ctx, principal, query }) => showRoles(ctx, principal, query),
})

export const getRoleOperation = operation({
  summary: 'One role, with its permissions and its ETag.',
  path: RolePath,
  reply: json(200, RoleDetails),
  errors: ['not_found'],
  emits: 'nothing',
  handle: ({ ctx, principal, path }) => showRole(ctx, principal, path.role_id),
})

export const updateRoleOperation = operation({
  summary: 'Replace a role\u2019s name, description and whole set of permissions, all of which the caller must hold.',
  path: RolePath,
  body: RoleBody,
  reply: json(200, SavedRole),
  errors: ['invalid_request', 'not_found', 'cannot_grant', 'system_role', 'role_exists', 'last_administrator', 'precondition_failed'],
  emits: ['role.updated'],
  handle: ({ ctx, principal, path, body }) => updateRole(ctx, principal, path.role_id, body),
})

export const deleteRoleOperation = operation({
  summary: 'Delete a role and its bindings.',
  path: RolePath,
  reply: json(200, DeletedRole),
  errors: ['not_found', 'system_role', 'cannot_grant', 'last_administrator'],
  emits: ['role.deleted'],
  handle: ({ ctx, principal, path }) => removeRole(ctx, principal, path.role_id),
})
