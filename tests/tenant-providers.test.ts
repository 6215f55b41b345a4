// Sign-in through providers that a company configured itself, on the hosted pages and at the API, and everything that must be refused.
import { expect, test } from 'vitest'
import { atomically, forTenant, SYSTEM_TENANT } from '#db/engine/tenant'
import { insertClientProvider } from '#db/store/client-providers'
import { findProvider } from '#db/store/providers'
import { findUserByEmail } from '#db/store/users'
import { authsecError } from '#shared/platform/http/problem'
import { pageError } from '#shared/platform/pages/error.tsx'
import { accountPageRoutes } from '../functions/account-pages/routes.ts'
import { connectionRoutes } from '../functions/connections/routes.ts'
import { federationRoutes } from '../functions/federation/routes.ts'
import { loginRoutes } from '../functions/login/routes.ts'
import { addClient } from './support/administration.ts'
import type { Company, TestApp } from './support/app.ts'
import { openBrowser, summaryOf, type TestBrowser, titleOf } from './support/browser.ts'
import {
  BASE,
  CLIENT,
  type Federation,
  federationBrowser,
  federationStateOf,
  identitiesOf,
  refusalsOf,
  startFederation,
} from './support/federation.ts'
import { bodyOf, codeIn, configure, enrol, textIn, verifyDomain, wrongCode } from './support/sign-in.ts'
import type { UpstreamUser, Wrong } from './support/upstream-double.ts'

const ROUTES = [...federationRoutes, ...connectionRoutes, ...accountPageRoutes, ...loginRoutes]
type Json = Record<string, unknown>

/** A provider that the company's administrator creates through the API. */
const own = async ({ app, upstream }: Pick<Federation, 'app' | 'upstream'>, company: Company, more: Json = {}): Promise<string> => {
  const body = { name: 'corp', display_name: 'Corp ID', issuer: upstream.url, client_id: CLIENT.clientId, client_secret: CLIENT.secret, ...more }
  const made = await app.request('/connections', { token: await app.token(company.admin), body })
  expect(made.status).toBe(201)
  return textIn(await bodyOf(made), 'id')
}
const change = async (app: TestApp, company: Company, id: string, body: Json): Promise<void> => {
  const token = await app.token(company.admin)
  const changed = await app.request(`/connections/${id}`, { token, body, method: 'PATCH', headers: { 'if-match': '*' } })
  expect(changed.status).toBe(200)
}

const start = async (more: Json = {}, world = {}) => {
  const federation = await startFederation(ROUTES, { render: pageError, ...world })
  const { company, upstream } = federation
  const id = await own(federation, company, more)
  const tenantQuery = `?tenant=${company.name}`
  /** To the provider and back, starting with the button. */
  const walk = async (browser: TestBrowser, who: UpstreamUser, query = tenantQuery, provider = 'corp', wrong: Wrong = {}) => {
    await browser.read(`/signin${query}`)
    const at = query === '' ? '?' : `${query}&`
    const gone = await openProvider(browser, `/signin/provider${at}provider=${provider}`)
    return browser.read(`${BASE}/callback?${upstream.authorize(gone, who, wrong)}`)
  }
  return { ...federation, id, tenantQuery, walk }
}
/** The target of a button, with the cookie that it sets. */
const openProvider = async (browser: TestBrowser, path: string): Promise<string> => (await browser.follow(path)).headers.get('location') ?? ''
const isIn = (browser: TestBrowser): boolean => browser.jar.kept.has('authsec_session')

