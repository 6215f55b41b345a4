// Twenty at once on one grant: one token, one decision.
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
const told = async (response: Response): Promise<unknown> => (await bodyOf(response)).error ?? response.status

test('twenty polls with one device code: one token, nineteen are told that it is gone', async () => {
  const app = await startApp(deviceRoutes)
  const company = await app.company()
  const person = await app.person(company)
  const codes = await beginDeviceOf(app, company)
  await verifyDevice(app, person, codes.userCode)
  const t = forTenant(app.db, company.tenantId)
  const before = (await findSessions(t, person.id, app.clock.now())).length
  expect(tally(await twenty(async () => told(await pollDevice(app, codes, company.clientId))))).toEqual({ 200: 1, expired_token: 19 })
  expect(await findSessions(t, person.id, app.clock.now())).toHaveLength(before + 1)
})

test('twenty decisions of two tenants on a grant that is nobody\u2019s: one counts, and the device belongs to it', async () => {
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

test('twenty decisions of two people on a client\u2019s grant: one counts, and it alone is in the record', async () => {
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

test('a poll that runs into the approval is told to wait or gets the token, never that the code is gone', async () => {
  const app = await startApp(deviceRoutes)
  const company = await app.company()
  const token = await app.token(company.admin)
  for (let round = 0; round < 10; round++) {
    const codes = await beginDevice(app)
    const approval = app.request(`${DEVICE}/verify`, { token, body: { user_code: codes.userCode, approve: true } })
    const [first] = await Promise.all([pollDevice(app, codes).then(told), approval])
    expect([200, 'authorization_pending']).toContain(first)
  }
})
