// The documented formats of Google, Microsoft and GitHub; changes of a provider's keys and metadata; and the addresses that outbound requests may not reach.
import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { guardedFetch } from '#shared/platform/fetch/guarded'
import { startApp } from '#tests/support/app'
import { addProvider, BASE, CLIENT, federationBrowser, identitiesOf, startFederation } from '#tests/support/federation'
import { bodyOf, textIn } from '#tests/support/sign-in'
import { rerouted, type UpstreamDouble, upstreamDouble } from '#tests/support/upstream-double'
import { federationRoutes } from './routes.ts'

const doubles: UpstreamDouble[] = []
const double = async (more: Partial<Parameters<typeof upstreamDouble>[0]> = {}) => {
  const made = await upstreamDouble({ ...CLIENT, ...more })
  doubles.push(made)
  return made
}
afterAll(() => {
  for (const made of doubles) made.close()
})

describe('GitHub', () => {
  const user = (id: unknown, more = {}) => ({
    id,
    login: 'octocat',
    name: null,
    avatar_url: 'https://avatars.example/1',
    email: 'public@example.com',
    ...more,
  })
  const emails = (email: string, verified = true, primary = true) => [
    { email: 'other@example.com', primary: false, verified: true, visibility: null },
    { email, primary, verified, visibility: 'private' },
  ]
  const start = async () => {
    const github = await double()
    const origins = { 'https://github.com': github.url, 'https://api.github.com': github.url }
    const env = { GITHUB_CLIENT_ID: CLIENT.clientId, GITHUB_CLIENT_SECRET: CLIENT.secret }
    const world = await startFederation(federationRoutes, { doubles: origins, env })
    const signIn = async (who: Readonly<Record<string, unknown>>) => {
      const browser = federationBrowser(world.app)
      const back = await world.danceWith(browser, { provider: 'github', tenant_domain: world.company.domain }, { sub: '-', ...who }, {}, github)
      await browser.land(back)
      return browser.exchange(back)
    }
    return { ...world, github, signIn }
  }

  test('without an ID token, the numeric id is the subject, never the login name', async () => {
    const { app, company, link, signIn } = await start()
    const person = await app.person(company)
    await link(person, '583231', { issuer: 'https://github.com/login/oauth' })
    expect(await bodyOf(await signIn({ user: user(583231), emails: emails('x@example.com') }))).toMatchObject({ token: expect.any(String) })
    expect(await identitiesOf(app, person)).toMatchObject([{ email: 'x@example.com', profile: { name: 'octocat' } }])
    expect((await signIn({ user: user(1, { login: '583231' }), emails: emails('x@example.com') })).status).toBe(401)
    for (const id of ['583231', 583231.5, -583231, null, undefined, [583231], 2 ** 60])
      expect((await signIn({ user: user(id), emails: emails('x@example.com') })).status).toBe(401)
    expect((await signIn({ user: { message: 'Not Found' }, emails: { message: 'Not Found' } })).status).toBe(401)
  })

  test('the address is the verified primary one, never the address of the public profile', async () => {
    const { app, company, signIn } = await start()
    const { email } = await app.person(company)
    expect((await signIn({ user: user(7), emails: emails(email) })).status).toBe(409)
    expect((await signIn({ user: user(7), emails: emails(email, false) })).status).toBe(401)
    expect((await signIn({ user: user(7), emails: emails(email, true, false) })).status).toBe(401)
    expect((await signIn({ user: user(7, { email }), emails: emails('x@example.com') })).status).toBe(401)
    expect((await signIn({ user: user(7, { email }), emails: [] })).status).toBe(401)
  })

  test('the request has its scopes and PKCE; a code that GitHub refuses is refused', async () => {
    const { app, company, github } = await start()
    const browser = federationBrowser(app)
    const begun = await bodyOf(await browser.begin({ provider: 'github', tenant_domain: company.domain }))
    const url = new URL(textIn(begun, 'redirect_url'))
    expect(url.origin + url.pathname).toBe('https://github.com/login/oauth/authorize')
    expect(Object.fromEntries(url.searchParams)).toMatchObject({
      scope: 'read:user user:email',
      code_challenge_method: 'S256',
      client_id: CLIENT.clientId,
    })
    expect(url.searchParams.has('nonce')).toBe(false)
    const back = new URLSearchParams({ code: 'unknown', state: textIn(begun, 'state') })
    await browser.land(back)
    expect((await browser.exchange(back)).status).toBe(401)
    expect(github.asked).toEqual(['/login/oauth/access_token'])
  })

  test('a provider named github uses github.com regardless of its addresses; a self-hosted server uses its own', async () => {
    const { app, company, upstream } = await start()
    await addProvider(app, { name: 'github', authorizationUrl: 'https://evil.example/authorize' }, company.tenantId)
    const begun = await bodyOf(await federationBrowser(app).begin({ provider: 'github', tenant_domain: company.domain }))
    expect(new URL(textIn(begun, 'redirect_url')).origin).toBe('https://github.com')
    const own = await addProvider(app, { authorizationUrl: `${upstream.url}/login/oauth/authorize` }, company.tenantId)
    const theirs = await bodyOf(await federationBrowser(app).begin({ provider: own, tenant_domain: company.domain }))
    expect(new URL(textIn(theirs, 'redirect_url')).origin).toBe(upstream.url)
    const incomplete = await addProvider(app, { authorizationUrl: 'https://id.example/authorize' })
    expect((await federationBrowser(app).begin({ provider: incomplete })).status).toBe(400)
  })
})

