import { expect, test } from 'vitest'
import { fixedClock } from '#shared/kernel/clock'
import { type Cache, CacheUnavailable } from '#shared/platform/cache/cache'
import { memoryCache } from '#shared/platform/cache/memory'
import { createMetrics } from './metrics.ts'

const start = '2026-03-01T12:00:00Z'

/** A real cache with a connection that the test can cut. */
const cuttable = (cache: Cache) => {
  const line = { isCut: false }
  const reach = <T>(call: () => Promise<T>): Promise<T> => (line.isCut ? Promise.reject(new CacheUnavailable(undefined)) : call())
  const cut: Cache = {
    ...cache,
    get: (key) => reach(() => cache.get(key)),
    put: (key, value, ttl) => reach(() => cache.put(key, value, ttl)),
    add: (name, sums) => reach(() => cache.add(name, sums)),
    sums: (name) => reach(() => cache.sums(name)),
  }
  return { cache: cut, line }
}

const fleet = (options: { maxSeries?: number; maxTenants?: number } = {}) => {
  const clock = fixedClock(start)
  const { cache, line } = cuttable(memoryCache(clock))
  return { clock, cache, line, instance: () => createMetrics({ cache, clock, ...options }) }
}

const tenant = (n: number): string => `00000000-0000-7000-8000-${String(n).padStart(12, '0')}`
const request = (tenantId: string) => ({ method: 'GET', endpoint: '/a', status_code: '200', tenant_id: tenantId })
const numberAt = (text: string, sample: string): number | undefined => {
  const line = text.split('\n').find((each) => each.startsWith(`${sample} `))
  return line === undefined ? undefined : Number(line.slice(sample.length + 1))
}
const done = { job: 'expiry', result: 'done' }
const DONE = 'job_runs_total{job="expiry",result="done"}'

test('a scrape of any instance has the sum of all instances', async () => {
  const { instance } = fleet()
  const [one, two, three] = [instance(), instance(), instance()]
  one.count('job_runs_total', done)
  one.count('job_runs_total', done, 2)
  two.count('job_runs_total', done)
  two.observe('http_request_duration_seconds', request('unknown'), 0.005)
  one.observe('http_request_duration_seconds', request('unknown'), 0.0051)
  await Promise.all([one.flush(), two.flush()])
  const text = await three.render()
  const labels = 'method="GET",endpoint="/a",status_code="200",tenant_id="unknown"'
  expect(numberAt(text, DONE)).toBe(4)
  expect(numberAt(text, `http_request_duration_seconds_bucket{${labels},le="0.005"}`)).toBe(1)
  expect(numberAt(text, `http_request_duration_seconds_bucket{${labels},le="0.01"}`)).toBe(2)
  expect(numberAt(text, `http_request_duration_seconds_count{${labels}}`)).toBe(2)
  expect(numberAt(text, `http_request_duration_seconds_sum{${labels}}`)).toBeCloseTo(0.0101)
})

test('without the cache nothing is lost or thrown, and afterwards every increment is counted once', async () => {
  const { instance, line, clock } = fleet()
  const metrics = instance()
  metrics.count('job_runs_total', done)
  metrics.count('http_requests_total', request(tenant(1)))
  line.isCut = true
  await Promise.all([metrics.flush('now'), metrics.flush('now')])
  metrics.count('job_runs_total', done)
  clock.advance(60)
  await metrics.flush('now')
  await expect(metrics.render()).rejects.toMatchObject({ code: 'unavailable', details: { retryAfterSeconds: 5 } })
  line.isCut = false
  clock.advance(60)
  await Promise.all([metrics.flush('now'), metrics.flush('now'), metrics.flush('now')])
  const text = await metrics.render()
  expect(numberAt(text, DONE)).toBe(2)
  expect(numberAt(text, `http_requests_total{method="GET",endpoint="/a",status_code="200",tenant_id="${tenant(1)}"}`)).toBe(1)
  expect(numberAt(text, 'metrics_flush_failures_total')).toBe(2)
})

test('requests do not wait for a cache that has just failed', async () => {
  const { instance, line, clock } = fleet()
  const metrics = instance()
  metrics.count('job_runs_total', done)
  line.isCut = true
  await metrics.flush('now')
  clock.advance(4)
  await metrics.flush('now')
  line.isCut = false
  clock.advance(2)
  expect(numberAt(await metrics.render(), 'metrics_flush_failures_total')).toBe(1)
})

