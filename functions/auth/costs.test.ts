// What a sign-in asks of the database beside its one hash. It does not depend on the machine, so it is held here; time is not.
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

test('a sign-in costs four statements in four round trips and one hash: whose tenant, what is known, the person held and all that begins', async () => {
  const { app, attempt } = await start()
  const company = await app.company()
  const other = await app.person(company, 'admin')
  // The first sign-in of an instance fetches the signing keys; a person's first one fetches nothing more than any.
  await attempt(other, 200, { tenant_domain: company.domain })
  expect(await attempt(company.admin, 200)).toEqual({ statements: 4, roundTrips: 4, hashes: 1 })
})

test('the fifth wrong password, which locks, costs what the first does, and what an unknown address does, also on an instance that has just started', async () => {
  const costs: unknown[] = []
  for (const known of [true, false]) {
    const { app, attempt } = await start()
    const { admin, domain } = await app.company()
    const another = await start()
    const email = known ? admin.email : 'unknown@nowhere.example'
    for (let n = 0; n < 7; n++) {
      app.clock.advance(60)
      costs.push(await attempt({ email, password: 'wrong' }, 401, { tenant_domain: domain }))
    }
    costs.push(await another.attempt({ email, password: 'wrong' }, 401, { tenant_domain: domain }))
    expect(await app.mailsTo(admin.email)).toHaveLength(known ? 1 : 0)
  }
  // Whose domain, what is known, the count, the record of the refusal.
  expect(new Set(costs.map((cost) => JSON.stringify(cost)))).toEqual(new Set([JSON.stringify({ statements: 4, roundTrips: 6, hashes: 1 })]))
})
