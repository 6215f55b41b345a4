import { expect, test } from 'vitest'
import { acrossTenants, asTenantId, atomically, forTenant } from '#db/engine/tenant'
import { countActiveTenants, insertTenant, setTenantStatus } from '#db/store/tenants'
import { fixedClock } from '#shared/kernel/clock'
import { systemRandom } from '#shared/kernel/random'
import { memoryCache } from '#shared/platform/cache/memory'
import { createMetrics } from '#shared/platform/metrics/metrics'
import { testDb } from '#tests/support/database'
import { setGauges } from './gauges.ts'
import { jobs } from './jobs.ts'

test('counts the active tenants of the deployment, without suspended ones', async () => {
  const db = await testDb()
  const clock = fixedClock('2026-03-01T12:00:00Z')
  const cache = memoryCache(clock)
  const random = systemRandom(clock)
  const before = await countActiveTenants(acrossTenants(db))
  for (const status of ['active', 'active', 'suspended'] as const) {
    const tenantId = asTenantId(random.id())
    await atomically(forTenant(db, tenantId), async (t) => {
      await insertTenant(t, { name: 'Acme', email: null, domain: `${tenantId}.test`, at: clock.now() })
      if (status !== 'active') await setTenantStatus(t, status, clock.now())
    })
  }
  const own = createMetrics({ cache, clock })
  await setGauges({ db, metrics: own, clock })
  const text = await createMetrics({ cache, clock }).render()
  expect(text).toContain(`\nactive_tenants ${before + 2}\n`)
  expect(await own.render()).toMatch(/\nmemory_usage_bytes [1-9]\d{6,}\n/)
})

test('job ids are unique, and every interval is a multiple of 15 minutes', () => {
  expect(new Set(jobs.map(({ id }) => id)).size).toBe(jobs.length)
  for (const { id, every } of jobs) expect(every % 900, id).toBe(0)
})
