import { expect, test } from 'vitest'
import { CacheUnavailable } from '#shared/platform/cache/cache'
import { startApp } from '#tests/support/app'
import { healthRoutes } from './health.routes.ts'

test('health is public', async () => {
  const { request } = await startApp(healthRoutes)
  const response = await request('/authsec/uflow/health')
  expect(response.status).toBe(200)
  const body = await response.json()
  expect(body).toMatchObject({ status: 'healthy', database: 'connected', response_time_ms: 0 })
  expect(Object.keys(body.checks)).toEqual(['database', 'redis_cache', 'vault', 'system', 'metrics'])
  for (const check of Object.values(body.checks)) expect(check).toEqual({ healthy: true, message: 'operational' })
})

test('an unavailable cache degrades the deployment until it has recovered', async () => {
  const { request, cache } = await startApp(healthRoutes)
  const ping = cache.ping
  cache.ping = () => Promise.reject(new CacheUnavailable(undefined))
  const response = await request('/authsec/uflow/health')
  expect(response.status).toBe(200)
  expect(await response.json()).toMatchObject({ status: 'degraded', checks: { redis_cache: { healthy: false, message: 'unavailable' } } })
  cache.ping = ping
  expect(await (await request('/authsec/uflow/health')).json()).toMatchObject({ status: 'healthy' })
})

test.each(['/authsec/uflow/health/tenants', '/authsec/uflow/health/tenant/:tenant_id'])(
  '%s reports the deployment\u2019s health and nothing about tenants',
  async (path) => {
    const { request, company } = await startApp(healthRoutes)
    const acme = await company()
    const bodies = []
    for (const id of [acme.tenantId, '00000000-0000-7000-8000-000000000001', 'no-id']) {
      const response = await request(path.replace(':tenant_id', id))
      expect(response.status).toBe(200)
      bodies.push(await response.json())
    }
    expect(bodies).toEqual(Array(3).fill({ status: 'delegated', message: expect.any(String) }))
    expect(JSON.stringify(bodies)).not.toContain(acme.tenantId)
  },
)
