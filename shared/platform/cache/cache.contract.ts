// The contract of every cache. Keys are new each time, so a shared server can be used.
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { fixedClock, systemClock } from '#shared/kernel/clock'
import { systemRandom } from '#shared/kernel/random'
import type { Cache } from './cache.ts'

const random = systemRandom(systemClock)
const newKey = (): string => `test:${random.id()}`
/** The start of both a minute bucket and an hour bucket. */
const START = '2026-01-01T00:00:00Z'
const twenty = <T>(work: (n: number) => Promise<T>): Promise<T[]> => Promise.all(Array.from({ length: 20 }, (_, n) => work(n)))

/** `open` receives the clock that determines windows. */
export const cacheContract = (name: string, open: (clock: ReturnType<typeof fixedClock>) => Cache): void => {
  describe(`the cache contract: ${name}`, () => {
    const clock = fixedClock(START)
    let cache: Cache
    beforeAll(() => {
      cache = open(clock)
    })
    afterAll(() => cache.close())
    const counted = async (key: string, windowSeconds = 60): Promise<number | undefined> => (await cache.count([{ key, windowSeconds }]))[0]

    test('a value with any characters is stored until it is dropped', async () => {
      const key = newKey()
      expect(await cache.get(key)).toBeUndefined()
      for (const value of ['', 'true', '{"a":1}', 'ünï\u0000\n😀', 'second']) {
        await cache.put(key, value, 60)
        expect(await cache.get(key)).toBe(value)
      }
      await cache.drop(key)
      expect(await cache.get(key)).toBeUndefined()
      await cache.drop(key)
    })

    test('a lifetime may be fractional or already over', async () => {
      const key = newKey()
      await cache.put(key, 'v', 59.1234)
      expect(await cache.get(key)).toBe('v')
      expect(await cache.putIfAbsent(newKey(), 'v', 59.1234)).toBe(true)
      await expect(cache.put(newKey(), 'v', -1)).resolves.toBeUndefined()
    })

    test('of twenty concurrent putIfAbsent calls exactly one returns true, and its value is stored', async () => {
      const key = newKey()
      const notified = await twenty((n) => cache.putIfAbsent(key, `from ${n}`, 60))
      expect(notified.filter(Boolean)).toHaveLength(1)
      expect(await cache.get(key)).toBe(`from ${notified.indexOf(true)}`)
      await cache.drop(key)
      expect(await cache.putIfAbsent(key, 'again', 60)).toBe(true)
    })

    test('of twenty concurrent take calls exactly one gets the value', async () => {
      const key = newKey()
      await cache.put(key, 'once', 60)
      const got = await twenty(() => cache.take(key))
      expect(got.filter((value) => value !== undefined)).toEqual(['once'])
      expect(await cache.get(key)).toBeUndefined()
    })

    test('counts every call once, separately by key and window length', async () => {
      clock.set(new Date(START))
      const [a, b] = [newKey(), newKey()]
      const counts = await twenty(() => counted(a))
      expect(counts.sort((x, y) => Number(x) - Number(y))).toEqual(Array.from({ length: 20 }, (_, n) => n + 1))
      const windows = [
        { key: b, windowSeconds: 60 },
        { key: a, windowSeconds: 60 },
        { key: a, windowSeconds: 3600 },
      ]
      expect(await cache.count(windows)).toEqual([1, 21, 1])
      expect(await cache.count(windows)).toEqual([2, 22, 2])
      expect(await cache.count([])).toEqual([])
    })

    test('a window slides: the previous bucket counts by its remaining share, rounded up', async () => {
      clock.set(new Date(START))
      const key = newKey()
      for (let n = 0; n < 10; n++) await counted(key)
      clock.advance(60)
      expect(await counted(key)).toBe(11)
      clock.advance(30)
      expect(await counted(key)).toBe(5 + 2)
      clock.advance(29)
      expect(await counted(key)).toBe(1 + 3)
      clock.advance(1)
      expect(await counted(key)).toBe(3 + 1)
      clock.advance(120)
      expect(await counted(key)).toBe(1)
    })

    test('peek returns the count without counting', async () => {
      clock.set(new Date(START))
      const [a, b] = [newKey(), newKey()]
      for (let n = 0; n < 10; n++) await counted(a)
      const windows = [
        { key: b, windowSeconds: 60 },
        { key: a, windowSeconds: 60 },
        { key: a, windowSeconds: 3600 },
      ]
      for (let n = 0; n < 2; n++) expect(await cache.peek(windows)).toEqual([0, 10, 0])
      clock.advance(90)
      expect(await cache.peek(windows)).toEqual([0, 5, 0])
      expect(await counted(b)).toBe(1)
      expect(await cache.peek([])).toEqual([])
    })

    test('integers and fractions add up, separately by name', async () => {
      const [a, b] = [newKey(), newKey()]
      expect(await cache.sums(a)).toEqual({})
      await cache.add(a, {})
      await twenty(() => cache.add(a, { requests: 1, seconds: 0.25 }))
      await cache.add(a, { requests: 2 ** 40, 'label="ü",__proto__': 1 })
      await cache.add(b, { requests: 1 })
      expect(await cache.sums(a)).toEqual({ requests: 20 + 2 ** 40, seconds: 5, 'label="ü",__proto__': 1 })
      expect(await cache.sums(b)).toEqual({ requests: 1 })
    })

    test('thousands of sums are all read', async () => {
      const name = newKey()
      const many = Object.fromEntries(Array.from({ length: 3000 }, (_, n) => [`["series","","${n}"]`, n + 1]))
      await cache.add(name, many)
      expect(await cache.sums(name)).toEqual(many)
    })

    test('answers a ping', async () => {
      await expect(cache.ping()).resolves.toBeUndefined()
    })
  })
}
