import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { exportJWK, generateKeyPair, SignJWT } from 'jose'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { acrossTenants, atomically, forTenant, SYSTEM_TENANT } from '#db/engine/tenant'
import { insertClient } from '#db/store/clients'
import { findOauthClient } from '#db/store/oauth-clients'
import { deleteUnusedClientsOfAllTenants, findMetadataClient } from '#db/store/registered-clients'
import { updateResourceServer } from '#db/store/resource-servers'
import { updateTenantSettings } from '#db/store/tenants'
import { guardedFetch } from '#shared/platform/fetch/guarded'
import { authorizationServerError } from '#shared/platform/http/problem'
import { type Company, startApp, type TestApp } from '#tests/support/app'
import {
  answerIn,
  authorizePath,
  changeClient,
  claimsOf,
  type Json,
  newOauthClient,
  newResource,
  type OauthTestBrowser,
  oauthBrowser,
  postForm,
  VERIFIER,
} from '#tests/support/oauth'
import { STRONG_KEYS, WEAK_KEY_SETS } from '#tests/support/weak-keys'
import { resourceRoutes } from '../resources/routes.ts'
import { publishedKeys } from './published-keys.ts'
import { oauthRoutes } from './routes.ts'

/** Documents that clients publish at their URLs. */
type Published = { status: number; type: string; body: string }
const publisher = async () => {
  const pages = new Map<string, Published>()
  const requestedPaths: string[] = []
  const server: Server = createServer((request, response) => {
    requestedPaths.push(request.url ?? '')
    const page = pages.get(request.url ?? '') ?? { status: 404, type: 'text/plain', body: '' }
    response.writeHead(page.status, { 'content-type': page.type, location: '/elsewhere' }).end(page.body)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const publish = (path: string, body: unknown, more: Partial<Published> = {}): string => {
    const text = typeof body === 'string' ? body : JSON.stringify(body)
    pages.set(path, { status: 200, type: 'application/json', body: text, ...more })
    return `${base}${path}`
  }
  return { base, publish, requestedPaths, stop: () => server.close() }
}
let web: Awaited<ReturnType<typeof publisher>>
beforeAll(async () => {
  web = await publisher()
})
afterAll(() => web.stop())

const CALLBACK = 'http://127.0.0.1:4321/callback'
const start = async ({ modes = ['dcr', 'cimd'], ...options }: Parameters<typeof startApp>[1] & { readonly modes?: string[] } = {}) => {
  const routes = [...oauthRoutes, ...resourceRoutes]
  const app = await startApp(routes, { render: authorizationServerError, env: { OUTBOUND_LOOPBACK: 'on' }, ...options })
  const company = await app.company()
  const server = await newResource(app, company, [{ name: 'tools:read', description: 'Read tools' }], { registrationModes: modes })
  const pat = await app.person(company)
  return { app, company, server, pat, browser: await oauthBrowser(app, pat) }
}
const openToClients = (app: TestApp, company: Company, id: string) =>
  atomically(forTenant(app.db, company.tenantId), (t) => updateResourceServer(t, id, { openToClients: true, updatedAt: app.clock.now() }))
const register = async (app: TestApp, body: unknown, token?: string): Promise<Response> =>
  app.request('/oauth/register', { body, ...(token === undefined ? {} : { token }) })
const PUBLIC = { redirect_uris: [CALLBACK], token_endpoint_auth_method: 'none', client_name: 'Claude\u202e <b>' }
const registered = async (app: TestApp, more: Json = {}): Promise<Json> => {
  const answer = await register(app, { ...PUBLIC, ...more })
  expect(answer.status).toBe(201)
  return (await answer.json()) as Json
}
/** A client that registered with an administrator's initial access token: it belongs to the company, and is registered at no resource server. */
const registeredWithToken = async (app: TestApp, company: Company): Promise<Json> => {
  const token = await app.token(company.admin, ['pwd', 'otp'])
  const given = (await (await app.request('/oauth/registration-tokens', { body: { name: 'CI', uses: 1 }, token })).json()) as Json
  const answer = await register(app, PUBLIC, String(given.initial_access_token))
  expect(answer.status).toBe(201)
  return (await answer.json()) as Json
}
/** Like the outbound of the test app: only loopback addresses are reachable. */
const outbound = guardedFetch({ resolver: { resolve: async () => [] }, loopback: true })
const setMode = (app: TestApp, company: Company, mode: 'open' | 'token' | 'closed') =>
  atomically(forTenant(app.db, company.tenantId), (t) => updateTenantSettings(t, { clientRegistration: mode }, app.clock.now()))
const rowsOf = async (app: TestApp, tenantId: Company['tenantId'], id: unknown): Promise<number> =>
  (
    await forTenant(app.db, tenantId).run({
      text: 'select 1 from authsec.clients where tenant_id = $1 and id = $2',
      params: [tenantId, id],
      arrays: true,
    })
  ).length
const asTest = (id: unknown) => ({ id: String(id), secret: '', authorization: '', redirectUri: CALLBACK })
const allowed = async (browser: OauthTestBrowser, path: string) => {
  const page = await browser.get(path)
  const html = await page.text()
  return { html, code: answerIn(await browser.press(path, html, 'allow')).get('code') ?? '' }
}
const exchange = (app: TestApp, client_id: unknown, code: string, more: Readonly<Record<string, string>> = {}) =>
  postForm(app, '/oauth/token', { grant_type: 'authorization_code', client_id: String(client_id), code, code_verifier: VERIFIER, ...more })
const errorOf = async (response: Response) => [response.status, ((await response.json()) as Json).error]

const documentAt = (path: string, more: Json = {}): string => {
  const url = `${web.base}${path}`
  return web.publish(path, { client_id: url, client_name: 'Editor', redirect_uris: [CALLBACK], token_endpoint_auth_method: 'none', ...more })
}

const browserTenant = async (tokens: Json) => claimsOf(String(tokens.access_token)).tenant_id

const roleOf = async (app: TestApp, company: Company): Promise<string> => {
  const { putRole } = await import('#db/testing/access')
  return atomically(forTenant(app.db, company.tenantId), (t) => putRole(t, `visitors ${app.ctx.random.id()}`, ['things:write'], app.clock.now()))
}

describe('Client metadata (RFC 7591 section 2)', () => {
  test('Response modes can be registered, read, changed and omitted', async () => {
    const { app } = await start()
    const made = await registered(app, { response_modes: ['form_post', 'fragment', 'web_message', 'form_post'] })
    expect(made.response_modes).toEqual(['fragment', 'form_post'])
    const [path, token] = [`/oauth/register/${made.client_id}`, String(made.registration_access_token)]
    expect(await (await app.request(path, { token })).json()).toMatchObject({ response_modes: ['fragment', 'form_post'] })
    const changed = await app.request(path, { method: 'PUT', body: { ...PUBLIC, client_id: made.client_id }, token })
    expect(await changed.json()).not.toHaveProperty('response_modes')
  })

  test('Keys at a jwks_uri are cached, and fetched again for an unknown key at most every half minute', async () => {
    const { app, company, server } = await start()
    const pair = async (kid: string) => {
      const { privateKey, publicKey } = await generateKeyPair('ES256')
      return { privateKey, jwk: { ...(await exportJWK(publicKey)), kid } }
    }
    const [one, two] = [await pair('k1'), await pair('k2')]
    const jwksUri = web.publish('/keys.json', { keys: [one.jwk] })
    const client = await newOauthClient(app, company, { at: [server], tokenEndpointAuthMethod: 'private_key_jwt', jwksUri })
    let count = 0
    const authenticate = async (key: typeof one): Promise<number> => {
      const now = Math.floor(app.clock.now().getTime() / 1000)
      const assertion = await new SignJWT({ iss: client.id, sub: client.id, aud: app.config.BASE_URL, exp: now + 60, jti: `j${count++}` })
        .setProtectedHeader({ alg: 'ES256', kid: String(key.jwk.kid) })
        .sign(key.privateKey)
      const proof = { client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer', client_assertion: assertion }
      return (await postForm(app, '/oauth/token', { grant_type: 'client_credentials', ...proof })).status
    }
    const reads = () => web.requestedPaths.filter((url) => url === '/keys.json').length
    expect([await authenticate(one), await authenticate(one), reads()]).toEqual([200, 200, 1])
    web.publish('/keys.json', { keys: [two.jwk] })
    expect([await authenticate(two), reads()]).toEqual([401, 1])
    app.clock.advance(31)
    expect([await authenticate(two), reads()]).toEqual([200, 2])
    app.clock.advance(31)
    expect([await authenticate(one), await authenticate(one), reads()]).toEqual([401, 401, 3])
    web.publish('/keys.json', '', { status: 500 })
    app.clock.advance(3601)
    expect([await authenticate(two), reads()]).toEqual([200, 4])
  })

  test('Keys whose jwks_uri is unavailable stay valid for a day after the last read, in every process', async () => {
    const { app, company, server } = await start()
    const { publicKey } = await generateKeyPair('ES256')
    const keys = [{ ...(await exportJWK(publicKey)), kid: 'k1' }]
    const jwksUri = web.publish('/dying.json', { keys })
    const client = await newOauthClient(app, company, { at: [server], tokenEndpointAuthMethod: 'private_key_jwt', jwksUri })
    const t = forTenant(app.db, company.tenantId)
    const countKeys = async (ctx: typeof app.ctx): Promise<number> => {
      const found = await findOauthClient(t, client.id, undefined, app.clock.now())
      if (found === undefined) throw new Error('the client is removed')
      return (await publishedKeys({ ...ctx, outbound }, found, 'k1')).length
    }
    /** A process with empty caches. */
    const newProcess = () => ({ ...app.ctx, db: { ...app.db, engine: { ...app.db.engine } } })
    expect(await countKeys(app.ctx)).toBe(1)
    web.publish('/dying.json', '', { status: 500 })
    const HOUR = 3600
    for (let hour = 1; hour < 24; hour++) {
      app.clock.advance(HOUR)
      expect([await countKeys(app.ctx), await countKeys(newProcess())], `after ${hour} hours`).toEqual([1, 1])
    }
    app.clock.advance(HOUR)
    expect([await countKeys(app.ctx), await countKeys(newProcess())]).toEqual([0, 0])
    app.clock.advance(HOUR)
    expect([await countKeys(newProcess()), await countKeys(app.ctx)]).toEqual([0, 0])
    web.publish('/dying.json', { keys })
    app.clock.advance(31)
    expect([await countKeys(app.ctx), await countKeys(newProcess())]).toEqual([1, 1])
  })

  test('Stored keys without a time of their last read expire a day after the last attempt', async () => {
    const { app, company, server } = await start()
    const jwksUri = web.publish('/older.json', '', { status: 500 })
    const fetched = { fetchedJwks: { keys: [{ kty: 'EC', kid: 'k1' }] }, jwksFetchedAt: app.clock.now() }
    const client = await newOauthClient(app, company, { at: [server], tokenEndpointAuthMethod: 'private_key_jwt', jwksUri, ...fetched })
    const countKeys = async (): Promise<number> => {
      const found = await findOauthClient(forTenant(app.db, company.tenantId), client.id, undefined, app.clock.now())
      const ctx = { ...app.ctx, outbound, db: { ...app.db, engine: { ...app.db.engine } } }
      return found === undefined ? -1 : (await publishedKeys(ctx, found, 'k1')).length
    }
    app.clock.advance(12 * 3600)
    expect(await countKeys()).toBe(1)
    app.clock.advance(12 * 3600)
    expect(await countKeys()).toBe(0)
  })
})

describe('Client registration endpoint (RFC 7591 section 3)', () => {
  test('A self-registered client is marked as unverified, and belongs to the company of the first resource that it requests', async () => {
    const { app, company, server, browser } = await start()
    const made = await registered(app, { scope: 'tools:read openid', grant_types: ['authorization_code', 'refresh_token', 'client_credentials'] })
    expect(made).toMatchObject({
      client_name: 'Claude',
      redirect_uris: [CALLBACK],
      grant_types: ['authorization_code', 'refresh_token'],
      response_types: ['code'],
      token_endpoint_auth_method: 'none',
      registration_client_uri: `http://localhost:7468/oauth/register/${made.client_id}`,
    })
    expect(made).not.toHaveProperty('client_secret')
    expect(await rowsOf(app, SYSTEM_TENANT, made.client_id)).toBe(1)
    const client = asTest(made.client_id)
    const nowhere = await browser.get(authorizePath(client, { scope: 'openid' }))
    expect([nowhere.status, nowhere.headers.get('location')]).toEqual([400, null])
    const pushed = await postForm(app, '/oauth/par', { client_id: client.id, response_type: 'code', scope: 'openid', redirect_uri: CALLBACK })
    expect(await errorOf(pushed)).toEqual([400, 'invalid_target'])
    const path = authorizePath(client, { resource: server.resource, scope: 'tools:read' })
    const { html, code } = await allowed(browser, path)
    expect(html).toContain('unverified')
    expect(html).toContain(`${company.name} has not verified it`)
    expect(html).not.toMatch(/\u202e|<b>/)
    expect([await rowsOf(app, SYSTEM_TENANT, made.client_id), await rowsOf(app, company.tenantId, made.client_id)]).toEqual([0, 1])
    const tokens = (await (await exchange(app, made.client_id, code)).json()) as Json
    expect(claimsOf(String(tokens.access_token))).toMatchObject({ aud: server.resource, client_id: made.client_id, scope: 'tools:read' })
    const introspection = await postForm(app, '/oauth/introspect', { token: String(tokens.access_token) }, { authorization: server.authorization })
    expect(await introspection.json()).toMatchObject({ active: true })
    // Every request needs consent, so prompt=none fails.
    expect((await browser.get(path)).status).toBe(200)
    expect(answerIn(await browser.get(`${path}&prompt=none`)).get('error')).toBe('consent_required')
    const events = (await app.events(company.tenantId)).map(({ event }) => event)
    expect(events).toContain('client.registered')
  })

  test('An adopted client cannot request another company\u2019s resource, and an unused registration expires', async () => {
    const { app, company, server, browser } = await start()
    const globex = await app.company('globex')
    const ofGlobex = await newResource(app, globex, [{ name: 'x' }], { registrationModes: ['dcr'] })
    const made = await registered(app)
    await allowed(browser, authorizePath(asTest(made.client_id), { resource: server.resource }))
    const foreign = await browser.get(authorizePath(asTest(made.client_id), { resource: ofGlobex.resource, scope: 'x' }))
    expect(answerIn(foreign).get('error')).toBe('invalid_target')
    const unused = await registered(app)
    app.clock.advance(3600 + 1)
    const late = await browser.get(authorizePath(asTest(unused.client_id), { resource: server.resource }))
    expect(late.status).toBe(400)
    const t = forTenant(app.db, SYSTEM_TENANT)
    await t.run({
      text: `update authsec.clients set unused_until = '2020-01-01' where tenant_id = $1 and id = $2`,
      params: [SYSTEM_TENANT, unused.client_id],
      arrays: true,
    })
    expect(await deleteUnusedClientsOfAllTenants(acrossTenants(app.db), new Date('2020-06-01'), 100)).toBe(1)
    expect(await rowsOf(app, SYSTEM_TENANT, unused.client_id)).toBe(0)
    expect(await rowsOf(app, company.tenantId, made.client_id)).toBe(1)
  })

  test('Of twenty parallel decisions on one consent page one succeeds, and another person cannot decide', async () => {
    const { app, company, server, browser } = await start()
    const made = await registered(app)
    const path = authorizePath(asTest(made.client_id), { resource: server.resource, scope: 'tools:read' })
    const html = await (await browser.get(path)).text()
    const other = await oauthBrowser(app, await app.person(company))
    await other.get('/oauth/logout')
    const isAllowed = (answer: Response): boolean => (answer.headers.get('location') ?? '').startsWith(CALLBACK)
    expect(isAllowed(await other.press(path, html, 'allow'))).toBe(false)
    const answers = await Promise.all(Array.from({ length: 20 }, () => browser.press(path, html, 'allow')))
    expect(answers.filter(isAllowed)).toHaveLength(1)
  })

  test('A company can require an initial access token, which works a limited number of times, or close registration', async () => {
    const { app, company, server } = await start()
    const admin = await app.token(company.admin, ['pwd', 'otp'])
    const named = { ...PUBLIC, resource: server.resource }
    expect((await register(app, named)).status).toBe(201)
    const mode = await app.request('/oauth/registration-policy', { method: 'PUT', body: { mode: 'token' }, token: admin })
    expect(await mode.json()).toEqual({ mode: 'token' })
    expect(await errorOf(await register(app, named))).toEqual([401, 'invalid_token'])
    const made = (await (await app.request('/oauth/registration-tokens', { body: { name: 'CI', uses: 2 }, token: admin })).json()) as Json
    const initial = String(made.initial_access_token)
    const answers = await Promise.all(Array.from({ length: 20 }, () => register(app, PUBLIC, initial)))
    expect(answers.filter(({ status }) => status === 201)).toHaveLength(2)
    expect(answers.filter(({ status }) => status === 401)).toHaveLength(18)
    expect(await errorOf(await register(app, PUBLIC, `${company.tenantId}.${'A'.repeat(43)}`))).toEqual([401, 'invalid_token'])
    expect(await errorOf(await register(app, PUBLIC, 'x'))).toEqual([401, 'invalid_token'])
    await setMode(app, company, 'closed')
    expect(await errorOf(await register(app, named))).toEqual([403, 'access_denied'])
    expect(JSON.stringify(await app.events(company.tenantId))).not.toContain(initial)
    expect((await app.request('/oauth/registration-tokens', { token: await app.token(await app.person(company)) })).status).toBe(403)
  })

  test('A registration for a resource that does not accept such clients is refused at once, and nothing is written', async () => {
    const { app, company, server } = await start({ modes: ['prereg', 'cimd'] })
    const events = async (): Promise<number> => (await app.events(company.tenantId, { event: 'client.registered' })).length
    const answer = await register(app, { ...PUBLIC, resource: server.resource })
    expect([answer.status, await answer.json()]).toEqual([
      403,
      expect.objectContaining({ error: 'access_denied', error_description: 'The resource accepts only clients that an administrator registered.' }),
    ])
    await atomically(forTenant(app.db, company.tenantId), (t) =>
      updateResourceServer(t, server.id, { active: false, registrationModes: ['dcr'], updatedAt: app.clock.now() }),
    )
    expect(await errorOf(await register(app, { ...PUBLIC, resource: server.resource }))).toEqual([400, 'invalid_target'])
    expect(await events()).toBe(0)
    await atomically(forTenant(app.db, company.tenantId), (t) => updateResourceServer(t, server.id, { active: true, updatedAt: app.clock.now() }))
    expect((await register(app, { ...PUBLIC, resource: server.resource })).status).toBe(201)
    expect(await events()).toBe(1)
  })

  test('Anonymous registrations are limited per network address', async () => {
    const app = await startApp(oauthRoutes, { render: authorizationServerError, env: { RATE_LIMIT: 'on' } })
    const address = `203.0.113.${Math.floor(Date.parse(app.clock.now().toISOString()) % 250)}`
    const statuses: number[] = []
    for (let n = 0; n < 61; n++) statuses.push((await app.request('/oauth/register', { body: PUBLIC, address })).status)
    expect(statuses.slice(0, 60)).toEqual(Array.from({ length: 60 }, () => 201))
    expect(statuses[60]).toBe(429)
  })

  test('An IPv6 site gets only a share of the registrations, and unused registrations expire within the hour', async () => {
    const { app, company, server } = await start({ env: { RATE_LIMIT: 'on', OUTBOUND_LOOPBACK: 'on' }, cache: 'by-clock' })
    const site = '2001:db8:7'
    const registerFrom = async (address: string) =>
      (await app.request('/oauth/register', { body: { ...PUBLIC, resource: server.resource }, address })).status
    const of = async (at: (n: number) => string) => {
      const statuses = []
      for (let n = 0; n < 61; n++) statuses.push(await registerFrom(at(n)))
      return [statuses.filter((status) => status === 201).length, statuses.at(-1)]
    }
    expect(await of((n) => `${site}:${n.toString(16)}::1`)).toEqual([60, 429])
    // Other networks can still register, until the limit of the company is reached.
    const crowd = Array.from({ length: 440 }, (_, n) => ({
      id: app.ctx.random.id(),
      name: `crowd ${n}`,
      redirectUris: [CALLBACK],
      isPublic: true,
      registeredBy: 'dynamic' as const,
      unusedUntil: new Date(app.clock.now().getTime() + 3_600_000),
      validFrom: app.clock.now(),
      createdAt: app.clock.now(),
      updatedAt: app.clock.now(),
    }))
    expect(await registerFrom('198.51.100.7')).toBe(201)
    await atomically(forTenant(app.db, company.tenantId), async (t) => {
      for (const one of crowd) await insertClient(t, one)
    })
    expect(await registerFrom('198.51.100.8')).toBe(429)
    app.clock.advance(3600)
    expect(await registerFrom('198.51.100.9')).toBe(201)
  })
})

describe('Client information response (RFC 7591 section 3.2.1)', () => {
  test('A client that names no authentication method gets a secret and may present it by either method', async () => {
    const { app, server, browser } = await start()
    const answer = await register(app, { redirect_uris: [CALLBACK] })
    const made = (await answer.json()) as Json
    expect(made).toMatchObject({ token_endpoint_auth_method: 'client_secret_basic', client_secret: expect.any(String), client_secret_expires_at: 0 })
    const code = async () => (await allowed(browser, authorizePath(asTest(made.client_id), { resource: server.resource, scope: 'tools:read' }))).code
    expect((await exchange(app, made.client_id, await code(), { client_secret: String(made.client_secret) })).status).toBe(200)
    expect((await exchange(app, made.client_id, await code())).status).toBe(401)
  })
})

describe('Client registration error response (RFC 7591 section 3.2.2)', () => {
  test('Invalid metadata is refused with the error codes of RFC 7591', async () => {
    const { app } = await start()
    const REDIRECTS = [
      'http://localhost.evil.example/cb',
      'javascript:alert(1)',
      'https://app.example.com/cb#x',
      'https://u:p@app.example.com/',
      'https://*.example.com/',
      'myapp:/cb',
      'HTTPS://app.example.com/../x',
    ]
    for (const uri of REDIRECTS)
      expect(await errorOf(await register(app, { ...PUBLIC, redirect_uris: [uri] })), uri).toEqual([400, 'invalid_redirect_uri'])
    expect(await errorOf(await register(app, { ...PUBLIC, redirect_uris: [] }))).toEqual([400, 'invalid_redirect_uri'])
    expect(await errorOf(await register(app, { ...PUBLIC, redirect_uris: 'x' }))).toEqual([400, 'invalid_redirect_uri'])
    expect(await errorOf(await register(app, { ...PUBLIC, application_type: 'web' }))).toEqual([400, 'invalid_redirect_uri'])
    const bad: readonly Json[] = [
      { grant_types: ['client_credentials'] },
      { grant_types: ['implicit'] },
      { grant_types: 'x' },
      { response_types: ['token'] },
      { token_endpoint_auth_method: 'tls_client_auth' },
      { token_endpoint_auth_method: 'private_key_jwt' },
      { token_endpoint_auth_method: 'private_key_jwt', jwks_uri: 'https://127.0.0.1.nip.io:81/k', jwks: { keys: [{ kty: 'EC' }] } },
      { jwks_uri: 'file:///etc/passwd' },
      { jwks_uri: 'https://169.254.169.254/latest' },
      { jwks_uri: 'https://0x7f.1/' },
      { backchannel_logout_uri: 'https://user:pw@example.com/' },
      { jwks: { keys: [{ kty: 'EC', d: 'private' }] } },
      { scope: 'a\u0000b' },
      { client_name: 7 },
    ]
    for (const more of bad)
      expect(await errorOf(await register(app, { ...PUBLIC, ...more })), JSON.stringify(more)).toEqual([400, 'invalid_client_metadata'])
    expect(await errorOf(await register(app, { ...PUBLIC, resource: 'https://nowhere.example/' }))).toEqual([400, 'invalid_target'])
  })

  test.each(WEAK_KEY_SETS)('%s is refused at registration and update, and nothing is written', async (_, keys) => {
    const { app } = await start()
    const withKeys = { redirect_uris: [CALLBACK], token_endpoint_auth_method: 'private_key_jwt' }
    const before = (await app.events(SYSTEM_TENANT)).length
    expect(await errorOf(await register(app, { ...withKeys, jwks: { keys } }))).toEqual([400, 'invalid_client_metadata'])
    expect((await app.events(SYSTEM_TENANT)).length).toBe(before)
    const made = await registered(app, { ...withKeys, jwks: { keys: STRONG_KEYS } })
    const path = `/oauth/register/${made.client_id}`
    const token = String(made.registration_access_token)
    const change = await app.request(path, { method: 'PUT', body: { ...withKeys, client_id: made.client_id, jwks: { keys } }, token })
    expect(await errorOf(change)).toEqual([400, 'invalid_client_metadata'])
    expect(await (await app.request(path, { token })).json()).toMatchObject({ jwks: { keys: STRONG_KEYS } })
  })
})

describe('Client configuration endpoint (RFC 7592 section 2)', () => {
  test('A client can read, update and delete only its own registration', async () => {
    const { app, company, server, browser } = await start()
    const [made, other] = [await registered(app), await registered(app)]
    const token = String(made.registration_access_token)
    const at = (id: unknown) => `/oauth/register/${id}`
    expect(await (await app.request(at(made.client_id), { token })).json()).toMatchObject({
      client_id: made.client_id,
      redirect_uris: [CALLBACK],
      // RFC 7592 section 3 requires both in every response.
      registration_access_token: token,
      registration_client_uri: made.registration_client_uri,
    })
    for (const [id, presented] of [
      [other.client_id, token],
      [made.client_id, 'x'],
      [app.ctx.random.id(), token],
      [company.clientId, token],
    ]) {
      for (const method of ['GET', 'DELETE'])
        expect(await errorOf(await app.request(at(id), { method, token: String(presented) }))).toEqual([401, 'invalid_token'])
    }
    expect((await app.request(at(made.client_id))).status).toBe(401)
    const put = (more: Json) => app.request(at(made.client_id), { method: 'PUT', token, body: { ...PUBLIC, client_id: made.client_id, ...more } })
    expect(await errorOf(await put({ client_id: other.client_id }))).toEqual([400, 'invalid_client_metadata'])
    expect(await errorOf(await put({ token_endpoint_auth_method: 'client_secret_basic' }))).toEqual([400, 'invalid_client_metadata'])
    expect(await errorOf(await put({ client_secret: 'x' }))).toEqual([400, 'invalid_client_metadata'])
    const second = 'https://app.example.com/second'
    expect(await (await put({ redirect_uris: [CALLBACK, second] })).json()).toMatchObject({
      redirect_uris: [CALLBACK, second],
      registration_access_token: token,
    })
    const disclosed = await app.events(company.tenantId, { event: 'client.registration_changed' })
    expect(JSON.stringify(disclosed)).not.toContain(token)
    await put({})
    await allowed(browser, authorizePath(asTest(made.client_id), { resource: server.resource }))
    // New redirect URIs of a client in use have to be approved; the others stay valid.
    expect(await (await put({ redirect_uris: [CALLBACK, second] })).json()).toMatchObject({
      redirect_uris: [CALLBACK],
      redirect_review_pending: true,
    })
    const toSecond = authorizePath({ ...asTest(made.client_id), redirectUri: second }, { resource: server.resource })
    expect((await browser.get(toSecond)).status).toBe(400)
    const admin = await app.token(company.admin, ['pwd', 'otp'])
    const review = `/authsec/resource-servers/${server.id}/clients/${made.client_id}/approve-redirects`
    expect((await app.request(review, { method: 'PUT', body: {}, token: await app.token(await app.person(company)) })).status).toBe(403)
    const approved = await app.request(review, { method: 'PUT', body: {}, token: admin })
    expect(await approved.json()).toEqual({ client_id: made.client_id, redirect_uris: [CALLBACK, second], status: 'approved' })
    expect((await browser.get(toSecond)).status).toBe(200)
    expect((await app.request(review, { method: 'PUT', body: {}, token: admin })).status).toBe(404)
    expect((await app.request(at(made.client_id), { method: 'DELETE', token })).status).toBe(204)
    expect(await errorOf(await app.request(at(made.client_id), { token }))).toEqual([401, 'invalid_token'])
    expect(await rowsOf(app, company.tenantId, made.client_id)).toBe(0)
  })
})

describe('Client update request (RFC 7592 section 2.2)', () => {
  test('Null or an empty string omits a member, and removes it in an update', async () => {
    const { app } = await start()
    const made = await registered(app, { client_uri: null, scope: '', jwks: null, jwks_uri: null, grant_types: null, software_id: null })
    expect(made).toMatchObject({ grant_types: expect.arrayContaining(['authorization_code']) })
    const put = async (client_uri: unknown): Promise<Json> => {
      const body = { ...PUBLIC, client_id: made.client_id, client_uri }
      const token = String(made.registration_access_token)
      return (await (await app.request(`/oauth/register/${made.client_id}`, { method: 'PUT', token, body })).json()) as Json
    }
    const client_uri = 'https://client.example/'
    expect(await put(client_uri)).toMatchObject({ client_uri })
    expect(await put(null)).not.toHaveProperty('client_uri')
  })

  test('A limit that an administrator set is not widened by an update or by the client\u2019s document', async () => {
    const { app, company, server, browser } = await start()
    const made = await registered(app, { resource: server.resource, scope: 'tools:read openid' })
    const path = authorizePath(asTest(made.client_id), { resource: server.resource, scope: 'tools:read' })
    await allowed(browser, path)
    const bound = { allowedScopes: ['openid'], dpopBound: true, requiresPar: true }
    await changeClient(app, company, String(made.client_id), bound)
    const again = { ...PUBLIC, client_id: made.client_id, redirect_uris: [CALLBACK], scope: 'tools:read openid profile' }
    const put = await app.request(`/oauth/register/${made.client_id}`, { method: 'PUT', token: String(made.registration_access_token), body: again })
    expect([put.status, await put.json()]).toMatchObject([
      200,
      { scope: 'openid', dpop_bound_access_tokens: true, require_pushed_authorization_requests: true },
    ])
    const url = documentAt('/bound.json')
    await allowed(browser, authorizePath(asTest(url), { resource: server.resource, scope: 'tools:read' }))
    const t = forTenant(app.db, company.tenantId)
    await changeClient(app, company, (await findMetadataClient(t, url))?.id ?? '', bound)
    app.clock.advance(3601)
    await browser.get(authorizePath(asTest(url), { resource: server.resource, scope: 'openid' }))
    expect(await findMetadataClient(t, url)).toMatchObject({ ...bound, metadataFetchedAt: app.clock.now() })
  })
})

describe('Client ID metadata document (draft-ietf-oauth-client-id-metadata-document)', () => {
  test('A client whose id is a URL is fetched once, marked as unverified, and redeems and refreshes with that id', async () => {
    const { app, server, browser } = await start()
    const id = documentAt('/editor.json', { grant_types: ['authorization_code', 'refresh_token'] })
    const path = authorizePath(asTest(id), { resource: server.resource, scope: 'openid tools:read' })
    const { html, code } = await allowed(browser, path)
    expect(html).toContain(`served from ${new URL(id).host}`)
    const tokens = (await (await exchange(app, id, code)).json()) as Json
    expect(claimsOf(String(tokens.id_token))).toMatchObject({ aud: id })
    const refreshed = await postForm(app, '/oauth/token', { grant_type: 'refresh_token', client_id: id, refresh_token: String(tokens.refresh_token) })
    expect(refreshed.status).toBe(200)
    const revoked = await postForm(app, '/oauth/revoke', { client_id: id, token: String(((await refreshed.json()) as Json).refresh_token) })
    expect(revoked.status).toBe(200)
    await browser.get(path)
    expect(web.requestedPaths.filter((url) => url === '/editor.json')).toHaveLength(1)
    // The id of its row is not accepted as client_id.
    const row = claimsOf(String(tokens.access_token)).client_id
    expect((await browser.get(authorizePath(asTest(row), { resource: server.resource }))).status).toBe(400)
  })

  test('Companies may share a loopback resource identifier: the client belongs to the company of the person who signs in', async () => {
    const { app, company, pat } = await start()
    const globex = await app.company('globex')
    const origin = `http://127.0.0.1:${20_000 + (app.ctx.random.bytes(2)[0] ?? 0)}`
    const at = { origin, registrationModes: ['dcr', 'cimd'] }
    const scopes = [{ name: 'tools:read' }]
    const ofCompany = await newResource(app, company, scopes, { ...at, path: `/${app.ctx.random.id()}` })
    const ofGlobex = await newResource(app, globex, scopes, { ...at, path: new URL(ofCompany.resource).pathname })
    expect(ofGlobex.resource).toBe(ofCompany.resource)
    const people = [
      { owner: company, server: ofCompany, person: pat },
      { owner: globex, server: ofGlobex, person: await app.person(globex) },
    ]
    const id = documentAt(`/${app.ctx.random.id()}.json`)
    const request = { resource: ofCompany.resource, scope: 'tools:read' }
    // Without a session the company is unknown: the person signs in first, and nothing is registered.
    const rows = async (url: string) => Promise.all(people.map(({ owner }) => findMetadataClient(forTenant(app.db, owner.tenantId), url)))
    for (const clientId of [id, (await registered(app, { resource: ofCompany.resource })).client_id]) {
      const path = authorizePath(asTest(clientId), request)
      const to = new URL((await app.request(path)).headers.get('location') ?? '', 'http://localhost')
      expect([to.pathname, to.searchParams.get('return_to')]).toEqual(['/signin', path])
    }
    expect(await rows(id)).toEqual([undefined, undefined])
    for (const { owner, server, person } of people) {
      const browser = await oauthBrowser(app, person)
      const dynamic = (await registered(app, { resource: ofCompany.resource })).client_id
      for (const clientId of [id, dynamic]) {
        const { code } = await allowed(browser, authorizePath(asTest(clientId), request))
        const tokens = (await (await exchange(app, clientId, code, { resource: ofCompany.resource })).json()) as Json
        expect(claimsOf(String(tokens.access_token))).toMatchObject({ aud: ofCompany.resource, tenant_id: owner.tenantId })
        for (const one of people) {
          const introspection = await postForm(
            app,
            '/oauth/introspect',
            { token: String(tokens.access_token) },
            { authorization: one.server.authorization },
          )
          expect(await introspection.json()).toMatchObject({ active: one.server === server })
        }
      }
      expect(await rowsOf(app, owner.tenantId, dynamic)).toBe(1)
    }
    expect((await rows(id)).map((row) => row?.metadataUrl)).toEqual([id, id])
    const outsider = await oauthBrowser(app, await app.person(await app.company('initech')))
    const path = authorizePath(asTest(documentAt(`/${app.ctx.random.id()}.json`)), request)
    expect((await outsider.get(path)).status).toBe(400)
  })

  test('A changed document ends the consents; one that is unavailable for an hour does not', async () => {
    const { app, server, browser } = await start()
    const id = documentAt('/changing.json')
    const { code } = await allowed(browser, authorizePath(asTest(id), { resource: server.resource, scope: 'tools:read' }))
    const tokens = (await (await exchange(app, id, code)).json()) as Json
    const active = async () =>
      (
        (await (
          await postForm(app, '/oauth/introspect', { token: String(tokens.access_token) }, { authorization: server.authorization })
        ).json()) as Json
      ).active
    expect(await active()).toBe(true)
    documentAt('/changing.json', { redirect_uris: [CALLBACK, 'https://evil.example/cb'], client_name: 'Editor 2' })
    app.clock.advance(299)
    expect(await active()).toBe(true)
    const t = forTenant(app.db, (await browserTenant(tokens)) as Company['tenantId'])
    await t.run({
      text: `update authsec.clients set metadata_fetched_at = metadata_fetched_at - interval '2 hours' where tenant_id = $1 and metadata_url = $2`,
      params: [t.tenantId, id],
      arrays: true,
    })
    expect((await browser.get(authorizePath(asTest(id), { resource: server.resource }))).status).toBe(200)
    expect(await active()).toBe(false)
    web.publish('/changing.json', '', { status: 500 })
    await t.run({
      text: `update authsec.clients set metadata_fetched_at = metadata_fetched_at - interval '2 hours' where tenant_id = $1 and metadata_url = $2`,
      params: [t.tenantId, id],
      arrays: true,
    })
    expect((await browser.get(authorizePath(asTest(id), { resource: server.resource }))).status).toBe(200)
  })

  test('Invalid documents are refused, and forbidden URLs are not fetched', async () => {
    const { app, company, server, browser } = await start()
    const big = documentAt('/big.json', { filler: 'x'.repeat(11_000) })
    const at = (id: string) => browser.get(authorizePath(asTest(id), { resource: server.resource }))
    const bad: readonly string[] = [
      web.publish('/other.json', { client_id: 'http://localhost/else.json', redirect_uris: [CALLBACK], token_endpoint_auth_method: 'none' }),
      documentAt('/secret.json', { client_secret: 'x' }),
      documentAt('/basic.json', { token_endpoint_auth_method: 'client_secret_basic' }),
      documentAt('/nowhere.json', { redirect_uris: ['javascript:alert(1)'] }),
      web.publish('/text.json', 'hello'),
      web.publish('/html.json', '{}', { type: 'text/html' }),
      web.publish('/moved.json', '{}', { status: 302 }),
      `${web.base}/missing.json`,
      big,
    ]
    for (const id of bad) {
      const answer = await at(id)
      expect([answer.status, answer.headers.get('location')], id).toEqual([400, null])
    }
    const requested = web.requestedPaths.length
    for (const id of [
      `${web.base}/`,
      'https://10.0.0.1/c.json',
      'https://[::ffff:127.0.0.1]/c.json',
      'https://example.com/a/../b',
      'https://u@example.com/c',
      'https://example.com/c#f',
      'ftp://example.com/c',
      bad[0] ?? '',
    ]) {
      expect((await at(id)).status, id).toBe(400)
    }
    await setMode(app, company, 'token')
    expect((await at(documentAt('/closed.json'))).status).toBe(400)
    await setMode(app, company, 'open')
    expect((await browser.get(authorizePath(asTest(documentAt('/nothing.json')), {}))).status).toBe(400)
    expect(web.requestedPaths).toHaveLength(requested)
  })
})

describe('Open redirection (RFC 9700 section 4.11.2)', () => {
  test('A self-registered client cannot use this service as an open redirector', async () => {
    const { app, server, browser } = await start()
    const landing = 'https://phishing.example.com/landing'
    const made = await registered(app, { resource: server.resource, redirect_uris: [landing], post_logout_redirect_uris: [landing] })
    const client = { ...asTest(made.client_id), redirectUri: landing }
    for (const more of [{ scope: 'no:such' }, { prompt: 'none' }, { response_type: 'token' }, { resource: server.resource, code_challenge: 'x' }]) {
      const path = authorizePath(client, { resource: server.resource, ...more })
      const answer = await app.request(path)
      expect([answer.status, answer.headers.get('location')], path).toEqual([400, null])
      expect(answerIn(await browser.get(path)).get('error'), path).toBeTruthy()
    }
    const logout = `/oauth/logout?${new URLSearchParams({ client_id: String(made.client_id), post_logout_redirect_uri: landing })}`
    expect((await app.request(logout)).headers.get('location')).toBe('/signin')
    expect(await (await browser.get(logout)).text()).toContain('phishing.example.com')
  })
})

describe('Access to resource servers', () => {
  test('Where a resource server accepts no such clients, an administrator decides, and only the client can read the state', async () => {
    const { app, company, server, browser } = await start({ modes: ['prereg'] })
    const made = await registeredWithToken(app, company)
    const path = authorizePath(asTest(made.client_id), { resource: server.resource, scope: 'tools:read' })
    const first = answerIn(await browser.get(path))
    expect([first.get('error'), first.get('error_description')]).toEqual(['access_denied', 'access_pending'])
    await browser.get(path)
    const admin = await app.token(company.admin, ['pwd', 'otp'])
    const waiting = (await (await app.request(`/authsec/resource-servers/${server.id}/access-requests`, { token: admin })).json()) as {
      access_requests: Json[]
    }
    expect(waiting.access_requests).toHaveLength(1)
    const status = `/oauth/access-requests/${waiting.access_requests[0]?.id}`
    const token = String(made.registration_access_token)
    expect(await (await app.request(status, { token })).json()).toMatchObject({ status: 'pending' })
    expect((await app.request(status)).status).toBe(401)
    expect((await app.request(status, { token: String((await registered(app)).registration_access_token) })).status).toBe(404)
    const stranger = await newOauthClient(app, company)
    expect((await app.request(status, { headers: { authorization: stranger.authorization } })).status).toBe(404)
    const clients = `/authsec/resource-servers/${server.id}/clients`
    expect((await app.request(clients, { body: { client_id: made.client_id }, token: admin })).status).toBe(201)
    expect(await (await app.request(status, { token })).json()).toMatchObject({ status: 'approved' })
    expect((await browser.get(path)).status).toBe(200)
    expect((await app.request(`${clients}/${made.client_id}`, { method: 'DELETE', token: admin })).status).toBe(200)
    expect(answerIn(await browser.get(path)).get('error_description')).toBe('An administrator denied the request.')
    // A denied client stays denied when the server opens to all such clients.
    await app.request(`/authsec/resource-servers/${server.id}`, { method: 'PUT', body: { registration_modes: ['dcr'] }, token: admin })
    expect(answerIn(await browser.get(path)).get('error')).toBe('access_denied')
  })

  test('A client that is removed from a resource server open to all clients loses its tokens there', async () => {
    const { app, company, server, browser } = await start()
    await openToClients(app, company, server.id)
    const made = await registered(app, { resource: server.resource, grant_types: ['authorization_code', 'refresh_token'] })
    const path = authorizePath(asTest(made.client_id), { resource: server.resource, scope: 'tools:read' })
    const { code } = await allowed(browser, path)
    const set = (await (await exchange(app, made.client_id, code)).json()) as Json
    const isActive = async () =>
      (await (await postForm(app, '/oauth/introspect', { token: String(set.access_token) }, { authorization: server.authorization })).json()).active
    expect(await isActive()).toBe(true)
    const admin = await app.token(company.admin, ['pwd', 'otp'])
    const removed = await app.request(`/authsec/resource-servers/${server.id}/clients/${made.client_id}`, { method: 'DELETE', token: admin })
    expect(removed.status).toBe(200)
    expect(await isActive()).toBe(false)
    const form = { grant_type: 'refresh_token', refresh_token: String(set.refresh_token), client_id: String(made.client_id) }
    expect(await errorOf(await postForm(app, '/oauth/token', form))).toEqual([400, 'invalid_grant'])
  })

  test('The access policy of a resource server assigns its role on a person\u2019s first visit, once', async () => {
    const { app, company, pat, browser } = await start()
    const admin = await app.token(company.admin, ['pwd', 'otp'])
    const guarded = await newResource(app, company, [{ name: 'things:write', permission: 'things:write' }])
    const client = await newOauthClient(app, company, { at: [guarded] })
    const path = authorizePath(client, { scope: 'things:write' })
    expect(answerIn(await browser.get(path)).get('error')).toBe('access_denied')
    const roleId = await roleOf(app, company)
    const policy = `/authsec/resource-servers/${guarded.id}/access-policy`
    const withoutRight = await app.token(await app.person(company, ['admin:access', 'clients:write', 'clients:read']), ['pwd', 'otp'])
    expect((await app.request(policy, { method: 'PUT', body: { enabled: true, role_id: roleId }, token: withoutRight })).status).toBe(403)
    expect((await app.request(policy, { method: 'PUT', body: { enabled: true }, token: admin })).status).toBe(400)
    const set = await app.request(policy, { method: 'PUT', body: { enabled: true, role_id: roleId }, token: admin })
    expect(await set.json()).toMatchObject({ enabled: true, role_id: roleId })
    expect((await browser.get(path)).status).toBe(200)
    const t = forTenant(app.db, company.tenantId)
    await t.run({ text: 'delete from authsec.role_bindings where tenant_id = $1 and user_id = $2', params: [company.tenantId, pat.id], arrays: true })
    expect(answerIn(await browser.get(path)).get('error')).toBe('access_denied')
  })
})
