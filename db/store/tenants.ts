// Queries on tenants and their usage.
import { and, asc, count, desc, eq, gt, lt, ne, notLike, sql } from 'drizzle-orm'
import { type AnyScope, asTenantId, ownRows, type TenantDb, type TenantId, type TenantTx } from '../engine/tenant.ts'
import { tenantDirectory, tenants, tenantUsage } from '../tables/tenants.ts'

export type { TenantSettings, TenantStatus } from '../tables/tenants.ts'
export type Tenant = typeof tenants.$inferSelect

export const findTenant = async (t: TenantDb): Promise<Tenant | undefined> => {
  const [row] = await t.db.select().from(tenants).where(ownRows(t, tenants))
  return row
}

/** Locks the tenant's row until the transaction ends, for work that happens once per tenant. */
export const lockTenant = async (t: TenantTx): Promise<void> => {
  await t.db.select({ tenantId: tenants.tenantId }).from(tenants).where(ownRows(t, tenants)).for('update')
}

/** Inserts the tenant and its directory row. */
export const insertTenant = async (
  t: TenantTx,
  row: { readonly name: string; readonly email: string | null; readonly domain: string; readonly source?: string; readonly at: Date },
): Promise<void> => {
  await t.db.insert(tenants).values({
    tenantId: t.tenantId,
    name: row.name,
    email: row.email,
    domain: row.domain,
    ...(row.source === undefined ? {} : { source: row.source }),
    validFrom: row.at,
    createdAt: row.at,
    updatedAt: row.at,
  })
  await t.db.insert(tenantDirectory).values({ tenantId: t.tenantId, createdAt: row.at })
}

export const updateTenantSettings = async (t: TenantTx, settings: Tenant['settings'], at: Date): Promise<void> => {
  await t.db.update(tenants).set({ settings, updatedAt: at }).where(ownRows(t, tenants))
}

/** Ends every session of the tenant that began before `at`. */
export const endTenantSessions = async (t: TenantTx, at: Date): Promise<void> => {
  await t.db.update(tenants).set({ validFrom: at, updatedAt: at }).where(ownRows(t, tenants))
}

export const setTenantStatus = async (t: TenantTx, status: Tenant['status'], at: Date): Promise<void> => {
  await t.db.update(tenants).set({ status, updatedAt: at }).where(ownRows(t, tenants))
  await t.db.update(tenantDirectory).set({ status }).where(eq(tenantDirectory.tenantId, t.tenantId))
}

export const updateTenant = async (t: TenantTx, set: Pick<Tenant, 'name' | 'email' | 'domain'>, at: Date): Promise<void> => {
  await t.db
    .update(tenants)
    .set({ ...set, updatedAt: at })
    .where(ownRows(t, tenants))
}

/** Sets the purge time of the tenant; null cancels it. Earlier sessions end in either case. */
export const scheduleDeletion = async (t: TenantTx, deleteAfter: Date | null, at: Date): Promise<void> => {
  await t.db.update(tenants).set({ deleteAfter, validFrom: at, updatedAt: at }).where(ownRows(t, tenants))
}

/**
 * Serialises changes of roles, bindings, groups and active accounts in this tenant until the transaction ends. Does not block the insertion of rows that refer to
 * the tenant.
 */
export const lockPolicy = async (t: TenantTx): Promise<void> => {
  await t.db.select({ policyVersion: tenants.policyVersion }).from(tenants).where(ownRows(t, tenants)).for('no key update')
}

/** Pages through all tenants by id. */
export const listTenantIds = async (
  d: AnyScope,
  after: string | undefined,
  limit: number,
  order: 'oldest first' | 'newest first' = 'oldest first',
): Promise<{ tenantId: TenantId; createdAt: Date }[]> => {
  const [beyond, direction] = order === 'oldest first' ? [gt, asc] : [lt, desc]
  const rows = await d.db
    .select()
    .from(tenantDirectory)
    .where(after === undefined ? undefined : beyond(tenantDirectory.tenantId, after))
    .orderBy(direction(tenantDirectory.tenantId))
    .limit(limit)
  return rows.map((row) => ({ tenantId: asTenantId(row.tenantId), createdAt: row.createdAt }))
}

export const countActiveTenants = async (d: AnyScope): Promise<number> => {
  const [row] = await d.db.select({ active: count() }).from(tenantDirectory).where(eq(tenantDirectory.status, 'active'))
  return row?.active ?? 0
}

