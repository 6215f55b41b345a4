// The cache's contract with Upstash's client, against a bridge that implements its REST API on a real Redis.
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { fixedClock } from '#shared/kernel/clock'
import { type UpstashBridge, upstashBridge } from '#tests/support/upstash-bridge'
import { cacheContract } from './cache.contract.ts'
import { CacheUnavailable } from './cache.ts'
import { upstashCache } from './upstash.ts'

const clock = fixedClock('2026-01-01T00:00:00Z')
const bridge = await upstashBridge(process.env.TEST_REDIS_URL ?? 'redis://127.0.0.1:6379')
afterAll(() => bridge.close())

cacheContract('Upstash', (windows) => upstashCache(bridge, windows))

describe('Upstash', () => {
  let own: UpstashBridge
  beforeAll(async () => {
    own = await upstashBridge(process.env.TEST_REDIS_URL ?? 'redis://127.0.0.1:6379')
  })

  test('counting several windows and adding several sums takes one request each', async () => {
    const cache = upstashCache(own, clock)
    const before = own.requests()
    await cache.count(['a', 'b', 'c'].map((key) => ({ key: `test:upstash:${key}`, windowSeconds: 60 })))
    await cache.add('test:upstash', { a: 1, b: 2, c: 3 })
    expect(own.requests() - before).toBe(2)
  })

  test('a wrong token and an unreachable service throw CacheUnavailable', async () => {
    await expect(upstashCache({ ...own, token: 'other' }, clock).get('k')).rejects.toThrow(CacheUnavailable)
    await own.close()
    await expect(upstashCache(own, clock).get('k')).rejects.toThrow(CacheUnavailable)
    await expect(upstashCache(own, clock).count([{ key: 'k', windowSeconds: 60 }])).rejects.toThrow(CacheUnavailable)
  })
})
