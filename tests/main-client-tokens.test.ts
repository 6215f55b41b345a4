// From the authorization URL to a session of a company's own pages: only for its main client, only for an active person, and without gaining strength on the way.
import { expect, test } from 'vitest'
import { atomically, forTenant } from '#db/engine/tenant'
import { setUserActive } from '#db/store/people'
import { registerClient } from '#db/store/resource-servers'
import { findSessions, revokeSession, revokeSessions } from '#db/store/sessions'
import { issueAccessToken, verifyAccessToken } from '#shared/domains/oauth/access-token'
import { authRoutes } from '../functions/auth/routes.ts'
import { connectionRoutes } from '../functions/connections/routes.ts'
import { federationRoutes } from '../functions/federation/routes.ts'
import { oauthRoutes } from '../functions/oauth/routes.ts'
import { tokensRoutes } from '../functions/tokens/routes.ts'
import { userSignInRoutes } from '../functions/user-sign-in/routes.ts'
import { type Company, type Person, startApp, type TestApp } from './support/app.ts'
import { answerIn, changeClient, claimsOf, newOauthClient, newResource, oauthBrowser, postForm, prover, TOKEN_URL } from './support/oauth.ts'
import { bodyOf, enrol, eventsOf, leaked, textIn } from './support/sign-in.ts'

const LOGIN = '/authsec/uflow/user/oidc/login'
const EXCHANGE = '/authsec/authmgr/token/oidc'
type Json = Readonly<Record<string, unknown>>
type Client = { readonly id: string; readonly secret: string }

const start = async () => {
  const app = await startApp([...oauthRoutes, ...userSignInRoutes, ...tokensRoutes, ...federationRoutes, ...connectionRoutes, ...authRoutes])
  const company = await app.company()
  const main = await setUp(app, company)
  return { app, company, main, person: await app.person(company) }
}
/** The company's main client, through the route that returns it. */
const setUp = async (app: TestApp, company: Company): Promise<Client> => {
  const made = await app.request('/authsec/oocmgr/tenant/create-base-client', {
    token: await app.token(company.admin),
    body: { tenant_id: company.tenantId, client_id: company.clientId, redirect_uris: [`https://${company.domain}/oidc/auth/callback`] },
  })
  return { id: company.clientId, secret: textIn((await bodyOf(made)).data as Json, 'client_secret') }
}
const authUrl = async (app: TestApp, client_id: string): Promise<Json> =>
  bodyOf(await app.request('/authsec/uflow/oidc/auth-url', { body: { client_id } }))

/** A person signs in for the client that the URL names; returns the tokens. */
const tokensFor = async (
  app: TestApp,
  client: Client,
  browser: Awaited<ReturnType<typeof oauthBrowser>>,
  more: Json = {},
  headers = {},
): Promise<Json> => {
  const asked = await authUrl(app, client.id)
  const url = new URL(textIn(asked, 'auth_url'))
  for (const [name, value] of Object.entries(more)) url.searchParams.set(name, String(value))
  const path = `${url.pathname}${url.search}`
  const page = await browser.get(path)
  const answered = page.status === 303 ? page : await browser.press(path, await page.text(), 'allow')
  const back = answerIn(answered)
  expect(back.get('state')).toBe(asked.state)
  const form = {
    grant_type: 'authorization_code',
    code: back.get('code') ?? '',
    redirect_uri: url.searchParams.get('redirect_uri') ?? '',
    code_verifier: textIn(asked, 'code_verifier'),
  }
  const authorization = `Basic ${Buffer.from(`${client.id}:${client.secret}`).toString('base64')}`
  return bodyOf(await postForm(app, '/oauth/token', form, { authorization, ...headers }))
}

test('every authorization URL has its own state and challenge, and redirects to a registered address', async () => {
  const { app, company } = await start()
  const [one, other] = [await authUrl(app, `${company.clientId}-main-client`), await authUrl(app, company.clientId)]
  const [first, second] = [new URL(textIn(one, 'auth_url')), new URL(textIn(other, 'auth_url'))]
  expect(first.origin).toBe(app.config.BASE_URL)
  expect(Object.fromEntries(first.searchParams)).toMatchObject({
    client_id: company.clientId,
    redirect_uri: `https://${company.domain}/oidc/auth/callback`,
    response_type: 'code',
    code_challenge_method: 'S256',
    state: one.state,
  })
  for (const name of ['state', 'code_challenge']) expect(first.searchParams.get(name)).not.toBe(second.searchParams.get(name))
  const asked = async (client_id: string) => (await app.request('/authsec/uflow/oidc/auth-url', { body: { client_id } })).status
  expect(await asked('nonsense')).toBe(400)
  expect(await asked(app.ctx.random.id())).toBe(404)
  // A client without registered redirect addresses gets no URL.
  expect(await asked((await app.company('globex')).clientId)).toBe(400)
})