test('increments during a transfer belong to the next one', async () => {
  const { instance, clock } = fleet()
  const metrics = instance()
  metrics.count('http_requests_total', request(tenant(1)))
  const first = metrics.flush()
  metrics.count('http_requests_total', request(tenant(1)))
  metrics.count('http_requests_total', request(tenant(2)))
  await first
  clock.advance(2)
  const text = await metrics.render()
  expect(numberAt(text, `http_requests_total{method="GET",endpoint="/a",status_code="200",tenant_id="${tenant(1)}"}`)).toBe(2)
  expect(numberAt(text, `http_requests_total{method="GET",endpoint="/a",status_code="200",tenant_id="${tenant(2)}"}`)).toBe(1)
})

test('requests transfer increments at most once per second', async () => {
  const { instance, clock, cache } = fleet()
  const metrics = instance()
  const sum = async () => Object.values(await cache.sums('metrics'))[0]
  metrics.count('job_runs_total', done)
  await metrics.flush()
  metrics.count('job_runs_total', done)
  await metrics.flush()
  expect(await sum()).toBe(1)
  clock.advance(1)
  await metrics.flush()
  expect(await sum()).toBe(2)
})

test('the first tenants have series of their own, the others share one', async () => {
  const { instance, clock } = fleet({ maxTenants: 3 })
  const [one, two] = [instance(), instance()]
  for (const n of [1, 2]) one.count('http_requests_total', request(tenant(n)))
  await one.flush('now')
  for (const n of [2, 3, 4, 5]) two.count('http_requests_total', request(tenant(n)))
  two.count('http_requests_total', request('unknown'))
  await two.flush('now')
  for (const n of [1, 3, 4, 6]) one.count('http_requests_total', request(tenant(n)))
  clock.advance(2)
  const text = await one.render()
  const of = (id: string) => numberAt(text, `http_requests_total{method="GET",endpoint="/a",status_code="200",tenant_id="${id}"}`)
  expect([1, 2, 3, 4, 5, 6].map((n) => of(tenant(n)))).toEqual([2, 2, 2, undefined, undefined, undefined])
  expect(of('other')).toBe(4)
  expect(of('unknown')).toBe(1)
})

test('past its bound of series an instance first merges tenants, then drops and counts increments', async () => {
  const { instance } = fleet({ maxSeries: 3 })
  const metrics = instance()
  for (let n = 0; n < 100; n++) metrics.count('http_requests_total', request(tenant(n)))
  for (let n = 0; n < 100; n++) metrics.count('http_requests_total', { ...request('unknown'), endpoint: `/made-up/${n}` })
  const text = await metrics.render()
  const lines = text.split('\n').filter((line) => line.startsWith('http_requests_total{'))
  expect(lines).toHaveLength(6)
  expect(numberAt(text, 'http_requests_total{method="GET",endpoint="/a",status_code="200",tenant_id="other"}')).toBe(97)
  expect(numberAt(text, 'metrics_dropped_total')).toBe(98)
})

test('a fleet gauge is visible on every instance until it expires; an instance gauge only on its own', async () => {
  const { instance, clock } = fleet()
  const [one, two] = [instance(), instance()]
  one.gauge('active_tenants', {}, 7)
  one.gauge('memory_usage_bytes', {}, 1000)
  await one.flush()
  expect(numberAt(await one.render(), 'memory_usage_bytes')).toBe(1000)
  expect(numberAt(await two.render(), 'memory_usage_bytes')).toBeUndefined()
  expect(numberAt(await two.render(), 'active_tenants')).toBe(7)
  clock.advance(2 * 3600)
  expect(numberAt(await two.render(), 'active_tenants')).toBeUndefined()
})

test('a missing, extra or misspelt label throws', () => {
  const metrics = fleet().instance()
  // @ts-expect-error a label is missing
  expect(() => metrics.count('job_runs_total', { job: 'a' })).toThrow('job_runs_total has the labels job, result')
  // @ts-expect-error no such metric
  expect(() => metrics.count('nothing_total', {})).toThrow()
  const more = { ...done, email: 'ana@example.com' }
  expect(() => metrics.count('job_runs_total', more)).toThrow('job_runs_total has the labels job, result')
})

test('NaN is left out', async () => {
  const metrics = fleet().instance()
  metrics.observe('http_response_size_bytes', { method: 'GET', endpoint: '/a', tenant_id: 'unknown' }, Number.NaN)
  expect(await metrics.render()).not.toContain('NaN')
})
