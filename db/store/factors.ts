// Every query on factors. The kinds that a person has are read in store/users.ts, with the person.
import { and, asc, desc, eq, inArray, isNotNull, isNull, lte, ne, or, type SQL, sql } from 'drizzle-orm'
import { ownRows, type TenantDb, type TenantTx } from '../engine/tenant.ts'
import { factors } from '../tables/factors.ts'

export type Factor = typeof factors.$inferSelect
export type NewFactor = Omit<typeof factors.$inferInsert, 'tenantId'>

/** How many wrong tries in a row pause a factor, and for how long the first time; each pause after it is twice as long, up to a day. */
export type PauseRule = { readonly tries: number; readonly seconds: number }

/** In a transaction that holds the person's row (`lockUser`), so that no sign-in slips past the new factor. */
export const insertFactor = async (t: TenantTx, row: NewFactor): Promise<void> => {
  await t.db.insert(factors).values({ ...row, tenantId: t.tenantId })
}

const confirmed = (t: TenantDb, userId: string): SQL | undefined =>
  and(ownRows(t, factors), eq(factors.userId, userId), isNotNull(factors.confirmedAt))

/** The person's confirmed factors, the primary one first. */
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
 * Spends a try on every confirmed factor of that kind which is not paused, before anything is compared, so that parallel tries all count. Answers those
 * that may be compared now; the one that pauses a factor is still compared. Holds their rows until the transaction ends.
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

/** The try was right: the factor was used, and its count (that of all of its kind, which were tried with it) begins again. */
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

/** Removes all factors of a person; answers what they were. */
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

/** One factor is the primary one; the others are not. */
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
