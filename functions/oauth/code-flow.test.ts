import { describe, expect, test } from 'vitest'
import { atomically, forTenant } from '#db/engine/tenant'
import { setUserActive } from '#db/store/people'
import { registerClient, removeClientFrom } from '#db/store/resource-servers'
import { revokeSession } from '#db/store/sessions'
import { setTenantStatus } from '#db/store/tenants'
import { CIBA, DEVICE_CODE, TOKEN_EXCHANGE, TOKEN_TYPES } from '#shared/domains/oauth/supported'
import { authorizationServerError } from '#shared/platform/http/problem'
import { pageError } from '#shared/platform/pages/error.tsx'
import { startApp } from '#tests/support/app'
import { countedDb } from '#tests/support/counted'
import { testDb } from '#tests/support/database'
import { interruptedDb } from '#tests/support/interrupted'
import {
  answerIn,
  authorizePath,
  challengeOf,
  changeClient,
  claimsOf,
  codeFor,
  type Json,
  newOauthClient,
  newResource,
  type OauthTestClient,
  oauthBrowser,
  postForm,
  REDIRECT,
  tokenHeader,
  VERIFIER,
} from '#tests/support/oauth'
import { change } from '#tests/support/sign-in'
import { oauthRoutes } from './routes.ts'

const SCOPES = [
  { name: 'tools:read', description: 'Read your tools' },
  { name: 'tools:write', permission: 'tools:write' },
]
const ISSUER = 'http://localhost:7468'

const start = async (more: Parameters<typeof startApp>[1] = {}) => {
  const app = await startApp(oauthRoutes, { render: authorizationServerError, ...more })
  const company = await app.company()
  const server = await newResource(app, company, SCOPES)
  const client = await newOauthClient(app, company, { at: [server] })
  const person = await app.person(company, ['tools:write'])
  const browser = await oauthBrowser(app, person)
  const redeem = (code: string, more: Readonly<Record<string, string | undefined>> = {}, by: OauthTestClient = client) =>
    postForm(
      app,
      '/oauth/token',
      { grant_type: 'authorization_code', code, code_verifier: VERIFIER, redirect_uri: REDIRECT, ...more },
      { authorization: by.authorization },
    )
  const refresh = (token: string, more: Readonly<Record<string, string>> = {}, by: OauthTestClient = client) =>
    postForm(app, '/oauth/token', { grant_type: 'refresh_token', refresh_token: token, ...more }, { authorization: by.authorization })
  const introspect = async (token: string) => (await postForm(app, '/oauth/introspect', { token }, { authorization: server.authorization })).json()
  const tokens = async (more: Readonly<Record<string, string>> = { scope: 'openid profile email tools:read tools:write' }) =>
    (await redeem(await codeFor(browser, client, more))).json()
  const events = async () => (await app.events(company.tenantId)).map(({ event }) => event)
  return { app, company, server, client, person, browser, redeem, refresh, introspect, tokens, events }
}
const errorOf = async (response: Response) => [response.status, (await response.json()).error]

