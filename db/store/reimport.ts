// Adds data that another system's company received after its import: rows are added by id, and existing rows stay unchanged.
import { and, inArray, type SQL, sql } from 'drizzle-orm'
import type { PgColumn, PgTable } from 'drizzle-orm/pg-core'
import { ownRows, type TenantDb, type TenantTx } from '../engine/tenant.ts'
import { groups, permissions, roleBindings, rolePermissions, roles, scopePermissions, scopes, serviceAccounts, userGroups } from '../tables/access.ts'
import { clientDirectory, clients } from '../tables/clients.ts'
import { factors } from '../tables/factors.ts'
import { projects, tenantDomains } from '../tables/tenants.ts'
import { users } from '../tables/users.ts'
import { countUsage } from './tenants.ts'
import { indexPeople, searchTextOf } from './user-search.ts'

const TABLES = { tenantDomains, projects, users, groups, permissions, roles, scopes, serviceAccounts, clients, bindings: roleBindings } as const
export type KeyedTable = keyof typeof TABLES
const LINKS = { members: userGroups, rolePermissions, scopePermissions } as const
export type LinkTable = keyof typeof LINKS

const CHUNK = 500

/** The ids among these that the tenant has. */
export const findPresent = async (t: TenantDb, kind: KeyedTable | 'factors', ids: readonly string[]): Promise<ReadonlySet<string>> => {
  const table: PgTable & { id: PgColumn; tenantId: PgColumn } = kind === 'factors' ? factors : TABLES[kind]
  const found = new Set<string>()
  for (let at = 0; at < ids.length; at += CHUNK) {
    const rows = await t.db
      .select({ id: table.id })
      .from(table as PgTable)
      .where(and(ownRows(t, table), inArray(table.id, ids.slice(at, at + CHUNK))))
    for (const row of rows) found.add(String(row.id))
  }
  return found
}

/** Adds the row unless it conflicts with existing data. */
export const insertOne = async (
  t: TenantTx,
  kind: KeyedTable,
  row: Readonly<Record<string, unknown>> & { readonly id: string },
): Promise<boolean> => {
  const table: PgTable & { id: PgColumn } = TABLES[kind]
  const added = await t.db
    .insert(table as PgTable)
    .values({ ...row, tenantId: t.tenantId } as never)
    .onConflictDoNothing()
    .returning({ id: table.id })
  return added.length === 1
}

/** Further rows of a person. */
export const reimportPerson = async (
  t: TenantTx,
  person: {
    readonly id: string
    readonly email: string
    readonly name?: string | undefined
    readonly username?: string | null | undefined
    readonly active?: boolean | undefined
  },
): Promise<void> => {
  await t.db
    .update(users)
    .set({ searchText: searchTextOf(person) })
    .where(and(ownRows(t, users), inArray(users.id, [person.id])))
  await indexPeople(t, [person])
  await countUsage(t, 'users', 1)
  if (person.active === false) await countUsage(t, 'inactive_users', 1)
}

/** Further rows of a client. */
export const reimportClient = async (
  t: TenantTx,
  { id, active, createdAt }: { readonly id: string; readonly active: boolean; readonly createdAt: Date },
): Promise<void> => {
  await t.db.insert(clientDirectory).values({ clientId: id, tenantId: t.tenantId, active, createdAt })
  await countUsage(t, 'clients', 1)
}

/** False when it already exists. */
export const insertLink = async (t: TenantTx, kind: LinkTable, row: Readonly<Record<string, unknown>>): Promise<boolean> => {
  const one: SQL<number> = sql<number>`1`
  const added = await t.db
    .insert(LINKS[kind] as PgTable)
    .values({ ...row, tenantId: t.tenantId } as never)
    .onConflictDoNothing()
    .returning({ one })
  return added.length === 1
}