test('the sign-in page lists the company\u2019s providers in its order and names, with our own icons', async () => {
  const { app, company, provider, upstream, tenantQuery } = await start({ button_text: 'Company <account>', icon: 'building', order: 1 })
  await own({ app, upstream }, company, { name: 'later', display_name: 'Later', order: 900 })
  await own({ app, upstream }, company, { name: 'off', display_name: 'Switched off', active: false })
  const { html } = await openBrowser(app).read(`/signin${tenantQuery}&return_to=/me/password`)
  // Tests share the platform's providers: keep only those of this test.
  const ways = [...html.matchAll(/href="\/signin\/provider\?provider=([\w-]+)&amp;([^"]*)"/g)]
    .map(([, name = '', rest]) => [name, rest])
    .filter(([name = '']) => ['corp', 'later', 'off', provider].includes(name))
  expect(ways).toEqual([
    ['corp', `tenant=${company.name}&amp;return_to=%2Fme%2Fpassword`],
    [provider, `tenant=${company.name}&amp;return_to=%2Fme%2Fpassword`],
    ['later', `tenant=${company.name}&amp;return_to=%2Fme%2Fpassword`],
  ])
  expect(html).toContain('Company &lt;account&gt;')
  expect(html).toContain('Continue with Later')
  expect(html).not.toMatch(/<img|https?:\/\/(?!www\.w3\.org)/)
  // The platform's own sign-in page lists only the platform's providers.
  const platform = await openBrowser(app).read('/signin')
  expect(platform.html).toContain(`provider=${provider}`)
  expect(platform.html).not.toContain('provider=corp')
})

test('a linked person signs in with the button and continues to the requested page', async () => {
  const { app, company, link, walk, tenantQuery } = await start()
  const person = await app.person(company)
  await link(person, 'sub-1', { isOwnProvider: true })
  const browser = openBrowser(app)
  const page = await walk(browser, { sub: 'sub-1' }, `${tenantQuery}&return_to=/me/password`)
  expect([page.status, page.url]).toEqual([200, '/me/password'])
  expect((await browser.read('/me')).html).toContain(person.email)
  const events = (await app.events(company.tenantId)).map(({ event, route }) => `${route} ${event}`)
  expect(events).toContain('federation.callback user.signed_in')
  expect(JSON.stringify([await app.events(company.tenantId), app.log.lines])).not.toContain(CLIENT.secret)
})

test('a required second factor stays required, unless the company trusts the provider for it', async () => {
  const { app, company, link, walk, id } = await start()
  await link(company.admin, 'sub-1', { isOwnProvider: true })
  await enrol(app, company.admin)
  const strong = { sub: 'sub-1', amr: ['pwd', 'mfa'] }
  const first = openBrowser(app)
  expect((await walk(first, strong)).url).toContain('/signin/factor')
  expect(isIn(first)).toBe(false)
  await change(app, company, id, { trusts_factors: true })
  const weak = openBrowser(app)
  expect((await walk(weak, { sub: 'sub-1', amr: ['pwd'] })).url).toContain('/signin/factor')
  const second = openBrowser(app)
  expect((await walk(second, strong)).url).toBe('/me')
})

test('for an address with an account a page asks for the mailed code; then the identity is linked', async () => {
  const { app, company, walk, tenantQuery } = await start()
  const person = await app.person(company)
  const browser = openBrowser(app)
  const page = await walk(browser, { sub: 'sub-1', email: person.email, email_verified: true })
  expect([page.url, titleOf(page)]).toEqual([`/signin/connect${tenantQuery}`, 'Connect your account'])
  expect(await identitiesOf(app, person)).toEqual([])
  const code = codeIn(await app.mailsTo(person.email))
  const wrong = await browser.send({ otp: wrongCode(code) })
  expect([wrong.url, summaryOf(wrong), isIn(browser)]).toEqual([`/signin/connect${tenantQuery}`, expect.stringContaining('wrong'), false])
  // In another browser the code is not accepted.
  const other = openBrowser(app)
  expect(titleOf(await other.read(`/signin/connect${tenantQuery}`))).toBe('This sign-in has expired')
  expect((await browser.send({ otp: code })).url).toBe('/me')
  expect(await identitiesOf(app, person)).toMatchObject([{ subject: 'sub-1', isOwnProvider: true }])
  expect(titleOf(await browser.read(`/signin/connect${tenantQuery}`))).toBe('This sign-in has expired')
})