describe('Consent', () => {
  test('The consent page names client, scopes, redirect host and how to revoke; then code, tokens and userinfo follow', async () => {
    const { app, server, client, person, browser, redeem, events, company } = await start()
    const path = authorizePath(client, { scope: 'openid email tools:read', nonce: 'n-1' })
    const page = await browser.get(path)
    expect(page.status).toBe(200)
    const html = await page.text()
    for (const words of [
      'Shop',
      'Read your tools',
      'See your email address',
      'app.example.com',
      'sign out',
      person.email,
      new URL(server.resource).host,
    ])
      expect(html).toContain(words)
    expect(page.headers.get('content-security-policy')).toMatch(/form-action 'self' https:\/\/app\.example\.com; frame-ancestors 'none'/)
    const answered = await browser.press(path, html, 'allow')
    expect(answered.status).toBe(303)
    expect(answered.headers.get('location')).toMatch(/^https:\/\/app\.example\.com\/callback\?/)
    const answer = answerIn(answered)
    expect([answer.get('state'), answer.get('iss')]).toEqual(['st-1', ISSUER])
    const response = await redeem(answer.get('code') ?? '')
    const set = await response.json()
    expect(response.headers.get('cache-control')).toBe('no-store')
    expect(set).toMatchObject({ token_type: 'Bearer', expires_in: 300, scope: 'openid email tools:read', refresh_token: expect.any(String) })
    expect(claimsOf(set.access_token)).toMatchObject({ sub: person.id, aud: server.resource, client_id: client.id, acr: 'aal1', amr: ['pwd'] })
    expect(tokenHeader(set.id_token)).toMatchObject({ alg: 'RS256' })
    expect(claimsOf(set.id_token)).toMatchObject({
      iss: ISSUER,
      aud: client.id,
      sub: person.id,
      nonce: 'n-1',
      email: person.email,
      email_verified: true,
      auth_time: expect.any(Number),
      at_hash: expect.any(String),
    })
    const about = await app.request('/oauth/userinfo', { token: set.access_token })
    expect(await about.json()).toEqual({ sub: person.id, email: person.email, email_verified: true })
    expect(await events()).toEqual(expect.arrayContaining(['oauth.authorized', 'oauth.tokens_issued']))
    expect((await app.events(company.tenantId, { event: 'oauth.authorized' })).length).toBe(1)
  })

  test('Consent is remembered; more scopes and prompt=consent require it again', async () => {
    const { client, browser } = await start()
    await codeFor(browser, client, { scope: 'tools:read' })
    expect(answerIn(await browser.get(authorizePath(client, { scope: 'tools:read' }))).get('code')).toBeTruthy()
    expect((await browser.get(authorizePath(client, { scope: 'tools:read tools:write' }))).status).toBe(200)
    expect((await browser.get(authorizePath(client, { scope: 'tools:read', prompt: 'consent' }))).status).toBe(200)
    const silent = await browser.get(authorizePath(client, { scope: 'tools:write', prompt: 'none' }))
    expect(answerIn(silent).get('error')).toBe('consent_required')
  })

  test('A denial is reported to the client as access_denied, and nothing is granted', async () => {
    const { app, company, client, browser } = await start()
    const path = authorizePath(client)
    const answered = await browser.press(path, await (await browser.get(path)).text(), 'deny')
    expect([answerIn(answered).get('error'), answerIn(answered).get('state'), answerIn(answered).get('code')]).toEqual([
      'access_denied',
      'st-1',
      null,
    ])
    expect(await app.events(company.tenantId, { event: 'oauth.authorized' })).toEqual([])
  })

  test('A consent form works once, in the browser that loaded it, and only from our own origin', async () => {
    const { app, company, client, browser } = await start()
    const path = authorizePath(client)
    const html = await (await browser.get(path)).text()
    const stranger = await oauthBrowser(app, await app.person(company))
    await stranger.get(path)
    const fromOther = await stranger.press(path, html, 'allow')
    expect(fromOther.headers.get('location') ?? '').not.toContain('code=')
    const consent = /name="consent" value="([^"]*)"/.exec(html)?.[1]
    const token = /name="form_token" value="([^"]*)"/.exec(html)?.[1]
    const crossSite = await postForm(
      app,
      path.replace('/oauth/authorize', '/oauth/consent'),
      { consent, form_token: token, decision: 'allow' },
      { ...browser.jar.header(), 'sec-fetch-site': 'cross-site', origin: 'https://evil.example' },
    )
    expect(crossSite.status).toBe(403)
    expect(answerIn(await browser.press(path, html, 'allow')).get('code')).toBeTruthy()
    expect((await browser.press(path, html, 'allow')).headers.get('location') ?? '').not.toContain('code=')
    expect((await app.events(company.tenantId, { event: 'oauth.authorized' })).length).toBe(1)
  })

  test('A POST request is redirected to the same request by GET; a consent form sent there is not a decision', async () => {
    const { app, company, client, browser } = await start()
    const path = authorizePath(client, { prompt: '', nonce: 'n 1' })
    const form = Object.fromEntries(new URL(path, 'http://localhost').searchParams)
    for (const at of ['/oauth/authorize', '/oauth2/auth']) {
      const sent = await postForm(
        app,
        at,
        { ...form, unknown: 'x' },
        { ...browser.jar.header(), 'sec-fetch-site': 'cross-site', origin: 'https://app.example.com' },
      )
      const location = sent.headers.get('location') ?? ''
      expect([sent.status, location.split('?')[0]]).toEqual([303, '/oauth/authorize'])
      expect(Object.fromEntries(new URLSearchParams(location.split('?')[1]))).toEqual(
        Object.fromEntries(Object.entries(form).filter(([name]) => name !== 'prompt')),
      )
      const requested = await browser.get(location)
      const answered = requested.status === 303 ? requested : await browser.press(location, await requested.text(), 'allow')
      expect(answerIn(answered).get('code')).toBeTruthy()
    }
    const html = await (await browser.get(authorizePath(client, { prompt: 'consent' }))).text()
    const [consent, token] = ['consent', 'form_token'].map((name) => new RegExp(`name="${name}" value="([^"]*)"`).exec(html)?.[1])
    const before = (await app.events(company.tenantId, { event: 'oauth.authorized' })).length
    const own = { ...browser.jar.header(), 'sec-fetch-site': 'same-origin', origin: 'http://localhost:7468' }
    const answered = await postForm(app, '/oauth/authorize', { consent, form_token: token, decision: 'allow' }, own)
    expect(answered.headers.get('location')).toBe('/oauth/authorize?')
    expect((await app.events(company.tenantId, { event: 'oauth.authorized' })).length).toBe(before)
  })

  test('A token has only scopes that the person holds, and without any of them there is no code', async () => {
    const { app, company, client } = await start()
    const browser = await oauthBrowser(app, await app.person(company))
    const path = authorizePath(client, { scope: 'tools:read tools:write' })
    const answered = await browser.press(path, await (await browser.get(path)).text(), 'allow')
    const set = await (
      await postForm(
        app,
        '/oauth/token',
        { grant_type: 'authorization_code', code: answerIn(answered).get('code') ?? '', code_verifier: VERIFIER },
        { authorization: client.authorization },
      )
    ).json()
    expect(set.scope).toBe('tools:read')
    expect(answerIn(await browser.get(authorizePath(client, { scope: 'tools:write' }))).get('error')).toBe('access_denied')
  })
})

