// A company's own front end in place of the hosted pages: which answers to a challenge are accepted, in which browser, how often, and what they grant.
import { describe, expect, test } from 'vitest'
import { atomically, forTenant } from '#db/engine/tenant'
import { releaseDomain } from '#db/store/domains'
import { setUserActive } from '#db/store/people'
import { revokeSessions } from '#db/store/sessions'
import { updateUser } from '#db/store/users'
import { outcomeError } from '#shared/platform/http/problem'
import { challengeRoutes } from '../functions/challenges/routes.ts'
import { oauthRoutes } from '../functions/oauth/routes.ts'
import { newDetailType, payment } from './support/agents.ts'
import { anonymousBrowser, countsOf, HMGR, startFrontEnd } from './support/front-end.ts'
import {
  answerIn,
  authorizePath,
  changeClient,
  claimsOf,
  newOauthClient,
  newSelfRegistered,
  oauthBrowser,
  postForm,
  REDIRECT,
  VERIFIER,
} from './support/oauth.ts'
import { bodyOf, configure, textIn } from './support/sign-in.ts'

const start = () => startFrontEnd([...oauthRoutes, ...challengeRoutes], { render: outcomeError })
type World = Awaited<ReturnType<typeof start>>
const codeOf = async (response: Response) => [response.status, (await response.json()).code]
const redirectOf = async (response: Response): Promise<string> => textIn(await bodyOf(response), 'redirect_to')