const REFUSED: readonly (readonly [string, Json, UpstreamUser])[] = [
  ['of another domain', {}, { sub: 's', email: 'eve@elsewhere.example', email_verified: true }],
  ['whose address the provider has not verified', {}, { sub: 's', email: 'eve@corp.example' }],
  ['without an address', {}, { sub: 's' }],
  ['of a sub-domain', {}, { sub: 's', email: 'eve@sub.corp.example', email_verified: true }],
  ['of a domain with the same ending', {}, { sub: 's', email: 'eve@notcorp.example', email_verified: true }],
  ['with two at signs', {}, { sub: 's', email: 'eve@corp.example@elsewhere.example', email_verified: true }],
  ['where the provider creates no accounts', { jit_provisioning: false }, { sub: 's', email: 'eve@corp.example', email_verified: true }],
]
test.each(REFUSED)('a person %s gets no account, and nothing is written', async (_, more, who) => {
  const { app, company, walk } = await start({ jit_provisioning: true, allowed_email_domains: ['corp.example'], ...more })
  const before = await federationStateOf(app, company.tenantId)
  const browser = openBrowser(app)
  const page = await walk(browser, who)
  expect([page.url.split('?')[0], summaryOf(page), isIn(browser)]).toEqual([
    '/signin',
    expect.stringContaining('No account here is connected'),
    false,
  ])
  expect(await federationStateOf(app, company.tenantId)).toEqual(before)
  expect((await refusalsOf(app, company.tenantId))[0]).toBe('federation_no_account')
})

test('the list of domains also applies to people with an account', async () => {
  const { app, company, link, walk, id } = await start()
  const person = await app.person(company)
  await link(person, 'sub-1', { isOwnProvider: true })
  await change(app, company, id, { allowed_email_domains: ['corp.example'] })
  const browser = openBrowser(app)
  expect(summaryOf(await walk(browser, { sub: 'sub-1', email: 'p@elsewhere.example', email_verified: true }))).toContain(
    'No account here is connected',
  )
  expect(summaryOf(await walk(browser, { sub: 'sub-1', email: 'p@corp.example' }))).toContain('No account here is connected')
  expect(isIn(browser)).toBe(false)
  expect((await walk(browser, { sub: 'sub-1', email: 'p@corp.example', email_verified: true })).url).toBe('/me')
})

test('a first sign-in creates an account without rights, immediately for an address in a verified domain', async () => {
  const { app, company, upstream } = await start({}, { render: authsecError })
  const domain = `corp-${company.name}.example`
  await own({ app, upstream }, company, { name: 'staff', jit_provisioning: true, allowed_email_domains: [domain] })
  const email = `new@${domain}`
  const who = { sub: 'new-1', email, email_verified: true, name: 'Nina New' }
  const dance = async (browser = federationBrowser(app)) => {
    const begun = await bodyOf(await browser.begin({ provider: 'staff', tenant_domain: company.domain }))
    const back = upstream.authorize(textIn(begun, 'redirect_url'), who)
    await browser.land(back)
    return browser.exchange(back)
  }
  // Not verified: the address has to be proved with our own code. A company's provider cannot prove mailboxes outside its verified domains.
  const asked = await dance()
  const refusal = await bodyOf(asked)
  expect([asked.status, refusal.code]).toEqual([409, 'email_confirmation_required'])
  const t = forTenant(app.db, company.tenantId)
  expect(await findUserByEmail(t, email)).toBeUndefined()
  const join_ticket = textIn(refusal, 'join_ticket')
  expect((await app.request('/federation/joins/confirm', { body: { join_ticket, code: '000000' } })).status).toBe(400)
  expect((await app.request('/federation/joins/code', { body: { join_ticket } })).status).toBe(202)
  const code = codeIn(await app.mailsTo(email))
  await verifyDomain(app, company, domain)
  const done = await dance()
  expect(await bodyOf(done)).toMatchObject({ email, tenant_id: company.tenantId, token: expect.any(String) })
  expect(await findUserByEmail(t, email)).toMatchObject({ name: 'Nina New', provider: 'staff', passwordHash: null, emailVerifiedAt: app.clock.now() })
  // A person who waits with a code finds the existing account and creates no second one.
  expect((await app.request('/federation/joins/confirm', { body: { join_ticket, code } })).status).toBe(409)
  const claims = JSON.parse(Buffer.from(textIn(await bodyOf(await dance()), 'token').split('.')[1] ?? '', 'base64url').toString())
  expect(claims.roles ?? []).toEqual([])
})