describe('Sign-in', () => {
  test('A person without a session is sent to the sign-in page; prompt=none returns login_required', async () => {
    const { app, client } = await start()
    const response = await app.request(authorizePath(client, { login_hint: 'pat@acme.example' }))
    const to = new URL(response.headers.get('location') ?? '', ISSUER)
    expect([response.status, to.pathname, to.searchParams.get('client_id')]).toEqual([303, '/signin', client.id])
    expect(to.searchParams.get('return_to')).toMatch(/^\/oauth\/authorize\?client_id=/)
    expect(answerIn(await app.request(authorizePath(client, { prompt: 'none' }))).get('error')).toBe('login_required')
  })

  test('A session of another company requires a new sign-in', async () => {
    const { app, client } = await start()
    const globex = await app.company('globex')
    const browser = await oauthBrowser(app, globex.admin)
    expect((await browser.get(authorizePath(client))).headers.get('location')).toMatch(/^\/signin\?/)
  })

  test('A session with a temporary password requires a new password first, even with a remembered consent', async () => {
    const { app, client, person, browser } = await start()
    await codeFor(browser, client, { scope: 'openid' })
    await change(app, person, { temporaryPassword: true, temporaryPasswordExpiresAt: new Date(app.clock.now().getTime() + 3_600_000) })
    const temporary = await oauthBrowser(app, person)
    const sent = await temporary.get(authorizePath(client, { scope: 'openid' }))
    const to = new URL(sent.headers.get('location') ?? '', ISSUER)
    expect([to.origin, to.pathname]).toEqual([ISSUER, '/me/password'])
    expect(answerIn(await temporary.get(authorizePath(client, { scope: 'openid', prompt: 'none' }))).get('error')).toBe('login_required')
    await change(app, person, { temporaryPassword: false })
    app.clock.advance(2)
    expect(answerIn(await temporary.get(to.searchParams.get('return_to') ?? '')).get('code')).toBeTruthy()
  })

  test('prompt=login, max_age and acr_values require a new sign-in, which is then accepted', async () => {
    const { app, client, person, browser } = await start()
    app.clock.advance(100)
    expect((await browser.get(authorizePath(client, { max_age: '100' }))).status).toBe(200)
    for (const more of [{ prompt: 'login' }, { max_age: '99' }, { acr_values: 'aal2' }]) {
      const sent = await browser.get(authorizePath(client, more))
      const to = new URL(sent.headers.get('location') ?? '', ISSUER)
      expect([to.pathname, to.searchParams.get('acr_values')]).toEqual(['/confirm', more.acr_values ?? null])
      app.clock.advance(1)
      const back = to.searchParams.get('return_to') ?? ''
      const newSession = await oauthBrowser(app, person, ['pwd', 'otp'])
      expect((await newSession.get(back)).status).toBe(200)
      expect(new URL((await browser.get(back)).headers.get('location') ?? '', ISSUER).pathname).toBe('/confirm')
    }
  })

  test('prompt=select_account leads to the sign-in page, where another person may sign in and continue', async () => {
    const { app, client, company, browser } = await start()
    app.clock.advance(100)
    const sent = await browser.get(authorizePath(client, { prompt: 'select_account' }))
    const to = new URL(sent.headers.get('location') ?? '', ISSUER)
    expect([to.pathname, to.searchParams.get('client_id'), to.searchParams.get('other')]).toEqual(['/signin', client.id, '1'])
    const back = to.searchParams.get('return_to') ?? ''
    expect(new URL((await browser.get(back)).headers.get('location') ?? '', ISSUER).pathname).toBe('/signin')
    app.clock.advance(1)
    const colleague = await app.person(company)
    const page = await (await oauthBrowser(app, colleague)).get(back)
    expect([page.status, await page.text()]).toEqual([200, expect.stringContaining(colleague.email)])
  })

  test('A new sign-in that is still too weak returns unmet_authentication_requirements', async () => {
    const { app, client, person, browser } = await start()
    const sent = await browser.get(authorizePath(client, { acr_values: 'aal3' }))
    const back = new URL(sent.headers.get('location') ?? '', ISSUER).searchParams.get('return_to') ?? ''
    app.clock.advance(1)
    const weak = await oauthBrowser(app, person)
    expect(answerIn(await weak.get(back)).get('error')).toBe('unmet_authentication_requirements')
  })
})

