import { beforeAll, describe, expect, test } from 'vitest'
import { atomically, forTenant, SYSTEM_TENANT } from '#db/engine/tenant'
import { findLiveRoleNames } from '#db/store/bindings'
import { findTenant } from '#db/store/tenants'
import { findUser } from '#db/store/users'
import { putRole } from '#db/testing/access'
import { type Company, type Person, startApp, type TestApp } from '#tests/support/app'
import { bodyOf, textIn } from '#tests/support/sign-in'
import { platformAdministrator } from '../../tests/seeds/seeds.ts'
import { managementRoutes } from './routes.ts'

const BASE = '/authsec/hmgr/admin'
let app: TestApp
let company: Company
let other: Company
let token: string
beforeAll(async () => {
  app = await startApp(managementRoutes)
  company = await app.company()
  other = await app.company('globex')
  token = await app.token(company.admin)
})

type Call = { readonly method?: string; readonly body?: unknown; readonly by?: string }
const call = async (path: string, { by = token, ...call }: Call = {}) => {
  const response = await app.request(`${BASE}${path}`, { token: by, ...call } as Parameters<TestApp['request']>[1])
  return { status: response.status, body: await bodyOf(response) }
}
const t = (of: Company = company) => forTenant(app.db, of.tenantId)
const last = async (event: string, of: Company = company) => (await app.events(of.tenantId, { event }))[0]
const successes = async (of: Company = company) => (await app.events(of.tenantId)).filter(({ outcome }) => outcome === 'success').length
const newRole = (permissions: string[], of: Company = company): Promise<string> =>
  atomically(t(of), (tx) => putRole(tx, `role-${app.ctx.random.id()}`, permissions, app.clock.now()))

describe('people', () => {
  test('are listed for the caller\u2019s tenant only', async () => {
    const [one, foreign] = [await app.person(company), await app.person(other)]
    const { status, body } = await call('/users')
    const ids = (body.users as readonly { readonly id: string }[]).map(({ id }) => id)
    expect([status, typeof body.message, ids.includes(one.id), ids.includes(foreign.id)]).toEqual([200, 'string', true, false])
    expect((await call(`/users?search=${one.email}`)).body).toMatchObject({ total: 1, users: [{ id: one.id, email: one.email }] })
    expect(await call('/users?limit=1')).toMatchObject({ status: 200, body: { limit: 1, next_cursor: expect.any(String) } })
  })

  test('are invited, with roles that the inviter may grant', async () => {
    const email = `new-${app.ctx.random.id()}@acme.example`
    const invited = await call('/users', { body: { email, username: 'newcomer' } })
    expect(invited).toMatchObject({ status: 201, body: { message: 'User invited', user_id: expect.any(String) } })
    expect(JSON.stringify(invited.body)).not.toContain('password')
    expect((await app.mailsTo(email)).length).toBe(1)
    expect(await last('user.invited')).toMatchObject({ actorId: company.admin.id })
    expect(await call('/users', { body: { email, username: 'another' } })).toMatchObject({ status: 409, body: { code: 'email_taken' } })
    const weak = await app.token(await app.person(company, ['admin:access', 'admin:manage', 'users:write']))
    const before = await successes()
    const refused = await call('/users', { by: weak, body: { email: `x-${email}`, username: 'x' } })
    expect(refused).toMatchObject({ status: 403, body: { code: 'cannot_grant' } })
    expect(await successes()).toBe(before)
  })

  test('are changed and disabled, except the last administrator and the last active user', async () => {
    const person = await app.person(company)
    const changed = await call(`/users/${person.id}`, { method: 'PUT', body: { name: 'Pia Person' } })
    expect(changed).toEqual({ status: 200, body: { message: 'User updated', user_id: person.id } })
    expect((await findUser(t(), person.id))?.name).toBe('Pia Person')
    expect(await last('user.updated')).toMatchObject({ targetId: person.id })
    expect(await call(`/users/${person.id}`, { method: 'PUT', body: { email: company.admin.email } })).toMatchObject({
      status: 409,
      body: { code: 'email_taken' },
    })
    expect(await call(`/users/${person.id}`, { method: 'DELETE' })).toEqual({ status: 200, body: { message: 'User deleted', user_id: person.id } })
    expect((await findUser(t(), person.id))?.active).toBe(false)
    expect(await last('user.deleted')).toMatchObject({ targetId: person.id })
    expect(await call(`/users/${company.admin.id}`, { method: 'DELETE' })).toMatchObject({ status: 403, body: { code: 'primary_administrator' } })
  })

  test('have their address changed only by a caller who holds all their rights, because that is taking over the account', async () => {
    const weak = await app.token(await app.person(company, ['admin:access', 'admin:manage', 'users:write']))
    const moved = await call(`/users/${company.admin.id}`, { method: 'PUT', by: weak, body: { email: 'evil@evil.example' } })
    expect(moved).toMatchObject({ status: 403, body: { code: 'cannot_grant' } })
    expect((await findUser(t(), company.admin.id))?.email).toBe(company.admin.email)
  })
})

