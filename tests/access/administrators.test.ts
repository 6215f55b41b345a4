import { beforeAll, describe, expect, test } from 'vitest'
import { atomically, directory, forTenant, SYSTEM_TENANT } from '#db/engine/tenant'
import { setUserActive } from '#db/store/people'
import { updateTenantSettings } from '#db/store/tenants'
import { findAdministeredTenants, updateUser } from '#db/store/users'
import { putGroup, putServiceAccount } from '#db/testing/access'
import { grantorPermissions } from '#shared/domains/authority/access-change'
import { ensurePlatformAdministrator } from '#shared/domains/tenancy/system-tenant'
import { emailHash } from '#shared/platform/crypto/email-hash'
import { type AccessHouse, bindingsOf, done, roleOf, SIDES, startAccessWorld, systemRole } from './access-house.ts'

let house: AccessHouse
beforeAll(async () => {
  house = await startAccessWorld()
})

describe.each(SIDES)('%s', (_, { rbac }) => {
  test('holding every permission of the system role is not holding the system role', async () => {
    const { admin, person } = await house.open()
    const all = done(await admin('GET', `${rbac}/permissions`)) as unknown as { full_permission_string: `${string}:${string}` }[]
    const { person: pat, call } = await person(all.map((row) => row.full_permission_string))
    const system = await systemRole(admin, rbac)
    expect(await call('POST', `${rbac}/bindings`, { user_id: pat.id, role_id: system })).toMatchObject({
      status: 403,
      body: { code: 'cannot_grant' },
    })
    expect(await admin('POST', `${rbac}/bindings`, { user_id: pat.id, role_id: system })).toMatchObject({ status: 200 })
  })

  test('the first and the last administrator cannot lose the administration', async () => {
    const { admin, company, person } = await house.open()
    const [own] = await bindingsOf(admin, rbac, company.admin.id)
    const kept = { status: 403, body: { code: 'last_administrator' } }
    expect(await admin('DELETE', `${rbac}/bindings/${own?.id}`)).toMatchObject(kept)
    const { person: second } = await person('admin')
    expect(await admin('DELETE', `${rbac}/bindings/${own?.id}`)).toMatchObject(kept)
    await atomically(forTenant(house.db, company.tenantId), (t) => updateUser(t, company.admin.id, { isPrimaryAdmin: false }))
    const [other] = await bindingsOf(admin, rbac, second.id)
    expect(await admin('DELETE', `${rbac}/bindings/${other?.id}`)).toMatchObject({ status: 200 })
    expect(await admin('DELETE', `${rbac}/bindings/${own?.id}`)).toMatchObject(kept)
    // A disabled administrator, or one with an expiring binding, does not count as a remaining administrator.
    const { person: third } = await person()
    const system = await systemRole(admin, rbac)
    const until = new Date(house.clock.now().getTime() + 3600_000).toISOString()
    done(await admin('POST', `${rbac}/bindings`, { user_id: third.id, role_id: system, expires_at: until }))
    const { person: fourth } = await person('admin')
    await atomically(forTenant(house.db, company.tenantId), (t) => setUserActive(t, fourth.id, false, house.clock.now()))
    expect(await admin('DELETE', `${rbac}/bindings/${own?.id}`)).toMatchObject(kept)
    expect(await bindingsOf(admin, rbac, company.admin.id)).toEqual([own])
  })

  test('the last administrator through a custom role is kept when that role shrinks or is deleted', async () => {
    const { admin, company, person } = await house.open()
    const { person: boss, call } = await person('admin')
    const role = await roleOf(admin, rbac, 'Chief', 'admin:access', 'roles:write', 'roles:read')
    const [own] = await bindingsOf(call, rbac, company.admin.id)
    done(await admin('POST', `${rbac}/bindings`, { user_id: company.admin.id, role_id: role }))
    // The role chief keeps the first administrator in administration, but not in the system role.
    expect(await call('DELETE', `${rbac}/bindings/${own?.id}`)).toMatchObject({ status: 403 })
    await atomically(forTenant(house.db, company.tenantId), async (t) => {
      await updateUser(t, company.admin.id, { isPrimaryAdmin: false })
    })
    done(await call('DELETE', `${rbac}/bindings/${own?.id}`))
    await atomically(forTenant(house.db, company.tenantId), (t) => updateUser(t, company.admin.id, { isPrimaryAdmin: true }))
    for (const [method, body] of [['PUT', { name: 'Chief', permission_strings: ['roles:read'] }], ['DELETE']] as const)
      expect(await call(method, `${rbac}/roles/${role}`, body)).toMatchObject({ status: 403, body: { code: 'last_administrator' } })
    expect(await bindingsOf(call, rbac, boss.id)).toHaveLength(1)
    expect(done(await call('GET', `${rbac}/roles?role_id=${role}`))).toMatchObject([{ permissions_count: 3 }])
  })

  test('without a holder of the system role the last administrator through another role is kept', async () => {
    const { admin, company } = await house.open()
    const chief = await roleOf(admin, rbac, 'Chief', 'admin:access', 'roles:write', 'roles:read')
    done(await admin('POST', `${rbac}/bindings`, { user_id: company.admin.id, role_id: chief }))
    await atomically(forTenant(house.db, company.tenantId), async (t) => {
      await updateUser(t, company.admin.id, { isPrimaryAdmin: false })
      await t.run({ text: 'delete from authsec.role_bindings where tenant_id = $1 and role_id <> $2', params: [t.tenantId, chief], arrays: true })
    })
    expect(await admin('DELETE', `${rbac}/roles/${chief}`)).toMatchObject({ status: 403, body: { code: 'last_administrator' } })
    expect(await bindingsOf(admin, rbac, company.admin.id)).toMatchObject([{ role_name: 'Chief' }])
  })

  test('the last holder of the system role keeps it, even if others administer through a custom role', async () => {
    const { admin, company, person } = await house.open()
    const { person: pat } = await person()
    const chief = await roleOf(admin, rbac, 'Chief', 'admin:access', 'roles:read')
    done(await admin('POST', `${rbac}/bindings`, { user_id: pat.id, role_id: chief }))
    await atomically(forTenant(house.db, company.tenantId), (t) => updateUser(t, company.admin.id, { isPrimaryAdmin: false }))
    const [own] = await bindingsOf(admin, rbac, company.admin.id)
    expect(await admin('DELETE', `${rbac}/bindings/${own?.id}`)).toMatchObject({ status: 403, body: { code: 'last_administrator' } })
    const { person: second } = await person('admin')
    expect(await bindingsOf(admin, rbac, second.id)).toHaveLength(1)
    expect(await admin('DELETE', `${rbac}/bindings/${own?.id}`)).toMatchObject({ status: 200 })
  })

  test('the directory of administrators follows bindings, roles and their permissions', async () => {
    const { admin, company, person } = await house.open()
    const { person: pat } = await person()
    const listed = async () => (await findAdministeredTenants(directory(house.db), emailHash(house.ctx, pat.email))).includes(company.tenantId)
    const chief = await roleOf(admin, rbac, 'Chief', 'admin:access')
    expect(await listed()).toBe(false)
    const { id } = done(await admin('POST', `${rbac}/bindings`, { user_id: pat.id, role_id: chief }))
    expect(await listed()).toBe(true)
    done(await admin('PUT', `${rbac}/roles/${chief}`, { name: 'Chief', permission_strings: ['users:read'] }))
    expect(await listed()).toBe(false)
    done(await admin('PUT', `${rbac}/roles/${chief}`, { name: 'Chief', permission_strings: ['admin:access'] }))
    expect(await listed()).toBe(true)
    done(await admin('DELETE', `${rbac}/bindings/${id}`))
    expect(await listed()).toBe(false)
    done(await admin('POST', `${rbac}/bindings`, { user_id: pat.id, role_id: chief, conditions: { mfa_required: true } }))
    expect(await listed()).toBe(false)
  })

  test('an unverified address does not lead to the tenant', async () => {
    const { admin, company, person } = await house.open()
    const { person: pat } = await person()
    await atomically(forTenant(house.db, company.tenantId), (t) => updateUser(t, pat.id, { emailVerifiedAt: null }))
    const chief = await roleOf(admin, rbac, 'Chief', 'admin:access')
    done(await admin('POST', `${rbac}/bindings`, { user_id: pat.id, role_id: chief }))
    expect(await findAdministeredTenants(directory(house.db), emailHash(house.ctx, pat.email))).toEqual([])
  })
})

