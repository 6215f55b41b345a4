import { beforeAll, describe, expect, test } from 'vitest'
import { type AccessHouse, done, roleOf, startAccessWorld, UNKNOWN_ID } from './access-house.ts'

let house: AccessHouse
beforeAll(async () => {
  house = await startAccessWorld()
})

const ADMIN = '/authsec/uflow/admin'
const USER = '/authsec/uflow/user'

/** A company where Pat reads users, updates those of one project, and deletes them after a second factor. */
const setting = async () => {
  const open = await house.open()
  const { admin } = open
  const { person: pat } = await open.person()
  const give = async (name: string, permission: string, limit: object = {}) => {
    const { id } = done(await admin('POST', `${ADMIN}/roles`, { name, permission_strings: [permission] }))
    return done(await admin('POST', `${ADMIN}/bindings`, { user_id: pat.id, role_id: id, ...limit })).id
  }
  const reader = await give('Reader', 'users:read')
  await give('Project writer', 'users:write', { scope: { type: 'project', id: UNKNOWN_ID } })
  await give('Careful deleter', 'users:delete', { conditions: { mfa_required: true } })
  await give('Guest', 'clients:read', { expires_at: new Date(house.clock.now().getTime() + 60_000).toISOString() })
  return { ...open, pat, reader }
}

describe('about any principal, for administrators', () => {
  test('evaluates expiry, scope and conditions in this order, with a trace that names binding and role', async () => {
    const { admin, pat, reader } = await setting()
    const ask = async (resource: string, action: string, more: object = {}) =>
      done(await admin('POST', `${ADMIN}/policy/check`, { principal_id: pat.id, resource, action, ...more }))
    const allowed = await ask('users', 'read')
    expect(allowed.allowed).toBe(true)
    expect(allowed.trace).toContain(String(reader))
    expect(allowed.trace).toContain('Reader')
    const project = { scope_id: UNKNOWN_ID }
    const denied = await ask('users', 'write')
    expect(denied).toEqual({ allowed: false, trace: expect.any(String) })
    expect(await ask('users', 'write', project)).toMatchObject({ allowed: true })
    expect(await ask('users', 'write', { ...project, scope_type: 'folder' })).toMatchObject({ allowed: false })
    expect(await ask('users', 'read', { ...project, scope_type: 'folder' })).toMatchObject({ allowed: true })
    expect(await ask('users', 'delete')).toEqual(denied)
    expect(await ask('users', 'delete', { context: { mfa: true } })).toMatchObject({ allowed: true })
    expect(await ask('clients', 'read')).toMatchObject({ allowed: true })
    house.clock.advance(60)
    expect(await ask('clients', 'read')).toEqual(denied)
    for (const [resource, action] of [
      ['nothing', 'read'],
      ['users', 'nothing'],
      ['*', '*'],
      ['constructor', '__proto__'],
    ] as const)
      expect(await ask(resource, action)).toEqual(denied)
  })

  test('an unknown principal and one of another tenant are denied in the same way', async () => {
    const { admin } = await house.open()
    const foreign = await house.open('globex')
    const ask = async (principal_id: string) =>
      done(await admin('POST', `${ADMIN}/policy/check`, { principal_id, resource: 'users', action: 'read' }))
    expect(await ask(foreign.company.admin.id)).toEqual(await ask(UNKNOWN_ID))
    expect(await admin('POST', `${ADMIN}/policy/check`, { principal_id: 'x', resource: 'a', action: 'b' })).toMatchObject({ status: 400 })
    expect(await admin('POST', `${ADMIN}/policy/check`, { principal_id: UNKNOWN_ID, resource: 'a' })).toMatchObject({ status: 400 })
  })
})

describe('about oneself', () => {
  test('everyone may ask about their own rights; asking about others takes an administrator’s permission', async () => {
    const { pat, company, person } = await setting()
    const call = house.as(pat)
    const other = { principal_id: company.admin.id, resource: 'users', action: 'read' }
    expect(done(await call('POST', `${USER}/rbac/policy/check`, { ...other, principal_id: pat.id }))).toMatchObject({ allowed: true })
    expect(await call('POST', `${USER}/rbac/policy/check`, other)).toMatchObject({ status: 403, body: { code: 'insufficient_scope' } })
    for (const grant of [['admin:access'], ['policy:check']] as const) {
      const half = await person(grant)
      expect(await half.call('POST', `${USER}/rbac/policy/check`, other)).toMatchObject({ status: 403 })
    }
    const both = await person(['admin:access', 'policy:check'])
    expect(done(await both.call('POST', `${USER}/rbac/policy/check`, other))).toMatchObject({ allowed: true })
  })

  test('the caller’s own session supplies the context, whatever context the request contains', async () => {
    const { pat } = await setting()
    const question = { principal_id: pat.id, resource: 'users', action: 'delete', context: { mfa: true } }
    expect(done(await house.as(pat, ['pwd'])('POST', `${USER}/rbac/policy/check`, question))).toMatchObject({ allowed: false })
    expect(done(await house.as(pat, ['pwd', 'otp'])('POST', `${USER}/rbac/policy/check`, question))).toMatchObject({ allowed: true })
  })

  test.each([
    [['pwd'], ['clients:read', 'users:read']],
    [
      ['pwd', 'otp'],
      ['clients:read', 'users:delete', 'users:read'],
    ],
  ] as const)('lists, checks and decisions agree after %j', async (amr, expected) => {
    const { pat, admin, company } = await setting()
    const call = house.as(pat, amr)
    type Row = { resource: string; action: string; tenant_id: string }
    const names = (rows: unknown) => (rows as Row[]).map((row) => `${row.resource}:${row.action}`).toSorted()
    const own = done(await call('GET', `${USER}/permissions`))
    expect(names(own)).toEqual(expected)
    expect(own[0]).toMatchObject({ tenant_id: company.tenantId, description: expect.any(String), created_at: expect.any(String) })
    const effective = done(await call('GET', `${USER}/permissions/effective`))
    expect(effective.direct_permissions).toEqual([])
    expect(names(effective.role_permissions)).toEqual(expected)
    expect(names(effective.all_permissions)).toEqual(expected)
    const catalogue = done(await admin('GET', `${ADMIN}/permissions`)) as unknown as Row[]
    for (const { resource, action } of catalogue) {
      const has = expected.some((name) => name === `${resource}:${action}`)
      const checked = done(await call('GET', `${USER}/permissions/check?resource=${resource}&scope=${action}`))
      expect(checked).toEqual({ user_id: pat.id, tenant_id: company.tenantId, resource, scope: action, has_permission: has })
      expect(done(await call('POST', `${USER}/rbac/policy/check`, { principal_id: pat.id, resource, action })).allowed).toBe(has)
    }
  })

  test('a check needs both parameters, and an unknown pair is not held', async () => {
    const { person } = await house.open()
    const { call } = await person()
    expect(await call('GET', `${USER}/permissions/check?resource=users`)).toMatchObject({ status: 400, body: { field: 'query.scope' } })
    expect(done(await call('GET', `${USER}/permissions/check?resource=no&scope=no`))).toMatchObject({ has_permission: false })
    expect(done(await call('GET', `${USER}/permissions`))).toEqual([])
    expect(done(await call('GET', `${USER}/permissions/effective`))).toEqual({ direct_permissions: [], role_permissions: [], all_permissions: [] })
  })
})

