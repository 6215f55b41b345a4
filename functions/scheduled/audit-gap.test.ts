import { expect, test } from 'vitest'
import { asOwner } from '#db/engine/tenant'
import { deleteAuditEventsBefore } from '#db/store/audit-retention'
import { secondsAfter } from '#shared/kernel/clock'
import { PASSWORD, startApp } from '#tests/support/app'
import { ownDb } from '#tests/support/database'
import { authRoutes } from '../auth/routes.ts'
import { findGaps } from './audit-gap.ts'

test('a session without an event of its creation is reported with its tenant', async () => {
  const app = await startApp(authRoutes, { db: await ownDb() })
  const [whole, gapped] = [await app.company('whole'), await app.company('gapped')]
  for (const { admin, domain } of [whole, gapped]) {
    const body = JSON.stringify({ email: admin.email, password: PASSWORD, tenant_domain: domain })
    const signedIn = await app.request('/authsec/uflow/auth/admin/login', { method: 'POST', headers: { 'content-type': 'application/json' }, body })
    expect(signedIn.status).toBe(200)
  }
  app.clock.advance(10)
  const stopBy = secondsAfter(app.clock.now(), 60)
  expect(await findGaps(app.ctx, stopBy)).toMatchObject({ missing: 0 })
  await asOwner(app.db, gapped.tenantId, (t) => deleteAuditEventsBefore(t, secondsAfter(app.clock.now(), 3600), 1000))
  expect(await findGaps(app.ctx, stopBy)).toMatchObject({ missing: 1 })
  expect(app.log.lines.filter((line) => line.includes('audit.gap'))).toEqual([expect.stringContaining(gapped.tenantId)])
})