describe('login challenge', () => {
  test('from the client to the front end, through sign-in and consent there, to a token with the allowed scopes', async () => {
    const world = await start()
    const { app, ui, client, person, company } = world
    const browser = anonymousBrowser(app)
    const login = await world.challenged(browser, { scope: 'openid email tools:read', nonce: 'n-1' })
    const shown = await app.request(`${HMGR}/login/page-data?login_challenge=${login}&lang=de`, { headers: { origin: ui } })
    expect(shown.headers.get('access-control-allow-origin')).toBe(ui)
    expect(await shown.json()).toMatchObject({
      success: true,
      login_challenge: login,
      client_id: client.id,
      client_name: 'Shop',
      client_type: 'tenant_client',
      tenant_name: company.name,
      redirect_uris: [REDIRECT],
      base_url: app.config.BASE_URL,
      local_login_enabled: true,
      // The platform's own providers, if there are any.
      providers: expect.any(Array),
    })
    expect(await (await app.request(`${HMGR}/challenge?login_challenge=${login}`)).json()).toMatchObject({ client_id: client.id })
    const token = await app.token(person)
    const accepted = await world.accept(token, login)
    expect(accepted.status).toBe(200)
    const answer = await bodyOf(accepted)
    expect(answer).toMatchObject({ success: true, login_challenge: login, client_id: client.id, tenant_id: company.tenantId, email: person.email })
    const consent = world.challengeIn((await browser.follow(textIn(answer, 'redirect_to'))).url, 'consent')
    expect(await (await app.request(`/challenges/consent?consent_challenge=${consent}`, { token })).json()).toEqual({
      consent_challenge: consent,
      subject: person.email,
      client: { client_id: client.id, client_name: 'Shop', redirect_host: 'app.example.com' },
      requested_scope: [
        { name: 'openid', description: '' },
        { name: 'email', description: '' },
        { name: 'tools:read', description: 'Read your tools' },
      ],
      requested_audience: [{ resource: world.server.resource, name: 'Tools' }],
      authorization_details: [],
      authorization_types: {},
      expires_at: expect.any(String),
    })
    const allowed = await world.decide(token, 'accept', { consent_challenge: consent })
    const { url } = await browser.follow(await redirectOf(allowed))
    expect(`${url.origin}${url.pathname}`).toBe(REDIRECT)
    expect([url.searchParams.get('state'), url.searchParams.get('iss')]).toEqual(['st-1', app.config.BASE_URL])
    const form = { grant_type: 'authorization_code', code: url.searchParams.get('code') ?? '', code_verifier: VERIFIER, redirect_uri: REDIRECT }
    const tokens = await bodyOf(await postForm(app, '/oauth/token', form, { authorization: client.authorization }))
    expect(tokens).toMatchObject({ scope: 'openid email tools:read' })
    expect(claimsOf(textIn(tokens, 'access_token'))).toMatchObject({ sub: person.id, aud: world.server.resource, client_id: client.id })
    expect(claimsOf(textIn(tokens, 'id_token'))).toMatchObject({ sub: person.id, nonce: 'n-1' })
    const events = (await app.events(company.tenantId)).map(({ event }) => event)
    expect(events).toEqual(expect.arrayContaining(['oauth.login_accepted', 'oauth.consent_accepted', 'oauth.authorized', 'token.reissued']))
  })

  test('a person with a temporary password is redirected to our own page for a new one, not to the front end', async () => {
    const { app, client, person, company } = await start()
    const expires = new Date(app.clock.now().getTime() + 3_600_000)
    const temporary = { temporaryPassword: true, temporaryPasswordExpiresAt: expires }
    await atomically(forTenant(app.db, company.tenantId), (t) => updateUser(t, person.id, temporary))
    const browser = await oauthBrowser(app, person)
    const sent = await browser.get(authorizePath(client, { scope: 'openid' }))
    expect([sent.status, sent.headers.get('location')]).toEqual([303, expect.stringMatching(/^\/me\/password\?/)])
  })

  test('the browser stays signed in; a remembered answer is not asked again, and one not to be remembered is', async () => {
    const world = await start()
    const { client } = world
    const browser = anonymousBrowser(world.app)
    const first = await world.asked(browser, world.person, { scope: 'tools:read' })
    await browser.follow(await redirectOf(await world.decide(first.token, 'accept', { consent_challenge: first.challenge, remember: false })))
    const again = await browser.follow(authorizePath(client, { scope: 'tools:read' }))
    const consent = world.challengeIn(again.url, 'consent')
    await browser.follow(await redirectOf(await world.decide(first.token, 'accept', { consent_challenge: consent })))
    expect(answerIn(await browser.get(authorizePath(client, { scope: 'tools:read' }))).get('code')).toBeTruthy()
    // Not remembering a new answer keeps the earlier ones.
    const more = world.challengeIn((await browser.follow(authorizePath(client, { scope: 'openid tools:read' }))).url, 'consent')
    await browser.follow(await redirectOf(await world.decide(first.token, 'accept', { consent_challenge: more, remember: false })))
    expect(answerIn(await browser.get(authorizePath(client, { scope: 'tools:read' }))).get('code')).toBeTruthy()
    world.challengeIn((await browser.follow(authorizePath(client, { scope: 'openid tools:read' }))).url, 'consent')
  })

  test('knowing the challenge without a session signs in no one, and neither does a session of another company', async () => {
    const world = await start()
    const { app } = world
    const challenge = await world.challenged(anonymousBrowser(app))
    const before = await countsOf(world)
    const withoutSession = await app.request(`${HMGR}/complete-local-login`, {
      body: { login_challenge: challenge, subject: world.person.id, user_id: world.person.id, email: world.person.email },
    })
    expect(await codeOf(withoutSession)).toEqual([401, 'unauthorized'])
    const stranger = await app.person(await app.company('globex'))
    for (const text of [challenge, `${world.company.tenantId}.${'a'.repeat(43)}`])
      expect(await codeOf(await world.accept(await app.token(stranger), text))).toEqual([403, 'tenant_mismatch'])
    expect(await countsOf(world)).toEqual(before)
    expect((await world.accept(await app.token(world.person), challenge)).status).toBe(200)
  })

  test('an answer is worthless in another browser and remains available to the one that started', async () => {
    const world = await start()
    const { app, person } = world
    const victim = anonymousBrowser(app)
    // An attacker starts a sign-in and has the victim's answer delivered to the attacker's browser, or the other way round.
    const challenge = await world.challenged(victim)
    const redirect = await redirectOf(await world.accept(await app.token(person), challenge))
    const thief = anonymousBrowser(app)
    await thief.follow(authorizePath(world.client))
    const before = await countsOf(world)
    const stolen = await thief.get(redirect)
    expect(stolen.status).toBe(400)
    expect(stolen.headers.get('content-type')).toContain('text/html')
    expect([...thief.jar.kept.keys()]).not.toContain('authsec_session')
    expect(await countsOf(world)).toEqual(before)
    world.challengeIn((await victim.follow(redirect)).url, 'consent')
    // And only once.
    expect((await victim.get(redirect)).status).toBe(400)
  })

  test('of twenty concurrent answers one is accepted, and of twenty browser requests with it one continues', async () => {
    const world = await start()
    const { app, person } = world
    const browser = anonymousBrowser(app)
    const challenge = await world.challenged(browser)
    const tokens = await Promise.all(Array.from({ length: 20 }, () => app.token(person)))
    const answers = await Promise.all(tokens.map((token) => world.accept(token, challenge)))
    expect(answers.map(({ status }) => status).toSorted()).toEqual([200, ...Array.from({ length: 19 }, () => 400)])
    expect(await app.events(world.company.tenantId, { event: 'oauth.login_accepted' })).toHaveLength(1)
    const won = answers.find(({ status }) => status === 200)
    const redirect = won === undefined ? '' : await redirectOf(won)
    const tries = await Promise.all(Array.from({ length: 20 }, () => app.request(pathOf(redirect), { headers: browser.jar.header() })))
    expect(tries.filter(({ status }) => status === 303)).toHaveLength(1)
    expect(await app.events(world.company.tenantId, { event: 'token.reissued' })).toHaveLength(1)
  })

  test('a denial is returned to the client, once, from any caller', async () => {
    const world = await start()
    const { app } = world
    const browser = anonymousBrowser(app)
    const challenge = await world.challenged(browser)
    const rejected = await app.request('/challenges/login/reject', { body: { login_challenge: challenge }, headers: { origin: world.ui } })
    const { url } = await browser.follow(await redirectOf(rejected))
    expect([url.origin, url.searchParams.get('error'), url.searchParams.get('state'), url.searchParams.get('code')]).toEqual([
      'https://app.example.com',
      'access_denied',
      'st-1',
      null,
    ])
    expect(await codeOf(await world.accept(await app.token(world.person), challenge))).toEqual([400, 'login_challenge_invalid'])
    const again = await app.request('/challenges/login/reject', { body: { login_challenge: challenge } })
    expect(await codeOf(again)).toEqual([400, 'login_challenge_invalid'])
    expect(await app.events(world.company.tenantId, { event: 'oauth.login_rejected' })).toHaveLength(1)
  })

  test('a sign-in that is older or weaker than the client requires is not enough', async () => {
    const world = await start()
    const { app, person } = world
    const old = await app.token(person)
    app.clock.advance(5)
    const browser = anonymousBrowser(app)
    const fresh = await world.challenged(browser, { scope: 'tools:read', prompt: 'login', login_hint: person.email })
    expect(await (await app.request(`${HMGR}/login/page-data?login_challenge=${fresh}`)).json()).toMatchObject({
      prompt: 'login',
      login_hint: person.email,
    })
    const refused = await world.accept(old, fresh)
    expect(refused.headers.get('www-authenticate')).toContain('max_age="0"')
    expect(await codeOf(refused)).toEqual([401, 'insufficient_user_authentication'])
    app.clock.advance(1)
    const accepted = await world.accept(await app.token(person), fresh)
    world.challengeIn((await browser.follow(await redirectOf(accepted))).url, 'consent')
    const strong = await world.challenged(anonymousBrowser(app), { scope: 'tools:read', acr_values: 'aal2' })
    const weak = await world.accept(await app.token(person), strong)
    expect(weak.headers.get('www-authenticate')).toContain('acr_values="aal2"')
    expect((await world.accept(await app.token(person, ['pwd', 'otp']), strong)).status).toBe(200)
  })

  test('a person who is disabled between the answer and the browser\u2019s return is not signed in', async () => {
    const world = await start()
    const { app, company } = world
    for (const stop of ['person', 'session'] as const) {
      const person = await app.person(company)
      const browser = anonymousBrowser(app)
      const redirect = await redirectOf(await world.accept(await app.token(person), await world.challenged(browser)))
      await atomically(forTenant(app.db, company.tenantId), async (t) => {
        if (stop === 'person') await setUserActive(t, person.id, false, app.clock.now())
        else await revokeSessions(t, person.id, app.clock.now(), 'test')
      })
      expect((await browser.get(redirect)).status, stop).toBe(400)
      expect([...browser.jar.kept.keys()]).not.toContain('authsec_session')
    }
  })

  test('unknown, malformed, expired and hosted challenges get the same answer', async () => {
    const world = await start()
    const { app, company, client } = world
    const token = await app.token(world.person)
    const late = await world.challenged(anonymousBrowser(app))
    app.clock.advance(901)
    await configure(app, company, { loginUi: undefined })
    const hosted = (await anonymousBrowser(app).follow(authorizePath(client))).url
    const waiting = /request_uri:([\w.-]+)/.exec(decodeURIComponent(hosted.searchParams.get('return_to') ?? ''))?.[1] ?? ''
    expect(hosted.pathname).toBe('/signin')
    for (const challenge of ['x', `${company.tenantId}.${'a'.repeat(43)}`, late, waiting]) {
      expect(await codeOf(await world.accept(await app.token(world.person), challenge)), challenge).toEqual([400, 'login_challenge_invalid'])
      const no = await app.request('/challenges/login/reject', { token, body: { login_challenge: challenge } })
      expect(await codeOf(no)).toEqual([400, 'login_challenge_invalid'])
    }
    for (const path of ['/challenge', '/login/page-data']) {
      expect(await codeOf(await app.request(`${HMGR}${path}?login_challenge=x`)), path).toEqual([400, 'login_challenge_invalid'])
      expect(await codeOf(await app.request(`${HMGR}${path}`))).toEqual([400, 'invalid_request'])
    }
    for (const path of ['/login', '/login?login_challenge=x', '/consent', '/consent?consent_challenge=x']) {
      const page = await app.request(`${HMGR}${path}`)
      expect([page.status, page.headers.get('content-type')?.slice(0, 9)], path).toEqual([400, 'text/html'])
    }
    const verifiers = [`login_verifier=${late}`, 'login_verifier=x', `consent_verifier=${waiting}`]
    for (const query of verifiers) expect((await app.request(`/oauth/authorize?client_id=${client.id}&${query}`)).status, query).toBe(400)
  })

  test('a client of a closed company has no page', async () => {
    const world = await start()
    const challenge = await world.challenged(anonymousBrowser(world.app))
    await changeClient(world.app, world.company, world.client.id, { active: false })
    const page = await world.app.request(`${HMGR}/login/page-data?login_challenge=${challenge}`)
    expect([page.status, (await page.json()).error]).toEqual([404, 'Client not found'])
    expect((await world.app.request(`${HMGR}/login?login_challenge=${challenge}`)).status).toBe(400)
  })
})

