// An in-process cache, the default in local mode and tests. JavaScript is single-threaded, so every method is atomic.
import { type Clock, secondsAfter } from '#shared/kernel/clock'
import type { Cache } from './cache.ts'
import { bucketAt, slidingCount } from './sliding.ts'

const MAX_ENTRIES = 100_000
const SWEEP_SECONDS = 60

type Bounded<T> = { get(key: string): T | undefined; set(key: string, value: T, expiresAt: Date): void; drop(key: string): void }

/**
 * A map of at most `maxEntries` that expire. When full it drops the least recently written entry, so a flood of new keys cannot displace a counter in
 * heavy use.
 */
const boundedMap = <T>(clock: Clock, maxEntries: number): Bounded<T> => {
  const entries = new Map<string, { readonly value: T; readonly expiresAt: Date }>()
  let sweepAt = secondsAfter(clock.now(), SWEEP_SECONDS)
  const makeRoom = (now: Date): void => {
    if (now >= sweepAt) {
      for (const [key, { expiresAt }] of entries) if (expiresAt <= now) entries.delete(key)
      sweepAt = secondsAfter(now, SWEEP_SECONDS)
    }
    for (const oldest of entries.keys()) {
      if (entries.size < maxEntries) return
      entries.delete(oldest)
    }
  }
  return {
    get: (key) => {
      const entry = entries.get(key)
      return entry !== undefined && clock.now() < entry.expiresAt ? entry.value : undefined
    },
    set: (key, value, expiresAt) => {
      entries.delete(key)
      makeRoom(clock.now())
      entries.set(key, { value, expiresAt })
    },
    drop: (key) => void entries.delete(key),
  }
}

type Counted = { readonly bucket: number; readonly previous: number; readonly current: number }

/** Always available. Values and counters are bounded separately, so that a flood of requests cannot displace sign-ins in progress. */
export const memoryCache = (clock: Clock, maxEntries = MAX_ENTRIES): Cache => {
  const values = boundedMap<string>(clock, maxEntries)
  const counters = boundedMap<Counted>(clock, maxEntries)
  const totals = new Map<string, Map<string, number>>()

  const put = (key: string, value: string, ttlSeconds: number): void => values.set(key, value, secondsAfter(clock.now(), ttlSeconds))

  const countOne = (key: string, windowSeconds: number, by: 0 | 1): number => {
    const bucket = bucketAt(clock.now(), windowSeconds)
    const slot = `${windowSeconds}:${key}`
    const known = counters.get(slot)
    const inBucket = (number: number): number => (known?.bucket === number ? known.current : 0)
    const previous = known?.bucket === bucket.number ? known.previous : inBucket(bucket.number - 1)
    const current = inBucket(bucket.number) + by
    if (by > 0) counters.set(slot, { bucket: bucket.number, previous, current }, secondsAfter(bucket.startedAt, 2 * windowSeconds))
    return slidingCount(previous, current, bucket)
  }

  return {
    get: async (key) => values.get(key),
    put: async (key, value, ttlSeconds) => put(key, value, ttlSeconds),
    putIfAbsent: async (key, value, ttlSeconds) => {
      if (values.get(key) !== undefined) return false
      put(key, value, ttlSeconds)
      return true
    },
    take: async (key) => {
      const value = values.get(key)
      values.drop(key)
      return value
    },
    drop: async (key) => values.drop(key),
    count: async (windows) => windows.map(({ key, windowSeconds }) => countOne(key, windowSeconds, 1)),
    peek: async (windows) => windows.map(({ key, windowSeconds }) => countOne(key, windowSeconds, 0)),
    add: async (name, sums) => {
      const total = totals.get(name) ?? new Map<string, number>()
      for (const [field, by] of Object.entries(sums)) total.set(field, (total.get(field) ?? 0) + by)
      totals.set(name, total)
    },
    sums: async (name) => Object.fromEntries(totals.get(name) ?? []),
    ping: async () => undefined,
    close: async () => undefined,
  }
}
