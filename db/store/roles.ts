// Queries on roles and their permissions.
import { and, asc, count, eq, inArray, or, type SQL, sql } from 'drizzle-orm'
import { ownRows, type TenantDb, type TenantTx } from '../engine/tenant.ts'
import { permissions, rolePermissions, roles } from '../tables/access.ts'
import { afterCursor, containsText, keysetOrder, type Page } from './keyset.ts'
import type { NamedPermission } from './permissions.ts'

export type Role = typeof roles.$inferSelect

/** Ensures the system role of that name with at least these permissions. */
export const ensureSystemRole = async (
  t: TenantTx,
  role: { readonly id: string; readonly name: string; readonly description: string; readonly permissionIds: readonly string[]; readonly at: Date },
): Promise<string> => {
  await t.db
    .insert(roles)
    .values({
      tenantId: t.tenantId,
      id: role.id,
      name: role.name,
      description: role.description,
      isSystem: true,
      createdAt: role.at,
      updatedAt: role.at,
    })
    .onConflictDoNothing()
  const row = await findRoleByName(t, role.name)
  if (row === undefined) throw new Error('the role was just ensured')
  await linkPermissions(t, row.id, role.permissionIds)
  return row.id
}

/** One statement for any number of permissions. */
const LINK = `insert into authsec.role_permissions (tenant_id, role_id, permission_id)
  select $1::uuid, $2::uuid, unnest($3::uuid[]) on conflict do nothing`
const linkPermissions = async (t: TenantTx, roleId: string, permissionIds: readonly string[]): Promise<void> => {
  if (permissionIds.length > 0) await t.run({ text: LINK, params: [t.tenantId, roleId, permissionIds], arrays: true })
}

export const findRole = async (t: TenantDb, id: string): Promise<Role | undefined> => {
  const [row] = await t.db
    .select()
    .from(roles)
    .where(and(ownRows(t, roles), eq(roles.id, id)))
  return row
}

export const findRoleByName = async (t: TenantDb, name: string): Promise<Role | undefined> => {
  const [row] = await t.db
    .select()
    .from(roles)
    .where(and(ownRows(t, roles), eq(roles.name, name)))
  return row
}

export type RoleText = { readonly name: string; readonly description: string }

/** False when the name is taken. */
export const insertRole = async (
  t: TenantTx,
  row: RoleText & { readonly id: string; readonly permissionIds: readonly string[]; readonly at: Date },
): Promise<boolean> => {
  const added = await t.db
    .insert(roles)
    .values({ tenantId: t.tenantId, id: row.id, name: row.name, description: row.description, createdAt: row.at, updatedAt: row.at })
    .onConflictDoNothing({ target: [roles.tenantId, roles.name] })
    .returning({ id: roles.id })
  if (added.length === 0) return false
  await linkPermissions(t, row.id, row.permissionIds)
  return true
}

/** Updates name, description and the complete set of permissions. The caller has checked under the tenant's policy lock that the name is free. */
export const replaceRole = async (
  t: TenantTx,
  id: string,
  to: RoleText & { readonly permissionIds: readonly string[]; readonly at: Date },
): Promise<void> => {
  await t.db
    .update(roles)
    .set({ name: to.name, description: to.description, updatedAt: to.at })
    .where(and(ownRows(t, roles), eq(roles.id, id)))
  await t.db.delete(rolePermissions).where(and(ownRows(t, rolePermissions), eq(rolePermissions.roleId, id)))
  await linkPermissions(t, id, to.permissionIds)
}

/** Deletes a role with its links and bindings. */
export const deleteRole = async (t: TenantTx, id: string): Promise<boolean> => {
  const gone = await t.db
    .delete(roles)
    .where(and(ownRows(t, roles), eq(roles.id, id)))
    .returning({ id: roles.id })
  return gone.length === 1
}

export const findRolePermissions = async (t: TenantDb, roleId: string): Promise<NamedPermission[]> =>
  t.db
    .select({ id: permissions.id, resource: permissions.resource, action: permissions.action })
    .from(rolePermissions)
    .innerJoin(permissions, and(eq(permissions.tenantId, rolePermissions.tenantId), eq(permissions.id, rolePermissions.permissionId)))
    .where(and(ownRows(t, rolePermissions), eq(rolePermissions.roleId, roleId)))
    .orderBy(asc(permissions.resource), asc(permissions.action))

export type RoleWithPermission = { readonly id: string; readonly role: string; readonly description: string; readonly permission: string }

/** The roles with any of these permissions (`resource:action`), once for each of them. */
export const findRolesWithPermissions = async (t: TenantDb, names: readonly string[]): Promise<RoleWithPermission[]> => {
  if (names.length === 0) return []
  const permission = sql<string>`${permissions.resource} || ':' || ${permissions.action}`
  return t.db
    .select({ id: roles.id, role: roles.name, description: roles.description, permission })
    .from(rolePermissions)
    .innerJoin(permissions, and(eq(permissions.tenantId, rolePermissions.tenantId), eq(permissions.id, rolePermissions.permissionId)))
    .innerJoin(roles, and(eq(roles.tenantId, rolePermissions.tenantId), eq(roles.id, rolePermissions.roleId)))
    .where(and(ownRows(t, rolePermissions), sql`${permission} in (select jsonb_array_elements_text(${JSON.stringify(names)}::jsonb))`))
    .orderBy(asc(roles.name))
    .limit(2000)
}

export type RoleSort = 'name' | 'created_at'
export type RoleFilter = { readonly roleId?: string; readonly search?: string; readonly page: Page<RoleSort> }
const columns = { id: roles.id, by: { name: roles.name, created_at: roles.createdAt } }

export const listRoles = async (t: TenantDb, f: RoleFilter): Promise<Role[]> => {
  const conditions: (SQL | undefined)[] = [
    ownRows(t, roles),
    f.roleId === undefined ? undefined : eq(roles.id, f.roleId),
    f.search === undefined ? undefined : or(containsText(roles.name, f.search), containsText(roles.description, f.search)),
    afterCursor(f.page, columns),
  ]
  return t.db
    .select()
    .from(roles)
    .where(and(...conditions))
    .orderBy(...keysetOrder(f.page, columns))
    .limit(f.page.limit)
}

/** The number of permissions of each role (of one resource if given), in one grouped statement; roles without permissions are absent. */
export const countPermissionsOfRoles = async (t: TenantDb, ids: readonly string[], resource?: string): Promise<Map<string, number>> => {
  if (ids.length === 0) return new Map()
  const rows = await t.db
    .select({ id: rolePermissions.roleId, permissions: count() })
    .from(rolePermissions)
    .innerJoin(permissions, and(eq(permissions.tenantId, rolePermissions.tenantId), eq(permissions.id, rolePermissions.permissionId)))
    .where(
      and(
        ownRows(t, rolePermissions),
        inArray(rolePermissions.roleId, [...ids]),
        resource === undefined ? undefined : eq(permissions.resource, resource),
      ),
    )
    .groupBy(rolePermissions.roleId)
  return new Map(rows.map((row) => [row.id, row.permissions]))
}