describe('Microsoft', () => {
  const LOGIN = 'https://login.microsoftonline.com'
  const [directory, other, consumers] = [randomUUID(), randomUUID(), '9188040d-6c67-4c5b-b112-36a304b66dad']
  const issuerOf = (tid: string) => `${LOGIN}/${tid}/v2.0`

  const start = async (kind = 'common') => {
    const entra = await double({ issuer: `${LOGIN}/{tenantid}/v2.0` })
    const env = { MICROSOFT_CLIENT_ID: CLIENT.clientId, MICROSOFT_CLIENT_SECRET: CLIENT.secret }
    const world = await startFederation(federationRoutes, { doubles: { [LOGIN]: entra.url }, env })
    const provider = kind === 'common' ? 'microsoft' : await addProvider(world.app, { issuer: `${LOGIN}/${kind}/v2.0` })
    const signIn = async (claims: Readonly<Record<string, unknown>>) => {
      const browser = federationBrowser(world.app)
      const back = await world.danceWith(browser, { provider, tenant_domain: world.company.domain }, { sub: 'pairwise', ...claims }, {}, entra)
      await browser.land(back)
      return browser.exchange(back)
    }
    return { ...world, signIn }
  }

  test('with many directories at one address, the issuer is the directory in the token', async () => {
    const { app, company, link, signIn } = await start()
    const person = await app.person(company)
    await link(person, 'pairwise', { issuer: issuerOf(directory) })
    expect(await bodyOf(await signIn({ tid: directory, iss: issuerOf(directory) }))).toMatchObject({ token: expect.any(String) })
    expect((await bodyOf(await signIn({ tid: other, iss: issuerOf(other) }))).code).toBe('federation_no_account')
    const wrong = [
      { tid: other, iss: issuerOf(directory) },
      { tid: directory, iss: issuerOf(other) },
      { tid: directory, iss: `${LOGIN}/{tenantid}/v2.0` },
      { iss: issuerOf(directory) },
      { tid: `${directory}/v2.0?x=`, iss: `${LOGIN}/${directory}/v2.0?x=/v2.0` },
      { tid: 'common', iss: issuerOf('common') },
      { tid: directory.toUpperCase(), iss: issuerOf(directory.toUpperCase()) },
      { tid: [directory], iss: issuerOf(directory) },
    ]
    for (const claims of wrong) expect([claims, (await bodyOf(await signIn(claims))).code]).toEqual([claims, 'federation_failed'])
  })

  test('an address is unverified unless xms_edov says that its domain owner was verified', async () => {
    const { app, company, signIn } = await start()
    const { email } = await app.person(company)
    const of = (more: object) => signIn({ tid: directory, iss: issuerOf(directory), email, ...more })
    expect((await of({ email_verified: true })).status).toBe(401)
    expect((await of({ verified_primary_email: [email] })).status).toBe(401)
    expect((await of({ xms_edov: false })).status).toBe(401)
    expect((await of({ xms_edov: true })).status).toBe(409)
    expect((await of({ xms_edov: '1' })).status).toBe(409)
  })

  test('organizations and consumers admit only their directories', async () => {
    const { signIn } = await start('organizations')
    expect((await bodyOf(await signIn({ tid: consumers, iss: issuerOf(consumers) }))).code).toBe('federation_failed')
    expect((await bodyOf(await signIn({ tid: directory, iss: issuerOf(directory) }))).code).toBe('federation_no_account')
    const personal = await start('consumers')
    expect((await bodyOf(await personal.signIn({ tid: directory, iss: issuerOf(directory) }))).code).toBe('federation_failed')
    expect((await bodyOf(await personal.signIn({ tid: consumers, iss: issuerOf(consumers) }))).code).toBe('federation_no_account')
  })
})

