import { describe, expect, test } from 'vitest'
import { atomically, forTenant } from '#db/engine/tenant'
import { insertBinding } from '#db/store/bindings'
import { findRoleByName } from '#db/store/roles'
import { type Company, type Person, startApp, type TestApp } from '#tests/support/app'
import { tokensRoutes } from './routes.ts'

const BASE = '/authsec/authmgr'

const start = async () => {
  const app = await startApp(tokensRoutes)
  const company = await app.company()
  const person = await app.person(company, ['documents:read', 'documents:write'])
  const token = await app.token(person)
  const get = (path: string, by = token) => app.request(`${BASE}${path}`, { token: by })
  return { app, company, person, token, get }
}
const roleOf = async (app: TestApp, company: Company, person: Person) => findRoleByName(forTenant(app.db, company.tenantId), `role-${person.id}`)

/** Binds a role to one person, with the given scope, conditions and expiry. */
const bind = async (
  app: TestApp,
  company: Company,
  roleId: string,
  to: Person,
  more: { scope?: readonly [string, string]; conditions?: Readonly<Record<string, unknown>>; expiresAt?: Date },
) =>
  atomically(forTenant(app.db, company.tenantId), async (t) => {
    await insertBinding(t, {
      id: app.ctx.random.id(),
      roleId,
      userId: to.id,
      serviceAccountId: null,
      groupId: null,
      scopeType: more.scope?.[0] ?? null,
      scopeId: more.scope?.[1] ?? null,
      conditions: more.conditions ?? null,
      expiresAt: more.expiresAt ?? null,
      createdBy: null,
      createdAt: app.clock.now(),
    })
  })

