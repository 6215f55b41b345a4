// How many statements and round trips a decision costs. The numbers do not depend on the machine.
import { expect, test } from 'vitest'
import { problem } from '#shared/platform/http/problem'
import { startApp } from '#tests/support/app'
import { countedDb } from '#tests/support/counted'
import { testDb } from '#tests/support/database'
import { accessRoutes } from './routes.ts'

test('a decision costs one statement for an unknown subject, none for a cached one, and two for concurrent requests', async () => {
  const counted = countedDb((await testDb()).engine)
  const app = await startApp(accessRoutes, { db: counted.db, render: problem })
  const company = await app.company()
  const token = await app.token(await app.person(company, ['policy:check']))
  const people = []
  for (let n = 0; n < 20; n++) people.push(await app.person(company))
  const ask = async (id: string): Promise<void> => {
    const body = { subject: { type: 'user', id }, action: { name: 'read' }, resource: { type: 'invoice', id: 'any' } }
    expect((await app.request('/access/v1/evaluation', { token, body })).status).toBe(200)
  }
  await ask(company.admin.id)
  const [first, ...others] = people.map(({ id }) => id)
  expect(await counted.during(() => ask(first ?? ''))).toEqual({ statements: 1, roundTrips: 1 })
  expect(await counted.during(() => ask(first ?? ''))).toEqual({ statements: 0, roundTrips: 0 })
  const together = await counted.during(() => Promise.all(others.map(ask)))
  expect(together.statements).toBeLessThanOrEqual(2)
})
