// Needs a server with truly concurrent connections: TEST_DATABASE_URL.
import { beforeAll, expect, test } from 'vitest'
import { atomically, forTenant } from '#db/engine/tenant'
import { findAdministrators } from '#db/store/administrators'
import { updateUser } from '#db/store/users'
import { type AccessHouse, done, type HouseAnswer, startAccessWorld } from './access-house.ts'

const ADMIN = '/authsec/uflow/admin'
const TWENTY = Array.from({ length: 20 }, (_, at) => at)

let house: AccessHouse
beforeAll(async () => {
  house = await startAccessWorld()
})

const statuses = (answers: readonly HouseAnswer[]): Record<number, number> => {
  const counts: Record<number, number> = {}
  for (const { status } of answers) counts[status] = (counts[status] ?? 0) + 1
  return counts
}

test('of twenty concurrent roles with one name exactly one is created', async () => {
  const { admin, company } = await house.open()
  const answers = await Promise.all(TWENTY.map(() => admin('POST', `${ADMIN}/roles`, { name: 'One', permission_strings: ['users:read'] })))
  expect(statuses(answers)).toEqual({ 200: 1, 409: 19 })
  expect((await house.events(company.tenantId)).filter(({ event }) => event === 'role.created')).toHaveLength(1)
})

test('of twenty concurrent permissions with one pair, and twenty scopes with one name, exactly one is created', async () => {
  const { admin } = await house.open()
  const pairs = await Promise.all(TWENTY.map(() => admin('POST', `${ADMIN}/permissions`, { resource: 'docs', action: 'read' })))
  expect(statuses(pairs)).toEqual({ 200: 1, 409: 19 })
  const scopes = await Promise.all(
    TWENTY.map((at) =>
      at % 2 === 0 ? admin('POST', `${ADMIN}/scopes`, { scope_name: 'a:b' }) : admin('POST', `${ADMIN}/api_scopes`, { name: 'a:b' }),
    ),
  )
  expect(scopes.filter(({ status }) => status < 300)).toHaveLength(1)
  expect(scopes.filter(({ status }) => status === 409)).toHaveLength(19)
})

test('of twenty concurrent renames to one name exactly one succeeds', async () => {
  const { admin } = await house.open()
  const ids: unknown[] = []
  for (const at of TWENTY) ids.push(done(await admin('POST', `${ADMIN}/roles`, { name: `r${at}`, permission_strings: ['users:read'] })).id)
  const answers = await Promise.all(ids.map((id) => admin('PUT', `${ADMIN}/roles/${id}`, { name: 'One', permission_strings: ['users:read'] })))
  expect(statuses(answers)).toEqual({ 200: 1, 409: 19 })
})

test('twenty concurrent requests for one binding create one binding, and all return its id', async () => {
  const { admin, person, company } = await house.open()
  const { person: pat } = await person()
  const { id } = done(await admin('POST', `${ADMIN}/roles`, { name: 'Reader', permission_strings: ['users:read'] }))
  const answers = await Promise.all(TWENTY.map(() => admin('POST', `${ADMIN}/bindings`, { user_id: pat.id, role_id: id })))
  expect(statuses(answers)).toEqual({ 200: 20 })
  expect(new Set(answers.map(({ body }) => body.id)).size).toBe(1)
  expect(done(await admin('GET', `${ADMIN}/bindings?user_id=${pat.id}`))).toHaveLength(1)
  expect((await house.events(company.tenantId)).filter(({ event }) => event === 'role_binding.assigned')).toHaveLength(1)
})

test('of twenty administrators who remove each other concurrently one remains', async () => {
  const { admin, company, person } = await house.open()
  await atomically(forTenant(house.db, company.tenantId), (t) => updateUser(t, company.admin.id, { isPrimaryAdmin: false }))
  const people = [{ person: company.admin, call: admin }]
  for (const _ of TWENTY.slice(1)) people.push(await person('admin'))
  const bindings = done(await admin('GET', `${ADMIN}/bindings`)) as unknown as { id: string; user_id: string }[]
  expect(bindings).toHaveLength(20)
  const answers = await Promise.all(
    people.map(({ call }, at) => {
      const next = people[(at + 1) % people.length]?.person.id
      return call('DELETE', `${ADMIN}/bindings/${bindings.find((row) => row.user_id === next)?.id}`)
    }),
  )
  expect(answers.filter(({ status }) => ![200, 403].includes(status))).toEqual([])
  const left = await findAdministrators(forTenant(house.db, company.tenantId), 'admin', house.clock.now())
  expect(left.length).toBeGreaterThanOrEqual(1)
  expect(answers.filter(({ status }) => status === 200)).toHaveLength(20 - left.length)
})

test('of twenty bindings of the last administrator, removed concurrently, one remains', async () => {
  const { admin, company } = await house.open()
  const roles: string[] = []
  for (const at of TWENTY)
    roles.push(
      String(
        done(await admin('POST', `${ADMIN}/roles`, { name: `Chief ${at}`, permission_strings: ['admin:access', 'roles:write', 'roles:read'] })).id,
      ),
    )
  for (const role_id of roles) done(await admin('POST', `${ADMIN}/bindings`, { user_id: company.admin.id, role_id }))
  // The system role is removed directly, so that only the twenty bindings exist.
  const bindings = done(await admin('GET', `${ADMIN}/bindings`)) as unknown as { id: string; role_name: string }[]
  await atomically(forTenant(house.db, company.tenantId), async (t) => {
    await t.run({
      text: `delete from authsec.role_bindings where tenant_id = $1 and id = $2`,
      params: [t.tenantId, bindings.find((row) => row.role_name === 'admin')?.id],
      arrays: true,
    })
  })
  const chiefs = bindings.filter((row) => row.role_name !== 'admin')
  const answers = await Promise.all(chiefs.map(({ id }) => admin('DELETE', `${ADMIN}/bindings/${id}`)))
  expect(statuses(answers)).toEqual({ 200: 19, 403: 1 })
  expect(answers.find(({ status }) => status === 403)?.body.code).toBe('last_administrator')
})

test('an administrator who loses the right to grant during a grant either granted before or does not grant', async () => {
  const { admin, person } = await house.open()
  const { person: pat, call } = await person(['admin:access', 'roles:write', 'users:read'])
  const { id: role } = done(await admin('POST', `${ADMIN}/roles`, { name: 'Reader', permission_strings: ['users:read'] }))
  const [own] = done(await admin('GET', `${ADMIN}/bindings?user_id=${pat.id}`)) as unknown as { id: string }[]
  const others = await Promise.all(TWENTY.map(() => person()))
  const [revoked, ...granted] = await Promise.all([
    admin('DELETE', `${ADMIN}/bindings/${own?.id}`),
    ...others.map(({ person: { id } }) => call('POST', `${ADMIN}/bindings`, { user_id: id, role_id: role })),
  ])
  expect(revoked?.status).toBe(200)
  expect(granted.filter(({ status }) => ![200, 403].includes(status))).toEqual([])
  expect(await call('POST', `${ADMIN}/bindings`, { user_id: pat.id, role_id: role })).toMatchObject({ status: 403 })
})
