import { expect, test } from 'vitest'
import { forTenant } from '#db/engine/tenant'
import { findPeople } from '#db/store/people'
import { findUsage } from '#db/store/tenants'
import { findUserByEmail } from '#db/store/users'
import { accountRoutes } from '../../functions/account/routes.ts'
import { adminRoutes } from '../../functions/admin/routes.ts'
import { peopleRoutes } from '../../functions/people/routes.ts'
import { rolesRoutes } from '../../functions/roles/routes.ts'
import { tenantsRoutes } from '../../functions/tenants/routes.ts'
import { startApp } from '../support/app.ts'

const ADMIN = '/authsec/uflow/admin'
const house = async () => {
  const app = await startApp([...adminRoutes, ...rolesRoutes, ...tenantsRoutes, ...accountRoutes, ...peopleRoutes])
  const company = await app.company()
  return { app, company, token: await app.token(company.admin) }
}
const statuses = async (calls: readonly Promise<Response>[]): Promise<number[]> => (await Promise.all(calls)).map(({ status }) => status)

test('of twenty administrators who disable each other concurrently at least one remains, and no request fails', async () => {
  const { app, company } = await house()
  // Without a primary administrator, so that only the rule of the last administrator applies.
  const t = forTenant(app.db, company.tenantId)
  await t.run({ text: 'update authsec.users set is_primary_admin = false where tenant_id = $1', params: [company.tenantId], arrays: true })
  const people = [company.admin, ...(await Promise.all(Array.from({ length: 19 }, () => app.person(company, 'admin'))))]
  const tokens = await Promise.all(people.map((person) => app.token(person)))
  const found = await statuses(
    people.map((_, n) => {
      const target = people[(n + 1) % people.length]
      const body = { tenant_id: company.tenantId, user_id: target?.id, active: false }
      return app.request(`${ADMIN}/users/active`, { token: tokens[n] ?? '', body })
    }),
  )
  for (const status of found) expect([200, 401, 403, 400]).toContain(status)
  const active = (
    await findPeople(
      t,
      people.map(({ id }) => id),
    )
  ).filter((person) => person.active)
  expect(active.length).toBeGreaterThan(0)
  expect((await findUsage(t)).get('inactive_users')).toBe(20 - active.length)
})

test('the only administrator is not disabled by any of twenty requests', async () => {
  const { app, company, token } = await house()
  const t = forTenant(app.db, company.tenantId)
  await app.person(company)
  await t.run({ text: 'update authsec.users set is_primary_admin = false where tenant_id = $1', params: [company.tenantId], arrays: true })
  const body = { tenant_id: company.tenantId, user_id: company.admin.id, active: false }
  const found = await statuses(Array.from({ length: 20 }, () => app.request(`${ADMIN}/users/active`, { token, body })))
  expect(new Set(found)).toEqual(new Set([403]))
  expect(await findUserByEmail(t, company.admin.email)).toMatchObject({ active: true })
})

test('an invitation is either cancelled or accepted, never both and never neither', async () => {
  const { app, company, token } = await house()
  for (let round = 0; round < 8; round++) {
    const email = `guest${round}@${company.name}.example`
    const { user_id } = await (await app.request(`${ADMIN}/invite`, { token, body: { email, username: email } })).json()
    const ticket = /#ticket=([\w.-]+)/.exec((await app.mailsTo(email)).at(-1)?.text ?? '')?.[1]
    const [accepted, ...cancelled] = await statuses([
      app.request('/account/set-password', { body: { ticket, new_password: 'violet-anchors-hum-quietly' } }),
      ...Array.from({ length: 4 }, () => app.request(`${ADMIN}/invite/cancel`, { token, body: { user_id } })),
    ])
    const user = await findUserByEmail(forTenant(app.db, company.tenantId), email)
    expect([204, 400]).toContain(accepted)
    expect(cancelled.every((status) => [200, 400, 404].includes(status))).toBe(true)
    expect(cancelled.filter((status) => status === 200)).toHaveLength(accepted === 204 ? 0 : 1)
    expect(user === undefined).toBe(accepted !== 204)
  }
})

test('concurrent requests create one group per name and one invitation per address and user name', async () => {
  const { app, company, token } = await house()
  const groups = await Promise.all(
    Array.from({ length: 20 }, () =>
      app.request(`${ADMIN}/groups`, { token, body: { tenant_id: company.tenantId, groups: ['crew'] } }).then((r) => r.json()),
    ),
  )
  expect(new Set(groups.map((made) => made.groups[0].id)).size).toBe(1)
  const email = `one@${company.name}.example`
  const same = await statuses(Array.from({ length: 20 }, (_, n) => app.request(`${ADMIN}/invite`, { token, body: { email, username: `u${n}` } })))
  expect(same.toSorted()).toEqual([201, ...Array(19).fill(409)])
  const names = await statuses(
    Array.from({ length: 20 }, (_, n) =>
      app.request(`${ADMIN}/invite`, { token, body: { email: `n${n}@${company.name}.example`, username: 'the-one' } }),
    ),
  )
  expect(names.toSorted()).toEqual([201, ...Array(19).fill(409)])
  expect((await findUsage(forTenant(app.db, company.tenantId))).get('users')).toBe(3)
})

test('the same file imported ten times concurrently adds each person once', async () => {
  const { app, company, token } = await house()
  const csv = `email,external_id\n${Array.from({ length: 300 }, (_, n) => `p${n}@${company.name}.example,x${n}`).join('\n')}\n`
  const answers = await Promise.all(
    Array.from({ length: 10 }, () =>
      app.request('/people/import', { method: 'POST', token, body: csv, headers: { 'content-type': 'text/csv' } }).then((r) => r.json()),
    ),
  )
  const created = answers.reduce((sum, { counts }) => sum + counts.created, 0)
  expect(created).toBe(300)
  expect(answers.every(({ counts }) => counts.refused === 0)).toBe(true)
  expect((await findUsage(forTenant(app.db, company.tenantId))).get('users')).toBe(301)
})
