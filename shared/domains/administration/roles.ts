// Roles: named sets of permissions.
import type * as z from 'zod'
import { forTenant, type TenantTx } from '#db/engine/tenant'
import { type AssignedPeople, type Binding, findAssignedPeople, findBindingsOfRole } from '#db/store/bindings'
import type { NamedPermission } from '#db/store/permissions'
import {
  countPermissionsOfRoles,
  deleteRole,
  findRole,
  findRoleByName,
  findRolePermissions,
  insertRole,
  listRoles,
  type Role,
  replaceRole,
} from '#db/store/roles'
import { changeAccess, type GrantorPermissions, requireGrantable } from '#shared/domains/authority/access-change'
import type { RequestCtx } from '#shared/domains/context'
import { requireQuotaRoom } from '#shared/domains/tenancy/quotas'
import { AppError } from '#shared/kernel/errors'
import { byUser, recordEvent } from '#shared/platform/audit/audit-log'
import { etagOf, preconditionOf } from '#shared/platform/http/precondition'
import { HttpResult } from '#shared/platform/http/route'
import type { User } from '#shared/platform/principals/principal'
import { pageReply, toPage } from './page.ts'
import { permissionName, resolvePermissions } from './permissions.ts'
import type { DeletedRole, ListedRole, RoleBody, RoleDetails, RoleQuery, Roles, SavedRole } from './roles.schema.ts'

type Body = z.output<typeof RoleBody>
type Saved = z.input<typeof SavedRole>

/** Names that token verifiers elsewhere treat as administration; reserved for system roles. */
const RESERVED_NAMES = new Set(['admin', 'administrator', 'super_admin'])
const requireFreeName = (name: string): void => {
  if (RESERVED_NAMES.has(name.toLowerCase())) throw new AppError('system_role', 'This name is reserved for a system role.')
}

/** The permissions in the body, all of which the caller must be able to grant to the role's holders. */
const requireRequestedPermissions = async (t: TenantTx, grantable: GrantorPermissions, body: Body): Promise<NamedPermission[]> => {
  const permissions = await resolvePermissions(t, {
    idsField: 'permission_ids',
    textsField: 'permission_strings',
    ...(body.permission_ids ? { ids: body.permission_ids } : {}),
    ...(body.permission_strings ? { texts: body.permission_strings } : {}),
  })
  requireGrantable(grantable, permissions.map(permissionName))
  return permissions
}

/**
 * Tokens and policies use a role's name for what it gives. Removing its permissions, renaming it or deleting it frees the name, so each requires the role's
 * permissions.
 * @throws AppError cannot_grant
 */
const requireHeld = (grantable: GrantorPermissions, had: readonly NamedPermission[]): void => requireGrantable(grantable, had.map(permissionName))

const auditedRole = (role: Pick<Role, 'name' | 'description'>, permissions: readonly NamedPermission[]) => ({
  name: role.name,
  description: role.description,
  permissions: permissions.map(permissionName).toSorted(),
})

/** @throws AppError invalid_request, cannot_grant, quota_exceeded, system_role, role_exists */
export const createRole = async (ctx: RequestCtx, caller: User, body: Body): Promise<Saved> => {
  requireFreeName(body.name)
  return changeAccess(ctx, caller, async (t, grantable) => {
    const permissions = await requireRequestedPermissions(t, grantable, body)
    await requireQuotaRoom(t, 'roles')
    const role = { id: ctx.random.id(), name: body.name, description: body.description ?? '' }
    if (!(await insertRole(t, { ...role, permissionIds: permissions.map(({ id }) => id), at: ctx.clock.now() }))) throw new AppError('role_exists')
    await recordEvent(t, ctx, {
      event: 'role.created',
      actor: byUser(caller),
      target: { type: 'role', id: role.id },
      after: auditedRole(role, permissions),
    })
    return { id: role.id, name: role.name, permissions_count: permissions.length }
  })
}

const requireChangeableRole = async (t: TenantTx, roleId: string): Promise<Role> => {
  const role = await findRole(t, roleId)
  if (role === undefined) throw new AppError('not_found')
  if (role.isSystem) throw new AppError('system_role')
  return role
}

/**
 * Replaces name, description and the whole set of permissions, if `If-Match` matches.
 * @throws AppError precondition_failed, not_found, invalid_request, cannot_grant, system_role, role_exists, last_administrator
 */
