// Roles that people and groups hold, for the question what a takeover of an account or a membership would give.
import { and, eq, inArray, isNull, or, sql } from 'drizzle-orm'
import { ownRows, type TenantDb } from '../engine/tenant.ts'
import { permissions, roleBindings, rolePermissions, roles, userGroups } from '../tables/access.ts'
import { isUnexpired } from './live-bindings.ts'
import type { Role } from './roles.ts'

export type HeldRole = Pick<Role, 'id' | 'name' | 'isSystem'>

const shape = { id: roles.id, name: roles.name, isSystem: roles.isSystem }

/** Roles of the person's own and groups' bindings, including scoped and conditional ones. */
export const findRolesHeldByPerson = (t: TenantDb, userId: string, now: Date): Promise<HeldRole[]> => {
  const memberships = t.db
    .select({ groupId: userGroups.groupId })
    .from(userGroups)
    .where(and(ownRows(t, userGroups), eq(userGroups.userId, userId)))
  return t.db
    .selectDistinct(shape)
    .from(roleBindings)
    .innerJoin(roles, and(eq(roles.tenantId, roleBindings.tenantId), eq(roles.id, roleBindings.roleId)))
    .where(and(ownRows(t, roleBindings), isUnexpired(now), or(eq(roleBindings.userId, userId), inArray(roleBindings.groupId, memberships))))
}

/** Whether a binding of the person's own or of a group's could give the permission, scoped and conditional ones included. */
export const mayHold = async (t: TenantDb, userId: string, permission: `${string}:${string}`, now: Date): Promise<boolean> => {
  const held = (await findRolesHeldByPerson(t, userId, now)).map(({ id }) => id)
  if (held.length === 0) return false
  const [resource = '', action = ''] = permission.split(':')
  const rows = await t.db
    .select({ roleId: rolePermissions.roleId })
    .from(rolePermissions)
    .innerJoin(permissions, and(eq(permissions.tenantId, rolePermissions.tenantId), eq(permissions.id, rolePermissions.permissionId)))
    .where(
      and(ownRows(t, rolePermissions), inArray(rolePermissions.roleId, held), eq(permissions.resource, resource), eq(permissions.action, action)),
    )
    .limit(1)
  return rows.length > 0
}

/** Roles of these groups' bindings. */
export const findRolesHeldByGroups = async (t: TenantDb, groupIds: readonly string[], now: Date): Promise<HeldRole[]> =>
  groupIds.length === 0
    ? []
    : t.db
        .selectDistinct(shape)
        .from(roleBindings)
        .innerJoin(roles, and(eq(roles.tenantId, roleBindings.tenantId), eq(roles.id, roleBindings.roleId)))
        .where(and(ownRows(t, roleBindings), isUnexpired(now), inArray(roleBindings.groupId, [...groupIds])))

export type NamedRole = { readonly id: string; readonly name: string }

/** Roles bound to each of these people for the whole tenant now. */
export const findRolesOfPeople = async (t: TenantDb, userIds: readonly string[], now: Date): Promise<ReadonlyMap<string, readonly NamedRole[]>> => {
  const found = new Map<string, NamedRole[]>()
  if (userIds.length === 0) return found
  const rows = await t.db
    .selectDistinct({ userId: roleBindings.userId, id: roles.id, name: roles.name })
    .from(roleBindings)
    .innerJoin(roles, and(eq(roles.tenantId, roleBindings.tenantId), eq(roles.id, roleBindings.roleId)))
    .where(and(ownRows(t, roleBindings), inArray(roleBindings.userId, [...userIds]), isNull(roleBindings.scopeId), isUnexpired(now)))
    .orderBy(sql`${roles.name}`)
  for (const { userId, ...role } of rows) if (userId !== null) found.set(userId, [...(found.get(userId) ?? []), role])
  return found
}
