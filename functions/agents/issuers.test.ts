// Who may trust an issuer, which can assert the identity of any person of the tenant.
import { describe, expect, test } from 'vitest'
import { problem } from '#shared/platform/http/problem'
import { startApp } from '#tests/support/app'
import { STRONG_KEYS } from '#tests/support/weak-keys'
import { agentRoutes } from './routes.ts'

const TWO = ['pwd', 'otp']
const JWKS = 'https://idp.partner.example.com/jwks'
const ACCEPTS = { identity_assertions: true, jwt: false, jwks_uri: JWKS, subject_mapping: 'identity', scopes: ['a', 'b'] }
const SENDS = { client_ids: { '0190aaaa-bbbb-7ccc-8ddd-eeeeeeeeeeee': 'theirs' }, scopes: ['chat'] }
const ISSUER = { name: 'Workforce', issuer: 'https://idp.partner.example.com', accepts: ACCEPTS, sends: SENDS }

const start = async () => {
  const app = await startApp(agentRoutes, { render: problem })
  const company = await app.company()
  const other = await app.person(company, 'admin')
  const full = await app.token(company.admin, TWO)
  // Holds what the routes name, and with two factors, but not the administrator role itself.
  const partial = await app.token(await app.person(company, ['admin:access', 'admin:manage', 'clients:read', 'clients:write']), TWO)
  const call = async (token: string, method: string, path: string, body?: unknown) => {
    const response = await app.request(path, { method, token, headers: { 'if-match': '*' }, ...(body === undefined ? {} : { body }) })
    const answer = response.status === 204 ? {} : ((await response.json()) as Record<string, unknown>)
    return { status: response.status, body: answer }
  }
  const make = async (more = {}) => `/trusted-issuers/${(await call(full, 'POST', '/trusted-issuers', { ...ISSUER, ...more })).body.id}`
  const events = async () => (await app.events(company.tenantId)).map(({ event }) => event).filter((event) => event.startsWith('trusted_issuer.'))
  return { app, company, other, full, partial, call, make, events }
}

describe('an issuer is trusted', () => {
  test('only by a holder of the whole administrator role', async () => {
    const w = await start()
    for (const body of [ISSUER, { ...ISSUER, active: false }, { ...ISSUER, accepts: null }])
      expect(await w.call(w.partial, 'POST', '/trusted-issuers', body)).toMatchObject({ status: 403, body: { code: 'cannot_grant' } })
    expect((await w.call(w.full, 'GET', '/trusted-issuers')).body).toEqual({ trusted_issuers: [] })
    expect(await w.events()).toEqual([])
    expect((await w.call(w.full, 'POST', '/trusted-issuers', ISSUER)).status).toBe(201)
  })

  test('only after a recent sign-in with two factors', async () => {
    const w = await start()
    const weak = await w.app.token(w.company.admin)
    const refused = { status: 401, body: { code: 'insufficient_user_authentication', acr_values: 'aal2', max_age: 900 } }
    expect(await w.call(weak, 'POST', '/trusted-issuers', ISSUER)).toMatchObject(refused)
    w.app.clock.advance(15 * 60 + 1)
    expect(await w.call(w.full, 'POST', '/trusted-issuers', ISSUER)).toMatchObject(refused)
    expect(await w.events()).toEqual([])
  })

  test('with a notice to the other administrators', async () => {
    const w = await start()
    const path = await w.make()
    const [mail, ...more] = await w.app.mailsTo(w.other.email)
    expect(more).toEqual([])
    for (const word of ['idp.partner.example.com', 'Workforce', w.company.admin.email]) expect(mail?.text).toContain(word)
    expect(await w.app.mailsTo(w.company.admin.email)).toEqual([])
    expect((await w.call(w.full, 'PATCH', path, { accepts: { ...ACCEPTS, jwt: true } })).status).toBe(200)
    expect(await w.app.mailsTo(w.other.email)).toHaveLength(2)
    expect((await w.call(w.full, 'PATCH', path, { name: 'Renamed' })).status).toBe(200)
    expect(await w.app.mailsTo(w.other.email)).toHaveLength(2)
  })
})

describe('a change of an issuer', () => {
  test.each<[string, object]>([
    ['other keys', { accepts: { ...ACCEPTS, jwks_uri: 'https://keys.example.com/jwks' } }],
    ['keys of its own', { accepts: { ...ACCEPTS, jwks_uri: undefined, jwks: { keys: STRONG_KEYS } } }],
    ['another kind of assertion', { accepts: { ...ACCEPTS, jwt: true } }],
    ['another mapping', { accepts: { ...ACCEPTS, subject_mapping: 'user_id' } }],
    ['one more scope', { accepts: { ...ACCEPTS, scopes: ['a', 'b', 'c'] } }],
    ['every scope', { accepts: { ...ACCEPTS, scopes: null } }],
    ['one more client', { sends: { ...SENDS, client_ids: { ...SENDS.client_ids, '0190aaaa-bbbb-7ccc-8ddd-ffffffffffff': 'more' } } }],
    ['one more scope that is sent', { sends: { ...SENDS, scopes: ['chat', 'files'] } }],
  ])('to %s takes what creating one takes', async (_, body) => {
    const w = await start()
    const path = await w.make()
    const before = await w.call(w.full, 'GET', path)
    expect(await w.call(w.partial, 'PATCH', path, body)).toMatchObject({ status: 403, body: { code: 'cannot_grant' } })
    const weak = await w.app.token(w.company.admin)
    expect(await w.call(weak, 'PATCH', path, body)).toMatchObject({ status: 401, body: { code: 'insufficient_user_authentication' } })
    expect(await w.call(w.full, 'GET', path)).toEqual(before)
    expect(await w.events()).toEqual(['trusted_issuer.created'])
  })

  test.each<[string, object]>([
    ['fewer scopes', { accepts: { ...ACCEPTS, scopes: ['b'] } }],
    ['nothing accepted', { accepts: null }],
    ['nothing sent', { sends: null }],
    ['another name', { name: 'Renamed' }],
    ['inactive', { active: false }],
    ['the same', { accepts: ACCEPTS, sends: SENDS, active: true }],
  ])('to %s needs no more than the permissions of the route', async (_, body) => {
    const w = await start()
    const path = await w.make()
    expect((await w.call(w.partial, 'PATCH', path, body)).status).toBe(200)
  })

  test('of an inactive issuer counts when it is activated', async () => {
    const w = await start()
    const path = await w.make()
    const wider = { accepts: { ...ACCEPTS, subject_mapping: 'user_id', scopes: null } }
    for (const body of [{ active: false }, wider]) expect((await w.call(w.partial, 'PATCH', path, body)).status).toBe(200)
    expect(await w.call(w.partial, 'PATCH', path, { active: true })).toMatchObject({ status: 403, body: { code: 'cannot_grant' } })
    expect((await w.call(w.full, 'PATCH', path, { active: true })).status).toBe(200)
    expect((await w.call(w.partial, 'DELETE', path)).status).toBe(204)
  })
})
