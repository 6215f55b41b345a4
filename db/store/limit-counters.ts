// Counts attempts in the database while the cache is unavailable. A directory table: keys are digests of keyed hashes, and no tenant is known yet.
import { inArray, lte, sql } from 'drizzle-orm'
import type { AnyScope } from '../engine/tenant.ts'
import { limitCounters } from '../tables/operations.ts'

/** One attempt in one window. `expiresAt` is the end of the following window, up to which the count matters. */
export type LimitAttempt = { readonly key: Uint8Array; readonly windowStart: Date; readonly expiresAt: Date }
export type LimitCounts = { readonly current: number; readonly previous: number }

const text = (key: Uint8Array): string => Buffer.from(key).toString('hex')

/** The row's previous window: `expires_at` is two windows after its start. */
const previousCount = sql<number>`coalesce((select p.count from ${limitCounters} p where p.key = limit_counters.key
  and p.window_start = limit_counters.window_start - (limit_counters.expires_at - limit_counters.window_start) / 2), 0)`

/**
 * Counts each key once and returns, in order, the counts of this window (including this attempt) and of the previous one, in one statement. Keys must
 * differ. Rows are locked in the order of their keys, so that attempts that share several keys cannot deadlock.
 */
export const countAttempts = async (t: AnyScope, attempts: readonly LimitAttempt[]): Promise<LimitCounts[]> => {
  if (attempts.length === 0) return []
  const rows = attempts.map((attempt) => ({ ...attempt, count: 1 })).sort((a, b) => Buffer.compare(a.key, b.key))
  const counted = await t.db
    .insert(limitCounters)
    .values(rows)
    .onConflictDoUpdate({ target: [limitCounters.key, limitCounters.windowStart], set: { count: sql`${limitCounters.count} + 1` } })
    .returning({ key: limitCounters.key, current: limitCounters.count, previous: previousCount })
  const byKey = new Map(counted.map(({ key, current, previous }) => [text(key), { current, previous }]))
  return attempts.map(({ key }) => byKey.get(text(key)) ?? { current: 1, previous: 0 })
}

/** The counts of the same windows, without counting. */
export const readAttempts = async (t: AnyScope, attempts: readonly LimitAttempt[]): Promise<LimitCounts[]> => {
  if (attempts.length === 0) return []
  const keys = attempts.map(({ key }) => key)
  const rows = await t.db.select().from(limitCounters).where(inArray(limitCounters.key, keys))
  const countAt = (key: Uint8Array, at: number): number =>
    rows.find((row) => text(row.key) === text(key) && row.windowStart.getTime() === at)?.count ?? 0
  return attempts.map(({ key, windowStart, expiresAt }) => {
    const start = windowStart.getTime()
    return { current: countAt(key, start), previous: countAt(key, start - (expiresAt.getTime() - start) / 2) }
  })
}

/** Removes expired counters and returns their number. */
export const dropExpiredLimitCounters = async (t: AnyScope, now: Date): Promise<number> =>
  (await t.db.delete(limitCounters).where(lte(limitCounters.expiresAt, now)).returning({ key: limitCounters.key })).length
