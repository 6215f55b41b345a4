// Rate limits in the shared cache. While the cache is unavailable, limits of credentials and codes are counted in Postgres.
import { createHash } from 'node:crypto'
import { type Db, isDatabaseUnavailable, refuseInsideTransaction } from '#db/engine/client'
import { directory, type TenantId } from '#db/engine/tenant'
import { countAttempts, readAttempts } from '#db/store/limit-counters'
import type { TenantSettings } from '#db/store/tenants'
import { type Clock, secondsAfter } from '#shared/kernel/clock'
import { AppError, type Refusal } from '#shared/kernel/errors'
import { type Cache, CacheUnavailable, type Window } from '#shared/platform/cache/cache'
import { memoryCache } from '#shared/platform/cache/memory'
import { bucketAt, slidingCount } from '#shared/platform/cache/sliding'

export type LimitEntry = {
  /** The counter's name: the route class and a keyed hash of the address or account; never clear text. */
  readonly key: string
  readonly windowSeconds: number
  readonly max: number
  /** Guards a credential or a code: counted in Postgres while the cache is unavailable. Others are then counted in this process. */
  readonly guardsCredential: boolean
  /** Set when the entry counts a tenant's quota: past it the error is `quota_exceeded`, with this refusal for the audit log. */
  readonly quota?: Refusal
}

/** What the request frame needs of tenants' quotas: the counter's entry, and a way to pass on settings that other code has just read. */
export type RequestQuotas = {
  entry(tenantId: TenantId, name: 'requestsPerMinute'): LimitEntry
  learn(tenantId: TenantId, quotas: TenantSettings['quotas']): void
}

export type Limits = {
  /**
   * Counts all entries once, in one round trip; refused attempts count too. Call it outside a transaction.
   * @throws AppError rate_limited, or quota_exceeded when only quotas are exceeded, with `retryAfterSeconds`; unavailable when no counter can be
   * reached
   */
  check(entries: readonly LimitEntry[]): Promise<void>
  /**
   * Refuses as `check` would, without counting: for rules that count only failures.
   * @throws AppError rate_limited, unavailable
   */
  peek(entries: readonly LimitEntry[]): Promise<void>
}

const UNAVAILABLE_RETRY_SECONDS = 5

/**
 * Seconds until an attempt passes if no other is made before. The position of the counts inside the window is unknown, so all of them are assumed to
 * be in the current bucket: it must end and then slide out until there is room.
 */
const secondsUntilRoom = ({ windowSeconds, max }: LimitEntry, count: number, now: Date): number => {
  const { remainingMs } = bucketAt(now, windowSeconds)
  const mayStay = Math.max(0, Math.min(1, (max - 1) / count))
  return Math.max(1, Math.ceil(remainingMs / 1000 + windowSeconds * (1 - mayStay)))
}

/** The same key with the same window is the same counter. */
const counterOf = ({ key, windowSeconds }: LimitEntry): string => `limit:${windowSeconds}:${key}`
const windowOf = (entry: LimitEntry): Window => ({ key: counterOf(entry), windowSeconds: entry.windowSeconds })

/** Each counter once; it guards a credential if any entry for it does. */
const distinct = (entries: readonly LimitEntry[]): LimitEntry[] => {
  const guardingLast = [...entries].sort((a, b) => Number(a.guardsCredential) - Number(b.guardsCredential))
  return [...new Map(guardingLast.map((entry) => [counterOf(entry), entry])).values()]
}

const countInDatabase = async (db: Db, entries: readonly LimitEntry[], now: Date, counting: boolean): Promise<number[]> => {
  const windows = entries.map((entry) => ({ entry, bucket: bucketAt(now, entry.windowSeconds) }))
  const attempts = windows.map(({ entry, bucket }) => ({
    key: createHash('sha256').update(counterOf(entry)).digest(),
    windowStart: bucket.startedAt,
    expiresAt: secondsAfter(bucket.startedAt, 2 * entry.windowSeconds),
  }))
  try {
    const counts = await (counting ? countAttempts : readAttempts)(directory(db), attempts)
    return windows.map(({ bucket }, at) => slidingCount(counts[at]?.previous ?? 0, counts[at]?.current ?? Number.POSITIVE_INFINITY, bucket))
  } catch (error) {
    if (isDatabaseUnavailable(error)) throw new AppError('unavailable', undefined, { retryAfterSeconds: UNAVAILABLE_RETRY_SECONDS }, error)
    throw error
  }
}

/** Counts by counter. A counter without a result is treated as full. */
type Counts = ReadonlyMap<string, number>
const paired = (entries: readonly LimitEntry[], counts: readonly number[]): [string, number][] =>
  entries.map((entry, at) => [counterOf(entry), counts[at] ?? Number.POSITIVE_INFINITY])

type Over = { readonly entry: LimitEntry; readonly seconds: number }
const refusalOf = (over: readonly Over[]): AppError => {
  const retryAfterSeconds = Math.max(...over.map(({ seconds }) => seconds))
  const [quota, ...others] = over.map(({ entry }) => entry.quota)
  if (quota === undefined || others.includes(undefined)) return new AppError('rate_limited', undefined, { retryAfterSeconds })
  return new AppError('quota_exceeded', undefined, { retryAfterSeconds, refusal: quota })
}

/** `enabled: false` (RATE_LIMIT=off) allows everything; the configuration refuses that in production. */
export const limitsOn = ({ cache, db, clock, enabled }: { cache: Cache; db: Db; clock: Clock; enabled: boolean }): Limits => {
  const processCache = memoryCache(clock)

  const withoutCache = async (entries: readonly LimitEntry[], now: Date, counting: boolean): Promise<Counts> => {
    const guarding = entries.filter((entry) => entry.guardsCredential)
    const others = entries.filter((entry) => !entry.guardsCredential)
    const inProcess = paired(others, await processCache[counting ? 'count' : 'peek'](others.map(windowOf)))
    return new Map([...inProcess, ...paired(guarding, guarding.length === 0 ? [] : await countInDatabase(db, guarding, now, counting))])
  }

  const counted = async (entries: readonly LimitEntry[], now: Date, counting: boolean): Promise<Counts> => {
    try {
      return new Map(paired(entries, await cache[counting ? 'count' : 'peek'](entries.map(windowOf))))
    } catch (error) {
      if (error instanceof CacheUnavailable) return withoutCache(entries, now, counting)
      throw error
    }
  }

  const enforce = async (entries: readonly LimitEntry[], counting: boolean): Promise<void> => {
    // Counting in Postgres would fail inside a transaction, but only while the cache is unavailable; so refuse always.
    refuseInsideTransaction()
    if (!enabled || entries.length === 0) return
    const now = clock.now()
    const counts = await counted(distinct(entries), now, counting)
    const over = entries.flatMap((entry) => {
      const count = (counts.get(counterOf(entry)) ?? Number.POSITIVE_INFINITY) + (counting ? 0 : 1)
      return count <= entry.max ? [] : [{ entry, seconds: secondsUntilRoom(entry, count, now) }]
    })
    if (over.length > 0) throw refusalOf(over)
  }

  return { check: (entries) => enforce(entries, true), peek: (entries) => enforce(entries, false) }
}