describe('Redirect URI and errors', () => {
  test.each([
    ['https://app.example.com/callback/'],
    ['https://app.example.com/callback/../x'],
    ['https://app.example.com/callback?x=1'],
    ['https://app.example.com/callback#x'],
    ['https://APP.example.com/callback'],
    ['https://app.example.com:8443/callback'],
    ['https://user@app.example.com/callback'],
    ['https://app.example.com.evil.example/callback'],
    ['http://app.example.com/callback'],
    ['http://localhost.evil.com/cb'],
    ['http://127.0.0.1.evil.com/cb'],
    ['http://127.0.0.1:80@evil.com/cb'],
    ['http://127.0.0.1:8080/other'],
    ['http://localhost:8080/cb'],
    ['javascript:alert(1)'],
    ['//evil.example'],
  ])('%s is not a redirect URI of the client: an error page, and no redirect', async (redirect_uri) => {
    const { app, company, browser } = await start()
    const client = await newOauthClient(app, company, { redirectUris: [REDIRECT, 'http://127.0.0.1/cb'] })
    const response = await browser.get(authorizePath(client, { redirect_uri, response_type: 'token' }))
    expect([response.status, response.headers.get('location')]).toEqual([400, null])
    expect(response.headers.get('content-type')).toMatch(/^text\/html/)
    expect(await response.text()).not.toContain(redirect_uri)
  })

  test('A native client may use any loopback port, and needs consent every time', async () => {
    const { app, company, browser } = await start()
    const client = await newOauthClient(app, company, { isPublic: true, redirectUris: ['http://127.0.0.1/cb'] })
    const path = authorizePath(client, { redirect_uri: 'http://127.0.0.1:51234/cb', scope: 'openid' })
    for (let i = 0; i < 2; i++) {
      const page = await browser.get(path)
      const html = await page.text()
      expect([page.status, html.includes('127.0.0.1:51234')]).toEqual([200, true])
      expect((await browser.press(path, html, 'allow')).headers.get('location')).toMatch(/^http:\/\/127\.0\.0\.1:51234\/cb\?/)
    }
  })

  test.each([
    ['response_type', 'token', 'unsupported_response_type'],
    ['response_type', 'code id_token', 'unsupported_response_type'],
    ['response_type', undefined, 'invalid_request'],
    ['response_mode', 'fragment', 'invalid_request'],
    ['code_challenge', undefined, 'invalid_request'],
    ['code_challenge', 'short', 'invalid_request'],
    ['code_challenge_method', 'plain', 'invalid_request'],
    ['code_challenge_method', undefined, 'invalid_request'],
    ['code_challenge_method', 's256', 'invalid_request'],
    ['scope', 'nothing:known', 'invalid_scope'],
    ['resource', 'https://unknown.example.com/', 'invalid_target'],
    ['prompt', 'none login', 'invalid_request'],
    ['prompt', 'maybe', 'invalid_request'],
    ['max_age', '-1', 'invalid_request'],
    ['request', 'eyJhbGciOiJub25lIn0..', 'request_not_supported'],
  ])('%s=%s is reported to the client as %s, with state and issuer', async (name, value, error) => {
    const { client, browser } = await start()
    const response = await browser.get(authorizePath(client, { [name]: value }))
    const answer = answerIn(response)
    expect([response.status, answer.get('error'), answer.get('state'), answer.get('iss')]).toEqual([303, error, 'st-1', ISSUER])
  })

  test("Without a scope the client's default applies; without a default the client gets invalid_scope, signed in or not", async () => {
    const { app, company, server, client, browser } = await start()
    expect((await browser.get(authorizePath(client))).status).toBe(200)
    const several = await newOauthClient(app, company, { at: [server, await newResource(app, company, SCOPES)] })
    const scopeless = await newOauthClient(app, company, { at: [await newResource(app, company, [])] })
    const events = (await app.events(company.tenantId)).length
    for (const without of [await newOauthClient(app, company), several, scopeless]) {
      const path = authorizePath(without)
      for (const response of [await browser.get(path), await app.request(path)]) {
        const answer = answerIn(response)
        expect([response.status, answer.get('error'), answer.get('state')]).toEqual([303, 'invalid_scope', 'st-1'])
      }
    }
    expect((await app.events(company.tenantId)).length).toBe(events)
    expect((await browser.get(authorizePath(several, { resource: server.resource }))).status).toBe(200)
  })

  test('A client may use the response modes that it registered, for responses and errors alike', async () => {
    const { app, company, server, browser, redeem } = await start()
    const registered = await newOauthClient(app, company, { at: [server], responseModes: ['fragment', 'form_post'] })
    const requestBy = (more: Readonly<Record<string, string>>) => authorizePath(registered, { scope: 'openid', ...more })
    const answers = async (path: string): Promise<Response> => {
      const page = await browser.get(path)
      return page.status === 303 ? page : browser.press(path, await page.text(), 'allow')
    }
    for (const more of [{}, { scope: 'nothing:known' }]) {
      const location = new URL((await answers(requestBy({ response_mode: 'fragment', ...more }))).headers.get('location') ?? '')
      const answer = new URLSearchParams(location.hash.slice(1))
      expect([location.search, answer.get('state'), answer.get('iss')]).toEqual(['', 'st-1', ISSUER])
      if ('scope' in more) expect(answer.get('error')).toBe('invalid_scope')
      else expect((await redeem(answer.get('code') ?? '', {}, registered)).status).toBe(200)
    }
    const fields = (html: string) =>
      Object.fromEntries([...html.matchAll(/<input type="hidden" name="([^"]*)" value="([^"]*)"/g)].map((found) => found.slice(1)))
    const consent = requestBy({ response_mode: 'form_post', prompt: 'consent', state: '"><script>' })
    const posted = [
      await browser.press(consent, await (await browser.get(consent)).text(), 'allow'),
      await browser.get(requestBy({ response_mode: 'form_post', state: '"><script>' })),
      await browser.get(requestBy({ response_mode: 'form_post', scope: 'nothing:known' })),
      await browser.press(consent, await (await browser.get(consent)).text(), 'deny'),
    ]
    const posts: unknown[] = []
    for (const page of posted) {
      const html = await page.text()
      expect([page.status, page.headers.get('location'), page.headers.get('cache-control')]).toEqual([200, null, 'no-store'])
      const policy = page.headers.get('content-security-policy') ?? ''
      const nonce = /script-src 'nonce-([^']+)'/.exec(policy)?.[1]
      expect(policy).toMatch(/default-src 'none'.*form-action https:\/\/app\.example\.com; frame-ancestors 'none'/)
      expect(html).toContain(`<script nonce="${nonce}">`)
      expect(html).toMatch(/<form method="post" action="https:\/\/app\.example\.com\/callback">/)
      expect(html).toMatch(/<noscript><button type="submit">Continue<\/button><\/noscript>/)
      expect(html).not.toMatch(/"><script>/)
      posts.push(fields(html))
    }
    const rest = { state: '&quot;&gt;&lt;script&gt;', iss: ISSUER }
    expect(posts).toEqual([
      { code: expect.any(String), ...rest },
      { code: expect.any(String), ...rest },
      { error: 'invalid_scope', error_description: expect.any(String), state: 'st-1', iss: ISSUER },
      { error: 'access_denied', error_description: expect.any(String), ...rest },
    ])
    const { code } = posts[0] as { code: string }
    expect((await redeem(code, {}, registered)).status).toBe(200)
    // A native client with its own scheme cannot receive forms, and no client may use a mode that it did not register.
    const native = await newOauthClient(app, company, { isPublic: true, redirectUris: ['com.example.app:/cb'], responseModes: ['form_post'] })
    for (const [by, more] of [
      [native, { redirect_uri: 'com.example.app:/cb', response_mode: 'form_post' }],
      [native, { redirect_uri: 'com.example.app:/cb', response_mode: 'fragment' }],
      [registered, { response_mode: 'web_message' }],
    ] as const) {
      const response = await browser.get(authorizePath(by, { scope: 'openid', ...more }))
      expect([response.status, answerIn(response).get('error')]).toEqual([303, 'invalid_request'])
    }
  })

  test('A repeated resource is one; two different resources are invalid_target (RFC 8707 section 2)', async () => {
    const { app, company, client, browser, redeem, refresh } = await start()
    const [origin, other] = [await newResource(app, company, SCOPES, { path: '' }), await newResource(app, company, SCOPES)]
    await atomically(forTenant(app.db, company.tenantId), async (t) => {
      for (const { id } of [origin, other]) await registerClient(t, id, client.id, app.clock.now())
    })
    const twice = (...resources: readonly string[]) =>
      `${authorizePath(client, { scope: 'tools:read' })}${resources.map((one) => `&resource=${encodeURIComponent(one)}`).join('')}`
    for (const response of [
      await browser.get(twice(origin.resource, other.resource)),
      await browser.get(twice(origin.resource, `${origin.resource}/x`)),
      await app.request(twice(origin.resource, other.resource)),
    ]) {
      const answer = answerIn(response)
      expect([response.status, answer.get('error'), answer.get('state'), answer.get('iss')]).toEqual([303, 'invalid_target', 'st-1', ISSUER])
    }
    const path = twice(origin.resource, `${origin.resource}/`, origin.resource)
    const code = answerIn(await browser.press(path, await (await browser.get(path)).text(), 'allow')).get('code') ?? ''
    const set = await (await redeem(code)).json()
    expect(claimsOf(set.access_token).aud).toBe(origin.resource)
    const sent = (endpoint: string, form: Readonly<Record<string, string>>, resources: readonly string[], name = 'resource') => {
      const body = new URLSearchParams([...Object.entries(form), ...resources.map((one): [string, string] => [name, one])]).toString()
      const headers = { authorization: client.authorization, 'content-type': 'application/x-www-form-urlencoded' }
      return app.request(endpoint, { method: 'POST', body, headers })
    }
    const two = [origin.resource, other.resource]
    const pushed = Object.fromEntries(new URLSearchParams(authorizePath(client).split('?')[1]))
    const again = { grant_type: 'refresh_token', refresh_token: set.refresh_token }
    const exchanged = { grant_type: TOKEN_EXCHANGE, subject_token: set.access_token, subject_token_type: TOKEN_TYPES.access }
    await changeClient(app, company, client.id, {
      grantTypes: ['authorization_code', 'refresh_token', 'client_credentials', DEVICE_CODE, TOKEN_EXCHANGE],
    })
    for (const response of [
      await sent('/oauth/par', pushed, two),
      await sent('/oauth/token', again, two),
      await sent('/oauth/token', { grant_type: 'client_credentials' }, two),
      await sent('/oauth/token', exchanged, two),
      await sent('/oauth/token', exchanged, two, 'audience'),
      await sent('/oauth/device_authorization', {}, two),
    ]) {
      expect(await errorOf(response)).toEqual([400, 'invalid_target'])
    }
    expect((await sent('/oauth/par', pushed, [origin.resource, origin.resource])).status).toBe(201)
    expect((await refresh(set.refresh_token, { resource: origin.resource })).status).toBe(200)
  })

  test('An unknown client, a foreign request_uri and a repeated parameter get an error page', async () => {
    const { app, client, browser } = await start()
    const requests = [
      authorizePath({ ...client, id: app.ctx.random.id() }),
      authorizePath({ ...client, id: 'x' }),
      `${authorizePath(client)}&state=2`,
      `${authorizePath(client)}&request_uri=https%3A%2F%2F169.254.169.254%2F`,
      `${authorizePath(client)}&request_uri=urn%3Aietf%3Aparams%3Aoauth%3Arequest_uri%3Ax`,
    ]
    for (const path of requests) {
      const response = await browser.get(path)
      expect([response.status, response.headers.get('location'), response.headers.get('content-type')]).toEqual([
        400,
        null,
        expect.stringMatching(/^text\/html/),
      ])
    }
    expect(pageError).toBeTypeOf('function')
  })
})