test('Google uses its metadata and prompt=select_account, and is not offered without a client', async () => {
  const google = await double({ issuer: 'https://accounts.google.com' })
  const env = { GOOGLE_CLIENT_ID: CLIENT.clientId, GOOGLE_CLIENT_SECRET: CLIENT.secret }
  const { app, company } = await startFederation(federationRoutes, { doubles: { 'https://accounts.google.com': google.url }, env })
  const begun = await bodyOf(await federationBrowser(app).begin({ provider: 'google', tenant_domain: company.domain }))
  expect(Object.fromEntries(new URL(textIn(begun, 'redirect_url')).searchParams)).toMatchObject({
    prompt: 'select_account',
    access_type: 'offline',
    scope: 'openid email profile',
    response_type: 'code',
  })
  const without = await startFederation(federationRoutes)
  expect((await federationBrowser(without.app).begin({ provider: 'google' })).status).toBe(400)
  const shown = await bodyOf(await without.app.request(`${BASE}/providers`))
  expect((shown.providers as { provider_name: string }[]).map(({ provider_name }) => provider_name)).not.toContain('google')
})

describe('keys and metadata', () => {
  let world: Awaited<ReturnType<typeof startFederation>>
  beforeAll(async () => {
    world = await startFederation(federationRoutes)
    await world.link(world.company.admin, 's')
  })
  const dance = () => world.dance({ tenant_domain: world.company.domain }, { sub: 's' })
  const count = (path: string) => world.upstream.asked.filter((requested) => requested === path).length

  test('are fetched once in ten minutes; new keys are fetched at once', async () => {
    for (let n = 0; n < 3; n++) expect((await dance()).status).toBe(200)
    expect([count('/.well-known/openid-configuration'), count('/jwks')]).toEqual([1, 1])
    await world.upstream.rotate()
    expect((await dance()).status).toBe(200)
    expect(count('/jwks')).toBe(2)
    expect((await dance()).status).toBe(200)
    expect(count('/jwks')).toBe(2)
    world.app.clock.advance(601)
    expect((await dance()).status).toBe(200)
    expect([count('/.well-known/openid-configuration'), count('/jwks')]).toEqual([2, 3])
  })

  test('an unavailable provider is 503, and the next attempt fetches again', async () => {
    world.app.clock.advance(601)
    world.upstream.failing.set('/.well-known/openid-configuration', 500)
    const away = await federationBrowser(world.app).begin({ provider: world.provider, tenant_domain: world.company.domain })
    expect([away.status, away.headers.get('retry-after')]).toEqual([503, '30'])
    world.upstream.failing.clear()
    expect((await dance()).status).toBe(200)
  })

  test.each(['/token', '/jwks'])('when %s fails, the sign-in fails and the state is consumed', async (path) => {
    world.app.clock.advance(601)
    world.upstream.failing.set(path, 500)
    const browser = federationBrowser(world.app)
    const back = await world.danceWith(browser, { tenant_domain: world.company.domain }, { sub: 's' })
    await browser.land(back)
    expect((await browser.exchange(back)).status).toBe(401)
    world.upstream.failing.clear()
    expect((await browser.exchange(back)).status).toBe(401)
    expect((await dance()).status).toBe(200)
  })

  const METADATA: readonly (readonly [string, Readonly<Record<string, unknown>>])[] = [
    ['of another issuer', { issuer: 'https://evil.example' }],
    ['with a javascript URL', { authorization_endpoint: 'javascript:alert(1)' }],
    ['with a plain http URL', { authorization_endpoint: 'http://id.example/authorize' }],
    ['with a file URL', { authorization_endpoint: 'file:///etc/passwd' }],
    ['with credentials in a URL', { authorization_endpoint: 'https://a:b@id.example/' }],
    ['without a URL', { authorization_endpoint: undefined }],
  ]
  test.each(METADATA)('metadata %s are refused', async (_, more) => {
    world.app.clock.advance(601)
    world.upstream.announce(more)
    expect((await federationBrowser(world.app).begin({ provider: world.provider, tenant_domain: world.company.domain })).status).toBe(503)
    world.upstream.announce({})
    world.app.clock.advance(601)
  })
})

