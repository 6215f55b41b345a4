// Lists of clients: pages of one tenant with filters, and pages of all tenants for platform administrators. A quota limits a tenant to some thousands
// of clients, so substrings are searched in its own rows.
import { and, arrayOverlaps, count, desc, eq, inArray, isNull, ne, type SQL } from 'drizzle-orm'
import { type AnyScope, asTenantId, ownRows, type TenantDb, type TenantId } from '../engine/tenant.ts'
import { roleBindings, roles } from '../tables/access.ts'
import { clientDirectory, clients } from '../tables/clients.ts'
import { users } from '../tables/users.ts'
import type { Client } from './clients.ts'
import { afterCursor, containsText, keysetOrder, type Page } from './keyset.ts'

export type ClientFilter = {
  readonly clientId?: string
  readonly status?: string
  readonly name?: string
  readonly email?: string
  readonly tags?: readonly string[]
  readonly active?: boolean
  readonly clientType?: string
  readonly agentType?: string
  /** Includes soft-deleted clients. */
  readonly deleted?: boolean
}
const conditions = (t: TenantDb, f: ClientFilter): SQL | undefined =>
  and(
    ownRows(t, clients),
    f.clientId === undefined ? undefined : eq(clients.id, f.clientId),
    f.status === undefined ? undefined : eq(clients.status, f.status),
    f.name === undefined ? undefined : containsText(clients.name, f.name),
    f.email === undefined ? undefined : containsText(clients.email, f.email),
    f.tags === undefined ? undefined : arrayOverlaps(clients.tags, [...f.tags]),
    f.active === undefined ? undefined : eq(clients.active, f.active),
    f.clientType === undefined ? undefined : eq(clients.clientType, f.clientType),
    f.agentType === undefined ? undefined : eq(clients.agentType, f.agentType),
    f.deleted === true || f.status === 'Deleted' ? undefined : ne(clients.status, 'Deleted'),
  )

const columns = { id: clients.id, by: { created_at: clients.createdAt } }

/** A page by key; with `offset` for pages by number. */
export const listClients = (t: TenantDb, filter: ClientFilter, page: Page<'created_at'>, offset = 0): Promise<Client[]> =>
  t.db
    .select()
    .from(clients)
    .where(and(conditions(t, filter), afterCursor(page, columns)))
    .orderBy(...keysetOrder(page, columns))
    .offset(offset)
    .limit(page.limit)

export const countClients = async (t: TenantDb, filter: ClientFilter): Promise<number> => {
  const [row] = await t.db.select({ total: count() }).from(clients).where(conditions(t, filter))
  return row?.total ?? 0
}

/** The number of people of each of these clients. */
export const countUsersOfClients = async (t: TenantDb, clientIds: readonly string[]): Promise<ReadonlyMap<string, number>> => {
  if (clientIds.length === 0) return new Map()
  const rows = await t.db
    .select({ clientId: users.clientId, total: count() })
    .from(users)
    .where(and(ownRows(t, users), inArray(users.clientId, [...clientIds]), isNull(users.deletedAt)))
    .groupBy(users.clientId)
  return new Map(rows.map((row) => [row.clientId ?? '', row.total]))
}

export type RoleOfAccount = { readonly serviceAccountId: string; readonly id: string; readonly name: string }

/** Names of the roles bound to these service accounts. */
export const findRolesOfServiceAccounts = async (t: TenantDb, serviceAccountIds: readonly string[]): Promise<RoleOfAccount[]> => {
  if (serviceAccountIds.length === 0) return []
  const rows = await t.db
    .selectDistinct({ serviceAccountId: roleBindings.serviceAccountId, id: roles.id, name: roles.name })
    .from(roleBindings)
    .innerJoin(roles, and(eq(roles.tenantId, roleBindings.tenantId), eq(roles.id, roleBindings.roleId)))
    .where(and(ownRows(t, roleBindings), inArray(roleBindings.serviceAccountId, [...serviceAccountIds])))
    .orderBy(roles.name)
  return rows.map((row) => ({ ...row, serviceAccountId: row.serviceAccountId ?? '' }))
}

export type ClientPlace = { readonly clientId: string; readonly tenantId: TenantId }

/** One page of all tenants' clients, newest first, and their total number. */
export const pageOfAllClients = async (
  d: AnyScope,
  { offset, limit }: { readonly offset: number; readonly limit: number },
): Promise<{ readonly total: number; readonly places: readonly ClientPlace[] }> => {
  const [all] = await d.db.select({ total: count() }).from(clientDirectory)
  const rows = await d.db
    .select({ clientId: clientDirectory.clientId, tenantId: clientDirectory.tenantId })
    .from(clientDirectory)
    .orderBy(desc(clientDirectory.createdAt), desc(clientDirectory.clientId))
    .offset(offset)
    .limit(limit)
  return { total: all?.total ?? 0, places: rows.map((row) => ({ ...row, tenantId: asTenantId(row.tenantId) })) }
}

export const findClients = (t: TenantDb, clientIds: readonly string[]): Promise<Client[]> =>
  t.db
    .select()
    .from(clients)
    .where(and(ownRows(t, clients), inArray(clients.id, [...clientIds])))
