// Administration of people: lists, status and deletion.
import { expect, test } from 'vitest'
import { atomically, directory, forTenant } from '#db/engine/tenant'
import { findAdministeredTenants, findUser, updateUser } from '#db/store/users'
import { emailHash } from '#shared/platform/crypto/email-hash'
import { type Company, startApp, type TestApp } from '#tests/support/app'
import { tenantsRoutes } from '../tenants/routes.ts'
import { adminRoutes } from './routes.ts'

const BASE = '/authsec/uflow/admin'
const STRONG = ['pwd', 'otp', 'mfa']

const start = async () => {
  const app = await startApp([...adminRoutes, ...tenantsRoutes] as never)
  const company = await app.company()
  const admin = await app.token(company.admin)
  return { app, company, admin }
}
const codeOf = async (response: Response): Promise<unknown> => ({ status: response.status, code: (await response.json()).code })
const setActive = (app: TestApp, company: Company, token: string, userId: string, active: unknown): Promise<Response> =>
  app.request(`${BASE}/users/active`, { token, body: { tenant_id: company.tenantId, user_id: userId, active } })

test('the list of administrators has everyone with admin:access, regardless of the name of the role, and changes nothing', async () => {
  const { app, company, admin } = await start()
  const other = await app.person(company, ['admin:access'])
  await app.person(company, ['users:read'])
  const events = (await app.events(company.tenantId)).length
  for (const call of [{}, { body: {} }]) {
    const answer = await app.request(`${BASE}/users/list`, { token: admin, ...call })
    expect(answer.status).toBe(200)
    const text = await answer.text()
    expect(text).not.toMatch(/hash|argon2/i)
    const { users } = JSON.parse(text)
    expect(users.map(({ id }: { id: string }) => id).toSorted()).toEqual([company.admin.id, other.id].toSorted())
    expect(users.find(({ id }: { id: string }) => id === company.admin.id)).toMatchObject({
      is_primary_admin: true,
      pending: false,
      accepted_invite: true,
      roles: [{ name: 'admin' }],
    })
  }
  expect((await app.events(company.tenantId)).length).toBe(events)
  const paged = await app.request(`${BASE}/users/list`, { token: admin, body: { page: 2, limit: 1 } })
  expect((await paged.json()).users).toHaveLength(1)
})

test('disabling a person ends their sessions and removes them from sign-in; enabling restores sign-in', async () => {
  const { app, company, admin } = await start()
  const other = await app.person(company, 'admin')
  const token = await app.token(other)
  expect((await app.request(`${BASE}/users/list`, { token })).status).toBe(200)
  const disabled = await setActive(app, company, admin, other.id, 'FALSE')
  expect(await disabled.json()).toEqual({ message: 'User deactivated', user_id: other.id, active: false })
  expect((await app.request(`${BASE}/users/list`, { token })).status).toBe(401)
  expect(await findAdministeredTenants(directory(app.db), emailHash(app.ctx, other.email))).toEqual([])
  expect(await app.mailsTo(other.email)).toHaveLength(1)
  const event = { event: 'user.deactivated', targetId: other.id, subjectId: other.id }
  expect(await app.events(company.tenantId)).toContainEqual(expect.objectContaining(event))
  expect((await setActive(app, company, admin, other.id, 1)).status).toBe(200)
  expect(await findAdministeredTenants(directory(app.db), emailHash(app.ctx, other.email))).toEqual([company.tenantId])
  // The session from before stays ended.
  expect((await app.request(`${BASE}/users/list`, { token })).status).toBe(401)
})

test('the primary administrator cannot be disabled or deleted on any path, and each attempt is in the audit log', async () => {
  const { app, company } = await start()
  const other = await app.token(await app.person(company, 'admin'))
  const id = company.admin.id
  const calls: readonly [string, Parameters<TestApp['request']>[1]][] = [
    ['users/active', { body: { tenant_id: company.tenantId, user_id: id, active: false } }],
    ['enduser/active', { body: { tenant_id: company.tenantId, user_id: id, active: false } }],
    [`users/${id}`, { method: 'DELETE' }],
    [`users/delete_all/${id}`, { method: 'DELETE' }],
  ]
  for (const [path, call] of calls) {
    expect(await codeOf(await app.request(`${BASE}/${path}`, { ...call, token: other })), path).toEqual({
      status: 403,
      code: 'primary_administrator',
    })
  }
  expect(await findUser(forTenant(app.db, company.tenantId), id)).toMatchObject({ active: true })
  const refusals = (await app.events(company.tenantId)).filter(({ reason }) => reason === 'primary_administrator')
  expect(refusals).toHaveLength(calls.length)
})