test('a session too weak for administration has no administrative permissions, even on routes that do not require the strength', async () => {
  const { admin, company, person } = await house.open()
  const { person: pat } = await person()
  const chief = await roleOf(admin, '/authsec/uflow/admin', 'Chief', 'admin:access')
  await atomically(forTenant(house.db, company.tenantId), (t) => updateTenantSettings(t, { adminAcr: 'aal2' }, house.clock.now()))
  const [weak, strong] = [house.as(company.admin, ['pwd']), house.as(company.admin, ['pwd', 'otp'])]
  const give = { user_id: pat.id, role_id: chief }
  expect(await weak('POST', '/authsec/uflow/user/rbac/bindings', give)).toMatchObject({ status: 403, body: { code: 'cannot_grant' } })
  expect(await strong('POST', '/authsec/uflow/user/rbac/bindings', give)).toMatchObject({ status: 200 })
})

test('groups and service accounts can hold roles; an administrator through a group is in the directory', async () => {
  const { admin, company, person } = await house.open()
  const { person: pat, call } = await person()
  const [t, at] = [forTenant(house.db, company.tenantId), house.clock.now()]
  const group = await atomically(t, (tx) => putGroup(tx, 'Chiefs', [pat.id], at))
  const service = await atomically(t, (tx) => putServiceAccount(tx, 'backend', at))
  const listed = async () => (await findAdministeredTenants(directory(house.db), emailHash(house.ctx, pat.email))).includes(company.tenantId)
  const chief = await roleOf(admin, '/authsec/uflow/admin', 'Chief', 'admin:access', 'roles:read')
  const { id } = done(await admin('POST', '/authsec/uflow/admin/bindings', { group_id: group, role_id: chief }))
  expect((await call('GET', '/authsec/uflow/admin/roles')).status).toBe(200)
  expect(await listed()).toBe(true)
  expect(done(await call('GET', '/authsec/uflow/admin/me/roles-permissions'))).toMatchObject({
    roles: ['Chief'],
    permissions: ['admin:access', 'roles:read'],
  })
  done(await admin('DELETE', `/authsec/uflow/admin/bindings/${id}`))
  expect((await call('GET', '/authsec/uflow/admin/roles')).status).toBe(403)
  expect(await listed()).toBe(false)
  const reader = await roleOf(admin, '/authsec/uflow/admin', 'Reader', 'users:read')
  done(await admin('POST', '/authsec/uflow/admin/bindings', { service_account_id: service, role_id: reader }))
  const question = { principal_id: service, resource: 'users', action: 'read' }
  expect(done(await admin('POST', '/authsec/uflow/admin/policy/check', question))).toMatchObject({ allowed: true })
  expect(done(await admin('GET', `/authsec/uflow/admin/bindings?service_account_id=${service}`))).toMatchObject([
    { service_account_id: service, role_name: 'Reader' },
  ])
})

