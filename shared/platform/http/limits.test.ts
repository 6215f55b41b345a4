import * as fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Db, openDb } from '#db/engine/client'
import { postgresEngine } from '#db/engine/postgres'
import { atomically, directory, forTenant, SYSTEM_TENANT } from '#db/engine/tenant'
import { countAttempts, dropExpiredLimitCounters } from '#db/store/limit-counters'
import { fixedClock, secondsAfter, systemClock } from '#shared/kernel/clock'
import { AppError } from '#shared/kernel/errors'
import { systemRandom } from '#shared/kernel/random'
import type { Cache } from '#shared/platform/cache/cache'
import { memoryCache } from '#shared/platform/cache/memory'
import { redisCache } from '#shared/platform/cache/redis'
import { testDb } from '#tests/support/database'
import { type LimitEntry, type Limits, limitsOn } from './limits.ts'

const START = '2026-01-01T00:00:00Z'
const newKey = (): string => systemRandom(systemClock).id()
const entry = (over: Partial<LimitEntry> = {}): LimitEntry => ({ key: newKey(), windowSeconds: 60, max: 5, guardsCredential: true, ...over })

/** Caches at a port on which nothing listens. */
const unreachableCaches: Cache[] = []
const unreachableCache = (): Cache => {
  const cache = redisCache('redis://127.0.0.1:1', fixedClock(START))
  unreachableCaches.push(cache)
  return cache
}
afterAll(() => Promise.all(unreachableCaches.map((cache) => cache.close())))
const unreachableDb = (): Db => openDb(postgresEngine({ url: 'postgres://unused@127.0.0.1:1/none' }))

let db: Db
beforeAll(async () => {
  db = await testDb()
})

const outcome = (limits: Limits, ...entries: LimitEntry[]): Promise<string> =>
  limits.check(entries).then(
    () => 'passed',
    (error: unknown) => (error instanceof AppError ? error.code : String(error)),
  )
const retryAfter = async (limits: Limits, ...entries: LimitEntry[]): Promise<number | undefined> => {
  const failure = await limits.check(entries).catch((error: unknown) => error)
  return failure instanceof AppError && failure.code === 'rate_limited' ? failure.details.retryAfterSeconds : undefined
}
const times = async (count: number, work: () => Promise<string>): Promise<string[]> => {
  const all: string[] = []
  for (let n = 0; n < count; n++) all.push(await work())
  return all
}

const places = [
  { name: 'in the cache', open: (clock = fixedClock(START)) => limitsOn({ cache: memoryCache(clock), db: unreachableDb(), clock, enabled: true }) },
  { name: 'in Postgres', open: (clock = fixedClock(START)) => limitsOn({ cache: unreachableCache(), db, clock, enabled: true }) },
]

test.each(places)('$name, attempts up to the maximum pass, the next is refused, and another key is unaffected', async ({ open }) => {
  const limits = open()
  const mine = entry({ max: 3 })
  expect(await times(4, () => outcome(limits, mine))).toEqual(['passed', 'passed', 'passed', 'rate_limited'])
  expect(await outcome(limits, entry({ max: 3 }))).toBe('passed')
  expect(await outcome(limits, entry({ max: 3 }), mine)).toBe('rate_limited')
})

test.each(places)('$name, exactly the maximum of twenty concurrent attempts passes, in any order of keys', async ({ open }) => {
  const limits = open()
  const [address, account] = [entry({ max: 10 }), entry({ max: 5 })]
  const outcomes = await Promise.all(
    Array.from({ length: 20 }, (_, n) => outcome(limits, ...(n % 2 === 0 ? [address, account] : [account, address]))),
  )
  expect(outcomes.filter((each) => each === 'passed')).toHaveLength(5)
  expect(outcomes.filter((each) => each === 'rate_limited')).toHaveLength(15)
})

test.each(places)('$name, the window slides', async ({ open }) => {
  const clock = fixedClock(START)
  const limits = open(clock)
  const mine = entry({ max: 4 })
  expect(await times(4, () => outcome(limits, mine))).not.toContain('rate_limited')
  clock.advance(60)
  expect(await outcome(limits, mine)).toBe('rate_limited')
  clock.advance(30)
  expect(await times(2, () => outcome(limits, mine))).toEqual(['passed', 'rate_limited'])
  clock.advance(90)
  expect(await outcome(limits, mine)).toBe('passed')
})

test.each(places)('$name, the same key with another window is another counter, and a repeated entry counts once', async ({ open }) => {
  const limits = open()
  const minute = entry({ max: 2 })
  const hour = { ...minute, windowSeconds: 3600, max: 3 }
  expect(await times(3, () => outcome(limits, minute, hour, minute))).toEqual(['passed', 'passed', 'rate_limited'])
  expect(await outcome(limits, hour)).toBe('rate_limited')
  const [strict, lax] = [entry({ max: 1 }), { max: 9, guardsCredential: false }]
  expect(await times(2, () => outcome(limits, strict, { ...strict, ...lax }))).toEqual(['passed', 'rate_limited'])
})

