import { beforeAll, describe, expect, test } from 'vitest'
import { forTenant, SYSTEM_TENANT } from '#db/engine/tenant'
import { grantedScopes } from '#shared/domains/device-authorization/scopes'
import { ensurePlatformAdministrator } from '#shared/domains/tenancy/system-tenant'
import { type AccessHouse, done, roleOf, SIDES, startAccessWorld, UNKNOWN_ID } from './access-house.ts'

let house: AccessHouse
beforeAll(async () => {
  house = await startAccessWorld()
})

const END_USER = '/authsec/uflow/enduser'

describe.each([...SIDES, ['at the previous path', { rbac: '/authsec/uflow/admin', scopes: END_USER, needs: ['admin:access'] }] as const])(
  'scopes %s',
  (_, { rbac, scopes, needs }) => {
    test('a scope is created, mapped, changed and deleted, and each change is recorded in the audit log', async () => {
      const { admin, event } = await house.open()
      const created = await admin('POST', `${scopes}/scopes`, {
        scope_name: 'people',
        description: 'People.',
        resources: ['users:read', 'users.write'],
      })
      expect(created).toMatchObject({ status: 201, body: { message: expect.any(String), scope_id: expect.any(String), scope_name: 'people' } })
      const id = created.body.scope_id
      const first = { name: 'people', description: 'People.', usage: 'internal', permissions: ['users:read', 'users:write'] }
      expect(await event('scope.created')).toMatchObject({ target: { type: 'scope', id }, before: null, after: first })
      house.clock.advance(1)
      done(await admin('POST', `${scopes}/scopes`, { scope_name: 'empty' }))
      expect(done(await admin('GET', `${scopes}/scopes`))).toEqual(['empty', 'people'])
      const permissions = ['users:read', 'users:write']
      expect(done(await admin('GET', `${scopes}/scopes/mappings`))).toEqual([
        { scope_name: 'empty', usage: 'internal', resources: [], permission_ids: [], permission_strings: [] },
        {
          scope_name: 'people',
          usage: 'internal',
          description: 'People.',
          resources: permissions,
          permission_ids: [expect.any(String), expect.any(String)],
          permission_strings: permissions,
        },
      ])
      // Without a list the permissions stay, and an empty text keeps the current value.
      const updated = await admin('PUT', `${scopes}/scopes/people`, { description: '', usage: 'both' })
      expect(updated).toMatchObject({ status: 200, body: { scope_id: id, scope_name: 'people' } })
      expect(await event('scope.updated')).toMatchObject({ before: first, after: { ...first, usage: 'both' } })
      done(await admin('PUT', `${scopes}/scopes/people`, { permission_ids: [] }))
      expect(await event('scope.updated')).toMatchObject({ after: { usage: 'both', permissions: [] } })
      expect(await admin('DELETE', `${scopes}/scopes/people`)).toMatchObject({ status: 200, body: { message: expect.any(String) } })
      expect(await event('scope.deleted')).toMatchObject({ target: { id }, before: { name: 'people', permissions: [] } })
      for (const method of ['PUT', 'DELETE']) expect(await admin(method, `${scopes}/scopes/people`, {})).toMatchObject({ status: 404 })
    })

    test('the first list that is not empty is used', async () => {
      const { admin } = await house.open()
      const ids = done(await admin('GET', `${rbac}/permissions?resource=users`)) as unknown as { id: string; full_permission_string: string }[]
      const [one, two] = ids
      const cases = [
        [{ permission_ids: [one?.id], mapped_permission_ids: [two?.id] }, [one?.full_permission_string]],
        [{ permission_ids: [], mapped_permission_ids: [two?.id], resources: ['clients:read'] }, [two?.full_permission_string]],
        [{ resources: ['clients:read', 'clients:read'] }, ['clients:read']],
      ] as const
      for (const [at, [input, names]] of cases.entries()) {
        done(await admin('POST', `${scopes}/scopes`, { scope_name: `s${at}`, ...input }))
        const mappings = done(await admin('GET', `${scopes}/scopes/mappings?search=s${at}`)) as unknown as { permission_strings: string[] }[]
        expect(mappings[0]?.permission_strings).toEqual(names)
      }
    })

    test('a resource without an action stands for every action of it that the caller may give', async () => {
      const { admin, person, event } = await house.open()
      for (const action of ['read', 'write', 'delete']) done(await admin('POST', `${rbac}/permissions`, { resource: 'docs', action }))
      done(await admin('POST', `${scopes}/scopes`, { scope_name: 'all', resources: ['docs', 'users:read'] }))
      expect(await event('scope.created')).toMatchObject({ after: { permissions: ['docs:delete', 'docs:read', 'docs:write', 'users:read'] } })
      const some = await person([...needs, 'scopes:write', 'docs:read'])
      done(await some.call('POST', `${scopes}/scopes`, { scope_name: 'some', resources: ['docs'] }))
      expect(await event('scope.created')).toMatchObject({ after: { name: 'some', permissions: ['docs:read'] } })
      const none = await person([...needs, 'scopes:write'])
      expect(await none.call('POST', `${scopes}/scopes`, { scope_name: 'none', resources: ['docs'] })).toMatchObject({
        status: 403,
        body: { code: 'cannot_grant' },
      })
      expect(await admin('POST', `${scopes}/scopes`, { scope_name: 'odd', resources: ['unknown'] })).toMatchObject({ status: 400 })
      expect(await event('scope.created')).toMatchObject({ after: { name: 'some' } })
      // A text with a dot that is the name of a permission stays that permission.
      done(await admin('POST', `${rbac}/permissions`, { resource: 'docs.read', action: 'all' }))
      done(await admin('PUT', `${scopes}/scopes/all`, { resources: ['docs.read'] }))
      expect(await event('scope.updated')).toMatchObject({ after: { permissions: ['docs:read'] } })
    })

    test('an invalid scope is refused', async () => {
      const { admin } = await house.open()
      const foreign = await house.open('globex')
      const { id } = done(await foreign.admin('POST', `${rbac}/permissions`, { resource: 'docs', action: 'read' }))
      const bad = [
        [{ scope_name: '' }, 400],
        [{ scope_name: 'two words' }, 400],
        [{ scope_name: '*:*' }, 400],
        [{ scope_name: 'x', usage: 'oauth' }, 400],
        [{ scope_name: 'x', permission_ids: [id] }, 400],
        [{ scope_name: 'x', mapped_permission_ids: [UNKNOWN_ID] }, 400],
        [{ scope_name: 'x', resources: ['docs:read'] }, 400],
      ] as const
      for (const [body, status] of bad) expect((await admin('POST', `${scopes}/scopes`, body)).status, JSON.stringify(body)).toBe(status)
      expect(done(await admin('GET', `${scopes}/scopes`))).toEqual([])
      done(await admin('POST', `${scopes}/scopes`, { scope_name: 'x', usage: 'sideways' }))
      expect(done(await admin('GET', `${scopes}/scopes/mappings`))).toMatchObject([{ usage: 'internal' }])
      expect(await admin('POST', `${scopes}/scopes`, { scope_name: 'x' })).toMatchObject({ status: 409, body: { code: 'scope_exists' } })
      expect(await admin('PUT', `${scopes}/scopes/x`, { usage: 'oauth' })).toMatchObject({ status: 400, body: { field: 'body.usage' } })
    })

    test('a caller cannot create a scope with permissions that they lack, nor one named like such a permission', async () => {
      const { admin, person } = await house.open()
      const { call } = await person([...needs, 'scopes:write', 'users:read'])
      const refused = { status: 403, body: { code: 'cannot_grant' } }
      expect(await call('POST', `${scopes}/scopes`, { scope_name: 'x', resources: ['users:write'] })).toMatchObject(refused)
      expect(await call('POST', `${scopes}/scopes`, { scope_name: 'users:write' })).toMatchObject(refused)
      expect(done(await admin('GET', `${scopes}/scopes`))).toEqual([])
      expect(await call('POST', `${scopes}/scopes`, { scope_name: 'x', resources: ['users:read'] })).toMatchObject({ status: 201 })
      expect(await call('PUT', `${scopes}/scopes/x`, { resources: ['users:write'] })).toMatchObject(refused)
      expect(await call('PUT', `${scopes}/scopes/x`, { description: 'Mine.' })).toMatchObject({ status: 200 })
      // Writing needs its own permission, and so does reading.
      expect(await call('GET', `${scopes}/scopes`)).toMatchObject({ status: 403, body: { code: 'insufficient_scope' } })
    })

    test('a caller cannot remove a permission that they lack from a scope: not by a list, nor by deleting the scope, nor by deleting the permission', async () => {
      const { admin, person } = await house.open()
      const { call } = await person([...needs, 'scopes:write', 'roles:write', 'roles:read'])
      done(await admin('POST', `${rbac}/permissions`, { resource: 'money', action: 'move' }))
      done(await admin('POST', `${scopes}/scopes`, { scope_name: 'pay', resources: ['money:move'] }))
      const before = done(await admin('GET', `${scopes}/scopes/mappings`))
      const refused = { status: 403, body: { code: 'cannot_grant' } }
      expect(await call('PUT', `${scopes}/scopes/pay`, { resources: [] })).toMatchObject(refused)
      expect(await call('DELETE', `${scopes}/scopes/pay`)).toMatchObject(refused)
      expect(await call('DELETE', `${rbac}/permissions`, { resource: 'money', action: 'move' })).toMatchObject(refused)
      expect(done(await admin('GET', `${scopes}/scopes/mappings`))).toEqual(before)
      // A permission without scopes can be deleted freely.
      done(await admin('POST', `${rbac}/permissions`, { resource: 'money', action: 'count' }))
      expect(await call('DELETE', `${rbac}/permissions`, { resource: 'money', action: 'count' })).toMatchObject({ status: 200 })
      expect(await admin('PUT', `${scopes}/scopes/pay`, { resources: [] })).toMatchObject({ status: 200 })
      expect(await call('DELETE', `${scopes}/scopes/pay`)).toMatchObject({ status: 200 })
    })

    test('a scope of another tenant or of the other API is unknown', async () => {
      const { admin } = await house.open()
      const foreign = await house.open('globex')
      done(await foreign.admin('POST', `${scopes}/scopes`, { scope_name: 'theirs' }))
      done(await admin('POST', '/authsec/uflow/admin/api_scopes', { name: 'api:only' }))
      for (const name of ['theirs', 'api:only', 'nothing']) {
        expect(await admin('PUT', `${scopes}/scopes/${name}`, {})).toMatchObject({ status: 404, body: { code: 'not_found' } })
        expect(await admin('DELETE', `${scopes}/scopes/${name}`)).toMatchObject({ status: 404 })
      }
      expect(done(await admin('GET', `${scopes}/scopes`))).toEqual([])
      expect(await admin('POST', `${scopes}/scopes`, { scope_name: 'api:only' })).toMatchObject({ status: 409 })
    })
  },
)