test('twenty concurrent first sign-ins of one person create one account', async () => {
  const { app, company, upstream } = await start()
  const domain = `many-${company.name}.example`
  await own({ app, upstream }, company, { name: 'staff', jit_provisioning: true, allowed_email_domains: [domain] })
  await verifyDomain(app, company, domain)
  const before = await federationStateOf(app, company.tenantId)
  const answers = await Promise.all(
    Array.from({ length: 20 }, async () => {
      const browser = federationBrowser(app)
      const begun = await bodyOf(await browser.begin({ provider: 'staff', tenant_domain: company.domain }))
      const back = upstream.authorize(textIn(begun, 'redirect_url'), { sub: 'one', email: `one@${domain}`, email_verified: true })
      await browser.land(back)
      return (await browser.exchange(back)).status
    }),
  )
  expect(answers.filter((status) => status === 200).length).toBeGreaterThan(0)
  expect(answers.filter((status) => status >= 500)).toEqual([])
  const after = await federationStateOf(app, company.tenantId)
  expect([after.users, after.federated_identities]).toEqual([Number(before.users) + 1, Number(before.federated_identities) + 1])
})

test('on the page a first sign-in asks for the code, and then signs the person in', async () => {
  const { app, company, walk, tenantQuery } = await start({ jit_provisioning: true, allowed_email_domains: ['post.example'] })
  const email = `first-${company.tenantId}@post.example`
  const browser = openBrowser(app)
  expect((await browser.read(`/signup${tenantQuery}`)).html).toContain('provider=corp')
  const page = await walk(browser, { sub: 's', email, email_verified: true })
  expect([page.url, titleOf(page)]).toEqual([`/signin/connect${tenantQuery}`, 'Verify your email address'])
  await browser.send({}, { action: '/signin/connect/code' })
  const mails = await app.mailsTo(email)
  expect((await browser.send({ otp: codeIn(mails.slice(-1)) })).url).toBe('/me')
  expect((await browser.read('/me')).html).toContain(email)
})

test('after the provider is switched off, a person who waits for the code can no longer join', async () => {
  const { app, company, walk, id } = await start({ jit_provisioning: true, allowed_email_domains: ['post.example'] })
  const email = `late-${company.tenantId}@post.example`
  const browser = openBrowser(app)
  await walk(browser, { sub: 's', email, email_verified: true })
  const code = codeIn(await app.mailsTo(email))
  await change(app, company, id, { jit_provisioning: false })
  await browser.send({ otp: code })
  expect(isIn(browser)).toBe(false)
  expect(await findUserByEmail(forTenant(app.db, company.tenantId), email)).toBeUndefined()
})

const FORGED: readonly (readonly [string, Wrong])[] = [
  ['another nonce', { claims: { nonce: 'of-another-dance' } }],
  ['no nonce', { claims: { nonce: undefined } }],
  ['another audience', { claims: { aud: 'another-client' } }],
  ['another issuer', { claims: { iss: 'https://accounts.google.com' } }],
  ['an expiry in the past', { claims: { exp: 1 } }],
  ['an unpublished key', { signature: 'foreign' }],
  ['no signature', { signature: 'none' }],
  ['no ID token', { withoutIdToken: true }],
]
test.each(FORGED)('a response with %s is refused', async (_, wrong) => {
  const { app, company, link, walk, tenantQuery } = await start()
  const person = await app.person(company)
  await link(person, 'sub-1', { isOwnProvider: true })
  const before = await federationStateOf(app, company.tenantId)
  const browser = openBrowser(app)
  const page = await walk(browser, { sub: 'sub-1' }, tenantQuery, 'corp', wrong)
  expect([page.url.split('?')[0], summaryOf(page), isIn(browser)]).toEqual([
    '/signin',
    expect.stringContaining('The provider did not sign you in'),
    false,
  ])
  expect(await federationStateOf(app, company.tenantId)).toEqual(before)
  expect((await refusalsOf(app, company.tenantId))[0]).toBe('federation_failed')
})