test('an access token of the main client is the first step of a sign-in, once; required factors stay required, and the time of the sign-in is kept', async () => {
  const { app, company, main, person } = await start()
  const browser = await oauthBrowser(app, person)
  const signedInAt = app.clock.now()
  app.clock.advance(600)
  const tokens = await tokensFor(app, main, browser)
  const access_token = textIn(tokens, 'access_token')
  const answers = await Promise.all(Array.from({ length: 20 }, () => app.request(LOGIN, { body: { access_token } })))
  expect(answers.map(({ status }) => status).toSorted()).toEqual([200, ...Array.from({ length: 19 }, () => 401)])
  const done = answers.find(({ status }) => status === 200) ?? new Response()
  const step = await bodyOf(done)
  expect(step).toMatchObject({ tenant_id: company.tenantId, email: person.email, mfa_required: false })
  expect(step).not.toHaveProperty('token')
  const minted = await app.request('/authsec/uflow/auth/enduser/webauthn-callback', {
    body: { email: person.email, tenant_id: company.tenantId, mfa_verified: true, login_ticket: step.login_ticket },
  })
  const claims = claimsOf(textIn(await bodyOf(minted), 'access_token'))
  expect(claims).toMatchObject({ sub: person.id, amr: ['pwd'], auth_time: signedInAt.getTime() / 1000 })
  expect(await eventsOf(app, company.tenantId, 'user.oidcLogin')).toContain('login.first_factor_verified')
  expect(await leaked(app, [company.tenantId], [access_token, main.secret])).toEqual([])
})

test('the session expires with the absolute lifetime of the one that the token came from, and ends with it, also before the last step', async () => {
  const { app, company, main, person } = await start()
  const browser = await oauthBrowser(app, person)
  const signedInAt = app.clock.now().getTime() / 1000
  app.clock.advance(600)
  const first = async () =>
    textIn(
      await bodyOf(await app.request(LOGIN, { body: { access_token: textIn(await tokensFor(app, main, browser), 'access_token') } })),
      'login_ticket',
    )
  const last = (login_ticket: string) =>
    app.request('/authsec/uflow/auth/enduser/webauthn-callback', {
      body: { email: person.email, tenant_id: company.tenantId, mfa_verified: true, login_ticket },
    })
  const [ticket, waiting] = [await first(), await first()]
  const token = textIn(await bodyOf(await last(ticket)), 'access_token')
  expect(claimsOf(token)).toMatchObject({ auth_time: signedInAt, exp: signedInAt + 24 * 3600 })
  const t = forTenant(app.db, company.tenantId)
  const source = String(claimsOf(browser.jar.kept.get('authsec_session') ?? '').sid)
  await atomically(t, (tx) => revokeSession(tx, person.id, source, app.clock.now(), 'signed_out'))
  expect(await findSessions(t, person.id, app.clock.now())).toEqual([])
  const before = await eventsOf(app, company.tenantId, 'session.created')
  expect((await last(waiting)).status).toBe(401)
  expect(await eventsOf(app, company.tenantId, 'session.created')).toEqual(before)
})

test('a factor that the session has not proved is still required', async () => {
  const { app, company, main, person } = await start()
  const browser = await oauthBrowser(app, person)
  const access_token = textIn(await tokensFor(app, main, browser), 'access_token')
  await enrol(app, person)
  const step = await bodyOf(await app.request(LOGIN, { body: { access_token } }))
  expect(step).toMatchObject({ mfa_required: true, methods: ['totp'] })
  const mint = { email: person.email, tenant_id: company.tenantId, mfa_verified: true, login_ticket: step.login_ticket }
  expect((await app.request('/authsec/uflow/auth/enduser/webauthn-callback', { body: mint })).status).toBe(401)
})

