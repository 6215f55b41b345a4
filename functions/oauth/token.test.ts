import { describe, expect, test } from 'vitest'
import { openDb } from '#db/engine/client'
import { authorizationServerError } from '#shared/platform/http/problem'
import { startApp, type TestApp } from '#tests/support/app'
import { countedDb } from '#tests/support/counted'
import { testDb } from '#tests/support/database'
import { basicOf, changeClient, claimsOf, newOauthClient, newResource, postForm, tokenHeader } from '#tests/support/oauth'
import { oauthRoutes } from './routes.ts'

const start = (options: Parameters<typeof startApp>[1] = {}) => startApp(oauthRoutes, { render: authorizationServerError, ...options })
const SCOPES = [{ name: 'tools:read' }, { name: 'tools:write', permission: 'tools:write' }]
const GRANT = { grant_type: 'client_credentials' }

const setup = async (app: TestApp, permissions: readonly string[] = ['tools:write']) => {
  const company = await app.company()
  const server = await newResource(app, company, SCOPES)
  return { company, server, client: await newOauthClient(app, company, { permissions, at: [server] }) }
}

describe('Client authentication (RFC 6749 section 2.3)', () => {
  test('Every failed client authentication gets the same error, and no token is issued', async () => {
    const app = await start()
    const { company, client } = await setup(app)
    const other = await newOauthClient(app, company)
    const publicClient = await newOauthClient(app, company, { isPublic: true })
    const attempts: readonly (readonly [string, Readonly<Record<string, string>>, Readonly<Record<string, string>>])[] = [
      ['no credentials', {}, {}],
      ['a wrong secret', {}, { authorization: basicOf(client.id, 'x') }],
      ['the secret of another', {}, { authorization: basicOf(client.id, other.secret) }],
      ['an unknown client', {}, { authorization: basicOf(app.ctx.random.id(), client.secret) }],
      ['a malformed id', {}, { authorization: basicOf('robert', client.secret) }],
      ['the id alone', { client_id: client.id }, {}],
      ['an empty secret', { client_id: client.id, client_secret: '' }, {}],
      ['two ids', { client_id: other.id }, { authorization: client.authorization }],
      ['a public client with a secret', { client_id: publicClient.id, client_secret: 'x' }, {}],
    ]
    for (const [name, form, headers] of attempts) {
      const response = await postForm(app, '/oauth/token', { ...GRANT, ...form }, headers)
      expect([response.status, (await response.json()).error], name).toEqual([401, 'invalid_client'])
      expect(response.headers.get('www-authenticate'), name).toMatch(/^Basic /)
    }
    const twoWays = await postForm(
      app,
      '/oauth/token',
      { ...GRANT, client_id: client.id, client_secret: client.secret },
      { authorization: client.authorization },
    )
    expect([twoWays.status, (await twoWays.json()).error]).toEqual([400, 'invalid_request'])
  })

  test('The secret is also accepted in the form, unless the client registered another method', async () => {
    const app = await start()
    const { company, client } = await setup(app)
    const inForm = { ...GRANT, client_id: client.id, client_secret: client.secret }
    expect((await postForm(app, '/oauth/token', inForm)).status).toBe(200)
    await changeClient(app, company, client.id, { tokenEndpointAuthMethod: 'client_secret_basic' })
    expect((await postForm(app, '/oauth/token', inForm)).status).toBe(401)
    expect((await postForm(app, '/oauth/token', GRANT, { authorization: client.authorization })).status).toBe(200)
  })

  test('Failed authentications of one network address are limited', async () => {
    const app = await start({ env: { RATE_LIMIT: 'on' }, cache: 'by-clock', db: openDb((await testDb()).engine) })
    const { client } = await setup(app)
    const wrong = () => postForm(app, '/oauth/token', GRANT, { authorization: basicOf(client.id, 'x') })
    for (let i = 0; i < 60; i++) expect((await wrong()).status).toBe(401)
    const refused = await wrong()
    expect([refused.status, (await refused.json()).error]).toEqual([429, 'temporarily_unavailable'])
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0)
  })
})

