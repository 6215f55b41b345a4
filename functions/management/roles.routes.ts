// Roles and permissions of the tenant.

import { NewPermission, PermissionQuery } from '#shared/domains/administration/permissions.schema'
import { RoleBody, RolePath, RoleQuery } from '#shared/domains/administration/roles.schema'
import { HttpResult, json } from '#shared/platform/http/route'
import { managementAccess } from './access.ts'
import { route } from './group.ts'
import { ManagedPermissions, PermissionDone, RoleDone, Roles } from './management.schema.ts'

/** Loaded on first use, to keep the cold start small. */
const [roles, permissions] = [() => import('#shared/domains/administration/roles'), () => import('#shared/domains/administration/permissions')]

const BASE = '/authsec/hmgr/admin'

export const managedRoleRoutes = [
  route({
    id: 'management.listRoles',
    on: `GET ${BASE}/roles`,
    summary: 'List the tenant\u2019s roles with their numbers of people and permissions.',
    access: managementAccess('roles:read'),
    query: RoleQuery,
    reply: json(200, Roles),
    errors: [],
    emits: 'nothing',
    handle: async ({ ctx, principal, query }) => {
      const { result, headers } = await (await roles()).showRoles(ctx, principal, query)
      return new HttpResult({ message: 'Roles of the tenant', roles: result }, { headers })
    },
  }),
  route({
    id: 'management.createRole',
    on: `POST ${BASE}/roles`,
    summary: 'Create a role; the caller must hold all its permissions.',
    access: managementAccess('roles:write'),
    body: RoleBody,
    reply: json(201, RoleDone),
    errors: ['invalid_request', 'cannot_grant', 'system_role', 'role_exists', 'quota_exceeded'],
    emits: ['role.created'],
    handle: async ({ ctx, principal, body }) => ({ message: 'Role created', role_id: (await (await roles()).createRole(ctx, principal, body)).id }),
  }),
  route({
    id: 'management.updateRole',
    on: `PUT ${BASE}/roles/:role_id`,
    summary: 'Replace a role\u2019s name, description and permissions; the caller must hold all the permissions.',
    access: managementAccess('roles:write'),
    path: RolePath,
    body: RoleBody,
    reply: json(200, RoleDone),
    errors: ['invalid_request', 'not_found', 'cannot_grant', 'system_role', 'role_exists', 'last_administrator', 'precondition_failed'],
    emits: ['role.updated'],
    handle: async ({ ctx, principal, path, body }) => {
      await (await roles()).updateRole(ctx, principal, path.role_id, body)
      return { message: 'Role updated', role_id: path.role_id }
    },
  }),
  route({
    id: 'management.deleteRole',
    on: `DELETE ${BASE}/roles/:role_id`,
    summary: 'Delete a role and its bindings.',
    access: managementAccess('roles:write'),
    path: RolePath,
    reply: json(200, RoleDone),
    errors: ['not_found', 'system_role', 'cannot_grant', 'last_administrator'],
    emits: ['role.deleted'],
    handle: async ({ ctx, principal, path }) => {
      await (await roles()).removeRole(ctx, principal, path.role_id)
      return { message: 'Role deleted', role_id: path.role_id }
    },
  }),
  route({
    id: 'management.listPermissions',
    on: `GET ${BASE}/permissions`,
    summary: 'List the tenant\u2019s permissions with the number of roles that contain each.',
    access: managementAccess('roles:read'),
    query: PermissionQuery,
    reply: json(200, ManagedPermissions),
    errors: [],
    emits: 'nothing',
    handle: async ({ ctx, principal, query }) => {
      const { result, headers } = await (await permissions()).showPermissions(ctx, principal, query)
      return new HttpResult({ message: 'Permissions of the tenant', permissions: result }, { headers })
    },
  }),
  route({
    id: 'management.registerPermission',
    on: `POST ${BASE}/permissions`,
    summary: 'Register a permission: a pair of resource and action.',
    access: managementAccess('roles:write'),
    body: NewPermission,
    reply: json(201, PermissionDone),
    errors: ['permission_exists', 'quota_exceeded'],
    emits: ['permission.registered'],
    handle: async ({ ctx, principal, body }) => ({
      message: 'Permission registered',
      permission_id: (await (await permissions()).registerPermission(ctx, principal, body)).id,
    }),
  }),
]
