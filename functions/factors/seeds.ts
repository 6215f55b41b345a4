// Seeds of second factors, for tests/seeds/seeds.ts.
import { atomically, forTenant } from '#db/engine/tenant'
import { insertFactor } from '#db/store/factors'
import type { Make } from '../../tests/seeds/seeds.ts'

/** Two factors of a person who signed in with one, so that either may be removed. */
const factor =
  (body?: Readonly<Record<string, unknown>>): Make =>
  async (app, company) => {
    const owner = await app.person(company)
    const id = app.ctx.random.id()
    await atomically(forTenant(app.db, company.tenantId), async (t) => {
      const at = app.clock.now()
      for (const one of [id, app.ctx.random.id()]) await insertFactor(t, { id: one, userId: owner.id, kind: 'totp', confirmedAt: at, createdAt: at })
    })
    return { path: { factor_id: id }, owner, amr: ['pwd', 'otp'], ...(body === undefined ? {} : { body }) }
  }

const person: Make = async (app, company) => ({ path: { user_id: (await app.person(company)).id }, owner: company.admin })

export const FACTOR_SEEDS: Readonly<Record<string, Make>> = {
  'factors.change': factor({ name: 'Phone' }),
  'factors.remove': factor(),
  'factors.resetOfPerson': person,
  'factors.issuePass': person,
}