const pathOf = (address: string): string => {
  const url = new URL(address)
  return `${url.pathname}${url.search}`
}

describe('choice of the front end', () => {
  test('a client that is its own front end uses its own page in a domain of the company, other clients the company\u2019s page', async () => {
    const world = await start()
    const { app, company, ui } = world
    const ends = async (redirectUri: string) => {
      const client = await newOauthClient(app, company, { redirectUris: [redirectUri] })
      return (await anonymousBrowser(app).follow(authorizePath({ ...client, redirectUri }, { scope: 'openid' }))).url.origin
    }
    expect(await ends(`https://${company.domain}/oidc/auth/callback`)).toBe(`https://${company.domain}`)
    expect(await ends('https://evil.example/oidc/auth/callback')).toBe(ui)
    expect(await ends(`${ui}.evil.example/oidc/auth/callback`)).toBe(ui)
  })

  test('a lost domain is no longer used: the hosted pages serve instead', async () => {
    const world = await start()
    const challenge = await world.challenged(anonymousBrowser(world.app))
    await atomically(forTenant(world.app.db, world.company.tenantId), (t) => releaseDomain(t, new URL(world.ui).host))
    const page = await world.app.request(`${HMGR}/login?login_challenge=${challenge}`)
    expect(page.status).toBe(403)
    expect((await anonymousBrowser(world.app).follow(authorizePath(world.client))).url.pathname).toBe('/signin')
  })

  test.each([
    ['was turned off', (world: World) => configure(world.app, world.company, { loginUi: undefined })],
    [
      'is at a place that was lost',
      ({ app, company, ui }: World) => atomically(forTenant(app.db, company.tenantId), (t) => releaseDomain(t, new URL(ui).host)),
    ],
  ] as const)('an approval at a front end that %s is no longer accepted', async (_, end) => {
    const world = await start()
    const { app, person } = world
    const [signing, allowing] = [anonymousBrowser(app), anonymousBrowser(app)]
    const login = await redirectOf(await world.accept(await app.token(person), await world.challenged(signing)))
    const { token, challenge } = await world.asked(allowing)
    const consent = await redirectOf(await world.decide(token, 'accept', { consent_challenge: challenge }))
    await end(world)
    const before = await countsOf(world)
    for (const refused of [await signing.get(login), await allowing.get(consent)]) {
      expect([refused.status, refused.headers.get('content-type')]).toEqual([400, expect.stringContaining('text/html')])
    }
    expect([...signing.jar.kept.keys()]).not.toContain('authsec_session')
    expect(await countsOf(world)).toEqual(before)
  })

  test('consent for self-registered clients and for clients on a device is asked on the hosted pages', async () => {
    const world = await start()
    const { app, company } = world
    const self = await newSelfRegistered(app, company)
    const dynamic = { ...self, secret: '', authorization: '' }
    expect((await anonymousBrowser(app).follow(authorizePath(dynamic, { scope: 'openid' }))).url.pathname).toBe('/signin')
    const redirectUri = 'http://127.0.0.1:4711/callback'
    const native = { ...(await newOauthClient(app, company, { isPublic: true, redirectUris: [redirectUri] })), redirectUri }
    const browser = anonymousBrowser(app)
    const challenge = await world.challenged(browser, { scope: 'openid' }, native)
    const { response, url } = await browser.follow(await redirectOf(await world.accept(await app.token(world.person), challenge)))
    expect([response.status, url.pathname]).toEqual([200, '/oauth/authorize'])
    expect(await response.text()).toContain('name="consent"')
  })

  test('prompt=none never redirects there', async () => {
    const world = await start()
    const silent = await anonymousBrowser(world.app).follow(authorizePath(world.client, { prompt: 'none' }))
    expect(silent.url.searchParams.get('error')).toBe('login_required')
  })
})

