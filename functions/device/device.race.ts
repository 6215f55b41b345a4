// Concurrent polls and decisions of one grant yield one token and one decision.
import { expect, test } from 'vitest'
import { forTenant } from '#db/engine/tenant'
import { findSessions } from '#db/store/sessions'
import { startApp } from '#tests/support/app'
import { beginDevice, beginDeviceOf, DEVICE, pollDevice, verifyDevice } from '#tests/support/grants'
import { bodyOf } from '#tests/support/sign-in'
import { deviceRoutes } from './routes.ts'

const twenty = <T>(work: (n: number) => Promise<T>): Promise<T[]> => Promise.all(Array.from({ length: 20 }, (_, n) => work(n)))
const tally = (answers: readonly unknown[]): Record<string, number> => {
  const counts: Record<string, number> = {}
  for (const answer of answers) counts[String(answer)] = (counts[String(answer)] ?? 0) + 1
  return counts
}
const outcomeOf = async (response: Response): Promise<unknown> => (await bodyOf(response)).error ?? response.status

test('of 20 concurrent polls one gets the token and 19 get expired_token', async () => {
  const app = await startApp(deviceRoutes)
  const company = await app.company()
  const person = await app.person(company)
  const codes = await beginDeviceOf(app, company)
  await verifyDevice(app, person, codes.userCode)
  const t = forTenant(app.db, company.tenantId)
  const before = (await findSessions(t, person.id, app.clock.now())).length
  expect(tally(await twenty(async () => outcomeOf(await pollDevice(app, codes, company.clientId))))).toEqual({ 200: 1, expired_token: 19 })
  expect(await findSessions(t, person.id, app.clock.now())).toHaveLength(before + 1)
})

test('of 20 concurrent decisions in two tenants on a grant without a tenant one counts, and its tenant owns the device', async () => {
  const app = await startApp(deviceRoutes)
  const companies = [await app.company(), await app.company('globex')]
  const tokens = await Promise.all(companies.map(({ admin }) => app.token(admin)))
  const codes = await beginDevice(app)
  const statuses = await twenty(
    async (n) => (await app.request(`${DEVICE}/verify`, { token: tokens[n % 2] ?? '', body: { user_code: codes.userCode, approve: true } })).status,
  )
  expect(tally(statuses)).toEqual({ 200: 1, 400: 19 })
  const winner = companies[statuses.indexOf(200) % 2]
  expect(await bodyOf(await pollDevice(app, codes))).toMatchObject({ tenant_id: winner?.tenantId })
})

test('of 20 concurrent decisions by two people one counts, and only that one is in the audit log', async () => {
  const app = await startApp(deviceRoutes)
  const company = await app.company()
  const people = [company.admin, await app.person(company)]
  const tokens = await Promise.all(people.map((person) => app.token(person)))
  const codes = await beginDeviceOf(app, company)
  const statuses = await twenty(
    async (n) => (await app.request(`${DEVICE}/verify`, { token: tokens[n % 2] ?? '', body: { user_code: codes.userCode, approve: true } })).status,
  )
  expect(tally(statuses)).toEqual({ 200: 1, 400: 19 })
  const winner = people[statuses.indexOf(200) % 2]
  expect(await app.events(company.tenantId, { event: 'device_grant.approved' })).toMatchObject([{ actorId: winner?.id }])
  expect(await bodyOf(await pollDevice(app, codes, company.clientId))).toMatchObject({ user_id: winner?.id })
})

test('a poll concurrent with the approval gets authorization_pending or the token, never expired_token', async () => {
  const app = await startApp(deviceRoutes)
  const company = await app.company()
  const token = await app.token(company.admin)
  for (let round = 0; round < 10; round++) {
    const codes = await beginDevice(app)
    const approval = app.request(`${DEVICE}/verify`, { token, body: { user_code: codes.userCode, approve: true } })
    const [first] = await Promise.all([pollDevice(app, codes).then(outcomeOf), approval])
    expect([200, 'authorization_pending']).toContain(first)
  }
})