describe('Token endpoint (RFC 6749 section 3.2)', () => {
  test('A repeated parameter, another content type and a query instead of a form are refused', async () => {
    const app = await start()
    const { client } = await setup(app)
    const headers = { authorization: client.authorization, 'content-type': 'application/x-www-form-urlencoded' }
    const twice = await app.request('/oauth/token', { method: 'POST', body: 'grant_type=client_credentials&grant_type=password', headers })
    const asJson = await app.request('/oauth/token', { body: GRANT, headers: { authorization: client.authorization } })
    const inQuery = await app.request('/oauth/token?grant_type=client_credentials', { method: 'POST', headers })
    expect((await asJson.clone().json()).error_description).toBe('The body must be sent as application/x-www-form-urlencoded.')
    for (const response of [twice, asJson, inQuery]) expect([response.status, (await response.json()).error]).toEqual([400, 'invalid_request'])
  })

  test('The older path of the endpoint works too', async () => {
    const app = await start()
    const { client } = await setup(app)
    expect((await postForm(app, '/oauth2/token', GRANT, { authorization: client.authorization })).status).toBe(200)
  })
})

describe('Access token scope (RFC 6749 section 3.3)', () => {
  test('A scope that needs a permission is granted only to a client that holds it', async () => {
    const app = await start()
    const { client } = await setup(app, [])
    const granted = await postForm(app, '/oauth/token', GRANT, { authorization: client.authorization })
    expect((await granted.json()).scope).toBe('tools:read')
    for (const scope of ['tools:write', 'tools:none', 'openid', 'a  b', 'a"b']) {
      const refused = await postForm(app, '/oauth/token', { ...GRANT, scope }, { authorization: client.authorization })
      expect([refused.status, (await refused.json()).error], scope).toEqual([400, 'invalid_scope'])
    }
  })

  test('A client can request fewer scopes than it holds, and none outside its allowed scopes', async () => {
    const app = await start()
    const { company, client } = await setup(app)
    await changeClient(app, company, client.id, { allowedScopes: ['tools:read'] })
    const granted = await postForm(app, '/oauth/token', GRANT, { authorization: client.authorization })
    expect((await granted.json()).scope).toBe('tools:read')
    const refused = await postForm(app, '/oauth/token', { ...GRANT, scope: 'tools:write' }, { authorization: client.authorization })
    expect((await refused.json()).error).toBe('invalid_scope')
  })
})

describe('Client credentials grant (RFC 6749 section 4.4)', () => {
  test('client_credentials returns a token of RFC 9068 for the one resource server of the client', async () => {
    const app = await start()
    const { server, client, company } = await setup(app)
    const response = await postForm(app, '/oauth/token', GRANT, { authorization: client.authorization })
    expect(response.status).toBe(200)
    expect(response.headers.get('cache-control')).toBe('no-store')
    expect(response.headers.get('pragma')).toBe('no-cache')
    const set = await response.json()
    expect(set).toEqual({ access_token: expect.any(String), token_type: 'Bearer', expires_in: 300, scope: 'tools:read tools:write' })
    expect(tokenHeader(set.access_token)).toMatchObject({ alg: 'ES256', typ: 'at+jwt' })
    const now = Math.floor(app.clock.now().getTime() / 1000)
    expect(claimsOf(set.access_token)).toEqual({
      iss: 'http://localhost:7468',
      sub: client.id,
      aud: server.resource,
      client_id: client.id,
      tenant_id: company.tenantId,
      scope: 'tools:read tools:write',
      jti: expect.any(String),
      iat: now,
      exp: now + 300,
    })
  })

  test('A client that is disabled, public or without the grant type gets no token', async () => {
    const app = await start()
    const { company, client } = await setup(app)
    const requestToken = async () => {
      const response = await postForm(app, '/oauth/token', GRANT, { authorization: client.authorization })
      return [response.status, (await response.json()).error]
    }
    await changeClient(app, company, client.id, { grantTypes: ['authorization_code'] })
    expect(await requestToken()).toEqual([400, 'unauthorized_client'])
    await changeClient(app, company, client.id, { grantTypes: ['client_credentials'] })
    expect(await requestToken()).toEqual([200, undefined])
    await changeClient(app, company, client.id, { active: false })
    expect(await requestToken()).toEqual([401, 'invalid_client'])
    const publicClient = await newOauthClient(app, company, { isPublic: true })
    const refused = await postForm(app, '/oauth/token', { ...GRANT, client_id: publicClient.id })
    expect([refused.status, (await refused.json()).error]).toEqual([400, 'unauthorized_client'])
  })

  test('A token costs one statement once the tenant of the client is cached, none while the client is cached', async () => {
    const counted = countedDb((await testDb()).engine)
    const app = await start({ db: counted.db })
    const { client } = await setup(app)
    const requestToken = () => postForm(app, '/oauth/token', GRANT, { authorization: client.authorization })
    expect((await requestToken()).status).toBe(200)
    app.clock.advance(1)
    expect(await counted.during(requestToken)).toEqual({ statements: 1, roundTrips: 1 })
    expect(await counted.during(requestToken)).toEqual({ statements: 0, roundTrips: 0 })
  })

  test('The cached client is at most a second old, and never older than a change by the same process', async () => {
    const [here, elsewhere] = [await start(), await start()]
    const { company, client } = await setup(here)
    const statusAt = async (app: TestApp): Promise<number> =>
      (await postForm(app, '/oauth/token', GRANT, { authorization: client.authorization })).status
    expect([await statusAt(here), await statusAt(elsewhere)]).toEqual([200, 200])
    await changeClient(here, company, client.id, { active: false })
    expect(await statusAt(here)).toBe(401)
    elsewhere.clock.advance(1)
    expect(await statusAt(elsewhere)).toBe(401)
  })

  test('The cached client is at most two seconds old by wall clock time, even if the process was suspended in between', async () => {
    const app = await start()
    const { company, client } = await setup(app)
    Object.assign(app.clock, { elapsed: () => 0 })
    const requestToken = async () => (await postForm(app, '/oauth/token', GRANT, { authorization: client.authorization })).status
    expect(await requestToken()).toBe(200)
    // Another process removes the grant type from the client.
    const elsewhere = { ctx: app.ctx, db: openDb((await testDb()).engine) }
    await changeClient(elsewhere, company, client.id, { grantTypes: ['refresh_token'] })
    expect(await requestToken()).toBe(200)
    app.clock.advance(2)
    expect(await requestToken()).toBe(400)
  })
})

