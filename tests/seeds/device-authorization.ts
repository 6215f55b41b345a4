// Phones for the routes with one in the path.

import { atomically, forTenant } from '#db/engine/tenant'
import { putPushDevice } from '#db/store/push-devices'
import type { Make } from './seeds.ts'

const phone: Make = async (app, company) => {
  const owner = await app.person(company)
  const [id, at] = [app.ctx.random.id(), app.clock.now()]
  await atomically(forTenant(app.db, company.tenantId), (t) =>
    putPushDevice(t, { id, userId: owner.id, sessionId: id, platform: 'ios', tokenHash: app.ctx.hash('push-token', id), createdAt: at }),
  )
  return { path: { device_id: id }, owner }
}

export const DEVICE_AUTHORIZATION_SEEDS: Readonly<Record<string, Make>> = { 'ciba.removeDevice': phone, 'ciba.tenant.removeDevice': phone }
