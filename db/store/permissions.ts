// Queries on permissions, the tenant's pairs of resource and action.
import { and, asc, count, eq, inArray, or, type SQL, sql } from 'drizzle-orm'
import { ownRows, type TenantDb, type TenantTx } from '../engine/tenant.ts'
import { permissions, rolePermissions, roles, scopePermissions, scopes } from '../tables/access.ts'
import { INSERT_FROM, JSON_RECORDS, jsonRecords } from './json-records.ts'
import { afterCursor, containsText, keysetOrder, type Page } from './keyset.ts'

export type Permission = typeof permissions.$inferSelect
export type PermissionPair = { readonly resource: string; readonly action: string }
export type NamedPermission = PermissionPair & { readonly id: string }
export type SeedPermission = { readonly id: string; readonly resource: string; readonly action: string; readonly description: string }

/** One statement for any number of permissions. */
const ENSURE = `${INSERT_FROM(permissions, JSON_RECORDS(permissions, '$2'))} where r.tenant_id = $1 on conflict do nothing`

/** Adds the missing permissions and returns the ids of all. */
export const ensurePermissions = async (t: TenantTx, wanted: readonly SeedPermission[], at: Date): Promise<string[]> => {
  const missing = wanted.map((p) => ({ ...p, tenantId: t.tenantId, isSystem: true, createdAt: at, updatedAt: at }))
  await t.run({ text: ENSURE, params: [t.tenantId, jsonRecords(permissions, missing)], arrays: true })
  const rows = await t.db
    .select({ id: permissions.id, resource: permissions.resource, action: permissions.action })
    .from(permissions)
    .where(ownRows(t, permissions))
  const names = new Set(wanted.map((p) => `${p.resource}:${p.action}`))
  return rows.filter((row) => names.has(`${row.resource}:${row.action}`)).map((row) => row.id)
}

/** False when the tenant already has the pair. */
export const insertPermission = async (t: TenantTx, row: SeedPermission, at: Date): Promise<boolean> => {
  const added = await t.db
    .insert(permissions)
    .values({ ...row, tenantId: t.tenantId, createdAt: at, updatedAt: at })
    .onConflictDoNothing({ target: [permissions.tenantId, permissions.resource, permissions.action] })
    .returning({ id: permissions.id })
  return added.length === 1
}

const named = { id: permissions.id, resource: permissions.resource, action: permissions.action }

export const findPermissionsById = async (t: TenantDb, ids: readonly string[]): Promise<NamedPermission[]> =>
  ids.length === 0
    ? []
    : t.db
        .select(named)
        .from(permissions)
        .where(and(ownRows(t, permissions), inArray(permissions.id, [...ids])))

/** Permissions named by these texts, as `resource:action` or `resource.action`. One statement for any number of dots in a text. */
export const findPermissionsByText = async (t: TenantDb, texts: readonly string[]): Promise<NamedPermission[]> => {
  if (texts.length === 0) return []
  const among = sql`in (select jsonb_array_elements_text(${JSON.stringify(texts)}::jsonb))`
  return t.db
    .select(named)
    .from(permissions)
    .where(
      and(
        ownRows(t, permissions),
        sql`(${permissions.resource} || ':' || ${permissions.action} ${among} or ${permissions.resource} || '.' || ${permissions.action} ${among})`,
      ),
    )
}

/** All permissions of these resources. */
export const findPermissionsOfResources = async (t: TenantDb, resources: readonly string[]): Promise<NamedPermission[]> =>
  resources.length === 0
    ? []
    : t.db
        .select(named)
        .from(permissions)
        .where(and(ownRows(t, permissions), inArray(permissions.resource, [...resources])))
        .orderBy(asc(permissions.resource), asc(permissions.action))

export const findPermission = async (t: TenantDb, wanted: { readonly id: string } | PermissionPair): Promise<Permission | undefined> => {
  const which = 'id' in wanted ? eq(permissions.id, wanted.id) : and(eq(permissions.resource, wanted.resource), eq(permissions.action, wanted.action))
  const [row] = await t.db
    .select()
    .from(permissions)
    .where(and(ownRows(t, permissions), which))
  return row
}

export type PermissionSort = 'resource' | 'created_at'
export type PermissionFilter = {
  readonly resource?: string
  readonly search?: string
  /** Only permissions with these names (`resource:action`). */
  readonly names?: readonly string[]
  readonly page: Page<PermissionSort>
}
const columns = { id: permissions.id, by: { resource: permissions.resource, created_at: permissions.createdAt } }

export const listPermissions = async (t: TenantDb, f: PermissionFilter): Promise<Permission[]> => {
  const conditions: (SQL | undefined)[] = [
    ownRows(t, permissions),
    f.resource === undefined ? undefined : eq(permissions.resource, f.resource),
    f.search === undefined
      ? undefined
      : or(containsText(permissions.resource, f.search), containsText(permissions.action, f.search), containsText(permissions.description, f.search)),
    f.names === undefined
      ? undefined
      : sql`${permissions.resource} || ':' || ${permissions.action} in (select jsonb_array_elements_text(${JSON.stringify(f.names)}::jsonb))`,
    afterCursor(f.page, columns),
  ]
  return t.db
    .select()
    .from(permissions)
    .where(and(...conditions))
    .orderBy(...keysetOrder(f.page, columns))
    .limit(f.page.limit)
}

/** The number of roles with each of these permissions, in one grouped statement; permissions without roles are absent. */
export const countRolesOfPermissions = async (t: TenantDb, ids: readonly string[]): Promise<Map<string, number>> => {
  if (ids.length === 0) return new Map()
  const rows = await t.db
    .select({ id: rolePermissions.permissionId, roles: count() })
    .from(rolePermissions)
    .where(and(ownRows(t, rolePermissions), inArray(rolePermissions.permissionId, [...ids])))
    .groupBy(rolePermissions.permissionId)
  return new Map(rows.map((row) => [row.id, row.roles]))
}

export const listResources = async (t: TenantDb, limit: number): Promise<string[]> => {
  const rows = await t.db
    .selectDistinct({ resource: permissions.resource })
    .from(permissions)
    .where(ownRows(t, permissions))
    .orderBy(asc(permissions.resource))
    .limit(limit)
  return rows.map((row) => row.resource)
}

/** Names of the roles and scopes that contain a permission. */
export const findUsesOfPermission = async (t: TenantDb, permissionId: string): Promise<{ readonly roles: string[]; readonly scopes: string[] }> => {
  const inRoles = await t.db
    .select({ name: roles.name })
    .from(rolePermissions)
    .innerJoin(roles, and(eq(roles.tenantId, rolePermissions.tenantId), eq(roles.id, rolePermissions.roleId)))
    .where(and(ownRows(t, rolePermissions), eq(rolePermissions.permissionId, permissionId)))
    .orderBy(asc(roles.name))
  const inScopes = await t.db
    .select({ name: scopes.name })
    .from(scopePermissions)
    .innerJoin(scopes, and(eq(scopes.tenantId, scopePermissions.tenantId), eq(scopes.id, scopePermissions.scopeId)))
    .where(and(ownRows(t, scopePermissions), eq(scopePermissions.permissionId, permissionId)))
    .orderBy(asc(scopes.name))
  return { roles: inRoles.map((row) => row.name), scopes: inScopes.map((row) => row.name) }
}

/** Deletes a permission with its links to roles and scopes. */
export const deletePermission = async (t: TenantTx, id: string): Promise<boolean> => {
  const gone = await t.db
    .delete(permissions)
    .where(and(ownRows(t, permissions), eq(permissions.id, id)))
    .returning({ id: permissions.id })
  return gone.length === 1
}