describe('roles of a person', () => {
  test('are assigned for the whole tenant and removed in every scope', async () => {
    const [person, role] = [await app.person(company), await newRole(['users:read'])]
    const path = `/users/${person.id}/roles`
    const given = await call(path, { body: { role_id: role } })
    expect(given).toEqual({ status: 200, body: { message: 'Role assigned', user_id: person.id, role_id: role } })
    expect(await findLiveRoleNames(t(), person.id, app.clock.now())).toHaveLength(1)
    expect(await last('role_binding.assigned')).toMatchObject({ actorId: company.admin.id })
    const taken = await call(`${path}/${role}`, { method: 'DELETE' })
    expect(taken).toEqual({ status: 200, body: { message: 'Role removed', user_id: person.id, role_id: role } })
    expect(await findLiveRoleNames(t(), person.id, app.clock.now())).toEqual([])
    expect(await last('role_binding.revoked')).toMatchObject({ actorId: company.admin.id })
    expect(await call(`${path}/${role}`, { method: 'DELETE' })).toMatchObject({ status: 404, body: { code: 'not_found' } })
  })

  test('require their permissions, stay within the tenant, and the last administrator stays', async () => {
    const [person, foreign] = [await app.person(company), await app.person(other)]
    const [role, foreignRole] = [await newRole(['billing:write']), await newRole(['users:read'], other)]
    const weak = await app.token(await app.person(company, ['admin:access', 'admin:manage', 'roles:write']))
    const before = await successes()
    expect(await call(`/users/${person.id}/roles`, { by: weak, body: { role_id: role } })).toMatchObject({
      status: 403,
      body: { code: 'cannot_grant' },
    })
    for (const [user, of] of [
      [foreign.id, role],
      [person.id, foreignRole],
      [app.ctx.random.id(), role],
    ])
      expect(await call(`/users/${user}/roles`, { body: { role_id: of } })).toMatchObject({ status: 404, body: { code: 'not_found' } })
    const admin = (await call('/roles?limit=1000')).body.roles as readonly { readonly id: string; readonly name: string }[]
    const system = admin.find(({ name }) => name === 'admin')?.id ?? ''
    expect(await call(`/users/${company.admin.id}/roles/${system}`, { method: 'DELETE' })).toMatchObject({ body: { code: 'last_administrator' } })
    expect(await successes()).toBe(before)
  })
})

describe('roles and permissions', () => {
  test('are listed, created, changed and deleted', async () => {
    const name = `role-${app.ctx.random.id()}`
    const made = await call('/roles', { body: { name, permission_strings: ['users:read'] } })
    expect(made).toMatchObject({ status: 201, body: { message: 'Role created', role_id: expect.any(String) } })
    const id = textIn(made.body, 'role_id')
    expect((await call('/roles?limit=1000')).body).toMatchObject({ roles: expect.arrayContaining([expect.objectContaining({ id, name })]) })
    expect(await call('/roles', { body: { name, permission_strings: ['users:read'] } })).toMatchObject({ status: 409, body: { code: 'role_exists' } })
    const body = { name: `${name}-2`, permission_strings: ['users:read'] }
    expect(await call(`/roles/${id}`, { method: 'PUT', body })).toEqual({ status: 200, body: { message: 'Role updated', role_id: id } })
    expect(await call(`/roles/${id}`, { method: 'DELETE' })).toEqual({ status: 200, body: { message: 'Role deleted', role_id: id } })
    for (const event of ['role.created', 'role.updated', 'role.deleted']) expect(await last(event)).toMatchObject({ actorId: company.admin.id })
    const action = `a${app.ctx.random.id().slice(-6)}`
    const permission = await call('/permissions', { body: { resource: 'reports', action } })
    expect(permission).toMatchObject({ status: 201, body: { message: 'Permission registered', permission_id: expect.any(String) } })
    expect(await call('/permissions', { body: { resource: 'reports', action } })).toMatchObject({ status: 409, body: { code: 'permission_exists' } })
    expect((await call('/permissions?resource=reports&limit=1000')).body).toMatchObject({
      permissions: expect.arrayContaining([expect.objectContaining({ full_permission_string: `reports:${action}` })]),
    })
  })

  test('of the system stay, and no caller creates a role with more permissions than they hold', async () => {
    const weak = await app.token(await app.person(company, ['admin:access', 'admin:manage', 'roles:write', 'roles:read']))
    const before = await successes()
    const body = { name: `big-${app.ctx.random.id()}`, permission_strings: ['users:delete'] }
    expect(await call('/roles', { by: weak, body })).toMatchObject({ status: 403, body: { code: 'cannot_grant' } })
    const roles = (await call('/roles?limit=1000')).body.roles as readonly { readonly id: string; readonly name: string }[]
    const system = roles.find(({ name }) => name === 'admin')?.id ?? ''
    expect((await call(`/roles/${system}`, { method: 'DELETE' })).body.code).toBe('system_role')
    expect((await call(`/roles/${system}`, { method: 'PUT', body })).body.code).toBe('system_role')
    expect(await call('/roles', { body: { name: 'x' } })).toMatchObject({ status: 400, body: { code: 'invalid_request' } })
    expect(await successes()).toBe(before)
  })
})