describe('Authorization code', () => {
  test('One of fifty parallel redemptions succeeds; a replay revokes the tokens of the code', async () => {
    const { browser, client, redeem, introspect, refresh, events } = await start()
    const code = await codeFor(browser, client, { scope: 'tools:read' })
    const all = await Promise.all(Array.from({ length: 50 }, () => redeem(code)))
    const [won, ...more] = all.filter(({ status }) => status === 200)
    expect([won !== undefined, more.length]).toEqual([true, 0])
    const set = await won?.json()
    expect(await introspect(set.access_token)).toEqual({ active: false })
    expect(await errorOf(await refresh(set.refresh_token))).toEqual([400, 'invalid_grant'])
    expect((await events()).filter((event) => event === 'oauth.authorization_revoked')).toHaveLength(1)
  })

  test('The ID token has the claims of the person at the moment of redemption', async () => {
    const { db, before } = await interruptedDb()
    const { app, browser, client, person, redeem } = await start({ db })
    const scope = 'openid profile email'
    const redeemed = async () => claimsOf((await (await redeem(await codeFor(browser, client, { scope, prompt: 'consent' }))).json()).id_token)
    // The first redemption creates the key of the audit log.
    expect(await redeemed()).toMatchObject({ name: 'Pat Person', email: person.email, email_verified: true })
    const changed = {
      name: 'Changed',
      email: `changed-${person.email}`,
      emailVerifiedAt: null,
      username: 'changed',
      avatarUrl: 'https://changed.example/',
    }
    before(() => change(app, person, changed), /set code_used_at/)
    expect(await redeemed()).toMatchObject({
      name: changed.name,
      email: changed.email,
      email_verified: false,
      preferred_username: changed.username,
      picture: changed.avatarUrl,
    })
  })

  test('A code is refused to other clients and with a wrong verifier, and stays valid for its own client', async () => {
    const { app, company, browser, client, redeem, server } = await start()
    const other = await newOauthClient(app, company, { at: [server] })
    const globex = await app.company('globex')
    const foreign = await newOauthClient(app, globex)
    const code = await codeFor(browser, client)
    for (const response of [
      await redeem(code, {}, other),
      await redeem(code, {}, foreign),
      await redeem(code, { code_verifier: 'w'.repeat(43) }),
      await redeem(code, { code_verifier: VERIFIER.slice(1) }),
      await redeem(code, { redirect_uri: `${REDIRECT}/` }),
      await redeem(`${code.slice(0, -1)}${code.endsWith('A') ? 'B' : 'A'}`),
      await redeem('x'),
    ]) {
      expect(await errorOf(response)).toEqual([400, 'invalid_grant'])
    }
    expect(await errorOf(await redeem(code, { code_verifier: undefined }))).toEqual([400, 'invalid_request'])
    expect(await errorOf(await redeem(code, { resource: 'https://unknown.example.com/' }))).toEqual([400, 'invalid_target'])
    expect((await redeem(code)).status).toBe(200)
    expect(await errorOf(await redeem(code, {}, other))).toEqual([400, 'invalid_grant'])
  })

  test('An oversized code, verifier, redirect URI or token gets invalid_grant and discloses no schema', async () => {
    const { app, browser, client, redeem, refresh } = await start()
    const code = await codeFor(browser, client)
    const answers = [
      ...(await Promise.all([257, 20_000, 500_000].map((length) => redeem('x'.repeat(length))))),
      await redeem(`${code}${'x'.repeat(300)}`),
      await redeem(code, { code_verifier: 'v'.repeat(257) }),
      await redeem(code, { redirect_uri: `${REDIRECT}${'x'.repeat(2048)}` }),
      ...(await Promise.all([513, 20_000, 500_000].map((length) => refresh('x'.repeat(length))))),
    ]
    for (const response of answers) {
      const body = await response.json()
      expect([response.status, body.error]).toEqual([400, 'invalid_grant'])
      expect(body.error_description).not.toMatch(/form\.|character|too big|expected/i)
    }
    const polled = await newOauthClient(app, await app.company('globex'), { grantTypes: [DEVICE_CODE, CIBA] })
    for (const [grant_type, name] of [
      [DEVICE_CODE, 'device_code'],
      [CIBA, 'auth_req_id'],
    ] as const) {
      const response = await postForm(app, '/oauth/token', { grant_type, [name]: 'x'.repeat(5000) }, { authorization: polled.authorization })
      expect(await errorOf(response)).toEqual([400, 'invalid_grant'])
    }
    expect((await redeem(code)).status).toBe(200)
  })

  test('A code expires after a minute', async () => {
    const { app, browser, client, redeem } = await start()
    const [recent, old] = [await codeFor(browser, client), await codeFor(browser, client)]
    app.clock.advance(59)
    expect((await redeem(recent)).status).toBe(200)
    app.clock.advance(1)
    expect(await errorOf(await redeem(old))).toEqual([400, 'invalid_grant'])
  })
})

