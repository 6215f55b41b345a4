import { beforeAll, describe, expect, test } from 'vitest'
import { atomically, forTenant } from '#db/engine/tenant'
import { findLiveRoleNames } from '#db/store/bindings'
import { updateUser } from '#db/store/users'
import { type AccessHouse, bindingsOf, done, roleOf, SIDES, startAccessWorld, systemRole, UNKNOWN_ID } from './access-house.ts'

let house: AccessHouse
beforeAll(async () => {
  house = await startAccessWorld()
})

describe.each(SIDES)('%s', (_, { rbac, needs }) => {
  test('a binding assigns the role in its scope and is recorded in the audit log', async () => {
    const { admin, person, event, company } = await house.open()
    const role = await roleOf(admin, rbac, 'Reader', 'users:read')
    const { person: pat } = await person()
    const given = { user_id: pat.id, role_id: role, conditions: { mfa_required: true }, expires_at: '2026-03-09T10:00:00+01:00' }
    const { status, body } = await admin('POST', `${rbac}/bindings`, given)
    const created_at = house.clock.now().toISOString()
    const expires_at = '2026-03-09T09:00:00.000Z'
    expect([status, body]).toEqual([
      200,
      {
        id: expect.any(String),
        status: 'active',
        scope_description: 'Tenant-Wide',
        role_name: 'Reader',
        conditions: { mfa_required: true },
        expires_at,
      },
    ])
    expect(await event('role_binding.assigned')).toMatchObject({
      actor: { id: company.admin.id },
      target: { type: 'role_binding', id: body.id },
      before: null,
      after: {
        user_id: pat.id,
        role_id: role,
        role_name: 'Reader',
        scope_type: null,
        scope_id: null,
        conditions: { mfa_required: true },
        expires_at,
      },
    })
    expect(await bindingsOf(admin, rbac, pat.id)).toEqual([
      {
        id: body.id,
        user_id: pat.id,
        email: pat.email,
        role_id: role,
        role_name: 'Reader',
        conditions: { mfa_required: true },
        created_at,
        expires_at,
      },
    ])
  })

  test.each([
    [undefined, 'Tenant-Wide', {}],
    [{}, 'Tenant-Wide', {}],
    [{ type: '', id: '' }, 'Tenant-Wide', {}],
    [{ type: '*', id: '*' }, 'Tenant-Wide (wildcard)', {}],
    [{ type: '', id: '*' }, 'Tenant-Wide (wildcard)', {}],
    [{ type: 'project', id: '*' }, 'Tenant-Wide (project)', {}],
    [{ type: 'project', id: '' }, 'Tenant-Wide (project)', {}],
    [{ type: 'project', id: UNKNOWN_ID.toUpperCase() }, `project: ${UNKNOWN_ID}`, { scope_type: 'project', scope_id: UNKNOWN_ID }],
  ])('scope %j is %s', async (scope, description, columns) => {
    const { admin, person } = await house.open()
    const { person: pat } = await person()
    const role = await roleOf(admin, rbac, 'Reader', 'users:read')
    const body = done(await admin('POST', `${rbac}/bindings`, { user_id: pat.id, role_id: role, ...(scope ? { scope } : {}) }))
    expect(body.scope_description).toBe(description)
    const [row] = await bindingsOf(admin, rbac, pat.id)
    expect(row).toMatchObject(columns)
    expect(Object.keys(row ?? {}).filter((key) => key.startsWith('scope'))).toEqual(Object.keys(columns))
  })

  test('an invalid binding is refused, and nothing is written', async () => {
    const { admin, person, company } = await house.open()
    const foreign = await house.open('globex')
    const { person: pat } = await person()
    const role = await roleOf(admin, rbac, 'Reader', 'users:read')
    const theirs = await roleOf(foreign.admin, rbac, 'Reader', 'users:read')
    const good = { user_id: pat.id, role_id: role }
    const bad = [
      [{ ...good, user_id: 'x' }, 400],
      [{ role_id: role }, 400],
      [{ ...good, group_id: UNKNOWN_ID }, 400],
      [{ ...good, scope: { id: UNKNOWN_ID } }, 400],
      [{ ...good, scope: { type: '*', id: UNKNOWN_ID } }, 400],
      [{ ...good, scope: { type: 'project', id: 'x' } }, 400],
      [{ ...good, conditions: { moon: 'full' } }, 400],
      [{ ...good, conditions: [] }, 400],
      [{ ...good, expires_at: house.clock.now().toISOString() }, 400],
      [{ ...good, expires_at: 'tomorrow' }, 400],
      [{ ...good, user_id: UNKNOWN_ID }, 404],
      [{ ...good, user_id: foreign.company.admin.id }, 404],
      [{ ...good, role_id: UNKNOWN_ID }, 404],
      [{ ...good, role_id: theirs }, 404],
      [{ role_id: role, group_id: pat.id }, 404],
      [{ role_id: role, service_account_id: pat.id }, 404],
    ] as const
    const events = (await house.events(company.tenantId)).length
    for (const [body, status] of bad) expect((await admin('POST', `${rbac}/bindings`, body)).status, JSON.stringify(body)).toBe(status)
    expect(await bindingsOf(admin, rbac, pat.id)).toEqual([])
    expect((await house.events(company.tenantId)).length).toBe(events)
  })

  test('repeating a request returns the existing binding; an expired binding is replaced', async () => {
    const { admin, person, event } = await house.open()
    const { person: pat } = await person()
    const role = await roleOf(admin, rbac, 'Reader', 'users:read')
    const until = new Date(house.clock.now().getTime() + 60_000).toISOString()
    const first = done(await admin('POST', `${rbac}/bindings`, { user_id: pat.id, role_id: role, expires_at: until }))
    const again = await admin('POST', `${rbac}/bindings`, { user_id: pat.id, role_id: role })
    expect(again).toMatchObject({ status: 200, body: { id: first.id, expires_at: until } })
    const scoped = done(await admin('POST', `${rbac}/bindings`, { user_id: pat.id, role_id: role, scope: { type: 'project', id: UNKNOWN_ID } }))
    expect(scoped.id).not.toBe(first.id)
    house.clock.advance(60)
    const renewed = done(await admin('POST', `${rbac}/bindings`, { user_id: pat.id, role_id: role }))
    expect(renewed.id).not.toBe(first.id)
    expect(renewed).not.toHaveProperty('expires_at')
    expect(await event('role_binding.assigned')).toMatchObject({ before: { id: first.id, expires_at: until }, after: { expires_at: null } })
    expect((await bindingsOf(admin, rbac, pat.id)).map((row) => row.id).toSorted()).toEqual([renewed.id, scoped.id].map(String).toSorted())
  })

  test('a revoked binding stops the next request and is recorded in the audit log', async () => {
    const { admin, person, event } = await house.open()
    const { person: pat, call } = await person()
    const role = await roleOf(admin, rbac, 'Reader', ...needs, 'roles:read')
    const { id } = done(await admin('POST', `${rbac}/bindings`, { user_id: pat.id, role_id: role }))
    expect((await call('GET', `${rbac}/roles`)).status).toBe(200)
    expect(await admin('DELETE', `${rbac}/bindings/${id}`)).toMatchObject({ status: 200, body: { id, message: expect.any(String) } })
    expect((await call('GET', `${rbac}/roles`)).status).toBe(403)
    expect(await event('role_binding.revoked')).toMatchObject({ target: { id }, before: { user_id: pat.id, role_name: 'Reader' }, after: null })
    expect(await admin('DELETE', `${rbac}/bindings/${id}`)).toMatchObject({ status: 404, body: { code: 'not_found' } })
  })

  test('a caller cannot assign a role with more rights than their own, whatever the scope and the principal', async () => {
    const { admin, person } = await house.open()
    const { person: pat, call } = await person([...needs, 'roles:write', 'roles:read', 'users:read'])
    const wide = await roleOf(admin, rbac, 'Wide', 'users:read', 'users:write')
    const own = await roleOf(admin, rbac, 'Own', 'users:read')
    const { person: other } = await person()
    for (const userId of [pat.id, other.id]) {
      for (const scope of [undefined, { type: 'project', id: UNKNOWN_ID }]) {
        const refused = await call('POST', `${rbac}/bindings`, { user_id: userId, role_id: wide, ...(scope ? { scope } : {}) })
        expect(refused).toMatchObject({ status: 403, body: { code: 'cannot_grant' } })
      }
    }
    const system = await systemRole(admin, rbac)
    expect(await call('POST', `${rbac}/bindings`, { user_id: pat.id, role_id: system })).toMatchObject({
      status: 403,
      body: { code: 'cannot_grant' },
    })
    expect(await bindingsOf(admin, rbac, other.id)).toEqual([])
    expect(await call('POST', `${rbac}/bindings`, { user_id: other.id, role_id: own })).toMatchObject({ status: 200 })
  })

  test('rights that are held for one resource, under a condition or expired cannot be granted', async () => {
    const { admin, person } = await house.open()
    const role = await roleOf(admin, rbac, 'Reader', 'users:read')
    const { person: pat, call } = await person([...needs, 'roles:write'])
    const { person: other } = await person()
    const soon = () => new Date(house.clock.now().getTime() + 10_000).toISOString()
    const limits = [
      () => ({ scope: { type: 'project', id: UNKNOWN_ID } }),
      () => ({ conditions: { mfa_required: false } }),
      () => ({ expires_at: soon() }),
    ]
    for (const limit of limits) {
      const { id } = done(await admin('POST', `${rbac}/bindings`, { user_id: pat.id, role_id: role, ...limit() }))
      house.clock.advance(10)
      expect(await call('POST', `${rbac}/bindings`, { user_id: other.id, role_id: role })).toMatchObject({
        status: 403,
        body: { code: 'cannot_grant' },
      })
      done(await admin('DELETE', `${rbac}/bindings/${id}`))
    }
  })

  test('the list is newest first, filtered and paged, and excludes other tenants', async () => {
    const { admin, person, company } = await house.open()
    const foreign = await house.open('globex')
    const { person: pat } = await person()
    const [reader, writer] = [await roleOf(admin, rbac, 'Reader', 'users:read'), await roleOf(admin, rbac, 'Writer', 'users:write')]
    const bind = async (role_id: string, scope?: object) => {
      house.clock.advance(1)
      return done(await admin('POST', `${rbac}/bindings`, { user_id: pat.id, role_id, ...(scope ? { scope } : {}) })).id
    }
    const ids = [await bind(reader), await bind(writer), await bind(reader, { type: 'project', id: UNKNOWN_ID })].toReversed()
    const list = async (query: string) => (done(await admin('GET', `${rbac}/bindings${query}`)) as unknown as { id: string }[]).map(({ id }) => id)
    expect(await list(`?user_id=${pat.id}`)).toEqual(ids)
    expect(await list(`?user_id=${pat.id}&sort=created_at`)).toEqual(ids.toReversed())
    expect(await list(`?role_id=${writer}`)).toEqual([ids[1]])
    expect(await list('?scope_type=project')).toEqual([ids[0]])
    const page = await admin('GET', `${rbac}/bindings?user_id=${pat.id}&limit=2`)
    const next = /<(\?[^>]*)>/.exec(page.headers.get('link') ?? '')?.[1] ?? ''
    expect(await list(next)).toEqual([ids[2]])
    expect(done(await foreign.admin('GET', `${rbac}/bindings?user_id=${pat.id}`))).toEqual([])
    expect(await foreign.admin('DELETE', `${rbac}/bindings/${ids[0]}`)).toMatchObject({ status: 404 })
    expect((await list(`?user_id=${company.admin.id}`)).length).toBe(1)
  })
})