describe('consent challenge', () => {
  test('a subset of the requested scopes can be allowed, never more; details only completely', async () => {
    const world = await start()
    const { app, client } = world
    const browser = anonymousBrowser(app)
    const { token, challenge } = await world.asked(browser)
    const before = await countsOf(world)
    const wrong: readonly (readonly [Readonly<Record<string, unknown>>, string])[] = [
      [{ grant_scope: ['tools:read', 'tools:write'] }, 'invalid_scope'],
      [{ grant_scope: ['offline_access'] }, 'invalid_scope'],
      [{ grant_scope: [] }, 'invalid_scope'],
      [{ grant_audience: ['https://other.example/mcp'] }, 'invalid_target'],
      [{ authorization_details: [{ type: 'payment', amount: 1 }] }, 'invalid_authorization_details'],
    ]
    for (const [body, code] of wrong) {
      const refused = await world.decide(token, 'accept', { consent_challenge: challenge, ...body })
      expect(await codeOf(refused), JSON.stringify(body)).toEqual([400, code])
    }
    expect(await countsOf(world)).toEqual(before)
    const body = { consent_challenge: challenge, grant_scope: ['tools:read'], grant_audience: [world.server.resource] }
    const { url } = await browser.follow(await redirectOf(await world.decide(token, 'accept', body)))
    const form = { grant_type: 'authorization_code', code: url.searchParams.get('code') ?? '', code_verifier: VERIFIER, redirect_uri: REDIRECT }
    const tokens = await bodyOf(await postForm(app, '/oauth/token', form, { authorization: client.authorization }))
    expect(tokens.scope).toBe('tools:read')
  })

  test('details are allowed completely or not at all, and are asked for every time', async () => {
    const world = await start()
    const { app, company, client } = world
    await newDetailType(app, company)
    const [one, other] = [payment({ note: 'one' }), payment({ note: 'other' })]
    const browser = anonymousBrowser(app)
    const { token, challenge } = await world.asked(browser, world.person, { authorization_details: JSON.stringify([one, other]) })
    expect(await (await app.request(`/challenges/consent?consent_challenge=${challenge}`, { token })).json()).toMatchObject({
      authorization_details: [one, other],
      authorization_types: { payment: 'Pay invoices' },
      requested_scope: [],
    })
    for (const authorization_details of [[{ ...one, max_amount: 1 }], [one, one], [payment()], [{ type: 'payment' }]]) {
      const refused = await world.decide(token, 'accept', { consent_challenge: challenge, authorization_details })
      expect(await codeOf(refused)).toEqual([400, 'invalid_authorization_details'])
    }
    const allowed = await world.decide(token, 'accept', { consent_challenge: challenge, authorization_details: [other] })
    const { url } = await browser.follow(await redirectOf(allowed))
    const form = { grant_type: 'authorization_code', code: url.searchParams.get('code') ?? '', code_verifier: VERIFIER, redirect_uri: REDIRECT }
    const tokens = await bodyOf(await postForm(app, '/oauth/token', form, { authorization: client.authorization }))
    expect(tokens).toMatchObject({ scope: '', authorization_details: [other] })
  })

  test('rights that the person lost between the answer and the return are not granted', async () => {
    const world = await start()
    const { app, company } = world
    const writer = await app.person(company, ['tools:write'])
    const browser = anonymousBrowser(app)
    const { token, challenge } = await world.asked(browser, writer, { scope: 'tools:write' })
    const redirect = await redirectOf(await world.decide(token, 'accept', { consent_challenge: challenge }))
    await forTenant(app.db, company.tenantId).run({
      text: 'delete from authsec.role_bindings where tenant_id = $1 and user_id = $2 returning 1',
      params: [company.tenantId, writer.id],
      arrays: true,
    })
    const { url } = await browser.follow(redirect)
    expect([url.searchParams.get('error'), url.searchParams.get('code')]).toEqual(['access_denied', null])
  })

  test('other callers cannot read or decide a request, and get the same answer as for an unknown one', async () => {
    const world = await start()
    const { app, company } = world
    const { challenge } = await world.asked(anonymousBrowser(app))
    const others = [await app.person(company), company.admin, (await app.company('globex')).admin]
    const before = await countsOf(world)
    for (const other of others) {
      const token = await app.token(other)
      for (const text of [challenge, `${company.tenantId}.${'a'.repeat(43)}`]) {
        const read = await app.request(`/challenges/consent?consent_challenge=${text}`, { token })
        expect(await codeOf(read)).toEqual([400, 'consent_challenge_invalid'])
        for (const what of ['accept', 'reject'] as const)
          expect(await codeOf(await world.decide(token, what, { consent_challenge: text })), what).toEqual([400, 'consent_challenge_invalid'])
      }
    }
    const after = await countsOf(world)
    // Only with their own sessions.
    expect({ ...after, sessions: 0, events: 0 }).toEqual({ ...before, sessions: 0, events: 0 })
  })

  test('of twenty concurrent answers one is accepted, and one code is issued', async () => {
    const world = await start()
    const { app } = world
    const browser = anonymousBrowser(app)
    const { token, challenge } = await world.asked(browser)
    const whats = Array.from({ length: 20 }, (_, at) => (at % 2 === 0 ? 'accept' : 'reject') as 'accept' | 'reject')
    const answers = await Promise.all(whats.map((what) => world.decide(token, what, { consent_challenge: challenge })))
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1)
    const next = await world.asked(anonymousBrowser(app)).catch(() => undefined)
    expect(next?.challenge).not.toBe(challenge)
    const own = anonymousBrowser(app)
    const mine = await world.asked(own)
    const redirect = await redirectOf(await world.decide(mine.token, 'accept', { consent_challenge: mine.challenge }))
    const tries = await Promise.all(Array.from({ length: 20 }, () => app.request(pathOf(redirect), { headers: own.jar.header() })))
    expect(tries.filter((response) => answerIn(response).get('code') !== null)).toHaveLength(1)
    expect(
      await app.events(world.company.tenantId, { event: 'oauth.authorized' }).then((all) => all.filter((e) => e.outcome === 'success')),
    ).toHaveLength(1)
  })

  test('an approval is worthless in another browser, and after another person has signed in', async () => {
    const world = await start()
    const { app } = world
    const browser = anonymousBrowser(app)
    const { token, challenge } = await world.asked(browser)
    const redirect = await redirectOf(await world.decide(token, 'accept', { consent_challenge: challenge }))
    expect((await anonymousBrowser(app).get(redirect)).status).toBe(400)
    const own = browser.jar.kept.get('authsec_session') ?? ''
    browser.jar.kept.set('authsec_session', await app.token(await app.person(world.company)))
    expect((await browser.get(redirect)).status).toBe(400)
    browser.jar.kept.set('authsec_session', own)
    expect((await browser.follow(redirect)).url.searchParams.get('code')).toBeTruthy()
    expect((await browser.get(redirect)).status).toBe(400)
  })

  test('a denial is returned to the client, and nothing is granted', async () => {
    const world = await start()
    const browser = anonymousBrowser(world.app)
    const { token, challenge } = await world.asked(browser)
    const { url } = await browser.follow(await redirectOf(await world.decide(token, 'reject', { consent_challenge: challenge })))
    expect([url.searchParams.get('error'), url.searchParams.get('state')]).toEqual(['access_denied', 'st-1'])
    expect((await countsOf(world)).oauth_grants).toBe(0)
  })
})