describe('outbound requests reach public addresses only', () => {
  const resolving = (address: string) => guardedFetch({ resolver: { resolve: async () => [address] }, loopback: false, timeoutMs: 2000 })

  test.each([
    'http://127.0.0.1:1/',
    'https://127.0.0.1/',
    'https://[::1]/',
    'https://[::ffff:127.0.0.1]/',
    'https://2130706433/',
    'https://0177.0.0.1/',
    'https://169.254.169.254/latest/meta-data',
    'https://localhost/',
    'https://db.internal/',
    'https://id.acme.com:6379/',
    'http://id.acme.com/',
    'file:///etc/passwd',
  ])('the issuer %s is not contacted', async (issuer) => {
    const app = await startApp(federationRoutes)
    const company = await app.company()
    const provider = await addProvider(app, { issuer }, company.tenantId)
    const response = await federationBrowser(app).begin({ provider, tenant_domain: company.domain })
    expect(response.status).toBe(503)
    expect(await response.text()).not.toMatch(/ECONN|refused|resolve|timeout/i)
  })

  test.each(['10.0.0.1', '127.0.0.1', '169.254.169.254', '::ffff:10.0.0.1', 'fd00:ec2::254', '192.168.1.1'])(
    'a host that resolves to %s is not contacted',
    async (address) => {
      const app = await startApp(federationRoutes, { extra: { outbound: resolving(address) } })
      const company = await app.company()
      const provider = await addProvider(app, { issuer: 'https://id.acme.com' }, company.tenantId)
      expect((await federationBrowser(app).begin({ provider, tenant_domain: company.domain })).status).toBe(503)
    },
  )

  test.each(['token_endpoint', 'jwks_uri', 'userinfo_endpoint'])('an internal address in public metadata as %s is not contacted', async (member) => {
    const issuer = 'https://id.acme.com'
    const [idp, inner] = [await double({ issuer, claimsInUserinfo: true }), await double()]
    const local = guardedFetch({ resolver: { resolve: async () => [] }, loopback: true })
    const outbound = rerouted(local, { [issuer]: idp.url }, resolving('127.0.0.1'))
    const app = await startApp(federationRoutes, { extra: { outbound } })
    const company = await app.company()
    const provider = await addProvider(app, { issuer }, company.tenantId)
    const dance = async (browser = federationBrowser(app)) => {
      const begun = await bodyOf(await browser.begin({ provider, tenant_domain: company.domain }))
      const back = idp.authorize(textIn(begun, 'redirect_url'), { sub: 's' })
      await browser.land(back)
      return bodyOf(await browser.exchange(back))
    }
    expect((await dance()).code).toBe('federation_no_account')
    for (const host of ['127.0.0.1', 'inner.acme.com']) {
      app.clock.advance(601)
      idp.announce({ [member]: `${inner.url.replace('http:', 'https:').replace('127.0.0.1', host)}/${member}` })
      expect((await dance()).code).toBe('federation_failed')
    }
    expect(inner.connections()).toBe(0)
  })

  test('a redirect to an internal address is not followed', async () => {
    const world = await startFederation(federationRoutes)
    const inner = await double()
    world.upstream.redirects.set('/.well-known/openid-configuration', `${inner.url}/.well-known/openid-configuration`)
    expect((await federationBrowser(world.app).begin({ provider: world.provider })).status).toBe(503)
    expect(inner.connections()).toBe(0)
  })
})