describe.each(SIDES)('API scopes %s', (_, { scopes }) => {
  test('an API scope is created, read, changed and deleted, and each change is recorded in the audit log', async () => {
    const { admin, event } = await house.open()
    const created = await admin('POST', `${scopes}/api_scopes`, { name: 'people:all', description: 'People.' })
    expect(created.status).toBe(200)
    const { id } = created.body
    const at = house.clock.now().toISOString()
    const whole = {
      id,
      name: 'people:all',
      description: 'People.',
      usage: 'oauth',
      permissions_linked: 0,
      permission_ids: [],
      permission_strings: [],
      resources: [],
      created_at: at,
      updated_at: at,
    }
    expect(created.body).toEqual(whole)
    expect(await event('api_scope.created')).toMatchObject({ target: { type: 'api_scope', id }, after: { name: 'people:all', usage: 'oauth' } })
    expect(done(await admin('GET', `${scopes}/api_scopes/${id}`))).toEqual(whole)
    const [permission] = done(await admin('GET', '/authsec/uflow/admin/permissions?resource=clients')) as unknown as {
      id: string
      full_permission_string: string
    }[]
    house.clock.advance(5)
    const changed = done(await admin('PUT', `${scopes}/api_scopes/${id}`, { name: 'people:some', permission_ids: [permission?.id] }))
    expect(changed).toMatchObject({
      name: 'people:some',
      permissions_linked: 1,
      permission_ids: [permission?.id],
      permission_strings: [permission?.full_permission_string],
      created_at: at,
      updated_at: house.clock.now().toISOString(),
    })
    expect(await event('api_scope.updated')).toMatchObject({
      before: { name: 'people:all', permissions: [] },
      after: { name: 'people:some', permissions: [permission?.full_permission_string] },
    })
    expect(done(await admin('GET', `${scopes}/api_scopes?name=SOME`))).toMatchObject([{ id, permissions_linked: 1 }])
    expect(done(await admin('GET', `${scopes}/api_scopes?name=all`))).toEqual([])
    expect(await admin('DELETE', `${scopes}/api_scopes/${id}`)).toMatchObject({ status: 200 })
    expect(await event('api_scope.deleted')).toMatchObject({ before: { name: 'people:some' }, after: null })
    for (const method of ['GET', 'PUT', 'DELETE'])
      expect(await admin(method, `${scopes}/api_scopes/${id}`, method === 'PUT' ? {} : undefined)).toMatchObject({ status: 404 })
  })

  test('names need a colon and are unique over both APIs; another tenant\u2019s scope is unknown', async () => {
    const { admin } = await house.open()
    const foreign = await house.open('globex')
    const { id } = done(await foreign.admin('POST', `${scopes}/api_scopes`, { name: 'a:b' }))
    expect(await admin('GET', `${scopes}/api_scopes/${id}`)).toMatchObject({ status: 404 })
    expect(await admin('POST', `${scopes}/api_scopes`, { name: 'people' })).toMatchObject({ status: 400, body: { field: 'body.name' } })
    expect(await admin('POST', `${scopes}/api_scopes`, { name: 'a:b', usage: 'internal' })).toMatchObject({
      status: 400,
      body: { field: 'body.usage' },
    })
    done(await admin('POST', `${scopes}/scopes`, { scope_name: 'in:side' }))
    expect(await admin('POST', `${scopes}/api_scopes`, { name: 'in:side' })).toMatchObject({ status: 409, body: { code: 'scope_exists' } })
    const own = done(await admin('POST', `${scopes}/api_scopes`, { name: 'a:b', usage: 'both' }))
    expect(await admin('PUT', `${scopes}/api_scopes/${own.id}`, { name: 'in:side' })).toMatchObject({ status: 409, body: { code: 'scope_exists' } })
    expect(await admin('PUT', `${scopes}/api_scopes/${own.id}`, { name: 'a:*' })).toMatchObject({ status: 400, body: { field: 'body.name' } })
    // Scopes that both APIs use appear in both.
    expect((done(await admin('GET', `${scopes}/scopes`)) as unknown as string[]).toSorted()).toEqual(['a:b', 'in:side'])
  })
})