test('rotated keys of a provider are used immediately; most sign-ins need only the exchange from it', async () => {
  const { app, company, link, walk, upstream } = await start()
  await link(await app.person(company), 'sub-1', { isOwnProvider: true })
  expect((await walk(openBrowser(app), { sub: 'sub-1' })).url).toBe('/me')
  const asked = upstream.asked.length
  expect((await walk(openBrowser(app), { sub: 'sub-1' })).url).toBe('/me')
  expect(upstream.asked.slice(asked).filter((path) => path !== '/token' && path !== '/userinfo')).toEqual([])
  await upstream.rotate()
  expect((await walk(openBrowser(app), { sub: 'sub-1' })).url).toBe('/me')
  expect(upstream.asked).toContain('/jwks')
})

test('a state belongs to its browser and is accepted once', async () => {
  const { app, company, link, upstream, tenantQuery } = await start()
  await link(await app.person(company), 'sub-1', { isOwnProvider: true })
  const victim = openBrowser(app)
  const gone = await openProvider(victim, `/signin/provider${tenantQuery}&provider=corp`)
  const back = upstream.authorize(gone, { sub: 'sub-1' })
  const thief = openBrowser(app)
  expect(titleOf(await thief.read(`${BASE}/callback?${back}`))).toBe('This sign-in has expired')
  expect(isIn(thief)).toBe(false)
  const answers = await Promise.all(
    Array.from({ length: 20 }, async () => {
      const same = openBrowser(app)
      for (const [name, value] of victim.jar.kept) same.jar.kept.set(name, value)
      await same.read(`${BASE}/callback?${back}`)
      return isIn(same)
    }),
  )
  expect(answers.filter(Boolean)).toHaveLength(1)
})

test('concurrent sign-ins at two companies with providers of the same name each end in their own company', async () => {
  const world = await start()
  const { app, company, link, upstream } = world
  const globex = await app.company('globex')
  await own(world, globex)
  const people = await Promise.all(
    Array.from({ length: 24 }, async (_, n) => {
      const home = n % 2 === 0 ? company : globex
      const person = await app.person(home)
      await link(person, `many-${n}`, { isOwnProvider: true })
      return { home, person, sub: `many-${n}` }
    }),
  )
  const begun = await Promise.all(
    people.map(async (one) => {
      const browser = openBrowser(app)
      const gone = await openProvider(browser, `/signin/provider?tenant=${one.home.name}&provider=corp`)
      return { ...one, browser, back: upstream.authorize(gone, { sub: one.sub }) }
    }),
  )
  await Promise.all(begun.map(async ({ browser, back }) => browser.read(`${BASE}/callback?${back}`)))
  for (const { browser, person } of begun) expect((await browser.read('/me')).html).toContain(person.email)
})

test('an identity or state of another company\u2019s provider is not accepted here', async () => {
  const world = await start()
  const { app, company, link, upstream, walk, tenantQuery } = world
  const globex = await app.company('globex')
  await own(world, globex)
  await link(globex.admin, 'sub-1', { isOwnProvider: true })
  const before = await federationStateOf(app, company.tenantId)
  const browser = openBrowser(app)
  await walk(browser, { sub: 'sub-1' })
  expect(isIn(browser)).toBe(false)
  // Two sign-ins in one browser: the response of one with the state of the other.
  const [here, there] = [
    await openProvider(browser, `/signin/provider${tenantQuery}&provider=corp`),
    await openProvider(browser, `/signin/provider?tenant=${globex.name}&provider=corp`),
  ]
  const back = upstream.authorize(there, { sub: 'sub-1' })
  back.set('state', new URL(here).searchParams.get('state') ?? '')
  await browser.read(`${BASE}/callback?${back}`)
  expect(isIn(browser)).toBe(false)
  expect(await federationStateOf(app, company.tenantId)).toEqual(before)
})