test('enabling a person needs the permissions that the person gets back', async () => {
  const { app, company, admin } = await start()
  const other = await app.person(company, 'admin')
  await setActive(app, company, admin, other.id, false)
  const helper = await app.token(await app.person(company, ['admin:access', 'users:active']))
  expect(await codeOf(await setActive(app, company, helper, other.id, true))).toEqual({ status: 403, code: 'cannot_grant' })
  expect(await findUser(forTenant(app.db, company.tenantId), other.id)).toMatchObject({ active: false })
})

test('permanent deletion removes everything that belongs to the person and frees the quota', async () => {
  const { app, company, admin } = await start()
  const pat = await app.person(company)
  await app.token(pat)
  const list = () => app.request(`${BASE}/enduser/list`, { token: admin, body: { tenant_id: company.tenantId } }).then((r) => r.json())
  expect((await list()).total).toBe(2)
  const mismatch = await app.request(`${BASE}/users/delete_all/${pat.id}`, { method: 'DELETE', token: admin, body: { user_id: company.admin.id } })
  expect(await codeOf(mismatch)).toEqual({ status: 400, code: 'invalid_request' })
  const answer = await app.request(`${BASE}/users/delete_all/${pat.id}`, { method: 'DELETE', token: admin })
  expect(await answer.json()).toMatchObject({ user_id: pat.id, deleted_counts: { sessions: 1, users: 1 } })
  expect(await findUser(forTenant(app.db, company.tenantId), pat.id)).toBeUndefined()
  const after = await list()
  expect(after.total).toBe(1)
  expect(after.users).toHaveLength(1)
  expect(await codeOf(await app.request(`${BASE}/users/delete_all/${pat.id}`, { method: 'DELETE', token: admin }))).toEqual({
    status: 404,
    code: 'not_found',
  })
})

test('deleting keeps the row, disabled', async () => {
  const { app, company, admin } = await start()
  const pat = await app.person(company)
  expect((await app.request(`${BASE}/users/${pat.id}`, { method: 'DELETE', token: admin })).status).toBe(200)
  expect(await findUser(forTenant(app.db, company.tenantId), pat.id)).toMatchObject({ active: false, deletedAt: null })
  expect(await app.events(company.tenantId)).toContainEqual(expect.objectContaining({ event: 'user.deleted', targetId: pat.id }))
})

test('people are listed by provider and client, by any part of name or address, and by cursor', async () => {
  const { app, company, admin } = await start()
  for (let n = 0; n < 3; n++) {
    app.clock.advance(1)
    await app.person(company)
  }
  const token = await app.token(company.admin)
  const list = async (more: object) => (await app.request(`${BASE}/enduser/list`, { token, body: { tenant_id: company.tenantId, ...more } })).json()
  expect((await list({ provider: 'local' })).users).toMatchObject([
    { first_name: 'Ada', last_name: 'Admin', status: 'active', roles: [{ name: 'admin' }] },
  ])
  expect((await list({ client_id: company.clientId })).total).toBe(4)
  expect((await list({ search: 'PERSON-' })).total).toBe(3)
  const first = await list({ limit: 2 })
  const second = await list({ limit: 2, cursor: first.next_cursor })
  const ids = [...first.users, ...second.users].map(({ id }: { id: string }) => id)
  expect(new Set(ids).size).toBe(4)
  expect(first).toMatchObject({ total: 4, page: 1, limit: 2 })
  expect((await app.request(`${BASE}/tenants/${company.tenantId}/users`, { token: admin })).status).toBe(200)
})

test('an administrator of another tenant is refused before any lookup', async () => {
  const { app, company } = await start()
  const stranger = await app.token((await app.company('globex')).admin, STRONG)
  expect(await codeOf(await setActive(app, company, stranger, company.admin.id, false))).toEqual({ status: 403, code: 'tenant_mismatch' })
})

test('the last active person and the last administrator cannot be disabled or deleted', async () => {
  const { app, company, admin } = await start()
  await atomically(forTenant(app.db, company.tenantId), (t) => updateUser(t, company.admin.id, { isPrimaryAdmin: false }))
  expect(await codeOf(await setActive(app, company, admin, company.admin.id, false))).toMatchObject({ code: 'last_active_user' })
  await app.person(company)
  // Another person exists now, but no other administrator.
  expect(await codeOf(await setActive(app, company, admin, company.admin.id, false))).toEqual({ status: 403, code: 'last_administrator' })
  const gone = await app.request(`${BASE}/users/delete_all/${company.admin.id}`, { method: 'DELETE', token: admin })
  expect(await codeOf(gone)).toEqual({ status: 403, code: 'last_administrator' })
  expect(await findUser(forTenant(app.db, company.tenantId), company.admin.id)).toMatchObject({ active: true })
})
