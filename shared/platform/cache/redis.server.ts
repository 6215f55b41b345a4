// Against a real server: TEST_REDIS_URL, or the usual port of this machine.
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
  // Sums have no end of their own.
  for (const key of await raw.keys('authsec:sums:test:*')) await raw.expire(key, 60)
  await raw.quit()
})

cacheContract('Redis', (windows) => redisCache(url, windows))

test('every key has our prefix and, but for the sums, an end', async () => {
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

test('a mistake of ours is no absence', async () => {
  const cache = redisCache(url, clock)
  const key = newKey()
  await raw.lpush(`authsec:${key}`, 'a list')
  const failure = await cache.get(key).catch((error: unknown) => error)
  expect(failure).toMatchObject({ name: 'ReplyError' })
  await raw.del(`authsec:${key}`)
  await cache.close()
})

/** A way to the server that can be cut and mended, and that writes down what goes through. */
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
  /** Drops the connections that are open; new ones get through. */
  const drop = (): void => {
    for (const socket of sockets) socket.destroy()
    sockets.clear()
  }
  /** The connections that are open stay so, and nothing gets through them any more; new ones get through. */
  const mute = (): void => {
    for (const socket of sockets) socket.unpipe().removeAllListeners('end').pause()
  }
  const cut = (): Promise<unknown> => {
    drop()
    return new Promise((closed) => server?.close(closed))
  }
  return { writes, mend, drop, mute, cut }
}

test('a server that comes back is found again, without a restart', async () => {
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

test('a connection that died while idle costs no caller an error', async () => {
  const way = bridge()
  const cache = redisCache(`redis://127.0.0.1:${await way.mend()}`, clock)
  const key = newKey()
  await cache.put(key, 'kept', 300)
  way.drop()
  expect(await cache.get(key)).toBe('kept')
  await cache.close()
  await way.cut()
})

test('a connection that went silent is given up for a new one', async () => {
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

test('counting several windows, and adding several sums, is one write each', async () => {
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

test('sums are read in pieces: no answer is one that a second is too short for', async () => {
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
