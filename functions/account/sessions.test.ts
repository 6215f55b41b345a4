// A person's own sessions: listing, ending, lifetimes and place.
import { describe, expect, test } from 'vitest'
import { atomically, forTenant } from '#db/engine/tenant'
import { endTenantSessions, updateTenantSettings } from '#db/store/tenants'
import { problem } from '#shared/platform/http/problem'
import { type Person, startApp, type TestApp } from '#tests/support/app'
import { authRoutes } from '../auth/routes.ts'
import { accountRoutes } from './routes.ts'

type Listed = { readonly id: string; readonly current: boolean; readonly device: string; readonly address: string; readonly place: string } & Record<
  string,
  unknown
>

const listed = async (app: TestApp, token: string): Promise<Listed[]> => {
  const response = await app.request('/account/sessions', { token })
  expect(response.status).toBe(200)
  return (await response.json()).sessions
}
const currentId = async (app: TestApp, token: string): Promise<string> => {
  const current = (await listed(app, token)).find((session) => session.current)
  if (current === undefined) throw new Error('no current session')
  return current.id
}
const end = (app: TestApp, token: string, id: string) => app.request(`/account/sessions/${id}`, { method: 'DELETE', token })
const status = async (app: TestApp, token: string): Promise<number> => (await app.request('/account/sessions', { token })).status

test('the list has the caller\u2019s own live sessions, newest first, with a readable device name', async () => {
  const app = await startApp(accountRoutes, { render: problem })
  const acme = await app.company()
  const [ana, bo] = [await app.person(acme), await app.person(acme)]
  const first = await app.token(ana)
  app.clock.advance(10)
  const second = await app.token(ana, ['pwd', 'otp'])
  await app.token(bo)
  const sessions = await listed(app, first)
  expect(sessions).toHaveLength(2)
  expect(sessions[0]).toEqual({
    id: await currentId(app, second),
    current: false,
    device: 'Firefox on Linux',
    address: '192.0.2.1',
    place: '',
    amr: ['pwd', 'otp'],
    acr: 'aal2',
    auth_time: '2026-03-02T09:00:10.000Z',
    created_at: '2026-03-02T09:00:10.000Z',
    last_seen_at: '2026-03-02T09:00:10.000Z',
    expires_at: '2026-03-03T09:00:10.000Z',
  })
  expect(sessions[1]).toMatchObject({ current: true, created_at: '2026-03-02T09:00:00.000Z', acr: 'aal1' })
})

test('every route needs a session', async () => {
  const app = await startApp(accountRoutes, { render: problem })
  for (const [path, method] of [
    ['/account/sessions', 'GET'],
    ['/account/sessions/end-others', 'POST'],
    ['/account/sign-out', 'POST'],
    ['/account/sessions/0190aaaa-bbbb-7ccc-8ddd-eeeeeeeeeeee', 'DELETE'],
  ] as const) {
    expect(await (await app.request(path, { method })).json()).toMatchObject({ status: 401, code: 'unauthorized' })
  }
})

