import { decodeJwt } from 'jose'
import { describe, expect, test } from 'vitest'
import { atomically, forTenant } from '#db/engine/tenant'
import { updateClientIdentity } from '#db/store/clients'
import { findSessions, revokeSession } from '#db/store/sessions'
import { findUser } from '#db/store/users'
import { addClient } from '#tests/support/administration'
import { type Company, startApp, type TestApp } from '#tests/support/app'
import { change } from '#tests/support/sign-in'
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
describe('token/verify', () => {
  const verify = (app: TestApp, token: string) => app.request(`${BASE}/token/verify`, { body: { token } })

  test('verification returns the person and the current permissions, and fails once the session has ended', async () => {
    const { app, company, person, token } = await start()
    const response = await verify(app, token)
    expect(response.status).toBe(200)
    expect(await response.json()).toMatchObject({
      valid: true,
      tenant_id: company.tenantId,
      user_id: person.id,
      email_id: person.email,
      client_id: company.clientId,
      scopes: ['documents:read', 'documents:write'],
      roles: [`role-${person.id}`],
      groups: [],
      resources: ['documents'],
      token_type: 'default',
      issuer: 'authsec-ai/auth-manager',
      issued_at: app.clock.now().toISOString(),
    })
    const t = forTenant(app.db, company.tenantId)
    const [session] = await findSessions(t, person.id, app.clock.now())
    await atomically(t, (tx) => revokeSession(tx, person.id, session?.id ?? '', app.clock.now(), 'test'))
    const ended = await verify(app, token)
    expect(ended.status).toBe(401)
    expect(await ended.json()).toMatchObject({ code: 'invalid_token' })
  })

  test('the token of a session with a temporary password has neither scopes nor roles', async () => {
    const { app, person } = await start()
    await change(app, person, { temporaryPassword: true, temporaryPasswordExpiresAt: new Date(app.clock.now().getTime() + 3_600_000) })
    expect(await (await verify(app, await app.token(person))).json()).toMatchObject({ valid: true, scopes: [], roles: [], resources: [] })
  })

  test.each(['nonsense', 'a.b.c'])('%s is refused', async (text) => {
    const { app, token } = await start()
    for (const forged of [text, `${token}x`, token.slice(0, -2)]) {
      const response = await verify(app, forged)
      expect(response.status).toBe(401)
      expect(await response.text()).not.toContain(forged)
    }
  })
})

describe('token/generate', () => {
  const generate = (app: TestApp, token: string | undefined, body: unknown = {}) =>
    app.request(`${BASE}/token/generate`, { ...(token === undefined ? {} : { token }), body })

  test('reissues the token of the same session, with the same expiry and permissions; it ends with the session', async () => {
    const { app, company, person, token } = await start()
    app.clock.advance(600)
    const body = {
      tenant_id: company.tenantId,
      email_id: person.email.toUpperCase(),
      client_id: company.clientId,
      roles: ['admin'],
      permissions: ['admin:access'],
    }
    const response = await generate(app, token, body)
    expect(response.status).toBe(200)
    const { access_token, token_type, expires_in } = await response.json()
    const [before, after] = [decodeJwt(token), decodeJwt(access_token)]
    expect(token_type).toBe('Bearer')
    expect(after).toMatchObject({ sid: before.sid, jti: before.jti, sub: person.id, exp: before.exp, email_id: person.email })
    expect(expires_in).toBe((before.exp ?? 0) - Math.floor(app.clock.now().getTime() / 1000))
    expect(after.roles).toEqual([`role-${person.id}`])
    const profile = await (await app.request(`${BASE}/user/profile`, { token: access_token })).json()
    expect(profile.scopes).toEqual(['documents:read', 'documents:write'])
    const events = (await app.events(company.tenantId)).filter(({ event }) => event === 'token.reissued')
    expect(events).toMatchObject([{ actorId: person.id, targetId: before.sid }])
  })

  test('needs a session, and refuses a different identity without a look-up or a token', async () => {
    const { app, company, token } = await start()
    const globex = await app.company('globex')
    expect((await generate(app, undefined)).status).toBe(401)
    const own = await addClient(app, company, { name: 'Another' })
    for (const [body, code] of [
      [{ tenant_id: globex.tenantId }, 'tenant_mismatch'],
      [{ tenant_id: 'acme' }, 'identity_mismatch'],
      [{ email_id: globex.admin.email }, 'identity_mismatch'],
      [{ email_id: 'no address' }, 'identity_mismatch'],
      [{ client_id: globex.clientId }, 'identity_mismatch'],
      [{ client_id: own.client_id }, 'identity_mismatch'],
    ] as const) {
      const response = await generate(app, token, body)
      expect(response.status, JSON.stringify(body)).toBe(403)
      expect(await response.json()).toMatchObject({ code })
    }
    expect((await app.events(company.tenantId)).map(({ event }) => event)).not.toContain('token.reissued')
  })

  test('the project must belong to the tenant; a foreign project gets the response of an unknown one', async () => {
    const { app, company, token } = await start()
    const project = async (of: Company) => (await findUser(forTenant(app.db, of.tenantId), of.admin.id))?.projectId ?? ''
    const globex = await app.company('globex')
    const reported: unknown[] = []
    for (const project_id of [await project(globex), app.ctx.random.id(), 'x']) {
      const response = await generate(app, token, { project_id })
      expect(response.status).toBe(404)
      reported.push({ ...(await response.json()), request_id: '' })
    }
    expect(new Set(reported.map((one) => JSON.stringify(one))).size).toBe(1)
    const own = await project(company)
    expect(decodeJwt((await (await generate(app, token, { project_id: own })).json()).access_token).project_id).toBe(own)
  })

  test('a secret in the body must be the client’s own', async () => {
    const { app, company, person } = await start()
    const { updateUser } = await import('#db/store/users')
    const made = await addClient(app, company, { name: 'SDK' })
    const other = await addClient(app, company, { name: 'Other' })
    await atomically(forTenant(app.db, company.tenantId), (t) => updateUser(t, person.id, { clientId: made.client_id }))
    const token = await app.token(person)
    for (const secret_id of [made.secret_id, made.sdk_client_id?.split('~')[1]]) expect((await generate(app, token, { secret_id })).status).toBe(200)
    // The secret is in the body, so a client that authenticates in the body can do that.
    await atomically(forTenant(app.db, company.tenantId), (t) =>
      updateClientIdentity(t, made.client_id, { tokenEndpointAuthMethod: 'client_secret_post', updatedAt: app.clock.now() }),
    )
    expect((await generate(app, token, { secret_id: made.secret_id })).status).toBe(200)
    for (const secret_id of [other.secret_id, 'wrong']) {
      const response = await generate(app, token, { secret_id })
      expect(response.status).toBe(401)
      expect(await response.json()).toMatchObject({ code: 'invalid_credentials' })
    }
  })
})

