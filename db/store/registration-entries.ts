// Queries on registration entries.
import { and, arrayContained, asc, count, desc, eq, gte, isNull, type SQL, sql } from 'drizzle-orm'
import { ownRows, type TenantDb, type TenantTx } from '../engine/tenant.ts'
import { clients } from '../tables/clients.ts'
import { registrationEntries } from '../tables/spiffe.ts'
import { afterCursor, containsText, keysetOrder, type Page } from './keyset.ts'

export type RegistrationEntry = typeof registrationEntries.$inferSelect
export type NewRegistrationEntry = Omit<typeof registrationEntries.$inferInsert, 'tenantId'>
export type EntryFilter = {
  readonly spiffeId?: string | undefined
  readonly spiffeIdPart?: string | undefined
  readonly parentId?: string | undefined
  readonly agentId?: string | undefined
  readonly admin?: boolean | undefined
  /** The beginning of a selector. */
  readonly selectorPrefix?: string | undefined
}

const e = registrationEntries
const own = (t: TenantDb, id: string): SQL | undefined => and(ownRows(t, e), eq(e.id, id))
const columns = { id: e.id, by: { created_at: e.createdAt } }

const matching = (t: TenantDb, f: EntryFilter): SQL | undefined =>
  and(
    ownRows(t, e),
    f.spiffeId === undefined ? undefined : eq(e.spiffeId, f.spiffeId),
    f.spiffeIdPart === undefined ? undefined : containsText(e.spiffeId, f.spiffeIdPart),
    f.parentId === undefined ? undefined : eq(e.parentId, f.parentId),
    f.agentId === undefined ? undefined : eq(e.agentId, f.agentId),
    f.admin === undefined ? undefined : eq(e.admin, f.admin),
    f.selectorPrefix === undefined ? undefined : sql`exists (select from unnest(${e.selectors}) s where starts_with(s, ${f.selectorPrefix}))`,
  )

/** @throws unique_violation when another entry has the SPIFFE id */
export const insertEntry = async (t: TenantTx, row: NewRegistrationEntry): Promise<RegistrationEntry> => {
  const [inserted] = await t.db
    .insert(e)
    .values({ ...row, tenantId: t.tenantId })
    .returning()
  if (inserted === undefined) throw new Error('an insert returns its row')
  return inserted
}

export const findEntry = async (t: TenantDb, id: string): Promise<RegistrationEntry | undefined> => {
  const [row] = await t.db.select().from(e).where(own(t, id))
  return row
}

export const findEntryBySpiffeId = async (t: TenantDb, spiffeId: string): Promise<RegistrationEntry | undefined> => {
  const [row] = await t.db
    .select()
    .from(e)
    .where(and(ownRows(t, e), eq(e.spiffeId, spiffeId)))
  return row
}

export const lockEntry = async (t: TenantTx, id: string): Promise<RegistrationEntry | undefined> => {
  const [row] = await t.db.select().from(e).where(own(t, id)).for('update')
  return row
}

/** @throws unique_violation when another entry has the SPIFFE id */
export const updateEntry = async (t: TenantTx, id: string, set: Partial<NewRegistrationEntry>): Promise<RegistrationEntry | undefined> => {
  const [row] = await t.db.update(e).set(set).where(own(t, id)).returning()
  return row
}

export const deleteEntry = async (t: TenantTx, id: string): Promise<boolean> =>
  (await t.db.delete(e).where(own(t, id)).returning({ id: e.id })).length === 1

export const listEntries = (t: TenantDb, f: EntryFilter, page: Page<'created_at'>): Promise<RegistrationEntry[]> =>
  t.db
    .select()
    .from(e)
    .where(and(matching(t, f), afterCursor(page, columns)))
    .orderBy(...keysetOrder(page, columns))
    .limit(page.limit)

export type EntryPage = { readonly entries: readonly RegistrationEntry[]; readonly total: number }

/** A page by its offset, oldest first, with the number of all matching entries. */
export const listEntriesByOffset = async (t: TenantDb, f: EntryFilter, limit: number, offset: number): Promise<EntryPage> => {
  const where = matching(t, f)
  const entries = await t.db.select().from(e).where(where).orderBy(asc(e.createdAt), asc(e.id)).limit(limit).offset(offset)
  const [all] = await t.db.select({ total: count() }).from(e).where(where)
  return { entries, total: all?.total ?? 0 }
}

/** Entries whose selectors are all among the given ones: those below `parentId` first, then those with the most selectors, then the oldest. */
export const findEntriesBySelectors = (
  t: TenantDb,
  selectors: readonly string[],
  { parentId, onlyBelow, limit }: { readonly parentId?: string | undefined; readonly onlyBelow: boolean; readonly limit: number },
): Promise<RegistrationEntry[]> =>
  t.db
    .select()
    .from(e)
    .where(
      and(
        ownRows(t, e),
        arrayContained(e.selectors, [...selectors]),
        gte(sql`cardinality(${e.selectors})`, 1),
        onlyBelow && parentId !== undefined ? eq(e.parentId, parentId) : undefined,
      ),
    )
    .orderBy(
      ...(parentId === undefined ? [] : [desc(sql`(${e.parentId} = ${parentId})`)]),
      desc(sql`cardinality(${e.selectors})`),
      asc(e.createdAt),
      asc(e.id),
    )
    .limit(limit)

/** The client that has the SPIFFE id. */
export const findClientIdBySpiffeId = async (t: TenantDb, spiffeId: string): Promise<string | undefined> => {
  const [row] = await t.db
    .select({ id: clients.id })
    .from(clients)
    .where(and(ownRows(t, clients), eq(clients.spiffeId, spiffeId), isNull(clients.deletedAt)))
    .limit(1)
  return row?.id
}