describe('ending sessions', () => {
  test('sessions of another person, of another tenant, unknown or ended get the same 404, and nothing happens', async () => {
    const app = await startApp(accountRoutes, { render: problem })
    const [acme, globex] = [await app.company('acme'), await app.company('globex')]
    const [ana, bo, gil] = [await app.person(acme), await app.person(acme), await app.person(globex)]
    const [anas, bos, gils] = [await app.token(ana), await app.token(bo), await app.token(gil)]
    const ended = await app.token(ana)
    const endedId = await currentId(app, ended)
    expect((await app.request('/account/sign-out', { method: 'POST', token: ended })).status).toBe(204)
    const before = (await app.events(acme.tenantId)).length
    const ids = [await currentId(app, bos), await currentId(app, gils), '0190aaaa-bbbb-7ccc-8ddd-eeeeeeeeeeee', endedId]
    const answers = await Promise.all(
      ids.map(async (id) => {
        const response = await end(app, anas, id)
        const { request_id: _, ...body } = await response.json()
        return { status: response.status, body }
      }),
    )
    for (const answer of answers)
      expect(answer).toEqual({
        status: 404,
        body: { type: 'http://localhost:7468/errors/not_found', title: 'Not found.', status: 404, code: 'not_found' },
      })
    expect([await status(app, bos), await status(app, gils)]).toEqual([200, 200])
    expect((await app.events(acme.tenantId)).length).toBe(before)
  })

  test('an ended session stops at once on this instance, and within two seconds on another', async () => {
    const here = await startApp(accountRoutes, { render: problem })
    const there = await startApp(accountRoutes, { render: problem })
    const ana = await here.person(await here.company())
    const [kept, ended] = [await here.token(ana), await here.token(ana)]
    const id = await currentId(here, ended)
    expect([await status(here, ended), await status(there, ended)]).toEqual([200, 200])
    expect((await end(here, kept, id)).status).toBe(204)
    expect(await status(here, ended)).toBe(401)
    for (const app of [here, there]) app.clock.advance(1.999)
    const refused = await there.request('/account/sessions', { token: ended })
    expect(await refused.json()).toMatchObject({ status: 401, code: 'invalid_token' })
    expect([await status(here, kept), await status(there, kept)]).toEqual([200, 200])
    const event = (await here.events(ana.tenantId)).find(({ event: name }) => name === 'session.revoked')
    expect(event).toMatchObject({
      event: 'session.revoked',
      actorType: 'user',
      actorId: ana.id,
      targetType: 'session',
      targetId: id,
      outcome: 'success',
    })
  })

  test('signing out ends this session and no other', async () => {
    const app = await startApp(accountRoutes, { render: problem })
    const ana = await app.person(await app.company())
    const [mine, other] = [await app.token(ana), await app.token(ana)]
    expect((await app.request('/account/sign-out', { method: 'POST', token: mine })).status).toBe(204)
    expect([await status(app, mine), await status(app, other)]).toEqual([401, 200])
    const again = await app.request('/account/sign-out', { method: 'POST', token: mine })
    expect(await again.json()).toMatchObject({ status: 401, code: 'invalid_token' })
    const signedOut = (await app.events(ana.tenantId)).filter(({ event }) => event === 'user.signed_out')
    expect(signedOut).toHaveLength(1)
    expect(signedOut[0]).toMatchObject({ actorId: ana.id, targetType: 'session', route: 'account.signOut' })
  })

  const endOthers = async (app: TestApp, token: string): Promise<unknown> =>
    (await app.request('/account/sessions/end-others', { method: 'POST', token })).json()

  test('ending other sessions keeps this one and those of other people, and notifies the owner once', async () => {
    const app = await startApp(accountRoutes, { render: problem })
    const acme = await app.company()
    const [ana, bo] = [await app.person(acme), await app.person(acme)]
    const mine = await app.token(ana)
    const others = [await app.token(ana), await app.token(ana)]
    const bos = await app.token(bo)
    expect(await endOthers(app, mine)).toEqual({ revoked: 2 })
    expect(await endOthers(app, mine)).toEqual({ revoked: 0 })
    expect(await Promise.all([mine, ...others, bos].map((token) => status(app, token)))).toEqual([200, 401, 401, 200])
    const mails = await app.mailsTo(ana.email)
    expect(mails.map(({ subject }) => subject)).toEqual([`You were signed out everywhere at ${acme.name}`])
    expect((await app.events(acme.tenantId)).filter(({ event }) => event === 'sessions.revoked')).toHaveLength(1)
  })
})

const withSettings = async (app: TestApp, person: Person, settings: Parameters<typeof updateTenantSettings>[1]): Promise<void> =>
  atomically(forTenant(app.db, person.tenantId), (t) => updateTenantSettings(t, settings, app.clock.now()))