describe('Refresh token', () => {
  test('A refresh token rotates; the previous one works for ten more seconds and revokes the family after that', async () => {
    const { app, tokens, refresh, introspect } = await start()
    const first = await tokens()
    const second = await (await refresh(first.refresh_token)).json()
    expect(second.refresh_token).not.toBe(first.refresh_token)
    expect(claimsOf(second.id_token)).not.toHaveProperty('nonce')
    app.clock.advance(10)
    const again = await (await refresh(first.refresh_token)).json()
    expect(again.refresh_token).toBe(second.refresh_token)
    app.clock.advance(1)
    expect(await errorOf(await refresh(first.refresh_token))).toEqual([400, 'invalid_grant'])
    expect(await errorOf(await refresh(second.refresh_token))).toEqual([400, 'invalid_grant'])
    expect(await introspect(second.access_token)).toEqual({ active: false })
  })

  test('Fifty parallel refreshes get the same successor', async () => {
    const { tokens, refresh } = await start()
    const { refresh_token: token } = await tokens()
    const answers = await Promise.all(Array.from({ length: 50 }, async () => (await refresh(token)).json()))
    expect(new Set(answers.map(({ refresh_token: next }) => next)).size).toBe(1)
  })

  test('A refresh can narrow the scopes but not widen them, and the next one gets all granted scopes again', async () => {
    const { tokens, refresh } = await start()
    let set = await tokens({ scope: 'openid tools:read tools:write' })
    const narrow = await (await refresh(set.refresh_token, { scope: 'tools:read' })).json()
    expect(narrow.scope).toBe('tools:read')
    expect(await errorOf(await refresh(narrow.refresh_token, { scope: 'tools:read email' }))).toEqual([400, 'invalid_scope'])
    expect(await errorOf(await refresh(narrow.refresh_token, { resource: 'https://unknown.example.com/' }))).toEqual([400, 'invalid_target'])
    set = await (await refresh(narrow.refresh_token)).json()
    expect(set.scope).toBe('openid tools:read tools:write')
  })

  test('A refresh token is refused to another client, if forged, and without the grant type, and stays valid otherwise', async () => {
    const { app, company, client, tokens, refresh } = await start()
    const other = await newOauthClient(app, company)
    const { refresh_token: token } = await tokens()
    const forged = `${token.slice(0, -4)}${token.endsWith('AAAA') ? 'BBBB' : 'AAAA'}`
    for (const response of [await refresh(token, {}, other), await refresh(forged), await refresh('x')]) {
      expect(await errorOf(response)).toEqual([400, 'invalid_grant'])
    }
    expect((await refresh(token)).status).toBe(200)
    await changeClient(app, company, client.id, { grantTypes: ['authorization_code'] })
    expect(await errorOf(await refresh(token))).toEqual([400, 'unauthorized_client'])
  })

  test('A scope that the client lost is missing from the next token, and the old token is inactive', async () => {
    const { app, company, client, refresh, introspect, tokens } = await start()
    const set = await tokens()
    await changeClient(app, company, client.id, { allowedScopes: ['tools:read'] })
    app.clock.advance(2)
    expect(await introspect(set.access_token)).toEqual({ active: false })
    const next = await (await refresh(set.refresh_token)).json()
    expect(next.scope).toBe('openid profile email tools:read')
    expect((await introspect(next.access_token)).active).toBe(true)
  })

  test('Without offline_access a refresh token ends with the session; with it, it does not', async () => {
    const { app, company, client, browser, person, refresh, introspect, redeem } = await start()
    const online = await (await redeem(await codeFor(browser, client, { scope: 'tools:read' }))).json()
    const offline = await (await redeem(await codeFor(browser, client, { scope: 'tools:read offline_access' }))).json()
    const sessionId = String(claimsOf(online.access_token).sid)
    await atomically(forTenant(app.db, company.tenantId), (t) => revokeSession(t, person.id, sessionId, app.clock.now(), 'test'))
    expect(await introspect(online.access_token)).toEqual({ active: false })
    expect(await introspect(offline.access_token)).toMatchObject({ active: true })
    expect(await errorOf(await refresh(online.refresh_token))).toEqual([400, 'invalid_grant'])
    expect((await refresh(offline.refresh_token)).status).toBe(200)
  })
})