test('an administrator\u2019s own rights are listed, not the tenant\u2019s catalogue', async () => {
  const { admin, person, company } = await house.open()
  done(await admin('POST', `${ADMIN}/permissions`, { resource: 'docs', action: 'read' }))
  done(await admin('POST', `${ADMIN}/scopes`, { scope_name: 'people', resources: ['users:read'] }))
  done(await admin('POST', `${ADMIN}/scopes`, { scope_name: 'empty' }))
  done(await admin('POST', `${ADMIN}/api_scopes`, { name: 'all:people', permission_ids: [] }))
  const { person: pat, call } = await person(['admin:access', 'users:read'])
  const { id } = done(await admin('POST', `${ADMIN}/roles`, { name: 'Project', permission_strings: ['users:write'] }))
  done(await admin('POST', `${ADMIN}/bindings`, { user_id: pat.id, role_id: id, scope: { type: 'project', id: UNKNOWN_ID } }))
  expect(done(await call('GET', `${ADMIN}/me/roles-permissions`))).toEqual({
    user_id: pat.id,
    tenant_id: company.tenantId,
    roles: [`role-${pat.id}`],
    permissions: ['admin:access', 'users:read'],
    scopes: ['people'],
    resources: ['admin', 'users'],
  })
  const boss = done(await admin('GET', `${ADMIN}/me/roles-permissions`))
  expect(boss.roles).toEqual(['admin'])
  expect(boss.permissions).not.toContain('docs:read')
})

test('each change that removes a right affects the next decision in every API', async () => {
  const ADMIN = '/authsec/uflow/admin'
  const { admin, company, person } = await house.open()
  const { person: pat } = await person()
  const question = { principal_id: pat.id, resource: 'docs', action: 'read' }
  const allowed = async () => done(await admin('POST', `${ADMIN}/policy/check`, question)).allowed
  const tenant_id = company.tenantId
  type Given = { readonly role: string; readonly binding: string; readonly group: string }
  const ends: readonly (readonly [string, (given: Given) => Promise<unknown>])[] = [
    ['the binding is revoked', async ({ binding }) => done(await admin('DELETE', `${ADMIN}/bindings/${binding}`))],
    [
      'the role is changed',
      async ({ role }) => done(await admin('PUT', `${ADMIN}/roles/${role}`, { name: 'Other', permission_strings: ['users:read'] })),
    ],
    ['the role is deleted', async ({ role }) => done(await admin('DELETE', `${ADMIN}/roles/${role}`))],
    ['the group is deleted', async ({ group }) => done(await admin('DELETE', `${ADMIN}/groups`, { tenant_id, groups: [group] }))],
    ['the permission is deleted', async () => done(await admin('DELETE', `${ADMIN}/permissions`, { resource: 'docs', action: 'read' }))],
  ]
  for (const [at, [name, end]] of ends.entries()) {
    await admin('POST', `${ADMIN}/permissions`, { resource: 'docs', action: 'read' })
    const role = await roleOf(admin, ADMIN, `Reader ${at}`, 'docs:read')
    const made = done(await admin('POST', `${ADMIN}/groups`, { tenant_id, groups: [`readers ${at}`] })) as unknown as { groups: { id: string }[] }
    const group = made.groups[0]?.id ?? ''
    done(await admin('POST', `${ADMIN}/groups/${tenant_id}/users/bulk`, { group_id: group, user_ids: [pat.id] }))
    expect(await allowed(), name).toBe(false)
    const binding = String(done(await admin('POST', `${ADMIN}/bindings`, { group_id: group, role_id: role })).id)
    expect(await allowed(), name).toBe(true)
    await end({ role, binding, group })
    expect(await allowed(), name).toBe(false)
  }
})
