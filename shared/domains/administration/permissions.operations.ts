// Endpoints of permissions, shared by the administrators' and the end users' paths.
import { json } from '#shared/platform/http/route'
import { MessageResponse } from './fields.schema.ts'
import { operation } from './operation.ts'
import { NewPermission, PermissionPair, PermissionPath, PermissionQuery, Permissions, RegisteredPermission, Resources } from './permissions.schema.ts'
import { registerPermission, removePermission, showPermissions, showResources } from './permissions.ts'

export const registerPermissionOperation = operation({
  summary: 'Register a permission: a pair of resource and action.',
  body: NewPermission,
  reply: json(200, RegisteredPermission),
  errors: ['permission_exists'],
  emits: ['permission.registered'],
  handle: ({ ctx, principal, body }) => registerPermission(ctx, principal, body),
})

export const listPermissionsOperation = operation({
  summary: 'The tenant\u2019s permissions, with the number of roles that hold each.',
  query: PermissionQuery,
  reply: json(200, Permissions),
  errors: [],
  emits: 'nothing',
  handle: ({ ctx, principal, query }) => showPermissions(ctx, principal, query),
})

export const listResourcesOperation = operation({
  summary: 'The resources of the tenant\u2019s permissions.',
  reply: json(200, Resources),
  errors: [],
  emits: 'nothing',
  handle: ({ ctx, principal }) => showResources(ctx, principal),
})

const removal = {
  reply: json(200, MessageResponse),
  errors: ['not_found', 'system_permission', 'last_administrator', 'cannot_grant'],
  emits: ['permission.deleted'],
} as const

export const deletePermissionOperation = operation({
  ...removal,
  summary: 'Delete a permission; roles and scopes lose it.',
  path: PermissionPath,
  handle: ({ ctx, principal, path }) => removePermission(ctx, principal, path),
})

export const deletePermissionByPairOperation = operation({
  ...removal,
  summary: 'Delete the permission of this resource and action; roles and scopes lose it.',
  body: PermissionPair,
  handle: ({ ctx, principal, body }) => removePermission(ctx, principal, body),
})