describe('Introspection checks the current state of person, client, tenant and resource server', () => {
  const at = async (s: Awaited<ReturnType<typeof start>>, work: (t: Parameters<Parameters<typeof atomically>[1]>[0]) => Promise<unknown>) => {
    s.app.clock.advance(1)
    await atomically(forTenant(s.app.db, s.company.tenantId), work)
  }
  const sql = (text: string) => (t: { run: (s: { text: string; params: unknown[]; arrays: boolean }) => Promise<unknown> }) =>
    t.run({ text, params: [], arrays: true })
  const CHANGES: readonly (readonly [string, (s: Awaited<ReturnType<typeof start>>) => Promise<unknown>])[] = [
    ['the person is disabled', (s) => at(s, (t) => setUserActive(t, s.person.id, false, s.app.clock.now()))],
    [
      'all sessions of the person are revoked',
      (s) =>
        at(
          s,
          sql(
            `update authsec.users set valid_from = '${s.app.clock.now().toISOString()}'::timestamptz + interval '1 second' where id = '${s.person.id}'`,
          ),
        ),
    ],
    ['the client is disabled', (s) => changeClient(s.app, s.company, s.client.id, { active: false })],
    ['the company is suspended', (s) => at(s, (t) => setTenantStatus(t, 'suspended', s.app.clock.now()))],
    ['the client is removed from the resource server', (s) => at(s, (t) => removeClientFrom(t, s.server.id, s.client.id))],
    ['the resource server is disabled', (s) => at(s, sql(`update authsec.resource_servers set active = false where id = '${s.server.id}'`))],
    ['the consent is revoked', (s) => at(s, sql(`delete from authsec.oauth_grants where client_id = '${s.client.id}'`))],
    ['the person loses the permission', (s) => at(s, sql(`delete from authsec.role_bindings where user_id = '${s.person.id}'`))],
  ]
  test.each(CHANGES)('When %s, the token is inactive', async (name, applyChange) => {
    const s = await start()
    const set = await s.tokens()
    expect(await s.introspect(set.access_token)).toMatchObject({ active: true, sub: s.person.id, subject_type: 'user', client_id: s.client.id })
    await applyChange(s)
    const answer = await postForm(s.app, '/oauth/introspect', { token: set.access_token }, { authorization: s.server.authorization })
    // A disabled resource server cannot authenticate either.
    if (name.includes('server is disabled')) expect(answer.status).toBe(401)
    else expect(await answer.json()).toEqual({ active: false })
    const refreshed = await s.refresh(set.refresh_token)
    if (name.includes('permission')) expect((await refreshed.json()).scope).toBe('openid profile email tools:read')
    else expect(refreshed.status).toBeGreaterThanOrEqual(400)
  })
})