describe('session lifetimes', () => {
  test('a session idle for longer than the tenant allows ends and is not listed; use extends it', async () => {
    const app = await startApp(accountRoutes, { render: problem })
    const ana = await app.person(await app.company())
    await withSettings(app, ana, { sessionIdleSeconds: 600 })
    const [used, idle] = [await app.token(ana), await app.token(ana)]
    const idleId = await currentId(app, idle)
    app.clock.advance(590)
    expect(await listed(app, used)).toHaveLength(2)
    app.clock.advance(11)
    expect(await status(app, idle)).toBe(401)
    const sessions = await listed(app, used)
    expect(sessions).toHaveLength(1)
    expect(sessions[0]).toMatchObject({ current: true, last_seen_at: '2026-03-02T09:09:50.000Z' })
    expect((await end(app, used, idleId)).status).toBe(404)
  })

  test('a session ends at its absolute lifetime even when it is in use', async () => {
    const app = await startApp(accountRoutes, { render: problem })
    const ana = await app.person(await app.company())
    await withSettings(app, ana, { sessionIdleSeconds: 600, sessionAbsoluteSeconds: 1500 })
    const token = await app.token(ana)
    for (const seconds of [500, 500, 499]) {
      app.clock.advance(seconds)
      expect(await status(app, token)).toBe(200)
    }
    app.clock.advance(1)
    expect(await status(app, token)).toBe(401)
  })

  test('session lifetimes of one tenant do not affect another', async () => {
    const app = await startApp(accountRoutes, { render: problem })
    const [ana, gil] = [await app.person(await app.company('acme')), await app.person(await app.company('globex'))]
    await withSettings(app, ana, { sessionIdleSeconds: 60 })
    const [anas, gils] = [await app.token(ana), await app.token(gil)]
    app.clock.advance(61)
    expect([await status(app, anas), await status(app, gils)]).toEqual([401, 200])
  })

  test('last seen is written once a minute, not with every request', async () => {
    const app = await startApp(accountRoutes, { render: problem })
    const ana = await app.person(await app.company())
    const token = await app.token(ana)
    const seen = async (): Promise<unknown> => (await listed(app, token))[0]?.last_seen_at
    app.clock.advance(60)
    expect(await seen()).toBe('2026-03-02T09:00:00.000Z')
    app.clock.advance(1)
    expect(await seen()).toBe('2026-03-02T09:01:01.000Z')
    app.clock.advance(30)
    expect(await seen()).toBe('2026-03-02T09:01:01.000Z')
  })

  test('sessions that the tenant ended are not listed', async () => {
    const app = await startApp(accountRoutes, { render: problem })
    const ana = await app.person(await app.company())
    await app.token(ana)
    app.clock.advance(5)
    await atomically(forTenant(app.db, ana.tenantId), (t) => endTenantSessions(t, app.clock.now()))
    const later = await app.token(ana)
    expect(await listed(app, later)).toHaveLength(1)
  })
})

const LOGIN = '/authsec/uflow/auth/admin/login'
/** Header bytes arrive as Latin-1; this proxy writes UTF-8. */
const bytes = (text: string): string => Buffer.from(text, 'utf8').toString('latin1')
const PLACE = { 'CloudFront-Viewer-City': bytes('S\u00e3o\u202e Paulo'), 'CloudFront-Viewer-Country': 'BR', 'X-Forwarded-For': '203.0.113.9' }
const PROXY = { TRUSTED_PROXIES: '192.0.2.1', PLACE_HEADERS: 'CloudFront-Viewer-City, CloudFront-Viewer-Country' }

test.each([
  ['the place headers of a trusted proxy are used', PROXY, '192.0.2.1', { address: '203.0.113.9', place: 'S\u00e3o Paulo, BR' }],
  ['place headers from elsewhere are ignored', PROXY, '198.51.100.4', { address: '198.51.100.4', place: '' }],
  ['place headers are ignored without the setting', { TRUSTED_PROXIES: '192.0.2.1' }, '192.0.2.1', { address: '203.0.113.9', place: '' }],
] as const)('the place of a session: %s', async (_, env, address, expected) => {
  const app = await startApp([...authRoutes, ...accountRoutes], { env, render: problem })
  const { admin, domain } = await app.company()
  const body = { email: admin.email, password: admin.password, tenant_domain: domain }
  const response = await app.request(LOGIN, { body, headers: PLACE, address })
  const { token } = await response.json()
  expect((await listed(app, token))[0]).toMatchObject({ ...expected, device: 'an unknown device' })
})
