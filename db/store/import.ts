// Inserts rows of another system in bulk, inside the importing tenant's transaction.
import { sql } from 'drizzle-orm'
import type { PgTable } from 'drizzle-orm/pg-core'
import type { TenantTx } from '../engine/tenant.ts'
import { groups, permissions, roleBindings, rolePermissions, roles, scopePermissions, scopes, serviceAccounts, userGroups } from '../tables/access.ts'
import { clientDirectory, clients } from '../tables/clients.ts'
import { projects, tenantDomains, tenantUsage } from '../tables/tenants.ts'
import { users } from '../tables/users.ts'
import { countUsage } from './tenants.ts'
import { indexPeople, searchTextOf } from './user-search.ts'

type Rows<T extends PgTable> = readonly Omit<T['$inferInsert'], 'tenantId'>[]
export type ImportRows = {
  readonly tenantDomains: Rows<typeof tenantDomains>
  readonly projects: Rows<typeof projects>
  readonly users: Rows<typeof users>
  readonly groups: Rows<typeof groups>
  readonly members: Rows<typeof userGroups>
  readonly permissions: Rows<typeof permissions>
  readonly roles: Rows<typeof roles>
  readonly rolePermissions: Rows<typeof rolePermissions>
  readonly scopes: Rows<typeof scopes>
  readonly scopePermissions: Rows<typeof scopePermissions>
  readonly serviceAccounts: Rows<typeof serviceAccounts>
  readonly clients: Rows<typeof clients>
  readonly bindings: Rows<typeof roleBindings>
}

/** PostgreSQL accepts 65,535 parameters per statement, and a person has some thirty. */
const CHUNK = 500

/** Inserts rows of the tenant in batches that fit a statement. */
const inChunks = async <R extends object>(t: TenantTx, rows: readonly R[], insert: (chunk: (R & { tenantId: string })[]) => PromiseLike<unknown>) => {
  for (let at = 0; at < rows.length; at += CHUNK) await insert(rows.slice(at, at + CHUNK).map((row) => ({ ...row, tenantId: t.tenantId })))
}

/** Inserts in the order of foreign keys. Throws on the first row that conflicts with existing data. */
export const insertImported = async (t: TenantTx, rows: ImportRows): Promise<void> => {
  await inChunks(t, rows.tenantDomains, (chunk) => t.db.insert(tenantDomains).values(chunk))
  await inChunks(t, rows.projects, (chunk) => t.db.insert(projects).values(chunk))
  const people = rows.users.map((row) => ({ ...row, searchText: searchTextOf(row) }))
  await inChunks(t, people, (chunk) => t.db.insert(users).values(chunk))
  await indexPeople(t, rows.users)
  await countUsage(t, 'inactive_users', rows.users.filter(({ active }) => active === false).length)
  await inChunks(t, rows.groups, (chunk) => t.db.insert(groups).values(chunk))
  await inChunks(t, rows.members, (chunk) => t.db.insert(userGroups).values(chunk))
  await inChunks(t, rows.permissions, (chunk) => t.db.insert(permissions).values(chunk))
  await inChunks(t, rows.roles, (chunk) => t.db.insert(roles).values(chunk))
  await inChunks(t, rows.rolePermissions, (chunk) => t.db.insert(rolePermissions).values(chunk))
  await inChunks(t, rows.scopes, (chunk) => t.db.insert(scopes).values(chunk))
  await inChunks(t, rows.scopePermissions, (chunk) => t.db.insert(scopePermissions).values(chunk))
  await inChunks(t, rows.serviceAccounts, (chunk) => t.db.insert(serviceAccounts).values(chunk))
  await inChunks(t, rows.clients, (chunk) => t.db.insert(clients).values(chunk))
  const entries = rows.clients.map(({ id, active, createdAt }) => ({ clientId: id, tenantId: t.tenantId, active: active ?? true, createdAt }))
  for (let at = 0; at < entries.length; at += CHUNK) await t.db.insert(clientDirectory).values(entries.slice(at, at + CHUNK))
  await inChunks(t, rows.bindings, (chunk) => t.db.insert(roleBindings).values(chunk))
}

/** Counts the inserted rows in the tenant's usage. */
export const addUsage = async (t: TenantTx, kind: string, count: number): Promise<void> => {
  await t.db
    .insert(tenantUsage)
    .values({ tenantId: t.tenantId, kind, count })
    .onConflictDoUpdate({ target: [tenantUsage.tenantId, tenantUsage.kind], set: { count: sql`${tenantUsage.count} + ${count}` } })
}