test('a role that is held for one resource, under a condition or expired is not in a token', async () => {
  const { admin, company, person } = await house.open()
  const { person: pat } = await person()
  const limits = {
    Scoped: { scope: { type: 'project', id: UNKNOWN_ID } },
    Careful: { conditions: { mfa_required: true } },
    Guest: { expires_at: '2031-01-01T00:00:00Z' },
    Plain: {},
  }
  for (const [name, limit] of Object.entries(limits)) {
    const role_id = await roleOf(admin, '/authsec/uflow/admin', name, 'users:read')
    done(await admin('POST', '/authsec/uflow/admin/bindings', { user_id: pat.id, role_id, ...limit }))
  }
  const t = forTenant(house.db, company.tenantId)
  expect(await findLiveRoleNames(t, pat.id, house.clock.now())).toEqual(['Guest', 'Plain'])
  expect(await findLiveRoleNames(t, pat.id, new Date('2031-01-01T00:00:00Z'))).toEqual(['Plain'])
})

test('a deleted person cannot be assigned a role', async () => {
  const { admin, company, person } = await house.open()
  const role_id = await roleOf(admin, '/authsec/uflow/admin', 'Reader', 'users:read')
  const { person: pat } = await person()
  await atomically(forTenant(house.db, company.tenantId), (t) => updateUser(t, pat.id, { deletedAt: house.clock.now() }))
  expect(await admin('POST', '/authsec/uflow/admin/bindings', { user_id: pat.id, role_id })).toMatchObject({
    status: 404,
    body: { code: 'not_found' },
  })
})
