// Needs a Redis server: TEST_REDIS_URL, or the default port of this machine.
import { connect, createServer, type Server, type Socket } from 'node:net'
import { Redis } from 'ioredis'
import { afterAll, expect, test } from 'vitest'
import { fixedClock, systemClock } from '#shared/kernel/clock'
import { systemRandom } from '#shared/kernel/random'
import { cacheContract } from './cache.contract.ts'
import { CacheUnavailable } from './cache.ts'
import { redisCache } from './redis.ts'

const url = process.env.TEST_REDIS_URL ?? 'redis://127.0.0.1:6379'
const START = '2026-01-01T00:00:00Z'
const clock = fixedClock(START)
const newKey = (): string => `test:${systemRandom(systemClock).id()}`
const raw = new Redis(url)
afterAll(async () => {
  // Sums do not expire by themselves.
  for (const key of await raw.keys('authsec:sums:test:*')) await raw.expire(key, 60)
  await raw.quit()
})

cacheContract('Redis', (windows) => redisCache(url, windows))

test('every key has our prefix and, except sums, expires', async () => {
  const cache = redisCache(url, clock)
  const key = newKey()
  await cache.put(key, 'v', 300)
  expect(await raw.get(`authsec:${key}`)).toBe('v')
  expect(await raw.ttl(`authsec:${key}`)).toBeGreaterThan(240)
  expect(await raw.ttl(`authsec:${key}`)).toBeLessThanOrEqual(300)
  await cache.putIfAbsent(`${key}:b`, 'v', 300)
  expect(await raw.ttl(`authsec:${key}:b`)).toBeGreaterThan(240)
  await cache.count([{ key, windowSeconds: 300 }])
  const [window] = await raw.keys(`authsec:window:300:${key}:*`)
  expect(await raw.ttl(String(window))).toBeGreaterThan(540)
  await cache.close()
})

test('a wrong command is an error other than CacheUnavailable', async () => {
  const cache = redisCache(url, clock)
  const key = newKey()
  await raw.lpush(`authsec:${key}`, 'a list')
  const failure = await cache.get(key).catch((error: unknown) => error)
  expect(failure).toMatchObject({ name: 'ReplyError' })
  await raw.del(`authsec:${key}`)
  await cache.close()
})

/** A TCP proxy to the server that can be cut and restored, and records what passes. */
const bridge = () => {
  const writes: string[] = []
  const sockets = new Set<Socket>()
  let server: Server | undefined
  const mend = (port = 0): Promise<number> =>
    new Promise((open) => {
      server = createServer((near) => {
        const far = connect(Number(new URL(url).port || 6379), new URL(url).hostname)
        for (const socket of [near, far]) sockets.add(socket.on('error', () => undefined))
        near.on('data', (data) => void writes.push(String(data)))
        near.pipe(far).pipe(near)
      }).listen(port, '127.0.0.1', () => {
        const address = server?.address()
        open(typeof address === 'object' && address ? address.port : 0)
      })
    })
  /** Drops the open connections; new ones work. */
  const drop = (): void => {
    for (const socket of sockets) socket.destroy()
    sockets.clear()
  }
  /** Silences the open connections without closing them; new ones work. */
  const mute = (): void => {
    for (const socket of sockets) socket.unpipe().removeAllListeners('end').pause()
  }
  const cut = (): Promise<unknown> => {
    drop()
    return new Promise((closed) => server?.close(closed))
  }
  return { writes, mend, drop, mute, cut }
}

test('the cache reconnects when the server returns, without a restart', async () => {
  const way = bridge()
  const port = await way.mend()
  const cache = redisCache(`redis://127.0.0.1:${port}`, clock)
  const key = newKey()
  await cache.put(key, 'kept', 300)
  await way.cut()
  await expect(cache.get(key)).rejects.toThrow(CacheUnavailable)
  await expect(cache.count([{ key, windowSeconds: 60 }])).rejects.toThrow(CacheUnavailable)
  await way.mend(port)
  await expect.poll(() => cache.get(key).catch(() => 'away'), { timeout: 10_000 }).toBe('kept')
  await cache.close()
  await way.cut()
})

test('a connection that dropped while idle causes no error', async () => {
  const way = bridge()
  const cache = redisCache(`redis://127.0.0.1:${await way.mend()}`, clock)
  const key = newKey()
  await cache.put(key, 'kept', 300)
  way.drop()
  expect(await cache.get(key)).toBe('kept')
  await cache.close()
  await way.cut()
})

test('a silent connection is replaced', async () => {
  const way = bridge()
  const cache = redisCache(`redis://127.0.0.1:${await way.mend()}`, clock)
  const key = newKey()
  await cache.put(key, 'kept', 300)
  way.mute()
  await expect(cache.get(key)).rejects.toThrow(CacheUnavailable)
  await expect.poll(() => cache.get(key).catch(() => 'away'), { timeout: 10_000 }).toBe('kept')
  await cache.close()
  await way.cut()
})

test('counting several windows and adding several sums takes one write each', async () => {
  const way = bridge()
  const cache = redisCache(`redis://127.0.0.1:${await way.mend()}`, clock)
  await cache.ping()
  way.writes.length = 0
  await cache.count([newKey(), newKey(), newKey()].map((key) => ({ key, windowSeconds: 60 })))
  expect(way.writes).toHaveLength(1)
  await cache.add(newKey(), { a: 1, b: 2, c: 3 })
  expect(way.writes).toHaveLength(2)
  await cache.close()
  await way.cut()
})

test('sums are read in chunks, each of which fits the time limit', async () => {
  const way = bridge()
  const cache = redisCache(`redis://127.0.0.1:${await way.mend()}`, clock)
  const name = newKey()
  await cache.add(name, Object.fromEntries(Array.from({ length: 20_000 }, (_, n) => [`series ${n}`, 1])))
  way.writes.length = 0
  expect(Object.keys(await cache.sums(name))).toHaveLength(20_000)
  expect(way.writes.length).toBeGreaterThan(10)
  await cache.close()
  await way.cut()
})