test('renaming an API scope keeps its permissions, even those that the caller lacks', async () => {
  const { admin, person } = await house.open()
  const { call } = await person(['admin:access', 'scopes:write', 'roles:read'])
  const API = '/authsec/uflow/admin/api_scopes'
  const [write] = done(await admin('GET', '/authsec/uflow/admin/permissions?resource=clients')) as unknown as { id: string }[]
  const { id } = done(await admin('POST', API, { name: 'shop:all', permission_ids: [write?.id] }))
  const refused = { status: 403, body: { code: 'cannot_grant' } }
  expect(await call('PUT', `${API}/${id}`, { name: 'shop:old' })).toMatchObject(refused)
  expect(await call('PUT', `${API}/${id}`, { name: 'shop:old', permission_ids: [] })).toMatchObject(refused)
  expect(await call('DELETE', `${API}/${id}`)).toMatchObject(refused)
  expect(done(await admin('GET', `${API}/${id}`))).toMatchObject({ name: 'shop:all', permissions_linked: 1 })
})

test('a scope named like a permission requires it, even if the permission was registered later', async () => {
  const { admin, company, person } = await house.open()
  const { person: pat } = await person(['scopes:write', 'admin:access'])
  const { person: payer } = await person(['admin:access'])
  const pats = house.as(pat)
  done(await pats('POST', '/authsec/uflow/admin/api_scopes', { name: 'money:move' }))
  done(await admin('POST', '/authsec/uflow/admin/permissions', { resource: 'money', action: 'move' }))
  done(
    await admin('POST', '/authsec/uflow/admin/bindings', {
      user_id: payer.id,
      role_id: await roleOf(admin, '/authsec/uflow/admin', 'Payer', 'money:move'),
    }),
  )
  const t = forTenant(house.db, company.tenantId)
  expect(await grantedScopes(t, pat.id, ['openid', 'money:move'], house.clock.now())).toEqual(['openid'])
  expect(await grantedScopes(t, payer.id, ['openid', 'money:move'], house.clock.now())).toEqual(['openid', 'money:move'])
})