export const updateRole = async (ctx: RequestCtx, caller: User, roleId: string, body: Body): Promise<Saved> => {
  const checkPrecondition = preconditionOf(ctx, 'optional')
  return changeAccess(ctx, caller, async (t, grantable) => {
    const role = await requireChangeableRole(t, roleId)
    if (body.name !== role.name) requireFreeName(body.name)
    const named = await findRoleByName(t, body.name)
    if (named !== undefined && named.id !== roleId) throw new AppError('role_exists')
    const permissions = await requireRequestedPermissions(t, grantable, body)
    const had = await findRolePermissions(t, roleId)
    const before = auditedRole(role, had)
    checkPrecondition(etagOf(before))
    requireHeld(grantable, had)
    const to = { name: body.name, description: body.description ?? '' }
    await replaceRole(t, roleId, { ...to, permissionIds: permissions.map(({ id }) => id), at: ctx.clock.now() })
    await recordEvent(t, ctx, {
      event: 'role.updated',
      actor: byUser(caller),
      target: { type: 'role', id: roleId },
      before,
      after: auditedRole(to, permissions),
    })
    return { id: roleId, name: to.name, permissions_count: permissions.length }
  })
}

const MAX_RECORDED = 1000
const auditedBinding = (binding: Binding) => ({
  id: binding.id,
  user_id: binding.userId,
  service_account_id: binding.serviceAccountId,
  group_id: binding.groupId,
  scope_type: binding.scopeType,
  scope_id: binding.scopeId,
})

/**
 * Deletes a role with its bindings.
 * @throws AppError not_found, system_role, cannot_grant, last_administrator
 */
export const removeRole = async (ctx: RequestCtx, caller: User, roleId: string): Promise<z.input<typeof DeletedRole>> => {
  await changeAccess(ctx, caller, async (t, grantable) => {
    const role = await requireChangeableRole(t, roleId)
    const had = await findRolePermissions(t, roleId)
    requireHeld(grantable, had)
    const before = auditedRole(role, had)
    const bindings = (await findBindingsOfRole(t, roleId, MAX_RECORDED)).map(auditedBinding)
    await deleteRole(t, roleId)
    await recordEvent(t, ctx, { event: 'role.deleted', actor: byUser(caller), target: { type: 'role', id: roleId }, before: { ...before, bindings } })
  })
  return { message: 'Role deleted', id: roleId }
}

const toResponse = (role: Role, permissions: number, people: AssignedPeople | undefined): z.input<typeof ListedRole> => ({
  id: role.id,
  name: role.name,
  description: role.description,
  users_assigned: people?.count ?? 0,
  permissions_count: permissions,
  user_ids: [...(people?.userIds ?? [])],
  usernames: [...(people?.usernames ?? [])],
  is_system: role.isSystem,
})

export const showRoles = async (ctx: RequestCtx, caller: User, query: z.output<typeof RoleQuery>): Promise<HttpResult<z.input<typeof Roles>>> => {
  const t = forTenant(ctx.db, caller.tenantId)
  const { role_id: roleId, search, sort } = query
  const page = toPage<'name' | 'created_at'>(query, sort)
  const rows = await listRoles(t, { page, ...(roleId === undefined ? {} : { roleId }), ...(search === undefined ? {} : { search }) })
  const ids = rows.map((row) => row.id)
  const permissions = await countPermissionsOfRoles(t, ids, query.resource)
  const people = await findAssignedPeople(t, ids, query.user_id)
  return pageReply(
    query,
    sort,
    rows,
    (row) => (page.sort === 'name' ? row.name : row.createdAt),
    (some) => some.map((row) => toResponse(row, permissions.get(row.id) ?? 0, people.get(row.id))),
  )
}

/** @throws AppError not_found */
export const showRole = async (ctx: RequestCtx, caller: User, roleId: string): Promise<HttpResult<z.input<typeof RoleDetails>>> => {
  const t = forTenant(ctx.db, caller.tenantId)
  const role = await findRole(t, roleId)
  if (role === undefined) throw new AppError('not_found')
  const permissions = await findRolePermissions(t, roleId)
  const people = await findAssignedPeople(t, [roleId])
  const details = { ...toResponse(role, permissions.length, people.get(roleId)), permissions }
  return new HttpResult(details, { headers: { ETag: etagOf(auditedRole(role, permissions)) } })
}
