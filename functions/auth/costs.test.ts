// The number of statements, round trips and hashes of a sign-in. They do not depend on the machine, so tests can assert them; durations do.
import { expect, test } from 'vitest'
import { type Person, startApp } from '#tests/support/app'
import { countedDb } from '#tests/support/counted'
import { testDb } from '#tests/support/database'
import { signUpRoutes } from '../sign-up/routes.ts'
import { authRoutes } from './routes.ts'

const LOGIN = '/authsec/uflow/auth/admin/login'

const start = async () => {
  const counted = countedDb((await testDb()).engine)
  const app = await startApp([...authRoutes, ...signUpRoutes], { db: counted.db })
  const attempt = async ({ email, password }: Pick<Person, 'email' | 'password'>, status: number, more: object = {}) => {
    const hashes = app.ctx.passwords.computed()
    const costs = await counted.during(async () => expect((await app.request(LOGIN, { body: { email, password, ...more } })).status).toBe(status))
    return { ...costs, hashes: app.ctx.passwords.computed() - hashes }
  }
  return { app, attempt }
}

test('A sign-in costs four statements in four round trips and one hash: tenant lookup, snapshot, row lock, session', async () => {
  const { app, attempt } = await start()
  const company = await app.company()
  const other = await app.person(company, 'admin')
  // The first sign-in of an instance also fetches the signing keys; the first sign-in of a person fetches nothing more.
  await attempt(other, 200, { tenant_domain: company.domain })
  expect(await attempt(company.admin, 200)).toEqual({ statements: 4, roundTrips: 4, hashes: 1 })
})

test('The fifth wrong password, which locks, costs as much as the first one and as an unknown address, also on a new instance', async () => {
  const costs: unknown[] = []
  for (const known of [true, false]) {
    const { app, attempt } = await start()
    const { admin, domain } = await app.company()
    const newInstance = await start()
    const email = known ? admin.email : 'unknown@nowhere.example'
    for (let n = 0; n < 7; n++) {
      app.clock.advance(60)
      costs.push(await attempt({ email, password: 'wrong' }, 401, { tenant_domain: domain }))
    }
    costs.push(await newInstance.attempt({ email, password: 'wrong' }, 401, { tenant_domain: domain }))
    expect(await app.mailsTo(admin.email)).toHaveLength(known ? 1 : 0)
  }
  // The domain's tenant, the snapshot, the failed attempt, the audit event of the refusal.
  expect(new Set(costs.map((cost) => JSON.stringify(cost)))).toEqual(new Set([JSON.stringify({ statements: 4, roundTrips: 6, hashes: 1 })]))
})
