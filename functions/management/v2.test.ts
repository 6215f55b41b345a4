// uflow/v2: administrators and end users on the paths of the newer administration UI.
import { beforeAll, expect, test } from 'vitest'
import { atomically, forTenant } from '#db/engine/tenant'
import { findUser } from '#db/store/users'
import { putBinding, putGroup, putRole } from '#db/testing/access'
import { type Company, startApp, type TestApp } from '#tests/support/app'
import { managementRoutes } from './routes.ts'

let app: TestApp
let company: Company
let token: string
beforeAll(async () => {
  app = await startApp(managementRoutes)
  company = await app.company()
  token = await app.token(company.admin)
})

const send = async (method: string, path: string, body?: unknown, as = token) => {
  const response = await app.request(`/authsec/uflow/v2${path}`, { method, token: as, ...(body === undefined ? {} : { body }) })
  const text = await response.text()
  return { status: response.status, body: text === '' ? undefined : JSON.parse(text) }
}
const tenant = () => `/tenants/${company.tenantId}`

test('memberships: a person becomes an administrator, is suspended, reactivated, and leaves', async () => {
  const at = `${tenant()}/memberships`
  const pat = await app.person(company)
  expect((await send('GET', at)).body).toMatchObject({ count: 1, items: [{ user_id: company.admin.id, membership_type: 'owner', status: 'active' }] })
  expect(await send('POST', at, { user_id: pat.id, membership_type: 'admin' })).toMatchObject({
    status: 201,
    body: { id: pat.id, user_email: pat.email, membership_type: 'admin', status: 'active' },
  })
  expect((await send('POST', at, { user_id: pat.id, membership_type: 'member' })).status).toBe(400)
  expect((await send('PATCH', `${at}/${pat.id}`, { status: 'suspended' })).body).toMatchObject({ status: 'suspended' })
  expect((await send('GET', `${at}?status=suspended`)).body).toMatchObject({ count: 1, items: [{ user_id: pat.id }] })
  expect((await send('PATCH', `${at}/${pat.id}`, { status: 'active' })).body).toMatchObject({ status: 'active' })
  expect((await send('PATCH', `${at}/${pat.id}`, { status: 'left' })).body).toMatchObject({ status: 'left' })
  expect((await send('DELETE', `${at}/${pat.id}`)).status).toBe(404)
  expect(await send('DELETE', `${at}/${company.admin.id}`)).toMatchObject({ status: 403, body: { code: 'last_administrator' } })
  expect(await findUser(forTenant(app.db, company.tenantId), pat.id)).toMatchObject({ active: true })
})

test('only a holder of the administrator role makes others administrators', async () => {
  const at = `${tenant()}/memberships`
  const pat = await app.person(company)
  const manager = await app.token(await app.person(company, ['admin:access', 'roles:write', 'users:active', 'users:read']))
  const before = await app.events(company.tenantId, { event: 'role_binding.assigned' })
  expect(await send('POST', at, { user_id: pat.id }, manager)).toMatchObject({ status: 403, body: { code: 'cannot_grant' } })
  expect(await send('PATCH', `${at}/${company.admin.id}`, { status: 'suspended' }, manager)).toMatchObject({ status: 403 })
  expect((await send('DELETE', `${at}/${company.admin.id}`, undefined, manager)).status).toBe(403)
  expect((await app.events(company.tenantId, { event: 'role_binding.assigned' })).filter(({ outcome }) => outcome === 'success')).toEqual(
    before.filter(({ outcome }) => outcome === 'success'),
  )
})

test('end users are listed, read, suspended and reactivated; a suspended person has no session left', async () => {
  const at = `${tenant()}/end-users`
  const pat = await app.person(company)
  const session = await app.token(pat)
  expect((await send('GET', `${at}?q=${encodeURIComponent(pat.email)}`)).body).toMatchObject({
    count: 1,
    items: [{ user_id: pat.id, status: 'active' }],
  })
  expect((await send('POST', `${at}/${pat.id}/suspend`, { reason: 'left' })).body).toMatchObject({ user_id: pat.id, status: 'suspended' })
  await expect(app.ctx.principals.resolve(session)).rejects.toMatchObject({ code: 'invalid_token' })
  expect((await send('GET', `${at}/${pat.id}`)).body).toMatchObject({ status: 'suspended', applications_count: 0 })
  expect((await send('POST', `${at}/${pat.id}/reactivate`)).body).toMatchObject({ status: 'active' })
  expect((await send('PATCH', `${at}/${pat.id}`, { status: 'suspended' })).body).toMatchObject({ status: 'suspended' })
  expect((await send('PATCH', `${at}/${pat.id}`, {})).status).toBe(400)
  expect((await app.events(company.tenantId, { targetId: pat.id })).map(({ event }) => event).filter((event) => event !== 'user.signed_in')).toEqual([
    'user.deactivated',
    'user.activated',
    'user.deactivated',
  ])
})

test('a group gets a role, and effective access names the bindings of a person and of the groups', async () => {
  const pat = await app.person(company)
  const t = forTenant(app.db, company.tenantId)
  const at = app.clock.now()
  const [crew, mine, theirs] = await atomically(t, async (tx) => [
    await putGroup(tx, 'crew', [pat.id], at),
    await putRole(tx, 'Mine', ['users:read'], at),
    await putRole(tx, 'Theirs', ['users:read'], at),
  ])
  const own = await atomically(t, (tx) => putBinding(tx, mine ?? '', { userId: pat.id }, at))
  expect(await send('POST', `/groups/${crew}/role-bindings`, { tenant_id: company.tenantId, role_id: theirs })).toMatchObject({
    status: 200,
    body: { status: 'active', role_name: 'Theirs' },
  })
  expect((await send('POST', `/groups/${app.ctx.random.id()}/role-bindings`, { role_id: theirs })).status).toBe(404)
  expect((await send('POST', `/groups/${crew}/role-bindings`, { role_id: theirs, scope_type: 'project' })).status).toBe(400)
  const { body } = await send('GET', `/users/${pat.id}/effective-access`)
  expect(body.count).toBe(2)
  expect(body.items).toEqual(
    expect.arrayContaining([
      expect.objectContaining({ binding_id: own, role_name: 'Mine', subject: 'user', subject_id: pat.id }),
      expect.objectContaining({ role_name: 'Theirs', subject: 'group', subject_id: crew }),
    ]),
  )
})