/** Whether any tenant except the deployment's own exists. */
export const hasCompany = async (d: AnyScope, system: TenantId): Promise<boolean> => {
  const rows = await d.db
    .select({ tenantId: tenantDirectory.tenantId })
    .from(tenantDirectory)
    .where(and(ne(tenantDirectory.tenantId, system), ne(tenantDirectory.status, 'deleted')))
    .limit(1)
  return rows.length > 0
}

/** The company of a deployment that has exactly one. */
export const findOnlyCompany = async (d: AnyScope, system: TenantId): Promise<TenantId | undefined> => {
  const [only, another] = await d.db
    .select({ tenantId: tenantDirectory.tenantId })
    .from(tenantDirectory)
    .where(and(ne(tenantDirectory.tenantId, system), ne(tenantDirectory.status, 'deleted')))
    .limit(2)
  return only === undefined || another !== undefined ? undefined : asTenantId(only.tenantId)
}

/** Serialises transactions that create the only company of a deployment: one finds none, the others wait and then see it. */
export const lockOnlyCompany = async (t: TenantTx): Promise<void> => {
  await t.db.execute(sql`select pg_advisory_xact_lock(hashtextextended('only company', 0))`)
}

/** The new count of the kind; undefined, without a change, when it would exceed `max`. */
const raise = async (t: TenantTx, kind: string, max: number, by: number): Promise<number | undefined> => {
  if (max < by) return undefined
  const rows = await t.db
    .insert(tenantUsage)
    .values({ tenantId: t.tenantId, kind, count: by })
    .onConflictDoUpdate({
      target: [tenantUsage.tenantId, tenantUsage.kind],
      set: { count: sql`${tenantUsage.count} + ${by}::int` },
      setWhere: sql`${tenantUsage.count} + ${by}::int <= ${max}::int`,
    })
    .returning({ count: tenantUsage.count })
  return rows[0]?.count
}

/**
 * Increases the count of a kind by one, or by `more`, unless it would exceed `max`. Locks the counter until the transaction ends, so that two
 * requests cannot both add the last row.
 */
export const useQuota = async (t: TenantTx, kind: string, max: number, more = 1): Promise<boolean> => (await raise(t, kind, max, more)) !== undefined

export const releaseQuota = async (t: TenantTx, kind: string): Promise<void> => {
  await t.db
    .update(tenantUsage)
    .set({ count: sql`greatest(${tenantUsage.count} - 1, 0)` })
    .where(and(ownRows(t, tenantUsage), eq(tenantUsage.kind, kind)))
}

/** Counts rows of a kind without a quota. */
export const countUsage = async (t: TenantTx, kind: string, by: number): Promise<void> => {
  if (by === 0) return
  await t.db
    .insert(tenantUsage)
    .values({ tenantId: t.tenantId, kind, count: Math.max(by, 0) })
    .onConflictDoUpdate({ target: [tenantUsage.tenantId, tenantUsage.kind], set: { count: sql`greatest(${tenantUsage.count} + ${by}::int, 0)` } })
}

/** The stored number of rows of each kind. */
export const findUsage = async (t: TenantDb): Promise<ReadonlyMap<string, number>> => {
  const rows = await t.db
    .select({ kind: tenantUsage.kind, count: tenantUsage.count })
    .from(tenantUsage)
    .where(and(ownRows(t, tenantUsage), notLike(tenantUsage.kind, '%:%')))
  return new Map(rows.map((row) => [row.kind, row.count]))
}

/** One page of all tenants except the deployment's own, oldest first, and their total number. */
export const pageOfTenants = async (
  d: AnyScope,
  { system, offset, limit }: { readonly system: TenantId; readonly offset: number; readonly limit: number },
): Promise<{ readonly total: number; readonly tenantIds: readonly TenantId[] }> => {
  const isCompany = and(ne(tenantDirectory.tenantId, system), ne(tenantDirectory.status, 'deleted'))
  const [all] = await d.db.select({ total: count() }).from(tenantDirectory).where(isCompany)
  const rows = await d.db
    .select({ tenantId: tenantDirectory.tenantId })
    .from(tenantDirectory)
    .where(isCompany)
    .orderBy(asc(tenantDirectory.createdAt), asc(tenantDirectory.tenantId))
    .offset(offset)
    .limit(limit)
  return { total: all?.total ?? 0, tenantIds: rows.map((row) => asTenantId(row.tenantId)) }
}
