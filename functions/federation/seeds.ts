// Seeds of federated identities, for tests/seeds/seeds.ts.

import { atomically, forTenant } from '#db/engine/tenant'
import { insertIdentity } from '#db/store/identities'
import type { Make } from '../../tests/seeds/seeds.ts'

/** An identity that its owner may unlink. */
const identity: Make = async (app, company) => {
  const owner = await app.person(company)
  const [id, at] = [app.ctx.random.id(), app.clock.now()]
  const provider = `provider-${id}`
  const row = { id, userId: owner.id, issuer: 'https://id.example', subject: id, provider, createdAt: at, updatedAt: at }
  await atomically(forTenant(app.db, company.tenantId), (t) => insertIdentity(t, row, undefined))
  return { path: { provider }, owner }
}

export const FEDERATION_SEEDS: Readonly<Record<string, Make>> = {
  'federation.unlink': identity,
  // No login challenge is pending.
  'federation.initiateForChallenge': async () => ({ path: { provider: 'google' }, answers: 400 }),
}
