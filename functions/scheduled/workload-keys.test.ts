import { expect, test } from 'vitest'
import { forTenant } from '#db/engine/tenant'
import { findTrustDomainKeys } from '#db/store/trust-domains'
import { ensureTrustDomain } from '#shared/domains/spiffe/signer'
import { secondsAfter } from '#shared/kernel/clock'
import { startApp } from '#tests/support/app'
import { rotateTrustDomains } from './workload-keys.ts'

const DAY = 24 * 3600

test('the keys of every trust domain rotate, and the job stops in time', async () => {
  const app = await startApp([])
  const companies = [await app.company(), await app.company()]
  for (const { tenantId } of companies) await ensureTrustDomain(app.ctx, tenantId)
  const sequences = async () =>
    Promise.all(companies.map(async ({ tenantId }) => (await findTrustDomainKeys(forTenant(app.db, tenantId)))?.domain.sequence))
  const stopBy = secondsAfter(app.clock.now(), 60 * DAY)
  await rotateTrustDomains(app.ctx, stopBy)
  expect(await sequences()).toEqual([2, 2])
  app.clock.advance(13 * DAY)
  expect(await rotateTrustDomains(app.ctx, app.clock.now())).toEqual({ tenants: 0, changed: 0, stopped_early: 1 })
  expect(await sequences()).toEqual([2, 2])
  const { tenants, changed } = await rotateTrustDomains(app.ctx, stopBy)
  expect(Number(tenants)).toBeGreaterThanOrEqual(2)
  expect(Number(changed)).toBeGreaterThanOrEqual(6)
  expect(await sequences()).toEqual([3, 3])
})
