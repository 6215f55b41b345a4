import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createLocalJWKSet, type JSONWebKeySet, jwtVerify } from 'jose'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { forTenant } from '#db/engine/tenant'
import { authorizationServerError } from '#shared/platform/http/problem'
import { type Company, type Person, startApp, type TestApp } from '#tests/support/app'
import {
  answerIn,
  authorizePath,
  codeFor,
  type Json,
  newOauthClient,
  type OauthTestClient,
  oauthBrowser,
  postForm,
  VERIFIER,
} from '#tests/support/oauth'
import { accountRoutes } from '../account/routes.ts'
import { userRoutes } from '../user/routes.ts'
import { oauthRoutes } from './routes.ts'

const AFTER = 'https://app.example.com/bye?x=1'
const routes = [...oauthRoutes, ...accountRoutes, ...userRoutes]

/** A client's backend that receives logout tokens, over a real socket. */
const backend = async () => {
  const received: string[] = []
  const answers: number[] = []
  const server: Server = createServer((request, response) => {
    let body = ''
    request.on('data', (chunk: Buffer) => {
      body += chunk.toString()
    })
    request.on('end', () => {
      received.push(new URLSearchParams(body).get('logout_token') ?? '')
      response.writeHead(answers.shift() ?? 200).end()
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return { received, answers, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/back`, stop: () => server.close() }
}
let rp: Awaited<ReturnType<typeof backend>>
beforeAll(async () => {
  rp = await backend()
})
afterAll(() => rp.stop())

const start = async () => {
  const app = await startApp(routes, { render: authorizationServerError, env: { OUTBOUND_LOOPBACK: 'on' } })
  const company = await app.company()
  const client = await newOauthClient(app, company, { postLogoutRedirectUris: [AFTER], backchannelLogoutUri: rp.url })
  const pat = await app.person(company)
  const browser = await oauthBrowser(app, pat)
  return { app, company, client, pat, browser }
}
type Browser = Awaited<ReturnType<typeof oauthBrowser>>
const tokensOf = async (app: TestApp, client: OauthTestClient, browser: Browser, scope = 'openid'): Promise<Json> => {
  const code = await codeFor(browser, client, { scope })
  const form = { grant_type: 'authorization_code', code, code_verifier: VERIFIER, redirect_uri: client.redirectUri }
  return (await (await postForm(app, '/oauth/token', form, { authorization: client.authorization })).json()) as Json
}
const logoutPath = (query: Readonly<Record<string, string>>): string => `/oauth/logout?${new URLSearchParams(query)}`
const liveSessions = async (app: TestApp, { tenantId, id }: Person): Promise<number> => {
  const text = 'select 1 from authsec.sessions where tenant_id = $1 and user_id = $2 and revoked_at is null'
  return (await forTenant(app.db, tenantId).run({ text, params: [tenantId, id], arrays: true })).length
}
const countQueued = async (app: TestApp, { tenantId }: Company): Promise<number> => {
  const text = `select 1 from authsec.outbox_messages where tenant_id = $1 and kind = 'logout_token' and sent_at is null`
  return (await forTenant(app.db, tenantId).run({ text, params: [tenantId], arrays: true })).length
}

/** The ID token as if signed with a deleted key: keys are deleted a day after their last token expired. */
const signedWithDeletedKey = (idToken: unknown): string => {
  const [, ...rest] = String(idToken).split('.')
  return [Buffer.from(JSON.stringify({ alg: 'RS256', typ: 'JWT', kid: 'deleted' })).toString('base64url'), ...rest].join('.')
}

describe('Logout request (RP-Initiated Logout section 2)', () => {
  test('With an id_token_hint of the person, even an expired one, the person is signed out and redirected to the registered URI', async () => {
    const { app, client, pat, browser } = await start()
    const { id_token } = await tokensOf(app, client, browser)
    app.clock.advance(3600)
    const done = await browser.get(logoutPath({ id_token_hint: String(id_token), post_logout_redirect_uri: AFTER, state: 's 1' }))
    expect([done.status, done.headers.get('location')]).toEqual([303, `${AFTER}&state=s+1`])
    expect(done.headers.get('cache-control')).toBe('no-store')
    expect(browser.jar.kept.has('authsec_session')).toBe(false)
    expect(await liveSessions(app, pat)).toBe(0)
    // A second request changes nothing and redirects to the client again.
    const again = await browser.get(logoutPath({ id_token_hint: String(id_token), post_logout_redirect_uri: AFTER }))
    expect([again.status, again.headers.get('location')]).toEqual([303, AFTER])
  })

  test('Without a hint, or with another person\u2019s, the person has to confirm, and may stay signed in', async () => {
    const { app, company, client, pat, browser } = await start()
    const other = await oauthBrowser(app, await app.person(company))
    const { id_token } = await tokensOf(app, client, other)
    for (const query of [
      { client_id: client.id, post_logout_redirect_uri: AFTER },
      { id_token_hint: String(id_token), post_logout_redirect_uri: AFTER },
      {},
    ]) {
      const requested = await browser.get(logoutPath(query))
      expect([requested.status, await requested.clone().text()]).toEqual([200, expect.stringContaining(pat.email)])
      expect(requested.headers.get('content-security-policy')).toMatch(/frame-ancestors 'none'/)
    }
    expect(await liveSessions(app, pat)).toBe(1)
    const form = async (decision: string, more: Readonly<Record<string, string>>) => {
      const html = await (await browser.get(logoutPath(more))).text()
      const form_token = /name="form_token" value="([^"]*)"/.exec(html)?.[1] ?? ''
      const headers = { ...browser.jar.header(), 'sec-fetch-site': 'same-origin', origin: 'http://localhost:7468' }
      const answered = await postForm(app, '/oauth/logout/confirm', { ...more, form_token, decision }, headers)
      browser.jar.take(answered)
      return answered
    }
    const named = { client_id: client.id, post_logout_redirect_uri: AFTER, state: 'x' }
    expect((await form('stay', named)).headers.get('location')).toBe(`${AFTER}&state=x`)
    expect(await liveSessions(app, pat)).toBe(1)
    expect((await form('sign_out', named)).headers.get('location')).toBe(`${AFTER}&state=x`)
    expect(await liveSessions(app, pat)).toBe(0)
  })

  test('An ID token signed with a deleted key is ignored, and the request is not refused', async () => {
    const { app, client, pat, browser } = await start()
    const id_token_hint = signedWithDeletedKey((await tokensOf(app, client, browser)).id_token)
    for (const query of [{ post_logout_redirect_uri: AFTER }, { post_logout_redirect_uri: AFTER, client_id: client.id }]) {
      const requested = await browser.get(logoutPath({ id_token_hint, ...query }))
      expect([requested.status, await requested.text()]).toEqual([200, expect.stringContaining(pat.email)])
    }
    expect(await liveSessions(app, pat)).toBe(1)
    const withoutClient = await app.request(logoutPath({ id_token_hint, post_logout_redirect_uri: AFTER }))
    expect([withoutClient.status, withoutClient.headers.get('location')]).toEqual([303, '/signin'])
    const withClient = await app.request(logoutPath({ id_token_hint, post_logout_redirect_uri: AFTER, client_id: client.id }))
    expect([withClient.status, withClient.headers.get('location')]).toEqual([303, AFTER])
    expect((await app.request(logoutPath({ id_token_hint, post_logout_redirect_uri: `${AFTER}/`, client_id: client.id }))).status).toBe(400)
    const hint = { scope: 'openid', id_token_hint }
    expect(answerIn(await browser.get(authorizePath(client, hint))).get('code')).toBeTruthy()
    expect(answerIn(await browser.get(authorizePath(client, { ...hint, prompt: 'none' }))).get('error')).toBe('login_required')
  })

  test('A confirmation from another site, or without the form token, does not sign out', async () => {
    const { app, pat, browser } = await start()
    await browser.get('/oauth/logout')
    const send = (headers: Readonly<Record<string, string>>, form = {}) =>
      postForm(app, '/oauth/logout/confirm', { decision: 'sign_out', ...form }, { ...browser.jar.header(), ...headers })
    expect((await send({ 'sec-fetch-site': 'cross-site', origin: 'https://evil.example' })).status).toBe(403)
    expect((await send({ 'sec-fetch-site': 'same-origin', origin: 'http://localhost:7468' }, { form_token: 'x'.repeat(43) })).status).not.toBe(200)
    expect(await liveSessions(app, pat)).toBe(1)
  })

  test('A POST request from the client\u2019s site is redirected to the page', async () => {
    const { app, client } = await start()
    const answer = await postForm(
      app,
      '/oauth/logout',
      { client_id: client.id, post_logout_redirect_uri: AFTER, state: '' },
      { origin: 'https://app.example.com' },
    )
    expect([answer.status, answer.headers.get('location')]).toEqual([
      303,
      `/oauth/logout?${new URLSearchParams({ client_id: client.id, post_logout_redirect_uri: AFTER })}`,
    ])
  })
})

describe('Redirection after logout (RP-Initiated Logout section 3)', () => {
  test('An unregistered post_logout_redirect_uri gets an error page, signed in or not', async () => {
    const { app, company, client, pat, browser } = await start()
    const { id_token } = await tokensOf(app, client, browser)
    const other = await newOauthClient(app, company)
    const hint = { id_token_hint: String(id_token) }
    const bad: readonly Readonly<Record<string, string>>[] = [
      { ...hint, post_logout_redirect_uri: `${AFTER}/` },
      { ...hint, post_logout_redirect_uri: 'https://app.example.com/bye' },
      { ...hint, post_logout_redirect_uri: 'https://app.example.com.evil.example/bye?x=1' },
      { ...hint, post_logout_redirect_uri: client.redirectUri },
      { post_logout_redirect_uri: AFTER },
      { client_id: other.id, post_logout_redirect_uri: AFTER },
      { ...hint, client_id: other.id },
      { id_token_hint: `${String(id_token).slice(0, -4)}AAAA` },
      { id_token_hint: 'x' },
    ]
    for (const query of bad) {
      for (const from of [browser.get, (path: string) => app.request(path)]) {
        const answer = await from(logoutPath(query))
        expect([answer.status, answer.headers.get('location')], JSON.stringify(query)).toEqual([400, null])
        expect(answer.headers.get('content-type')).toContain('text/html')
      }
    }
    expect(await liveSessions(app, pat)).toBe(1)
  })
})

describe('Logout token (Back-Channel Logout section 2)', () => {
  test('The client\u2019s backend gets a logout token, which is sent again until it succeeds', async () => {
    const { app, company, client, pat, browser } = await start()
    const { id_token } = await tokensOf(app, client, browser)
    const { sid } = JSON.parse(Buffer.from(String(id_token).split('.')[1] ?? '', 'base64url').toString()) as Json
    const before = rp.received.length
    rp.answers.push(500)
    await browser.get(logoutPath({ id_token_hint: String(id_token) }))
    await app.mailsTo(pat.email)
    expect([rp.received.length - before, await countQueued(app, company)]).toEqual([1, 1])
    app.clock.advance(120)
    await app.mailsTo(pat.email)
    expect([rp.received.length - before, await countQueued(app, company)]).toEqual([2, 0])
    const [first, second] = rp.received.slice(before)
    const jwks = (await app.ctx.signingKeys.jwks()) as unknown as JSONWebKeySet
    const options = { issuer: app.config.BASE_URL, audience: client.id, typ: 'logout+jwt', currentDate: app.clock.now() }
    const { payload } = await jwtVerify(second ?? '', createLocalJWKSet(jwks), options)
    expect(payload).toEqual({
      iss: app.config.BASE_URL,
      aud: client.id,
      sub: pat.id,
      sid,
      jti: expect.any(String),
      iat: expect.any(Number),
      exp: (payload.iat ?? 0) + 120,
      events: { 'http://schemas.openid.net/event/backchannel-logout': {} },
    })
    expect(JSON.parse(Buffer.from(first?.split('.')[1] ?? '', 'base64url').toString())).toMatchObject({ jti: payload.jti })
  })

  test('Every end of a session sends logout tokens, but only to clients with an ID token and a logout URI', async () => {
    const { app, company, client, pat, browser } = await start()
    await tokensOf(app, client, browser)
    const withoutLogoutUri = await newOauthClient(app, company)
    await tokensOf(app, withoutLogoutUri, browser)
    expect((await app.request('/account/sessions', { token: await app.token(pat) })).status).toBe(200)
    const others = await app.request('/account/sessions/end-others', { method: 'POST', token: await app.token(pat) })
    expect(others.status).toBeLessThan(300)
    expect(await countQueued(app, company)).toBe(1)
    await app.mailsTo(pat.email)
    const again = await oauthBrowser(app, pat)
    await tokensOf(app, client, again)
    const deactivated = await app.request('/authsec/uflow/user/enduser/active', {
      token: await app.token(company.admin),
      body: { tenant_id: company.tenantId, user_id: pat.id, active: false },
    })
    expect(deactivated.status).toBe(200)
    expect(await countQueued(app, company)).toBe(1)
  })
})

describe('Authentication request (OpenID Connect Core section 3.1.2.1)', () => {
  test('id_token_hint accepts only the named person and only tokens of the client; ui_locales selects the language', async () => {
    const { app, company, client, browser } = await start()
    const { id_token } = await tokensOf(app, client, browser)
    const hint = { scope: 'openid', id_token_hint: String(id_token) }
    expect(answerIn(await browser.get(authorizePath(client, { ...hint, prompt: 'none' }))).get('code')).toBeTruthy()
    const other = await oauthBrowser(app, await app.person(company))
    expect(answerIn(await other.get(authorizePath(client, hint))).get('error')).toBe('login_required')
    expect(answerIn(await other.get(authorizePath(client, { ...hint, id_token_hint: 'x' }))).get('error')).toBe('invalid_request')
    const localized = await app.request(authorizePath(client, { scope: 'openid', ui_locales: 'fr-CA de-AT en' }))
    expect(localized.headers.get('location')).toContain('&lang=de&')
    const page = await other.get(authorizePath(client, { scope: 'openid', ui_locales: 'de', prompt: 'consent' }))
    expect(await page.text()).toContain('bittet um Zugriff')
  })
})