describe('codes of a front end that is itself a client', () => {
  const EXCHANGE = `${HMGR}/auth/exchange-token`
  const begun = async () => {
    const world = await start()
    const { app, company, ui, person } = world
    const redirectUri = `${ui}/oidc/auth/callback`
    const client = { ...(await newOauthClient(app, company, { redirectUris: [redirectUri] })), redirectUri }
    const browser = anonymousBrowser(app)
    const login = await world.challenged(browser, { scope: 'openid email' }, client)
    const token = await app.token(person)
    const { url } = await browser.follow(await redirectOf(await world.accept(token, login)))
    const consent = world.challengeIn(url, 'consent')
    const back = (await browser.follow(await redirectOf(await world.decide(token, 'accept', { consent_challenge: consent })))).url
    const body = { login_challenge: login, code: back.searchParams.get('code') ?? '', state: 'st-1', redirect_uri: redirectUri, provider: 'local' }
    const exchange = (more: Readonly<Record<string, unknown>> = { code_verifier: VERIFIER }, headers = {}) =>
      app.request(EXCHANGE, { body: { ...body, ...more }, headers: { origin: ui, ...headers } })
    return { ...world, client, browser, body, exchange }
  }

  test('are redeemed once with the verifier of the request; replaying a code revokes what was issued from it', async () => {
    const { app, person, exchange } = await begun()
    const response = await exchange()
    const tokens = await bodyOf(response)
    expect(Object.keys(tokens).toSorted()).toEqual(['access_token', 'expires_in', 'token_type'])
    expect(claimsOf(textIn(tokens, 'access_token'))).toMatchObject({ sub: person.id, aud: app.config.BASE_URL })
    expect(response.headers.get('cache-control')).toBe('no-store')
    expect(await codeOf(await exchange())).toEqual([400, 'invalid_grant'])
    expect((await app.request('/oauth/userinfo', { token: textIn(tokens, 'access_token') })).status).toBe(401)
  })

  test('cannot be redeemed without the verifier or with parameters of another request, and remain valid', async () => {
    const { ui, exchange, body } = await begun()
    const wrong: readonly (readonly [Readonly<Record<string, unknown>>, Readonly<Record<string, string>>, readonly [number, string]])[] = [
      [{}, {}, [400, 'invalid_request']],
      [{ code_verifier: '' }, {}, [400, 'invalid_request']],
      [{ code_verifier: 'w'.repeat(43) }, {}, [400, 'invalid_request']],
      [{ code_verifier: VERIFIER, code: 'ory_ac_x' }, {}, [400, 'invalid_request']],
      [{ code_verifier: VERIFIER, code: `${body.code.slice(0, -1)}${body.code.endsWith('A') ? 'B' : 'A'}` }, {}, [400, 'invalid_grant']],
      [{ code_verifier: VERIFIER, state: 'st-2' }, {}, [400, 'invalid_grant']],
      [{ code_verifier: VERIFIER, redirect_uri: REDIRECT }, {}, [400, 'invalid_grant']],
      [{ code_verifier: VERIFIER, login_challenge: 'x' }, {}, [400, 'login_challenge_invalid']],
      [{ code_verifier: VERIFIER }, { origin: 'https://evil.example' }, [400, 'unauthorized_client']],
    ]
    for (const [more, headers, answer] of wrong) expect(await codeOf(await exchange(more, headers)), JSON.stringify(more)).toEqual(answer)
    expect((await exchange({ code_verifier: VERIFIER }, { origin: ui })).status).toBe(200)
  })

  test('of a client without a front end, or with key authentication, are redeemed at the token endpoint', async () => {
    const world = await begun()
    await changeClient(world.app, world.company, world.client.id, { dpopBound: true })
    expect(await codeOf(await world.exchange())).toEqual([400, 'unauthorized_client'])
    await changeClient(world.app, world.company, world.client.id, { dpopBound: false, tokenEndpointAuthMethod: 'private_key_jwt' })
    expect(await codeOf(await world.exchange())).toEqual([400, 'unauthorized_client'])
    await changeClient(world.app, world.company, world.client.id, { tokenEndpointAuthMethod: null })
    await configure(world.app, world.company, { loginUi: undefined })
    expect(await codeOf(await world.exchange())).toEqual([400, 'unauthorized_client'])
  })

  test('may keep the verifier in the browser that created it: in no other, only the first one, until it is used', async () => {
    const { app, browser, exchange } = await begun()
    const store = async (code_verifier: string, headers = browser.jar.header()) => {
      const response = await app.request(`${HMGR}/pkce/store`, { body: { state: 'st-1', code_verifier }, headers })
      browser.jar.take(response)
      return response
    }
    expect(await (await store(VERIFIER)).json()).toEqual({ success: true })
    expect((await store(VERIFIER)).status).toBe(200)
    expect(await codeOf(await store('w'.repeat(43)))).toEqual([400, 'invalid_request'])
    expect(await codeOf(await store('short'))).toEqual([400, 'invalid_request'])
    expect(await codeOf(await exchange({}))).toEqual([400, 'invalid_request'])
    const done = await exchange({}, browser.jar.header())
    expect(done.status).toBe(200)
    browser.jar.take(done)
    expect([...browser.jar.kept.keys()].filter((name) => name.includes('pkce'))).toEqual([])
  })
})