describe('Error response (RFC 6749 section 5.2)', () => {
  test.each([
    ['no grant type', {}, 400, 'invalid_request'],
    ['an empty grant type', { grant_type: '' }, 400, 'invalid_request'],
    ['an unsupported grant type', { grant_type: 'password' }, 400, 'unsupported_grant_type'],
    ['a name of the object prototype', { grant_type: 'constructor' }, 400, 'unsupported_grant_type'],
  ])('A request with %s gets the error code of RFC 6749', async (_, form, status, error) => {
    const app = await start()
    const { client } = await setup(app)
    const response = await postForm(app, '/oauth/token', form, { authorization: client.authorization })
    const body = await response.json()
    expect([response.status, body.error]).toEqual([status, error])
    expect(body).toMatchObject({ error_description: expect.stringMatching(/^[\x20\x21\x23-\x5b\x5d-\x7e]+$/), request_id: expect.any(String) })
    expect(response.headers.get('cache-control')).toBe('no-store')
  })
})

describe('Access token request (RFC 8707 section 2.2)', () => {
  test('Only a resource server where the client is registered can be requested', async () => {
    const app = await start()
    const { company, client, server } = await setup(app)
    const other = await newResource(app, company, SCOPES)
    const globex = await newResource(app, await app.company('globex'), SCOPES)
    for (const resource of [other.resource, globex.resource, 'https://unknown.example.com/', `${server.resource}/`, server.resource.toUpperCase()]) {
      const refused = await postForm(app, '/oauth/token', { ...GRANT, resource }, { authorization: client.authorization })
      expect([refused.status, (await refused.json()).error], resource).toEqual([400, 'invalid_target'])
    }
    const named = await postForm(app, '/oauth/token', { ...GRANT, resource: server.resource }, { authorization: client.authorization })
    expect(named.status).toBe(200)
  })

  test('A client of several resource servers must name one', async () => {
    const app = await start()
    const company = await app.company()
    const servers = [await newResource(app, company, SCOPES), await newResource(app, company, SCOPES)]
    const client = await newOauthClient(app, company, { at: servers })
    const refused = await postForm(app, '/oauth/token', GRANT, { authorization: client.authorization })
    expect((await refused.json()).error).toBe('invalid_target')
    const named = await postForm(app, '/oauth/token', { ...GRANT, resource: servers[1]?.resource ?? '' }, { authorization: client.authorization })
    expect(claimsOf((await named.json()).access_token).aud).toBe(servers[1]?.resource)
  })
})
