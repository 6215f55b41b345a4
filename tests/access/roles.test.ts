import { beforeAll, describe, expect, test } from 'vitest'
import { atomically, forTenant } from '#db/engine/tenant'
import { bindRole, findAssignedPeople } from '#db/store/bindings'
import { insertUser } from '#db/store/users'
import { type AccessHouse, done, SIDES, startAccessWorld, UNKNOWN_ID } from './access-house.ts'

let house: AccessHouse
beforeAll(async () => {
  house = await startAccessWorld()
})

describe.each(SIDES)('%s', (_, { rbac, needs }) => {
  test('a role is created from ids and texts, each permission once, and is recorded in the audit log', async () => {
    const { admin, event, company } = await house.open()
    const { id: docs } = done(await admin('POST', `${rbac}/permissions`, { resource: 'docs', action: 'read', description: 'Read.' }))
    const created = await admin('POST', `${rbac}/roles`, {
      name: 'Reader',
      description: 'Reads.',
      permission_ids: [String(docs).toUpperCase()],
      permission_strings: ['docs:read', 'docs.read', 'users:read'],
    })
    expect(created).toMatchObject({ status: 200, body: { id: expect.any(String), name: 'Reader', permissions_count: 2 } })
    expect(await event('role.created')).toMatchObject({
      actor: { id: company.admin.id },
      target: { type: 'role', id: created.body.id },
      before: null,
      after: { name: 'Reader', description: 'Reads.', permissions: ['docs:read', 'users:read'] },
    })
  })

  test('a role without permissions, with an unknown one or with one of another tenant is refused', async () => {
    const { admin } = await house.open()
    const foreign = await house.open('globex')
    const { id } = done(await foreign.admin('POST', `${rbac}/permissions`, { resource: 'docs', action: 'read' }))
    const before = done(await admin('GET', `${rbac}/roles`))
    const bodies = [
      { name: 'Empty' },
      { name: 'Empty', permission_ids: [], permission_strings: [] },
      { name: 'Foreign', permission_ids: [id] },
      { name: 'Unknown', permission_ids: [UNKNOWN_ID] },
      { name: 'Unknown', permission_strings: ['docs:read'] },
      { name: 'Bad', permission_ids: ['no-id'] },
      { name: '', permission_strings: ['users:read'] },
      { permission_strings: ['users:read'] },
      { name: 'Many', permission_ids: Array.from({ length: 1001 }, () => UNKNOWN_ID) },
    ]
    const codes = []
    for (const body of bodies) {
      const { status, body: said } = await admin('POST', `${rbac}/roles`, body)
      codes.push([status, said.code, said.field])
    }
    expect(codes.map(([status, code]) => [status, code])).toEqual(bodies.map(() => [400, 'invalid_request']))
    // Another tenant's id is answered like an unknown one.
    expect(codes[2]).toEqual(codes[3])
    expect(done(await admin('GET', `${rbac}/roles`))).toEqual(before)
  })

  test('a role name is unique, and names of system roles are reserved', async () => {
    const { admin } = await house.open()
    const make = (name: string) => admin('POST', `${rbac}/roles`, { name, permission_strings: ['users:read'] })
    done(await make('Reader'))
    expect(await make('Reader')).toMatchObject({ status: 409, body: { code: 'role_exists' } })
    for (const name of ['admin', 'ADMIN', 'Administrator', 'super_admin'])
      expect(await make(name)).toMatchObject({ status: 409, body: { code: 'system_role' } })
    const { id } = done(await make('Writer'))
    expect(await admin('PUT', `${rbac}/roles/${id}`, { name: 'Reader', permission_strings: ['users:read'] })).toMatchObject({
      status: 409,
      body: { code: 'role_exists' },
    })
    expect(await admin('PUT', `${rbac}/roles/${id}`, { name: 'Super_Admin', permission_strings: ['users:read'] })).toMatchObject({
      status: 409,
      body: { code: 'system_role' },
    })
  })

  test('a system role cannot be changed', async () => {
    const { admin } = await house.open()
    const roles = done(await admin('GET', `${rbac}/roles`)) as unknown as { id: string; is_system: boolean }[]
    const system = roles.find((role) => role.is_system)
    const change = { name: 'mine', permission_strings: ['users:read'] }
    expect(await admin('PUT', `${rbac}/roles/${system?.id}`, change)).toMatchObject({ status: 409, body: { code: 'system_role' } })
    expect(await admin('DELETE', `${rbac}/roles/${system?.id}`)).toMatchObject({ status: 409, body: { code: 'system_role' } })
    expect(done(await admin('GET', `${rbac}/roles`))).toEqual(roles)
  })

  test('an update replaces name, description and the whole set of permissions, and the audit log has the previous values', async () => {
    const { admin, event } = await house.open()
    const { id } = done(await admin('POST', `${rbac}/roles`, { name: 'Reader', description: 'Reads.', permission_strings: ['users:read'] }))
    const updated = await admin('PUT', `${rbac}/roles/${id}`, { name: 'Editor', permission_strings: ['users:write', 'clients:read'] })
    expect(updated).toMatchObject({ status: 200, body: { id, name: 'Editor', permissions_count: 2 } })
    expect(await event('role.updated')).toMatchObject({
      before: { name: 'Reader', description: 'Reads.', permissions: ['users:read'] },
      after: { name: 'Editor', description: '', permissions: ['clients:read', 'users:write'] },
    })
    expect(await admin('PUT', `${rbac}/roles/${UNKNOWN_ID}`, { name: 'X', permission_strings: ['users:read'] })).toMatchObject({
      status: 404,
      body: { code: 'not_found' },
    })
  })

  test('deleting a role deletes its bindings, and the audit log keeps them', async () => {
    const { admin, event, person } = await house.open()
    const { id } = done(await admin('POST', `${rbac}/roles`, { name: 'Reader', permission_strings: ['users:read'] }))
    const { person: pat } = await person()
    const { id: binding } = done(await admin('POST', `${rbac}/bindings`, { user_id: pat.id, role_id: id }))
    expect(await admin('DELETE', `${rbac}/roles/${id}`)).toMatchObject({ status: 200, body: { id, message: expect.any(String) } })
    expect(await admin('DELETE', `${rbac}/roles/${id}`)).toMatchObject({ status: 404 })
    expect(done(await admin('GET', `${rbac}/bindings?user_id=${pat.id}`))).toEqual([])
    expect(await event('role.deleted')).toMatchObject({
      before: { name: 'Reader', permissions: ['users:read'], bindings: [{ id: binding, user_id: pat.id }] },
    })
  })

  test('the list counts distinct people, and filters narrow it as described', async () => {
    const { admin, person } = await house.open()
    const { id } = done(await admin('POST', `${rbac}/roles`, { name: 'Reader', permission_strings: ['users:read', 'users:write', 'clients:read'] }))
    const [ana, bob] = [await person(), await person()]
    for (const scope of [undefined, { type: 'project', id: UNKNOWN_ID }])
      done(await admin('POST', `${rbac}/bindings`, { user_id: ana.person.id, role_id: id, ...(scope ? { scope } : {}) }))
    done(await admin('POST', `${rbac}/bindings`, { user_id: bob.person.id, role_id: id }))
    const one = async (query: string) => (done(await admin('GET', `${rbac}/roles?role_id=${id}${query}`)) as unknown as object[])[0]
    const ids = [ana.person.id, bob.person.id].toSorted()
    expect(await one('')).toMatchObject({
      id,
      name: 'Reader',
      description: '',
      users_assigned: 2,
      permissions_count: 3,
      user_ids: ids,
      is_system: false,
    })
    expect(await one('&resource=users')).toMatchObject({ permissions_count: 2, users_assigned: 2 })
    expect(await one(`&user_id=${ana.person.id}`)).toMatchObject({ users_assigned: 1, user_ids: [ana.person.id], usernames: [ana.person.email] })
    expect(await one('&group_by=role')).toMatchObject({ permissions_count: 3 })
    expect(await admin('GET', `${rbac}/roles?role_id=x`)).toMatchObject({ status: 400, body: { field: 'query.role_id' } })
    expect(done(await admin('GET', `${rbac}/roles?role_id=${UNKNOWN_ID}`))).toEqual([])
  })

  test('paging by cursor returns every role once, in either order; search; a foreign cursor is refused', async () => {
    const { admin } = await house.open()
    for (const name of ['c-role', 'a-role', 'b-role']) done(await admin('POST', `${rbac}/roles`, { name, permission_strings: ['users:read'] }))
    const walk = async (sort: string): Promise<string[]> => {
      const names: string[] = []
      for (let query = `?limit=1&sort=${sort}`; ; ) {
        const page = await admin('GET', `${rbac}/roles${query}`)
        names.push(...(done(page) as unknown as { name: string }[]).map((role) => role.name))
        const next = /<(\?[^>]*)>; rel="next"/.exec(page.headers.get('link') ?? '')?.[1]
        if (next === undefined) return names
        query = next
      }
    }
    expect(await walk('name')).toEqual(['a-role', 'admin', 'b-role', 'c-role'])
    expect(await walk('-name')).toEqual(['c-role', 'b-role', 'admin', 'a-role'])
    expect((await walk('created_at')).toSorted()).toEqual(['a-role', 'admin', 'b-role', 'c-role'])
    const found = done(await admin('GET', `${rbac}/roles?search=B-R`)) as unknown as { name: string }[]
    expect(found.map((role) => role.name)).toEqual(['b-role'])
    expect(done(await admin('GET', `${rbac}/roles?search=%25`))).toEqual([])
    const cursor = new URLSearchParams((await admin('GET', `${rbac}/roles?limit=1`)).headers.get('link')?.slice(2)).get('cursor')
    for (const wrong of [
      'x',
      'bnVsbA',
      `${cursor}&sort=-name`,
      Buffer.from('["name","\\u0000","0190aaaa-bbbb-7ccc-8ddd-eeeeeeeeeeee"]').toString('base64url'),
    ])
      expect(await admin('GET', `${rbac}/roles?cursor=${wrong}`)).toMatchObject({ status: 400, body: { field: 'query.cursor' } })
  })

  test('a caller cannot create or change a role with more rights than their own', async () => {
    const { admin, person, event } = await house.open()
    const { call, person: pat } = await person([...needs, 'roles:write', 'roles:read', 'users:read'])
    const refused = await call('POST', `${rbac}/roles`, { name: 'Mine', permission_strings: ['users:read', 'users:write'] })
    expect(refused).toMatchObject({ status: 403, body: { code: 'cannot_grant' } })
    expect(await event('request.refused')).toMatchObject({ actor: { id: pat.id }, reason: 'cannot_grant', outcome: 'refused' })
    expect(done(await admin('GET', `${rbac}/roles?search=Mine`))).toEqual([])
    const { id } = done(await call('POST', `${rbac}/roles`, { name: 'Mine', permission_strings: ['users:read'] }))
    done(await call('POST', `${rbac}/bindings`, { user_id: pat.id, role_id: id }))
    const widened = await call('PUT', `${rbac}/roles/${id}`, { name: 'Mine', permission_strings: ['users:read', 'clients:write'] })
    expect(widened).toMatchObject({ status: 403, body: { code: 'cannot_grant' } })
    const [role] = done(await admin('GET', `${rbac}/roles?role_id=${id}`)) as unknown as object[]
    expect(role).toMatchObject({ permissions_count: 1 })
  })

  test('a caller cannot give a role the name of one with more rights: by emptying it, renaming it or freeing the name', async () => {
    const { admin, person } = await house.open()
    const { id } = done(await admin('POST', `${rbac}/roles`, { name: 'Treasurer', permission_strings: ['users:read', 'clients:write'] }))
    const { call, person: pat } = await person([...needs, 'roles:write', 'roles:read', 'users:read'])
    const refused = { status: 403, body: { code: 'cannot_grant' } }
    expect(await call('PUT', `${rbac}/roles/${id}`, { name: 'Treasurer', permission_strings: ['users:read'] })).toMatchObject(refused)
    expect(await call('PUT', `${rbac}/roles/${id}`, { name: 'Old', permission_strings: ['users:read'] })).toMatchObject(refused)
    expect(await call('DELETE', `${rbac}/roles/${id}`)).toMatchObject(refused)
    expect(await call('POST', `${rbac}/bindings`, { user_id: pat.id, role_id: id })).toMatchObject(refused)
    expect((await call('POST', `${rbac}/roles`, { name: 'Treasurer', permission_strings: ['users:read'] })).status).toBe(409)
    const [role] = done(await admin('GET', `${rbac}/roles?role_id=${id}`)) as unknown as object[]
    expect(role).toMatchObject({ name: 'Treasurer', permissions_count: 2 })
    done(await admin('DELETE', `${rbac}/roles/${id}`))
  })

  test('the tenant\u2019s system role includes permissions that were registered later, but none of the platform', async () => {
    const { admin } = await house.open()
    done(await admin('POST', `${rbac}/permissions`, { resource: 'invoices', action: 'pay' }))
    expect(await admin('POST', `${rbac}/roles`, { name: 'Payer', permission_strings: ['invoices:pay'] })).toMatchObject({ status: 200 })
    expect(await admin('POST', `${rbac}/permissions`, { resource: 'platform', action: 'migrate' })).toMatchObject({
      status: 400,
      body: { code: 'invalid_request', field: 'body.resource' },
    })
  })

  test('another tenant\u2019s role is unknown', async () => {
    const { admin } = await house.open()
    const foreign = await house.open('globex')
    const { id } = done(await foreign.admin('POST', `${rbac}/roles`, { name: 'Reader', permission_strings: ['users:read'] }))
    const body = { name: 'Taken', permission_strings: ['users:read'] }
    for (const [method, given] of [['PUT', body], ['DELETE']] as const) {
      const theirs = await admin(method, `${rbac}/roles/${id}`, given)
      const nobodys = await admin(method, `${rbac}/roles/${UNKNOWN_ID}`, given)
      expect(theirs.status).toBe(404)
      expect({ ...theirs.body, request_id: '' }).toEqual({ ...nobodys.body, request_id: '' })
    }
    expect(done(await admin('GET', `${rbac}/roles?role_id=${id}`))).toEqual([])
    expect(done(await foreign.admin('GET', `${rbac}/roles?role_id=${id}`))).toMatchObject([{ name: 'Reader' }])
  })
})