test('another company\u2019s provider, a disabled one and one that was changed meanwhile cannot be used', async () => {
  const { app, company, link, upstream, id, tenantQuery } = await start()
  await link(await app.person(company), 'sub-1', { isOwnProvider: true })
  const globex = await app.company('globex')
  const browser = openBrowser(app)
  await browser.read(`/signin?tenant=${globex.name}`)
  const elsewhere = await browser.read(`/signin/provider?tenant=${globex.name}&provider=corp`)
  expect([elsewhere.url, summaryOf(elsewhere)]).toEqual([
    `/signin?tenant=${globex.name}`,
    expect.stringContaining('This sign-in method is no longer available.'),
  ])
  const back = upstream.authorize(await openProvider(browser, `/signin/provider${tenantQuery}&provider=corp`), { sub: 'sub-1' })
  await change(app, company, id, { client_id: 'another-client' })
  await browser.read(`${BASE}/callback?${back}`)
  expect(isIn(browser)).toBe(false)
  await change(app, company, id, { active: false })
  expect(summaryOf(await browser.read(`/signin/provider${tenantQuery}&provider=corp`))).toContain('This sign-in method is no longer available.')
})

test('additional parameters of the company reach the provider; parameters of the protocol cannot be replaced', async () => {
  const { app, company, id, tenantQuery } = await start({ parameters: { hd: 'corp.example', prompt: 'login' } })
  const gone = new URL(await openProvider(openBrowser(app), `/signin/provider${tenantQuery}&provider=corp`)).searchParams
  expect(Object.fromEntries(gone)).toMatchObject({ hd: 'corp.example', prompt: 'login', code_challenge_method: 'S256', client_id: CLIENT.clientId })
  expect(gone.get('redirect_uri')).toBe(`${app.config.BASE_URL}${BASE}/callback`)
  const token = await app.token(company.admin)
  const refused = await app.request(`/connections/${id}`, {
    token,
    method: 'PATCH',
    body: { parameters: { nonce: 'x' } },
    headers: { 'if-match': '*' },
  })
  expect(refused.status).toBe(400)
})

test('on its own domain a company offers only its own providers, and the response returns there', async () => {
  const { app, company, provider, upstream, link } = await start()
  const domain = `id.${company.name}.example`
  await verifyDomain(app, company, domain)
  const person = await app.person(company)
  await link(person, 'sub-1', { isOwnProvider: true })
  const browser = openBrowser(app, { host: domain })
  const { html } = await browser.read('/signin')
  expect(html).toContain('provider=corp')
  expect(html).not.toContain(`provider=${provider}`)
  const path = 'http://localhost:7468/signin/provider?provider=corp'
  const response = await app.app.request(
    path,
    { headers: { host: domain, ...browser.jar.header() } },
    { peer: { address: '192.0.2.1', secure: false } },
  )
  browser.jar.take(response)
  const gone = response.headers.get('location') ?? ''
  expect(new URL(gone).searchParams.get('redirect_uri')).toBe(`http://${domain}${BASE}/callback`)
  expect((await browser.read(`${BASE}/callback?${upstream.authorize(gone, { sub: 'sub-1' })}`)).url).toBe('/me')
  // An unverified host redirects nowhere.
  const stranger = openBrowser(app, { host: 'evil.example' })
  expect((await stranger.read(`/signin?tenant=${company.name}`)).html).not.toContain('/signin/provider')
  expect(summaryOf(await stranger.read(`/signin/provider?tenant=${company.name}&provider=corp`))).toContain(
    'This sign-in method is no longer available.',
  )
})