test('Retry-After is the longest delay of the exceeded entries', async () => {
  const limits = limitsOn({ cache: memoryCache(fixedClock('2026-01-01T00:00:30Z')), db, clock: fixedClock('2026-01-01T00:00:30Z'), enabled: true })
  const [short, long] = [entry({ max: 1 }), entry({ max: 1, windowSeconds: 3600 })]
  await limits.check([short])
  expect(await retryAfter(limits, short, long)).toBe(30 + 60)
  expect(await retryAfter(limits, short, long)).toBe(3570 + 3600)
})

test('an attempt passes after Retry-After', async () => {
  const arrivals = fc.array(fc.integer({ min: 0, max: 90_000 }), { minLength: 1, maxLength: 40 })
  await fc.assert(
    fc.asyncProperty(arrivals, fc.integer({ min: 1, max: 12 }), fc.constantFrom(1, 7, 60, 3600), async (gaps, max, windowSeconds) => {
      const clock = fixedClock(START)
      const limits = limitsOn({ cache: memoryCache(clock), db, clock, enabled: true })
      const mine = entry({ max, windowSeconds })
      for (const gap of gaps) {
        clock.advance(gap / 1000)
        const wait = await retryAfter(limits, mine)
        if (wait === undefined) continue
        expect(wait).toBeGreaterThan(0)
        expect(wait).toBeLessThanOrEqual(2 * windowSeconds)
        clock.advance(wait)
        expect(await outcome(limits, mine)).toBe('passed')
      }
    }),
    { numRuns: 60 },
  )
})

test('without the cache, instances share credential limits in Postgres and count other limits in memory', async () => {
  const open = (over: Db) => limitsOn({ cache: unreachableCache(), db: over, clock: fixedClock(START), enabled: true })
  const guarding = entry({ max: 1 })
  expect(await outcome(open(db), guarding)).toBe('passed')
  expect(await outcome(open(db), guarding)).toBe('rate_limited')

  const other = entry({ max: 1, guardsCredential: false })
  const instance = open(unreachableDb())
  expect(await outcome(instance, other)).toBe('passed')
  expect(await outcome(instance, other)).toBe('rate_limited')
  expect(await outcome(open(unreachableDb()), other)).toBe('passed')
})

test('without cache and database, credential limits refuse with 503', async () => {
  const limits = limitsOn({ cache: unreachableCache(), db: unreachableDb(), clock: fixedClock(START), enabled: true })
  const failure = await limits.check([entry(), entry({ guardsCredential: false })]).catch((error: unknown) => error)
  expect(failure).toMatchObject({ code: 'unavailable', status: 503, details: { retryAfterSeconds: expect.any(Number) } })
})

test('with limits disabled, everything passes and nothing is counted', async () => {
  const clock = fixedClock(START)
  const cache = memoryCache(clock)
  const mine = entry({ max: 1 })
  const off = limitsOn({ cache, db, clock, enabled: false })
  expect(await times(5, () => outcome(off, mine))).not.toContain('rate_limited')
  expect(await outcome(limitsOn({ cache, db, clock, enabled: true }), mine)).toBe('passed')
})

test('inside a transaction the check always fails, even with the cache available', async () => {
  const clock = fixedClock(START)
  const limits = limitsOn({ cache: memoryCache(clock), db, clock, enabled: true })
  await expect(atomically(forTenant(db, SYSTEM_TENANT), () => limits.check([entry()]))).rejects.toThrow('inside a transaction')
})

test('counts are returned in request order, and expired counters are deleted', async () => {
  const now = new Date('2020-01-01T00:00:00Z')
  const attempt = (windowStart: Date, key: Uint8Array) => ({ key, windowStart, expiresAt: secondsAfter(windowStart, 120) })
  const [a, b] = [Buffer.from(newKey()), Buffer.from(newKey())]
  const at = directory(db)
  expect(await countAttempts(at, [attempt(now, b), attempt(now, a)])).toEqual(Array(2).fill({ current: 1, previous: 0 }))
  expect(await countAttempts(at, [attempt(now, b)])).toEqual([{ current: 2, previous: 0 }])
  const next = secondsAfter(now, 60)
  expect(await countAttempts(at, [attempt(next, b), attempt(next, a)])).toEqual([
    { current: 1, previous: 2 },
    { current: 1, previous: 1 },
  ])
  expect(await countAttempts(at, [])).toEqual([])
  expect(await dropExpiredLimitCounters(at, secondsAfter(now, 119))).toBe(0)
  expect(await dropExpiredLimitCounters(at, secondsAfter(now, 120))).toBe(2)
  expect(await countAttempts(at, [attempt(next, a)])).toEqual([{ current: 2, previous: 0 }])
  expect(await dropExpiredLimitCounters(at, secondsAfter(now, 180))).toBe(2)
})
