// Queries on types of authorization details and on consumable limits.
import { and, asc, eq, inArray, isNull, or, sql } from 'drizzle-orm'
import { ownRows, type TenantDb, type TenantTx } from '../engine/tenant.ts'
import { oauthBudgets, oauthDetailTypes, oauthSpends } from '../tables/delegations.ts'

export type { AuthorizationDetail, DetailLimit } from '../tables/delegations.ts'
export type DetailType = typeof oauthDetailTypes.$inferSelect
export type NewDetailType = Omit<typeof oauthDetailTypes.$inferInsert, 'tenantId'>

const own = (t: TenantDb, id: string) => and(ownRows(t, oauthDetailTypes), eq(oauthDetailTypes.id, id))

/** @throws unique_violation */
export const insertDetailType = async (t: TenantTx, row: NewDetailType): Promise<void> => {
  await t.db.insert(oauthDetailTypes).values({ ...row, tenantId: t.tenantId })
}

export const findDetailType = async (t: TenantDb, id: string): Promise<DetailType | undefined> => {
  const [row] = await t.db.select().from(oauthDetailTypes).where(own(t, id))
  return row
}

/** The same, locked until the transaction ends. */
export const lockDetailType = async (t: TenantTx, id: string): Promise<DetailType | undefined> => {
  const [row] = await t.db.select().from(oauthDetailTypes).where(own(t, id)).for('update')
  return row
}

export const listDetailTypes = (t: TenantDb, limit: number): Promise<DetailType[]> =>
  t.db.select().from(oauthDetailTypes).where(ownRows(t, oauthDetailTypes)).orderBy(asc(oauthDetailTypes.type)).limit(limit)

/** The registered types of a resource server. */
export const listDetailTypesAt = (t: TenantDb, resourceServerId: string, limit: number): Promise<DetailType[]> =>
  t.db
    .select()
    .from(oauthDetailTypes)
    .where(and(ownRows(t, oauthDetailTypes), or(isNull(oauthDetailTypes.resourceServerId), eq(oauthDetailTypes.resourceServerId, resourceServerId))))
    .orderBy(asc(oauthDetailTypes.type))
    .limit(limit)

/** The existing types among these names. */
export const findDetailTypes = async (t: TenantDb, types: readonly string[]): Promise<DetailType[]> =>
  types.length === 0
    ? []
    : t.db
        .select()
        .from(oauthDetailTypes)
        .where(and(ownRows(t, oauthDetailTypes), inArray(oauthDetailTypes.type, [...new Set(types)])))

export const updateDetailType = async (t: TenantTx, id: string, set: Partial<NewDetailType>): Promise<DetailType | undefined> => {
  const [row] = await t.db.update(oauthDetailTypes).set(set).where(own(t, id)).returning()
  return row
}

export const deleteDetailType = async (t: TenantTx, id: string): Promise<DetailType | undefined> => {
  const [row] = await t.db.delete(oauthDetailTypes).where(own(t, id)).returning()
  return row
}

export type Budget = typeof oauthBudgets.$inferSelect
export type NewBudget = Omit<typeof oauthBudgets.$inferInsert, 'tenantId'>

export const insertBudgets = async (t: TenantTx, rows: readonly NewBudget[]): Promise<void> => {
  if (rows.length > 0) await t.db.insert(oauthBudgets).values(rows.map((row) => ({ ...row, tenantId: t.tenantId })))
}

export const findBudgets = (t: TenantDb, holderId: string): Promise<Budget[]> =>
  t.db
    .select()
    .from(oauthBudgets)
    .where(and(ownRows(t, oauthBudgets), eq(oauthBudgets.holderId, holderId)))

/** The budgets from which this detail of a holder spends, root first. */
export const findBudgetPath = async (t: TenantDb, holderId: string, detailHash: Uint8Array): Promise<Budget[]> => {
  const [leaf] = await t.db
    .select()
    .from(oauthBudgets)
    .where(and(ownRows(t, oauthBudgets), eq(oauthBudgets.holderId, holderId), eq(oauthBudgets.detailHash, detailHash)))
  if (leaf === undefined) return []
  return leaf.path.length === 1 ? [leaf] : findBudgetsById(t, leaf.path)
}

const byDepth = sql`cardinality(${oauthBudgets.path})`

/** Root first. */
export const findBudgetsById = (t: TenantDb, ids: readonly string[]): Promise<Budget[]> =>
  t.db
    .select()
    .from(oauthBudgets)
    .where(and(ownRows(t, oauthBudgets), inArray(oauthBudgets.id, [...ids])))
    .orderBy(byDepth)

/** The same, locked until the transaction ends: always from the root down, so that two transactions never wait for each other. */
export const lockBudgets = (t: TenantTx, ids: readonly string[]): Promise<Budget[]> =>
  t.db
    .select()
    .from(oauthBudgets)
    .where(and(ownRows(t, oauthBudgets), inArray(oauthBudgets.id, [...ids])))
    .orderBy(byDepth)
    .for('update')

/** From each of them. Their rows must be locked, and the limits checked. */
export const spendBudgets = async (
  t: TenantTx,
  ids: readonly string[],
  { calls, amount }: { readonly calls: number; readonly amount: number },
): Promise<void> => {
  await t.db
    .update(oauthBudgets)
    .set({ callsSpent: sql`${oauthBudgets.callsSpent} + ${calls}`, amountSpent: sql`${oauthBudgets.amountSpent} + ${amount}` })
    .where(and(ownRows(t, oauthBudgets), inArray(oauthBudgets.id, [...ids])))
}

export type Spend = Pick<typeof oauthSpends.$inferSelect, 'budgetId' | 'requestHash' | 'calls' | 'amount'>

/** The spending of that name from any budget of the holder. */
export const findSpend = async (t: TenantTx, holderId: string, keyHash: Uint8Array): Promise<Spend | undefined> => {
  const { budgetId, requestHash, calls, amount } = oauthSpends
  const [row] = await t.db
    .select({ budgetId, requestHash, calls, amount })
    .from(oauthSpends)
    .innerJoin(oauthBudgets, and(ownRows(t, oauthBudgets), eq(oauthBudgets.id, budgetId)))
    .where(and(ownRows(t, oauthSpends), eq(oauthBudgets.holderId, holderId), eq(oauthSpends.keyHash, keyHash)))
  return row
}

/** The budget must be locked, and the name new. */
export const insertSpend = async (t: TenantTx, row: Omit<typeof oauthSpends.$inferInsert, 'tenantId'>): Promise<void> => {
  await t.db.insert(oauthSpends).values({ ...row, tenantId: t.tenantId })
}
