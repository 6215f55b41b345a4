import { createServer, type Socket } from 'node:net'
import { expect, test } from 'vitest'
import { fixedClock } from '#shared/kernel/clock'
import { cacheContract } from './cache.contract.ts'
import { type Cache, CacheUnavailable } from './cache.ts'
import { memoryCache } from './memory.ts'
import { redisCache } from './redis.ts'

cacheContract('memory', memoryCache)

const START = '2026-01-01T00:00:00Z'
/** A port on which nothing listens. */
const UNREACHABLE = 'redis://127.0.0.1:1'

test('in memory, an expired value is gone for every method', async () => {
  const clock = fixedClock(START)
  const cache = memoryCache(clock)
  await cache.put('read', 'v', 60)
  await cache.put('taken', 'v', 60)
  await cache.put('absent', 'v', 60)
  clock.advance(59.999)
  expect(await cache.get('read')).toBe('v')
  clock.advance(0.001)
  expect(await cache.get('read')).toBeUndefined()
  expect(await cache.take('taken')).toBeUndefined()
  expect(await cache.putIfAbsent('absent', 'new', 60)).toBe(true)
})

test('a full cache drops the oldest entry, and counters do not displace values', async () => {
  const cache = memoryCache(fixedClock(START), 3)
  for (const key of ['a', 'b']) await cache.put(key, key, 60)
  await cache.put('a', 'again', 60)
  for (const key of ['c', 'd']) await cache.put(key, key, 60)
  expect(await Promise.all(['a', 'b', 'c', 'd'].map(cache.get))).toEqual(['again', undefined, 'c', 'd'])

  const count = async (key: string) => (await cache.count([{ key, windowSeconds: 60 }]))[0]
  for (let n = 1; n <= 10; n++) {
    expect(await count('hammered')).toBe(n)
    await count(`stranger ${n}`)
  }
  expect(await cache.get('a')).toBe('again')
})

test('expired entries are removed before live ones', async () => {
  const clock = fixedClock(START)
  const cache = memoryCache(clock, 3)
  await cache.put('long', 'v', 3600)
  for (const key of ['a', 'b']) await cache.put(key, key, 10)
  clock.advance(61)
  for (const key of ['c', 'd']) await cache.put(key, key, 10)
  expect(await cache.get('long')).toBe('v')
})

const everyMethod = (cache: Cache): Promise<unknown>[] => [
  cache.get('k'),
  cache.put('k', 'v', 60),
  cache.putIfAbsent('k', 'v', 60),
  cache.take('k'),
  cache.drop('k'),
  cache.count([{ key: 'k', windowSeconds: 60 }]),
  cache.add('k', { a: 1 }),
  cache.sums('k'),
  cache.ping(),
]

test('an unreachable Redis throws CacheUnavailable from every method, at first and later', async () => {
  const cache = redisCache(UNREACHABLE, fixedClock(START))
  for (let round = 0; round < 3; round++) {
    for (const outcome of await Promise.allSettled(everyMethod(cache))) {
      expect(outcome).toMatchObject({ status: 'rejected', reason: expect.any(CacheUnavailable) })
    }
  }
  await cache.close()
  await expect(cache.get('k')).rejects.toThrow(CacheUnavailable)
})

test('a Redis that never answers throws CacheUnavailable', async () => {
  const sockets: Socket[] = []
  const silent = createServer((socket) => void sockets.push(socket))
  await new Promise<void>((listening) => silent.listen(0, '127.0.0.1', listening))
  const address = silent.address()
  const cache = redisCache(`redis://127.0.0.1:${typeof address === 'object' ? address?.port : 0}`, fixedClock(START))
  for (const outcome of await Promise.allSettled(everyMethod(cache))) {
    expect(outcome).toMatchObject({ status: 'rejected', reason: expect.any(CacheUnavailable) })
  }
  await cache.close()
  for (const socket of sockets) socket.destroy()
  await new Promise((closed) => silent.close(closed))
})

test('an unused cache opens no connection and closes without an error', async () => {
  await expect(redisCache(UNREACHABLE, fixedClock(START)).close()).resolves.toBeUndefined()
})
