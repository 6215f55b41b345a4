import { gunzipSync } from 'node:zlib'
import { expect, test } from 'vitest'
import { CacheUnavailable } from '#shared/platform/cache/cache'
import { user } from '#shared/platform/http/access'
import { text } from '#shared/platform/http/route'
import { startApp } from '#tests/support/app'
import { route } from './group.ts'
import { metricsRoutes } from './routes.ts'

const TOKEN = 'scrape-token-of-the-tests'

test.each(['/metrics', '/authsec/metrics'])('%s answers Prometheus text about earlier requests', async (path) => {
  const { request } = await startApp(metricsRoutes)
  await request('/authsec/no/such/path?email=ana@example.com')
  await request(path, { headers: { 'x-tenant-id': '00000000-0000-7000-8000-000000000001' } })
  const response = await request(path)
  expect(response.status).toBe(200)
  expect(response.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8')
  expect(response.headers.get('cache-control')).toBe('no-store')
  const sums = await response.text()
  expect(sums).toContain(`\nhttp_requests_total{method="GET",endpoint="${path}",status_code="200",tenant_id="unknown"} 1\n`)
  expect(sums).toContain('\nhttp_requests_total{method="GET",endpoint="unknown",status_code="404",tenant_id="unknown"} 1\n')
  expect(sums).toMatch(/\nmemory_usage_bytes [1-9]\d+\n/)
  expect(sums).toMatch(/\ngoroutines_count \d+\n/)
  expect(sums).toMatch(/\ndb_connection_pool_size\{database_type="(pglite|postgres)",tenant_id="unknown"\} \d+\n/)
  expect(sums).not.toMatch(/ana@example|00000000-0000-7000/)
})

test('the tenant label comes from the verified token, never from a header', async () => {
  const probe = route({
    id: 'test.probe',
    on: 'GET /probe',
    summary: 'Answers any signed-in person.',
    access: user(),
    reply: text(200, 'text/plain'),
    errors: [],
    emits: 'nothing',
    handle: async () => 'here',
  })
  const { request, company, token } = await startApp([...metricsRoutes, probe])
  const [acme, globex] = [await company('acme'), await company('globex')]
  await request('/probe', { token: await token(acme.admin) })
  await request('/probe', { token: 'forged', headers: { tenant_id: globex.tenantId } })
  const sums = await (await request('/metrics')).text()
  expect(sums).toContain(`http_requests_total{method="GET",endpoint="/probe",status_code="200",tenant_id="${acme.tenantId}"} 1\n`)
  expect(sums).toContain('http_requests_total{method="GET",endpoint="/probe",status_code="401",tenant_id="unknown"} 1\n')
  expect(sums).not.toContain(globex.tenantId)
})

test('a configured scrape token is required', async () => {
  const { request } = await startApp(metricsRoutes, { env: { METRICS_TOKEN: TOKEN } })
  expect((await request('/metrics')).status).toBe(401)
  expect((await request('/metrics', { token: `${TOKEN}x` })).status).toBe(401)
  expect((await request('/authsec/metrics', { token: TOKEN })).status).toBe(200)
})

test('metrics beyond the response limit of a function are gzipped for a scraper that accepts gzip', async () => {
  const { request, ctx } = await startApp(metricsRoutes)
  const requested = (endpoint: string) => ({ method: 'GET', endpoint, status_code: '200', tenant_id: 'unknown' })
  for (let n = 0; n < 4000; n++) ctx.metrics.observe('http_request_duration_seconds', requested(`/authsec/of-many/${n}`), 0.01)
  const plain = await request('/metrics', { headers: { 'accept-encoding': 'br, gzip;q=0' } })
  expect([plain.headers.get('content-encoding'), plain.headers.get('vary')]).toEqual([null, 'Accept-Encoding, Origin'])
  const text = await plain.text()
  expect(text.length).toBeGreaterThan(6 * 1024 * 1024)
  const packed = await request('/metrics', { headers: { 'accept-encoding': 'deflate, gzip;q=0.5' } })
  expect(packed.headers.get('content-encoding')).toBe('gzip')
  expect(packed.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8')
  const bytes = Buffer.from(await packed.arrayBuffer())
  expect(packed.headers.get('content-length')).toBe(String(bytes.length))
  expect(bytes.length).toBeLessThan(text.length / 10)
  const ofMany = (all: string): string[] => all.split('\n').filter((line) => line.includes('/of-many/'))
  expect(ofMany(gunzipSync(bytes).toString())).toEqual(ofMany(text))
})

test('without the cache a scrape fails; it does not report the numbers of one instance', async () => {
  const { request, cache } = await startApp(metricsRoutes)
  const sums = cache.sums
  cache.sums = () => Promise.reject(new CacheUnavailable(undefined))
  const response = await request('/metrics')
  expect(response.status).toBe(503)
  expect(response.headers.get('retry-after')).toBe('5')
  expect(await response.json()).toMatchObject({ code: 'unavailable' })
  cache.sums = sums
  expect((await request('/metrics')).status).toBe(200)
})