describe('tenants', () => {
  test('are seen and changed by their own administrators; another tenant is not found', async () => {
    expect((await call('/tenants')).body).toMatchObject({ message: 'Tenants', tenants: [{ tenant_id: company.tenantId }] })
    const name = `Acme ${app.ctx.random.id()}`
    const changed = await call(`/tenants/${company.tenantId}`, { method: 'PUT', body: { name } })
    expect(changed).toEqual({ status: 200, body: { message: 'Tenant updated', tenant_id: company.tenantId } })
    expect((await findTenant(t()))?.name).toBe(name)
    expect(await last('tenant.updated')).toMatchObject({ targetId: company.tenantId })
    const before = [await findTenant(t(other)), await successes(other)]
    for (const [method, body] of [
      ['PUT', { name: 'Evil' }],
      ['DELETE', undefined],
    ] as const)
      expect(await call(`/tenants/${other.tenantId}`, { method, ...(body === undefined ? {} : { body }) })).toMatchObject({
        status: 403,
        body: { code: 'tenant_mismatch' },
      })
    expect([await findTenant(t(other)), await successes(other)]).toEqual(before)
    expect(await call(`/tenants/${company.tenantId}`, { method: 'PUT', body: { status: 'suspended' } })).toMatchObject({ status: 403 })
  })

  test('are created by the platform and closed by their own administrators', async () => {
    const platform = await app.token(await platformAdministrator(app))
    const email = `boss-${app.ctx.random.id()}@initech.example`
    const body = { email, username: 'boss', password: 'seven purple lanterns over water', name: 'Initech' }
    expect(await call('/tenants', { body })).toMatchObject({ status: 403, body: { code: 'insufficient_scope' } })
    const made = await call('/tenants', { by: platform, body })
    expect(made).toMatchObject({ status: 201, body: { message: 'Tenant created', tenant_id: expect.any(String) } })
    const again = await call('/tenants', { by: platform, body: { ...body, email: company.admin.email } })
    expect(again).toMatchObject({ status: 409, body: { code: 'tenant_exists' } })
    const leaving = await app.company('leaving')
    const closed = await call(`/tenants/${leaving.tenantId}`, { method: 'DELETE', by: await app.token(leaving.admin) })
    expect(closed).toMatchObject({ status: 200, body: { tenant_id: leaving.tenantId, status: 'deleting' } })
    expect((await findTenant(t(leaving)))?.status).toBe('deleting')
    expect(await last('tenant.deletion_scheduled', leaving)).toBeDefined()
    expect(await call(`/tenants/${SYSTEM_TENANT}`, { method: 'DELETE', by: platform })).toMatchObject({ status: 403 })
  })
})

describe('the caller\u2019s own profile', () => {
  test('is read and changed by every person, except the address and values that another person has', async () => {
    const person: Person = await app.person(company)
    const by = await app.token(person)
    expect((await call('/profile', { by })).body).toMatchObject({ message: expect.any(String), profile: { id: person.id, email: person.email } })
    expect(await call('/profile', { by, method: 'PUT', body: { name: 'Pat Again' } })).toEqual({ status: 200, body: { message: 'Profile updated' } })
    expect((await findUser(t(), person.id))?.name).toBe('Pat Again')
    expect(await last('user.updated')).toMatchObject({ actorId: person.id, targetId: person.id })
    expect(await call('/profile', { by, method: 'PUT', body: { email: 'other@acme.example' } })).toMatchObject({
      status: 403,
      body: { code: 'forbidden' },
    })
    const username = `taken-${app.ctx.random.id()}`
    await call(`/users/${(await app.person(company)).id}`, { method: 'PUT', body: { username } })
    expect(await call('/profile', { by, method: 'PUT', body: { username } })).toMatchObject({ status: 409, body: { code: 'username_taken' } })
    expect(await call('/users', { by })).toMatchObject({ status: 403, body: { error: 'insufficient_scope' } })
  })
})
