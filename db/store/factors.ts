// Queries on factors. The kinds of a person's factors are read with the person, in users.ts.
import { and, asc, desc, eq, inArray, isNotNull, isNull, lte, ne, or, type SQL, sql } from 'drizzle-orm'
import { ownRows, type TenantDb, type TenantTx } from '../engine/tenant.ts'
import { factors } from '../tables/factors.ts'

export type Factor = typeof factors.$inferSelect
export type NewFactor = Omit<typeof factors.$inferInsert, 'tenantId'>

/** Number of consecutive failures that pause a factor, and the length of the first pause; each following pause doubles, up to a day. */
export type PauseRule = { readonly tries: number; readonly seconds: number }

/** Call it in a transaction that locks the person's row (`lockUser`), so that no concurrent sign-in misses the new factor. */
export const insertFactor = async (t: TenantTx, row: NewFactor): Promise<void> => {
  await t.db.insert(factors).values({ ...row, tenantId: t.tenantId })
}

const confirmed = (t: TenantDb, userId: string): SQL | undefined =>
  and(ownRows(t, factors), eq(factors.userId, userId), isNotNull(factors.confirmedAt))

/** The person's confirmed factors, primary first. */
export const findFactors = (t: TenantDb, userId: string): Promise<Factor[]> =>
  t.db.select().from(factors).where(confirmed(t, userId)).orderBy(desc(factors.isPrimary), asc(factors.createdAt), asc(factors.id)).limit(1000)

/** A confirmed factor of that person. */
export const findFactor = async (t: TenantDb, userId: string, id: string): Promise<Factor | undefined> => {
  const [row] = await t.db
    .select()
    .from(factors)
    .where(and(confirmed(t, userId), eq(factors.id, id)))
  return row
}

/**
 * Counts an attempt on every confirmed factor of that kind that is not paused, before any comparison, so that parallel attempts all count. Returns
 * the factors to compare, including one that this attempt pauses. Locks their rows until the transaction ends.
 */
export const claimFactorTry = (
  t: TenantTx,
  userId: string,
  which: { readonly kind: Factor['kind'] } | { readonly id: string },
  now: Date,
  rule: PauseRule,
): Promise<Factor[]> => {
  const at = now.toISOString()
  const tries = sql`(${factors.failedAttempts} + 1)`
  const seconds = sql`least(86400, ${rule.seconds}::int * power(2, least(${tries} / ${rule.tries}::int - 1, 20)))`
  return t.db
    .update(factors)
    .set({
      failedAttempts: tries,
      pausedUntil: sql`case when ${tries} % ${rule.tries}::int = 0 then ${at}::timestamptz + make_interval(secs => ${seconds}) else null end`,
    })
    .where(
      and(
        confirmed(t, userId),
        'kind' in which ? eq(factors.kind, which.kind) : eq(factors.id, which.id),
        or(isNull(factors.pausedUntil), lte(factors.pausedUntil, now)),
      ),
    )
    .returning()
}

/** A successful attempt: marks the factor as used and resets the count of all factors of its kind, which were tried together. */
export const markFactorUsed = async (t: TenantTx, userId: string, id: string, now: Date, triedWith: readonly string[] = [id]): Promise<void> => {
  await t.db
    .update(factors)
    .set({
      failedAttempts: 0,
      pausedUntil: null,
      lastUsedAt: sql`case when ${factors.id} = ${id}::uuid then ${now.toISOString()}::timestamptz else ${factors.lastUsedAt} end`,
    })
    .where(and(ownRows(t, factors), eq(factors.userId, userId), inArray(factors.id, [...new Set([id, ...triedWith])])))
}

export const deleteFactor = async (t: TenantTx, userId: string, id: string): Promise<boolean> => {
  const rows = await t.db
    .delete(factors)
    .where(and(ownRows(t, factors), eq(factors.userId, userId), eq(factors.id, id)))
    .returning({ id: factors.id })
  return rows.length === 1
}

/** Removes all factors of a person and returns them. */
export const deleteFactors = (t: TenantTx, userId: string): Promise<Factor[]> =>
  t.db
    .delete(factors)
    .where(and(ownRows(t, factors), eq(factors.userId, userId)))
    .returning()

export const setFactorName = async (t: TenantTx, userId: string, id: string, name: string): Promise<boolean> => {
  const rows = await t.db
    .update(factors)
    .set({ name })
    .where(and(confirmed(t, userId), eq(factors.id, id)))
    .returning({ id: factors.id })
  return rows.length === 1
}

/** Makes one factor primary and all others not. */
export const setPrimaryFactor = async (t: TenantTx, userId: string, id: string): Promise<boolean> => {
  const rows = await t.db
    .update(factors)
    .set({ isPrimary: true })
    .where(and(confirmed(t, userId), eq(factors.id, id)))
    .returning({ id: factors.id })
  if (rows.length === 0) return false
  await t.db
    .update(factors)
    .set({ isPrimary: false })
    .where(and(ownRows(t, factors), eq(factors.userId, userId), ne(factors.id, id), eq(factors.isPrimary, true)))
  return true
}