test('A flow with its page costs eight statements with cold caches, each a round trip: three, three and two', async () => {
  const counted = countedDb((await testDb()).engine)
  const { app, client, browser, redeem } = await start({ db: counted.db })
  const path = authorizePath(client, { scope: 'openid tools:read', prompt: 'consent' })
  let [html, code] = ['', '']
  const steps = [
    async () => {
      html = await (await browser.get(path)).text()
    },
    async () => {
      code = answerIn(await browser.press(path, html, 'allow')).get('code') ?? ''
    },
    async () => {
      expect((await redeem(code)).status).toBe(200)
    },
  ]
  // The first flow also reads the signing keys and the key that seals the audit events of the person.
  for (const step of steps) await step()
  const costs = []
  for (const step of steps) {
    // Longer than principals and clients are cached. The signing keys are cached too, and read again here.
    app.clock.advance(1)
    await app.ctx.signingKeys.jwks()
    costs.push(await counted.during(step))
  }
  expect(costs).toEqual([
    { statements: 3, roundTrips: 3 },
    { statements: 3, roundTrips: 3 },
    { statements: 2, roundTrips: 2 },
  ])
})

test('A resource identifier without a path may be sent with a trailing slash', async () => {
  const { app, company } = await start()
  const server = await newResource(app, company, [{ name: 'tools:read' }], { path: '' })
  const other = await newResource(app, company, [{ name: 'tools:read' }])
  const client = await newOauthClient(app, company, { at: [server, other] })
  const browser = await oauthBrowser(app, await app.person(company))
  const resource = `${server.resource}/`
  const basic = { authorization: client.authorization }
  const token = (form: Readonly<Record<string, string>>) => postForm(app, '/oauth/token', form, basic)
  const code = await codeFor(browser, client, { scope: 'tools:read', resource })
  const redeemed = await token({ grant_type: 'authorization_code', code, redirect_uri: client.redirectUri, code_verifier: VERIFIER, resource })
  const set = (await redeemed.json()) as Json
  expect(claimsOf(String(set.access_token)).aud).toBe(server.resource)
  expect((await token({ grant_type: 'refresh_token', refresh_token: String(set.refresh_token), resource })).status).toBe(200)
  const own = await (await token({ grant_type: 'client_credentials', resource })).json()
  expect(claimsOf(own.access_token).aud).toBe(server.resource)
  const pushed = { client_id: client.id, response_type: 'code', code_challenge: challengeOf(VERIFIER), code_challenge_method: 'S256', resource }
  expect((await postForm(app, '/oauth/par', pushed, basic)).status).toBe(201)
  for (const wrong of [`${resource}/`, `${other.resource}/`, `${resource}?`, `${resource}#`])
    expect(await (await token({ grant_type: 'client_credentials', resource: wrong })).json(), wrong).toMatchObject({ error: 'invalid_target' })
})