test('returns one role with its permissions', async () => {
  const { admin } = await house.open()
  const { id } = done(await admin('POST', '/authsec/uflow/admin/roles', { name: 'Reader', permission_strings: ['users:read'] }))
  expect(await admin('GET', `/authsec/uflow/admin/roles/${id}`)).toMatchObject({
    status: 200,
    body: { id, is_system: false, permissions: [{ id: expect.any(String), resource: 'users', action: 'read' }], users_assigned: 0 },
  })
  expect(await admin('GET', `/authsec/uflow/admin/roles/${UNKNOWN_ID}`)).toMatchObject({ status: 404, body: { code: 'not_found' } })
})

test('the list shows the first hundred people of a role and counts all', async () => {
  const { admin, company } = await house.open()
  const { id } = done(await admin('POST', '/authsec/uflow/admin/roles', { name: 'Crowd', permission_strings: ['users:read'] }))
  await atomically(forTenant(house.db, company.tenantId), async (t) => {
    const at = house.clock.now()
    for (let n = 0; n < 101; n++) {
      const userId = house.ctx.random.id()
      await insertUser(t, { id: userId, email: `${userId}@crowd.example`, validFrom: at, createdAt: at, updatedAt: at })
      await bindRole(t, { id: house.ctx.random.id(), roleId: String(id), userId, at })
    }
  })
  const people = (await findAssignedPeople(forTenant(house.db, company.tenantId), [String(id)])).get(String(id))
  expect([people?.count, people?.userIds.length, people?.usernames.length]).toEqual([101, 100, 100])
})

test('a malformed cursor is refused before the database is queried', async () => {
  const { admin } = await house.open()
  for (const moment of ['2026-02-31T00:00:00.000Z', '2026-13-01T00:00:00.000Z', '2026-01-01T25:00:00.000Z', '0000-01-01T00:00:00.000Z', 'now']) {
    const cursor = Buffer.from(JSON.stringify(['-created_at', moment, UNKNOWN_ID])).toString('base64url')
    const answer = await admin('GET', `/authsec/uflow/admin/bindings?cursor=${cursor}`)
    expect([answer.status, answer.body.code, answer.body.field], moment).toEqual([400, 'invalid_request', 'query.cursor'])
  }
})