test('platform permissions can be granted only by their holders', async () => {
  const make = async () => {
    const email = `platform-${house.ctx.random.id()}@platform.example`
    const { userId } = await ensurePlatformAdministrator(house.ctx, { email, name: 'Paula', passwordHash: null, proved: true })
    return { id: userId, email, password: '', tenantId: SYSTEM_TENANT }
  }
  const paula = await make()
  const call = house.as(paula, ['pwd', 'otp'])
  const roles = done(await call('GET', '/authsec/uflow/admin/roles?search=super')) as unknown as { id: string; name: string }[]
  const role_id = roles.find((role) => role.name === 'super_admin')?.id
  const helper = await make()
  const [own] = await bindingsOf(call, '/authsec/uflow/admin', helper.id)
  await atomically(forTenant(house.db, SYSTEM_TENANT), (t) => updateUser(t, helper.id, { isPrimaryAdmin: false }))
  done(await call('DELETE', `/authsec/uflow/admin/bindings/${own?.id}`))
  const support = await roleOf(call, '/authsec/uflow/admin', `Support ${helper.id}`, 'admin:access', 'roles:write', 'roles:read')
  done(await call('POST', '/authsec/uflow/admin/bindings', { user_id: helper.id, role_id: support }))
  const helped = house.as(helper, ['pwd', 'otp'])
  expect(await helped('POST', '/authsec/uflow/admin/bindings', { user_id: helper.id, role_id })).toMatchObject({
    status: 403,
    body: { code: 'cannot_grant' },
  })
  const given = { name: `Tenants ${helper.id}`, permission_strings: ['platform:tenants'] }
  expect(await helped('POST', '/authsec/uflow/admin/roles', given)).toMatchObject({ status: 403, body: { code: 'cannot_grant' } })
  expect(await call('POST', '/authsec/uflow/admin/bindings', { user_id: helper.id, role_id })).toMatchObject({ status: 200 })
})

test('a caller who is disabled during the request grants nothing', async () => {
  const { company, person } = await house.open()
  const { person: second } = await person('admin')
  const caller = await house.ctx.principals.resolve(await house.token(second))
  const t = forTenant(house.db, company.tenantId)
  const full = () => atomically(t, async (tx) => (await grantorPermissions(tx, house.ctx, caller)).full)
  expect(await full()).toBe(true)
  await atomically(t, (tx) => setUserActive(tx, second.id, false, house.clock.now()))
  expect(await full()).toBe(false)
  expect(await atomically(t, async (tx) => (await grantorPermissions(tx, house.ctx, caller)).covers('users:read'))).toBe(false)
})