describe.each(['admin', 'user'])('%s: checks', (side) => {
  test('validate/* refuses what the session may not do', async () => {
    const { app, get, token } = await start()
    for (const [path, status] of [
      ['/validate/token', 200],
      ['/validate/scope?scope=read', 200],
      ['/validate/scope?scope=documents:write', 200],
      ['/validate/scope?scope=delete', 403],
      ['/validate/scope?scope=documents:delete', 403],
      ['/validate/scope?scope=ents:read', 403],
      ['/validate/resource?resource=documents', 200],
      ['/validate/resource?resource=document', 403],
      ['/validate/resource', 403],
    ] as const) {
      const response = await get(`/${side}${path}`)
      expect(response.status, path).toBe(status)
      if (status === 403) expect(await response.json()).toMatchObject({ code: 'requirement_not_met' })
    }
    const post = (body: unknown) => app.request(`${BASE}/${side}/validate/permissions`, { token, body })
    expect(await (await post({ scope: 'write', resource: 'documents' })).json()).toMatchObject({
      required_scope: 'write',
      required_resource: 'documents',
    })
    expect((await post({ scope: 'delete', resource: 'documents' })).status).toBe(403)
    expect((await post({})).status).toBe(403)
  })

  test('check/* follows scope, expiry and conditions of the bindings', async () => {
    const { app, company, person, get } = await start()
    const role = await roleOf(app, company, person)
    const [plain, id] = [await app.person(company), app.ctx.random.id()]
    const token = await app.token(plain)
    const ask = async (path: string, member: string) => (await (await get(`/${side}${path}`, token)).json())[member]
    const name = `role=${role?.name}`
    const scoped = `scope_id=${id}&scope_type=project`
    expect(await ask('/check/permission?resource=documents&scope=read', 'has_permission')).toBe(false)
    await bind(app, company, role?.id ?? '', plain, { scope: ['project', id] })
    expect(await ask('/check/permission?resource=documents&scope=read', 'has_permission')).toBe(false)
    expect(await ask(`/check/permission-scoped?resource=documents&scope=read&${scoped}`, 'has_permission')).toBe(true)
    expect(await ask(`/check/permission-scoped?resource=documents&scope=read&scope_id=${id}&scope_type=team`, 'has_permission')).toBe(false)
    expect(await ask(`/check/role?${name}`, 'has_role')).toBe(false)
    expect(await ask(`/check/role-resource?${name}&resource_id=${id}&scope_type=project`, 'has_role')).toBe(true)
    expect(await ask(`/check/role-resource?${name}&resource_id=${app.ctx.random.id()}&scope_type=project`, 'has_role')).toBe(false)
    expect(await ask(`/check/role-resource?${name}&resource_id=${id}&scope_type=team`, 'has_role')).toBe(false)
    await bind(app, company, role?.id ?? '', plain, { conditions: { mfa_required: true } })
    expect(await ask(`/check/role?${name}`, 'has_role')).toBe(false)
    const strong = await app.token(plain, ['pwd', 'otp', 'mfa'])
    expect(await (await get(`/${side}/check/role?${name}`, strong)).json()).toEqual({ user_id: plain.id, role: role?.name, has_role: true })
  })

  test('an expired role binding is not counted', async () => {
    const { app, company, person, get } = await start()
    const role = await roleOf(app, company, person)
    const plain = await app.person(company)
    await bind(app, company, role?.id ?? '', plain, { expiresAt: new Date(app.clock.now().getTime() + 60_000) })
    const has = async () => (await (await get(`/${side}/check/role?role=${role?.name}`, await app.token(plain))).json()).has_role
    expect(await has()).toBe(true)
    app.clock.advance(61)
    expect(await has()).toBe(false)
  })

  test('a scope includes exactly its permissions', async () => {
    const { app, company, get } = await start()
    const { insertScope } = await import('#db/store/scopes')
    const { listPermissions } = await import('#db/store/permissions')
    const t = forTenant(app.db, company.tenantId)
    const page = { sort: 'created_at', descending: true, limit: 10 } as const
    const [permission] = await listPermissions(t, { names: ['documents:read'], page })
    const at = app.clock.now()
    await atomically(t, (tx) =>
      insertScope(tx, {
        id: app.ctx.random.id(),
        name: 'docs:r',
        description: '',
        usage: 'oauth',
        permissionIds: [permission?.id ?? ''],
        at,
      }),
    )
    const ask = async (query: string) => (await (await get(`/${side}/check/oauth-scope?${query}`)).json()).has_permission
    expect(await ask('scope_name=docs:r&resource=documents&action=read')).toBe(true)
    expect(await ask('scope_name=docs:r&resource=documents&action=write')).toBe(false)
    expect(await ask('scope_name=unknown&resource=documents&action=read')).toBe(false)
  })

  test('auth-status of other people needs permission to read people, and discloses no other tenant', async () => {
    const { app, company, person, get } = await start()
    const globex = await app.company('globex')
    const status = (email: string, by?: string) => get(`/${side}/auth-status?email=${encodeURIComponent(email)}`, by)
    expect(await (await status(person.email)).json()).toMatchObject({
      email: person.email,
      mfa_enabled: false,
      otp_required: false,
      scopes: ['documents:read', 'documents:write'],
    })
    const reported = async (response: Response) => [response.status, { ...(await response.json()), request_id: '' }]
    const refused = [company.admin.email, globex.admin.email, 'unknown@acme.example'].map(async (email) => reported(await status(email)))
    const [first, ...others] = await Promise.all(refused)
    expect(first).toMatchObject([403, { error: 'insufficient_scope' }])
    for (const other of others) expect(other).toEqual(first)
    const reader = await app.token(await app.person(company, ['users:read']))
    expect((await status(company.admin.email, reader)).status).toBe(200)
    const [foreign, unknown] = [
      await reported(await status(globex.admin.email, reader)),
      await reported(await status('unknown@acme.example', reader)),
    ]
    expect(foreign).toEqual(unknown)
    expect(foreign).toMatchObject([404, { error: 'user not found' }])
  })

  test('administrator permissions count only in a session that is strong enough', async () => {
    const { app, company, get } = await start()
    const { updateTenantSettings } = await import('#db/store/tenants')
    await atomically(forTenant(app.db, company.tenantId), (t) => updateTenantSettings(t, { adminAcr: 'aal2' }, app.clock.now()))
    const [weak, strong] = [await app.token(company.admin), await app.token(company.admin, ['pwd', 'otp', 'mfa'])]
    const may = async (by: string) => (await get(`/${side}/validate/scope?scope=admin:access`, by)).status
    expect([await may(weak), await may(strong)]).toEqual([403, 200])
    const check = async (by: string) => (await (await get(`/${side}/check/permission?resource=admin&scope=access`, by)).json()).has_permission
    expect([await check(weak), await check(strong)]).toEqual([false, true])
    const { permissions, count } = await (await get(`/${side}/permissions`, weak)).json()
    expect(permissions).not.toContain('admin:access')
    expect(permissions).toHaveLength(count)
  })
})