test('the tenant in the path must be the caller\u2019s own, unless a platform administrator reads it, which is recorded in the audit log', async () => {
  const { admin, company } = await house.open()
  const foreign = await house.open('globex')
  done(await admin('POST', `${END_USER}/scopes`, { scope_name: 'people' }))
  expect(done(await admin('GET', `${END_USER}/scopes/${company.tenantId.toUpperCase()}`))).toEqual(['people'])
  expect(await foreign.admin('GET', `${END_USER}/scopes/${company.tenantId}`)).toMatchObject({ status: 403, body: { code: 'tenant_mismatch' } })
  const email = `platform-${house.ctx.random.id()}@platform.example`
  const { userId } = await ensurePlatformAdministrator(house.ctx, { email, name: 'Paula', passwordHash: null, proved: true })
  const paula = house.as({ id: userId, email, password: '', tenantId: SYSTEM_TENANT }, ['pwd', 'otp'])
  expect(done(await paula('GET', `${END_USER}/scopes/${company.tenantId}`))).toEqual(['people'])
  const visits = await house.events(SYSTEM_TENANT, { event: 'tenant.accessed' })
  expect(visits.filter(({ actorId }) => actorId === userId)).toMatchObject([{ targetType: 'tenant', targetId: company.tenantId }])
  expect(await paula('GET', `${END_USER}/scopes/${UNKNOWN_ID}`)).toMatchObject({ status: 404, body: { code: 'not_found' } })
})