test('the exchange returns a token of the same session, which ends with it', async () => {
  const { app, company, main, person } = await start()
  const browser = await oauthBrowser(app, person, ['pwd', 'otp'])
  const own = claimsOf(browser.jar.kept.get('authsec_session') ?? '')
  const oidc_token = textIn(await tokensFor(app, main, browser), 'access_token')
  const answer = await app.request(EXCHANGE, { body: { oidc_token } })
  expect([answer.status, answer.headers.get('cache-control')]).toEqual([200, 'no-store'])
  const body = await bodyOf(answer)
  expect(body).toMatchObject({ token_type: 'Bearer', expires_in: 86_400 })
  expect(claimsOf(textIn(body, 'access_token'))).toMatchObject({
    sub: person.id,
    sid: own.sid,
    jti: own.jti,
    amr: own.amr,
    auth_time: own.auth_time,
    exp: own.exp,
  })
  expect((await app.events(company.tenantId)).filter(({ event, actorId }) => event === 'session.created' && actorId === person.id)).toHaveLength(1)
  await atomically(forTenant(app.db, company.tenantId), (t) => revokeSessions(t, person.id, app.clock.now(), 'test'))
  expect((await app.request(EXCHANGE, { body: { oidc_token } })).status).toBe(401)
})

type Forge = (world: Awaited<ReturnType<typeof start>>) => Promise<string>
const through = async ({ app, main }: Awaited<ReturnType<typeof start>>, person: Person, more: Json = {}): Promise<string> =>
  textIn(await tokensFor(app, main, await oauthBrowser(app, person), more), 'access_token')

const REFUSED: readonly (readonly [string, Forge])[] = [
  ['no token', async () => 'nonsense'],
  ['a session token', ({ app, person }) => app.token(person)],
  ['an ID token', async ({ app, main, person }) => textIn(await tokensFor(app, main, await oauthBrowser(app, person)), 'id_token')],
  [
    'a token of another client of the tenant',
    async ({ app, company, person }) => {
      const other = await newOauthClient(app, company, { redirectUris: ['https://shop.example.com/oidc/auth/callback'] })
      return textIn(await tokensFor(app, other, await oauthBrowser(app, person)), 'access_token')
    },
  ],
  [
    'a token for a resource server',
    async (world) => {
      const server = await newResource(world.app, world.company, [{ name: 'tools:call' }])
      const { app, company, main } = world
      await changeClient(app, company, main.id, { allowedScopes: null })
      await atomically(forTenant(app.db, company.tenantId), (t) => registerClient(t, server.id, main.id, app.clock.now()))
      return through(world, world.person, { scope: 'openid email tools:call', resource: server.resource })
    },
  ],
  ['a token without the person\u2019s address', (world) => through(world, world.person, { scope: 'openid' })],
  [
    'a token bound to a key',
    async ({ app, main, person }) => {
      const key = await prover(app)
      const dpop = await key.proof({ htm: 'POST', htu: TOKEN_URL })
      return textIn(await tokensFor(app, main, await oauthBrowser(app, person), {}, { dpop }), 'access_token')
    },
  ],
  [
    'a token with an actor',
    async (world) => {
      const { app, main } = world
      const claims = await verifyAccessToken(app.ctx, await through(world, world.person))
      if (claims === undefined) throw new Error('no token')
      return issueAccessToken(app.ctx, { ...claims, act: { sub: main.id }, ttlSeconds: 300 })
    },
  ],
  [
    'an expired token',
    async (world) => {
      const token = await through(world, world.person)
      world.app.clock.advance(301)
      return token
    },
  ],
  [
    'a token of a disabled person',
    async (world) => {
      const token = await through(world, world.person)
      await atomically(forTenant(world.app.db, world.company.tenantId), (t) => setUserActive(t, world.person.id, false, world.app.clock.now()))
      return token
    },
  ],
  [
    'an offline token whose session has ended',
    async (world) => {
      const token = await through(world, world.person, { scope: 'openid email offline_access' })
      await atomically(forTenant(world.app.db, world.company.tenantId), (t) => revokeSessions(t, world.person.id, world.app.clock.now(), 'test'))
      return token
    },
  ],
]
test.each(REFUSED)('%s is refused by both routes, and nothing is written', async (_, forge) => {
  const world = await start()
  const { app, company } = world
  const token = await forge(world)
  expect(token).not.toBe('')
  const before = (await app.events(company.tenantId)).filter(({ outcome }) => outcome === 'success').length
  for (const [path, body] of [
    [LOGIN, { access_token: token }],
    [EXCHANGE, { oidc_token: token }],
  ] as const) {
    const answer = await app.request(path, { body })
    expect([answer.status, (await bodyOf(answer)).code]).toEqual([401, 'invalid_token'])
    expect(answer.headers.getSetCookie()).toEqual([])
  }
  expect((await app.events(company.tenantId)).filter(({ outcome }) => outcome === 'success')).toHaveLength(before)
})