describe('groups', () => {
  test('groups are created, changed, filled, emptied and deleted; people of another tenant are not found', async () => {
    const { app, company } = await start()
    const token = await app.token(company.admin)
    const send = (method: string, path: string, body?: unknown) =>
      app.request(`${BASE}/admin/groups${path}`, { token, method, ...(body === undefined ? {} : { body }) })
    const tenant_id = company.tenantId
    const made = await send('POST', '', { tenant_id, groups: ['staff', 'night', 'staff'] })
    expect(made.status).toBe(201)
    expect((await made.json()).count).toBe(2)
    expect((await (await send('POST', '', { tenant_id, groups: ['staff'] })).json()).count).toBe(1)
    const { groups, count } = await (await send('GET', '')).json()
    expect([groups.map(({ name }: { name: string }) => name), count]).toEqual([['night', 'staff'], 2])
    const [night, staff] = groups
    expect((await send('PUT', `/${night.id}`, { tenant_id, name: 'staff' })).status).toBe(409)
    expect(await (await send('PUT', `/${night.id}`, { tenant_id, description: 'At night.' })).json()).toMatchObject({
      name: 'night',
      description: 'At night.',
    })
    const [one, two] = [await app.person(company), await app.person(company)]
    const users = { tenant_id, user_ids: [one.id, two.id] }
    expect(await (await send('POST', `/${staff.id}/users`, users)).json()).toEqual({
      message: 'users added',
      group_id: staff.id,
      users_added: 2,
      users_total: 2,
    })
    expect(await (await send('POST', `/${staff.id}/users`, users)).json()).toMatchObject({ users_added: 0 })
    const foreign = await app.person(await app.company('globex'))
    expect((await send('POST', `/${staff.id}/users`, { tenant_id, user_ids: [foreign.id] })).status).toBe(404)
    expect(await (await send('GET', `/${staff.id}/users`)).json()).toMatchObject({ group_name: 'staff', count: 2 })
    expect(await (await send('DELETE', `/${staff.id}/users`, users)).json()).toMatchObject({ users_removed: 2 })
    expect(await (await send('DELETE', `/${staff.id}`)).json()).toEqual({ message: 'group deleted' })
    expect((await send('GET', `/${staff.id}`)).status).toBe(404)
  })
})

test('health is public', async () => {
  const { request } = await startApp(tokensRoutes)
  expect(await (await request(`${BASE}/health`)).json()).toMatchObject({ status: 'healthy', service: 'auth-manager' })
})