test('a client with selected providers offers only those, under its own names; the session belongs to the client', async () => {
  const { app, company, upstream, link } = await start()
  await own({ app, upstream }, company, { name: 'second', display_name: 'Second' })
  const client = await addClient(app, company, { name: 'Shop' })
  const row = await findProvider(forTenant(app.db, company.tenantId), 'second')
  const at = app.clock.now()
  await atomically(forTenant(app.db, company.tenantId), (t) =>
    insertClientProvider(t, {
      clientId: client.id,
      providerId: row?.id ?? '',
      displayName: 'Shop staff',
      sortOrder: 1,
      createdAt: at,
      updatedAt: at,
    }),
  )
  const browser = openBrowser(app)
  const { html } = await browser.read(`/signin?client_id=${client.id}`)
  expect(html).toContain('Continue with Shop staff')
  expect(html).not.toContain('provider=corp')
  expect(summaryOf(await browser.read(`/signin/provider?client_id=${client.id}&provider=corp`))).toContain(
    'This sign-in method is no longer available.',
  )
  const person = await app.person(company)
  await link(person, 'sub-1', { isOwnProvider: true })
  const gone = await openProvider(browser, `/signin/provider?client_id=${client.id}&provider=second`)
  await browser.read(`${BASE}/callback?${upstream.authorize(gone, { sub: 'sub-1' })}`)
  const session = (await app.events(company.tenantId)).find(({ event }) => event === 'session.created')
  expect(session).toMatchObject({ clientId: client.id, actorId: person.id })
})

test('on the platform\u2019s sign-in page a person with one account is signed in, with several chooses one, with none signs up a company', async () => {
  const { app, company, provider, link, walk } = await start()
  const globex = await app.company('globex')
  const who = { sub: 'p-1', email: `founder@${company.name}-new.example`, email_verified: true, name: 'Fay Founder' }
  await link(company.admin, 'p-1')
  const elsewhere = openBrowser(app)
  expect((await walk(elsewhere, who, '', provider)).url).toBe('/me')
  await link(globex.admin, 'p-1')
  const chooser = openBrowser(app)
  const page = await walk(chooser, who, '', provider)
  expect([page.url, titleOf(page)]).toEqual(['/signin/accounts', 'Choose an account'])
  expect(page.html).toContain(globex.admin.email)
  const initech = await app.company('initech')
  await chooser.send({ account: initech.tenantId })
  expect(isIn(chooser)).toBe(false)
  await walk(chooser, who, '', provider)
  expect((await chooser.send({ account: globex.tenantId })).url).toBe('/me')
  expect((await chooser.read('/me')).html).toContain(globex.admin.email)
  // A person who is signed in at one company here may choose the other.
  await walk(elsewhere, who, '', provider)
  expect((await elsewhere.send({ account: globex.tenantId })).url).toBe('/me')
  expect((await elsewhere.read('/me')).html).toContain(globex.admin.email)
  const founder = openBrowser(app)
  const fresh = await walk(founder, { ...who, sub: 'p-2' }, '', provider)
  expect([fresh.url, titleOf(fresh)]).toEqual(['/signup/provider', 'Register your company'])
  expect(summaryOf(await founder.send({ tenant_domain: company.name }))).toContain('taken')
  expect((await founder.send({ tenant_domain: `new-${company.tenantId.slice(-8)}` })).url).toBe('/me')
  expect((await founder.read('/me')).html).toContain(who.email)
})

test('nothing of a sign-in is in the audit log or in a log line: no secret, no code, no state, no verifier', async () => {
  const { app, company, link, upstream, tenantQuery } = await start()
  await link(await app.person(company), 'sub-1', { isOwnProvider: true })
  await configure(app, company, {})
  const browser = openBrowser(app)
  const gone = await openProvider(browser, `/signin/provider${tenantQuery}&provider=corp`)
  const back = upstream.authorize(gone, { sub: 'sub-1' })
  await browser.read(`${BASE}/callback?${back}`)
  expect(isIn(browser)).toBe(true)
  const random = (back.get('state') ?? '.').split('.')[1] ?? ''
  const kept = JSON.stringify([await app.events(company.tenantId), await app.events(SYSTEM_TENANT), app.log.lines])
  for (const secret of [CLIENT.secret, back.get('code') ?? 'x', random, browser.jar.kept.get('authsec_session') ?? 'x']) {
    expect(kept).not.toContain(secret)
  }
})
