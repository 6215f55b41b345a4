import { beforeAll, describe, expect, test } from 'vitest'
import { SYSTEM_TENANT } from '#db/engine/tenant'
import { ensurePlatformAdministrator } from '#shared/domains/tenancy/system-tenant'
import { type AccessHouse, done, SIDES, startAccessWorld, UNKNOWN_ID } from './access-house.ts'

let house: AccessHouse
beforeAll(async () => {
  house = await startAccessWorld()
})

describe.each(SIDES)('%s', (_, { rbac, scopes }) => {
  test('a permission is registered once, listed with the number of its roles, and recorded in the audit log', async () => {
    const { admin, event } = await house.open()
    const registered = await admin('POST', `${rbac}/permissions`, { resource: 'docs', action: 'read', description: 'Read.' })
    expect(registered).toMatchObject({ status: 200, body: { id: expect.any(String), full_string: 'docs.read' } })
    expect(await event('permission.registered')).toMatchObject({
      target: { type: 'permission', id: registered.body.id },
      before: null,
      after: { resource: 'docs', action: 'read', description: 'Read.' },
    })
    const again = await admin('POST', `${rbac}/permissions`, { resource: 'docs', action: 'read' })
    expect(again).toMatchObject({ status: 409, body: { code: 'permission_exists' } })
    done(await admin('POST', `${rbac}/roles`, { name: 'Reader', permission_strings: ['docs:read'] }))
    expect(done(await admin('GET', `${rbac}/permissions?resource=docs`))).toEqual([
      {
        id: registered.body.id,
        resource: 'docs',
        action: 'read',
        full_permission_string: 'docs:read',
        description: 'Read.',
        roles_assigned: 1,
      },
    ])
    expect(done(await admin('GET', `${rbac}/permissions?search=READ.`))).toMatchObject([{ resource: 'docs' }])
    const { resources } = done(await admin('GET', `${rbac}/permissions/resources`))
    expect(resources).toEqual([...new Set(resources as string[])].toSorted())
    expect(resources).toContain('docs')
  })

  test.each([
    [{ resource: 'a:b', action: 'c' }, 'body.resource'],
    [{ resource: 'a', action: 'b:c' }, 'body.action'],
    [{ resource: '*', action: 'read' }, 'body.resource'],
    [{ resource: 'docs', action: '*' }, 'body.action'],
    [{ resource: 'docs admin', action: 'read' }, 'body.resource'],
    [{ resource: 'docs', action: 're\u0430d' }, 'body.action'],
    [{ resource: 'platform', action: 'tenants' }, 'body.resource'],
    [{ resource: 'docs' }, 'body.action'],
    [{ resource: '', action: 'read' }, 'body.resource'],
    [{ resource: 'd'.repeat(101), action: 'read' }, 'body.resource'],
  ])('%j is not a permission', async (body, field) => {
    const { admin } = await house.open()
    const before = done(await admin('GET', `${rbac}/permissions`))
    expect(await admin('POST', `${rbac}/permissions`, body)).toMatchObject({ status: 400, body: { code: 'invalid_request', field } })
    expect(done(await admin('GET', `${rbac}/permissions`))).toEqual(before)
  })

  test('a deleted permission is removed from roles and scopes, and the audit log names them', async () => {
    const { admin, event, person } = await house.open()
    const { id } = done(await admin('POST', `${rbac}/permissions`, { resource: 'docs', action: 'read' }))
    const role = done(await admin('POST', `${rbac}/roles`, { name: 'Reader', permission_strings: ['docs:read', 'users:read'] })).id
    done(await admin('POST', `${scopes}/scopes`, { scope_name: 'reading', resources: ['docs:read'] }))
    const { person: pat } = await person()
    done(await admin('POST', `${rbac}/bindings`, { user_id: pat.id, role_id: role }))
    const question = { principal_id: pat.id, resource: 'docs', action: 'read' }
    expect(done(await admin('POST', `${rbac}/policy/check`, question)).allowed).toBe(true)
    expect(await admin('DELETE', `${rbac}/permissions/${id}`)).toMatchObject({ status: 200, body: { message: expect.any(String) } })
    expect(done(await admin('POST', `${rbac}/policy/check`, question)).allowed).toBe(false)
    expect(await event('permission.deleted')).toMatchObject({
      before: { resource: 'docs', action: 'read', roles: ['Reader'], scopes: ['reading'] },
      after: null,
    })
    expect(await admin('DELETE', `${rbac}/permissions/${id}`)).toMatchObject({ status: 404, body: { code: 'not_found' } })
    expect(done(await admin('GET', `${rbac}/roles?role_id=${role}`))).toMatchObject([{ permissions_count: 1 }])
  })

  test('deletes by pair and by id; a built-in permission is kept', async () => {
    const { admin } = await house.open()
    done(await admin('POST', `${rbac}/permissions`, { resource: 'docs', action: 'read' }))
    const pair = { resource: 'docs', action: 'read' }
    expect(await admin('DELETE', `${rbac}/permissions`, pair)).toMatchObject({ status: 200 })
    expect(await admin('DELETE', `${rbac}/permissions`, pair)).toMatchObject({ status: 404 })
    const seeded = { status: 409, body: { code: 'system_permission' } }
    expect(await admin('DELETE', `${rbac}/permissions`, { resource: 'users', action: 'read' })).toMatchObject(seeded)
    const [row] = done(await admin('GET', `${rbac}/permissions?resource=admin`)) as unknown as { id: string }[]
    expect(await admin('DELETE', `${rbac}/permissions/${row?.id}`)).toMatchObject(seeded)
  })

  test('another tenant\u2019s permission is unknown', async () => {
    const { admin } = await house.open()
    const foreign = await house.open('globex')
    const { id } = done(await foreign.admin('POST', `${rbac}/permissions`, { resource: 'docs', action: 'read' }))
    const [theirs, nobodys] = [await admin('DELETE', `${rbac}/permissions/${id}`), await admin('DELETE', `${rbac}/permissions/${UNKNOWN_ID}`)]
    expect([theirs.status, { ...theirs.body, request_id: '' }]).toEqual([404, { ...nobodys.body, request_id: '' }])
    expect(done(await foreign.admin('GET', `${rbac}/permissions?resource=docs`))).toHaveLength(1)
    expect(done(await admin('GET', `${rbac}/permissions?resource=docs`))).toEqual([])
  })

  test('a text with dots that could mean two permissions is refused', async () => {
    const { admin } = await house.open()
    done(await admin('POST', `${rbac}/permissions`, { resource: 'a.b', action: 'c' }))
    expect(await admin('POST', `${rbac}/roles`, { name: 'One', permission_strings: ['a.b.c'] })).toMatchObject({ status: 200 })
    done(await admin('POST', `${rbac}/permissions`, { resource: 'a', action: 'b.c' }))
    expect(await admin('POST', `${rbac}/roles`, { name: 'Two', permission_strings: ['a.b.c'] })).toMatchObject({
      status: 400,
      body: { field: 'body.permission_strings.0' },
    })
    expect(await admin('POST', `${rbac}/roles`, { name: 'Two', permission_strings: ['a.b:c'] })).toMatchObject({ status: 200 })
  })
})

test('a thousand texts with many dots cost one statement and are answered', async () => {
  const { admin } = await house.open()
  const permission_strings = Array.from({ length: 1000 }, (_, at) => `${'a.'.repeat(95)}${at}`)
  expect(await admin('POST', '/authsec/uflow/admin/roles', { name: 'Dots', permission_strings })).toMatchObject({
    status: 400,
    body: { field: 'body.permission_strings.0' },
  })
})

test('a platform administrator may use the wildcard permission, in the system tenant', async () => {
  const email = `platform-${house.ctx.random.id()}@platform.example`
  const { userId } = await ensurePlatformAdministrator(house.ctx, { email, name: 'Paula', passwordHash: null, proved: true })
  const paula = house.as({ id: userId, email, password: '', tenantId: SYSTEM_TENANT }, ['pwd', 'otp'])
  const resource = `thing-${house.ctx.random.id()}`
  expect(await paula('POST', '/authsec/uflow/admin/permissions', { resource, action: '*' })).toMatchObject({ status: 200 })
})