test('the health endpoint reports only that it answers, not the configuration', async () => {
  const { app } = await start()
  expect(await (await app.request(`${HMGR}/health`)).json()).toEqual({
    status: 'healthy',
    service: 'oauth-login-service-api',
    timestamp: expect.any(String),
  })
})

test('the error page describes the error in our own words and repeats no text of the address', async () => {
  const { app } = await start()
  for (const error of ['access_denied', 'login_required', 'server_error', '__proto__', '<b>x</b>']) {
    const page = await app.request(
      `${HMGR}/error?${new URLSearchParams({ error, error_description: 'Call 0800-555-0199 <script>alert(1)</script>' })}`,
    )
    const html = await page.text()
    expect([page.status, page.headers.get('content-type')]).toEqual([200, 'text/html; charset=utf-8'])
    expect(page.headers.get('content-security-policy')).toContain(`frame-ancestors 'none'`)
    // The link to the other language keeps the address, where it is not displayed.
    const read = html.replaceAll(/href="[^"]*"/g, '')
    for (const text of ['0800-555-0199', 'alert(1)', '<b>x']) expect(read).not.toContain(text)
    expect(html).not.toMatch(/<script|<b>/)
  }
  const german = await app.request(`${HMGR}/error?error=access_denied`, { headers: { 'accept-language': 'de' } })
  expect(await german.text()).toContain('Zugriff verweigert')
})
