// Queries on scopes, the named sets of permissions that clients request.
import { and, asc, count, eq, inArray, type SQL } from 'drizzle-orm'
import { ownRows, type TenantDb, type TenantTx } from '../engine/tenant.ts'
import { permissions, scopePermissions, scopes } from '../tables/access.ts'
import { afterCursor, containsText, keysetOrder, type Page } from './keyset.ts'
import type { NamedPermission } from './permissions.ts'

export type Scope = typeof scopes.$inferSelect
export type Usage = Scope['usage']

/** False when the name is taken by a scope of any usage. */
export const insertScope = async (
  t: TenantTx,
  row: Pick<Scope, 'id' | 'name' | 'description' | 'usage'> & { readonly permissionIds: readonly string[]; readonly at: Date },
): Promise<boolean> => {
  const added = await t.db
    .insert(scopes)
    .values({
      tenantId: t.tenantId,
      id: row.id,
      name: row.name,
      description: row.description,
      usage: row.usage,
      createdAt: row.at,
      updatedAt: row.at,
    })
    .onConflictDoNothing({ target: [scopes.tenantId, scopes.name] })
    .returning({ id: scopes.id })
  if (added.length === 0) return false
  await linkScope(t, row.id, row.permissionIds)
  return true
}

const linkScope = async (t: TenantTx, scopeId: string, permissionIds: readonly string[]): Promise<void> => {
  if (permissionIds.length === 0) return
  await t.db.insert(scopePermissions).values(permissionIds.map((permissionId) => ({ tenantId: t.tenantId, scopeId, permissionId })))
}

/** By id or name, among the usages visible to the caller. */
export const findScope = async (
  t: TenantDb,
  wanted: { readonly id: string } | { readonly name: string },
  usages: readonly Usage[],
): Promise<Scope | undefined> => {
  const which = 'id' in wanted ? eq(scopes.id, wanted.id) : eq(scopes.name, wanted.name)
  const [row] = await t.db
    .select()
    .from(scopes)
    .where(and(ownRows(t, scopes), which, inArray(scopes.usage, [...usages])))
  return row
}

/** Whether the name is taken by a scope of any usage. */
export const isScopeName = async (t: TenantDb, name: string): Promise<boolean> => {
  const rows = await t.db
    .select({ id: scopes.id })
    .from(scopes)
    .where(and(ownRows(t, scopes), eq(scopes.name, name)))
  return rows.length > 0
}

/** Updates the scope's text and, if given, its complete set of permissions. */
export const replaceScope = async (
  t: TenantTx,
  id: string,
  to: Pick<Scope, 'name' | 'description' | 'usage'> & { readonly permissionIds?: readonly string[]; readonly at: Date },
): Promise<void> => {
  await t.db
    .update(scopes)
    .set({ name: to.name, description: to.description, usage: to.usage, updatedAt: to.at })
    .where(and(ownRows(t, scopes), eq(scopes.id, id)))
  if (to.permissionIds === undefined) return
  await t.db.delete(scopePermissions).where(and(ownRows(t, scopePermissions), eq(scopePermissions.scopeId, id)))
  await linkScope(t, id, to.permissionIds)
}

export const deleteScope = async (t: TenantTx, id: string): Promise<boolean> => {
  const gone = await t.db
    .delete(scopes)
    .where(and(ownRows(t, scopes), eq(scopes.id, id)))
    .returning({ id: scopes.id })
  return gone.length === 1
}

export type ScopeSort = 'name' | 'created_at'
export type ScopeFilter = { readonly usages: readonly Usage[]; readonly search?: string; readonly page: Page<ScopeSort> }
const columns = { id: scopes.id, by: { name: scopes.name, created_at: scopes.createdAt } }

export const listScopes = async (t: TenantDb, f: ScopeFilter): Promise<Scope[]> => {
  const conditions: (SQL | undefined)[] = [
    ownRows(t, scopes),
    inArray(scopes.usage, [...f.usages]),
    f.search === undefined ? undefined : containsText(scopes.name, f.search),
    afterCursor(f.page, columns),
  ]
  return t.db
    .select()
    .from(scopes)
    .where(and(...conditions))
    .orderBy(...keysetOrder(f.page, columns))
    .limit(f.page.limit)
}

/** The number of permissions of each scope, in one grouped statement; scopes without permissions are absent. */
export const countPermissionsOfScopes = async (t: TenantDb, ids: readonly string[]): Promise<Map<string, number>> => {
  if (ids.length === 0) return new Map()
  const rows = await t.db
    .select({ id: scopePermissions.scopeId, permissions: count() })
    .from(scopePermissions)
    .where(and(ownRows(t, scopePermissions), inArray(scopePermissions.scopeId, [...ids])))
    .groupBy(scopePermissions.scopeId)
  return new Map(rows.map((row) => [row.id, row.permissions]))
}

export type ScopedPermission = NamedPermission & { readonly scopeId: string }

/** The permissions of each of these scopes. */
export const findPermissionsOfScopes = async (t: TenantDb, ids: readonly string[]): Promise<ScopedPermission[]> =>
  ids.length === 0
    ? []
    : t.db
        .select({ scopeId: scopePermissions.scopeId, id: permissions.id, resource: permissions.resource, action: permissions.action })
        .from(scopePermissions)
        .innerJoin(permissions, and(eq(permissions.tenantId, scopePermissions.tenantId), eq(permissions.id, scopePermissions.permissionId)))
        .where(and(ownRows(t, scopePermissions), inArray(scopePermissions.scopeId, [...ids])))
        .orderBy(asc(permissions.resource), asc(permissions.action))
