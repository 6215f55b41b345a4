// Attacks on federated sign-in: a wrong state, nonce, PKCE verifier, issuer, address or browser in turn. Each must change nothing.
import { beforeAll, describe, expect, test } from 'vitest'
import { atomically, forTenant, SYSTEM_TENANT } from '#db/engine/tenant'
import { lockProvider, updateProvider } from '#db/store/providers'
import type { Person } from '#tests/support/app'
import {
  addProvider,
  BASE,
  type Federation,
  federationBrowser,
  federationStateOf,
  identitiesOf,
  refusalsOf,
  startFederation,
} from '#tests/support/federation'
import { letInForGood } from '#tests/support/oauth'
import { bodyOf, change, leaked, rowOf, textIn, verifyDomain } from '#tests/support/sign-in'
import { type UpstreamDouble, upstreamDouble, type Wrong } from '#tests/support/upstream-double'
import { federationRoutes } from './routes.ts'

let world: Federation
let victim: Person
beforeAll(async () => {
  world = await startFederation(federationRoutes, { announcesIssuer: true })
  victim = await world.app.person(world.company)
  await world.link(victim, 'victim')
})

/** Runs an attack and requires that the tenant's rows and successful events are unchanged. */
const unchanged = async (attack: () => Promise<Response>, code: string | undefined): Promise<void> => {
  const { app, company } = world
  const before = [await federationStateOf(app, company.tenantId), await identitiesOf(app, victim)]
  const response = await attack()
  const body = await bodyOf(response)
  expect(body).not.toHaveProperty('token')
  expect(body).not.toHaveProperty('login_ticket')
  if (code !== undefined) expect([response.status, body.code]).toEqual([401, code])
  expect([await federationStateOf(app, company.tenantId), await identitiesOf(app, victim)]).toEqual(before)
}
const who = { sub: 'victim', email: 'v@example.com', email_verified: true }
const to = () => ({ tenant_domain: world.company.domain })

test('the same flow without an attack signs in', async () => {
  expect((await world.dance(to(), who)).status).toBe(200)
})

const WRONG: readonly (readonly [string, Wrong])[] = [
  ['a nonce of another flow', { claims: { nonce: 'another' } }],
  ['no nonce', { claims: { nonce: undefined } }],
  ['the audience of another client', { claims: { aud: 'another-client' } }],
  ['two audiences and no authorized party', { claims: { aud: ['our-client', 'another-client'] } }],
  ['two audiences and another authorized party', { claims: { aud: ['our-client', 'another-client'], azp: 'another-client' } }],
  ['another issuer in the ID token', { claims: { iss: 'https://accounts.google.com' } }],
  ['an expired ID token', { claims: { exp: 1, iat: 0 } }],
  ['an ID token without exp', { claims: { exp: undefined } }],
  ['an ID token without sub', { claims: { sub: undefined } }],
  ['a sub that is not a string', { claims: { sub: 42 } }],
  ['an empty sub', { claims: { sub: '' } }],
  ['a sub of 300 characters', { claims: { sub: 'x'.repeat(300) } }],
  ['a signature with an unpublished key', { signature: 'foreign' }],
  ['no signature', { signature: 'none' }],
  ['no ID token', { withoutIdToken: true }],
  ['a response with another iss', { iss: 'https://evil.example' }],
  ['a response without iss from a provider that always sends it', { iss: undefined }],
]
test.each(WRONG)('refused: %s', async (_, wrong) => {
  // Refusals of one minute are aggregated in one event.
  world.app.clock.advance(61)
  const before = (await refusalsOf(world.app, world.company.tenantId)).length
  await unchanged(() => world.dance(to(), who, wrong), 'federation_failed')
  expect((await refusalsOf(world.app, world.company.tenantId)).length).toBeGreaterThan(before)
})

describe('the response is bound to the browser that started', () => {
  const stolen = async () => {
    const [mine, theirs] = [federationBrowser(world.app), federationBrowser(world.app)]
    const back = await world.danceWith(mine, to(), who)
    return { mine, theirs, back }
  }

  test('another browser can neither receive nor redeem the response, with or without its own cookie; the owner still can', async () => {
    const { mine, theirs, back } = await stolen()
    expect(await (await theirs.land(back)).text()).not.toContain(back.get('code') ?? '')
    await unchanged(() => theirs.exchange(back), 'federation_failed')
    await mine.land(back)
    await unchanged(() => theirs.exchange(back), 'federation_failed')
    await world.danceWith(theirs, to(), who)
    await unchanged(() => theirs.exchange(back), 'federation_failed')
    expect((await mine.exchange(back)).status).toBe(200)
  })

  test('login CSRF: the response of an attacker is refused in the browser of the victim', async () => {
    const { theirs, back } = await stolen()
    await world.danceWith(theirs, to(), who)
    expect(await (await theirs.land(back)).text()).toContain('This sign-in has expired')
  })

  test('a response that skipped the callback cannot be redeemed, because its issuer was not checked', async () => {
    const { mine, back } = await stolen()
    await unchanged(() => mine.exchange(back), 'federation_failed')
  })

  test('a code of another flow is refused under this state, and the state is consumed', async () => {
    const { mine, back } = await stolen()
    const other = await world.danceWith(mine, to(), { sub: 'attacker' })
    await mine.land(back)
    const mixed = new URLSearchParams({ code: other.get('code') ?? '', state: back.get('state') ?? '' })
    const requested = world.upstream.asked.length
    await unchanged(() => mine.exchange(mixed), 'federation_failed')
    await unchanged(() => mine.exchange(back), 'federation_failed')
    // The check does not depend on the provider.
    expect(world.upstream.asked.slice(requested)).toEqual([])
  })

  test('a code injected at the callback fails by its PKCE challenge and nonce', async () => {
    const { mine, back } = await stolen()
    const other = await world.danceWith(federationBrowser(world.app), to(), who)
    const injected = new URLSearchParams({ code: other.get('code') ?? '', state: back.get('state') ?? '', iss: world.upstream.url })
    await mine.land(injected)
    await unchanged(() => mine.exchange(injected), 'federation_failed')
  })

  test('the first code at the callback stays', async () => {
    const { mine, back } = await stolen()
    await mine.land(back)
    const second = new URLSearchParams({ code: 'another', state: back.get('state') ?? '', iss: world.upstream.url })
    expect(await (await mine.land(second)).text()).toContain('This sign-in has expired')
    expect((await mine.exchange(back)).status).toBe(200)
  })

  test('a response can be redeemed once, within ten minutes', async () => {
    const { mine, back } = await stolen()
    await mine.land(back)
    expect((await mine.exchange(back)).status).toBe(200)
    await unchanged(() => mine.exchange(back), 'federation_failed')
    const late = await stolen()
    await late.mine.land(late.back)
    world.app.clock.advance(601)
    await unchanged(() => late.mine.exchange(late.back), 'federation_failed')
    world.app.clock.advance(-601)
  })

  test.each(['', 'x', `${SYSTEM_TENANT}.${'A'.repeat(43)}`, `../${'A'.repeat(43)}`, `${'0'.repeat(36)}.${'A'.repeat(43)}`])(
    'an invalid state: %j',
    async (state) => {
      const mine = federationBrowser(world.app)
      await world.danceWith(mine, to(), who)
      const back = new URLSearchParams({ code: 'c', state })
      expect((await mine.land(back)).status).toBe(200)
      const response = await mine.exchange(back)
      expect([400, 401]).toContain(response.status)
    },
  )

  test('a state rewritten to another tenant is unknown', async () => {
    const { mine, back } = await stolen()
    await mine.land(back)
    const globex = await world.app.company('globex')
    const moved = new URLSearchParams({ code: back.get('code') ?? '', state: (back.get('state') ?? '').replace(/^[^.]+/, globex.tenantId) })
    await unchanged(() => mine.exchange(moved), 'federation_failed')
  })
})

describe('the response is bound to the provider (RFC 9207)', () => {
  let other: UpstreamDouble
  beforeAll(async () => {
    other = await upstreamDouble({ clientId: 'our-client', secret: 'our-secret-at-the-provider', announcesIssuer: true })
  })

  test('a code of another provider is refused, with the right or a forged iss', async () => {
    const attackers = await addProvider(world.app, { issuer: other.url })
    const mine = federationBrowser(world.app)
    const begun = await bodyOf(await mine.begin({ provider: world.provider, ...to() }))
    const theirs = await bodyOf(await mine.begin({ provider: attackers, ...to() }))
    const foreign = other.authorize(textIn(theirs, 'redirect_url'), who)
    for (const iss of [other.url, world.upstream.url]) {
      const back = new URLSearchParams({ code: foreign.get('code') ?? '', state: textIn(begun, 'state'), iss })
      await mine.land(back)
      await unchanged(() => mine.exchange(back), 'federation_failed')
    }
  })

  test('the same sub at another provider is another identity', async () => {
    const name = await addProvider(world.app, { issuer: other.url })
    const mine = federationBrowser(world.app)
    const back = await world.danceWith(mine, { provider: name, ...to() }, { sub: 'victim' }, {}, other)
    await mine.land(back)
    await unchanged(() => mine.exchange(back), 'federation_no_account')
  })

  test('the same identity in another tenant does not sign in here', async () => {
    const globex = await world.app.company('globex')
    await world.link(globex.admin, 'of-globex')
    await unchanged(() => world.dance(to(), { sub: 'of-globex' }), 'federation_no_account')
  })

  test('a provider of another tenant is unknown', async () => {
    const globex = await world.app.company('globex')
    const name = await addProvider(world.app, { issuer: other.url }, globex.tenantId)
    const { status } = await federationBrowser(world.app).begin({ provider: name, ...to() })
    expect(status).toBe(400)
  })

  test('a tenant\u2019s provider with the name of a platform provider serves only that tenant', async () => {
    const globex = await world.app.company('globex')
    await addProvider(world.app, { name: world.provider, issuer: other.url }, globex.tenantId)
    const begun = async (domain: string) =>
      new URL(textIn(await bodyOf(await federationBrowser(world.app).begin({ provider: world.provider, tenant_domain: domain })), 'redirect_url'))
        .origin
    expect(await begun(globex.domain)).toBe(other.url)
    expect(await begun(world.company.domain)).toBe(world.upstream.url)
  })

  test('a provider that was replaced during the flow is refused', async () => {
    const name = await addProvider(world.app, { issuer: world.upstream.url })
    const mine = federationBrowser(world.app)
    const back = await world.danceWith(mine, { provider: name, ...to() }, who)
    await mine.land(back)
    // The replacement has the same issuer and client, but the tenant controls it.
    await addProvider(world.app, { name, issuer: world.upstream.url }, world.company.tenantId)
    await unchanged(() => mine.exchange(back), 'federation_failed')
  })

  test.each([
    ['another client', { clientId: 'another-client' }],
    ['deactivated', { isActive: false }],
  ])('a provider that became %s is not contacted with the code', async (_, set) => {
    const name = await addProvider(world.app, { issuer: world.upstream.url })
    const mine = federationBrowser(world.app)
    const back = await world.danceWith(mine, { provider: name, ...to() }, who)
    await mine.land(back)
    await atomically(forTenant(world.app.db, SYSTEM_TENANT), async (t) => updateProvider(t, (await lockProvider(t, name))?.id ?? '', set))
    const requested = world.upstream.asked.length
    await unchanged(() => mine.exchange(back), 'federation_failed')
    expect(world.upstream.asked.slice(requested)).toEqual([])
  })
})

describe('an e-mail address by itself proves nothing', () => {
  const ADDRESSES: readonly (readonly [string, (email: string) => Record<string, unknown>])[] = [
    ['unverified', (email) => ({ email, email_verified: false })],
    ['without email_verified', (email) => ({ email })],
    ['with email_verified as a string', (email) => ({ email, email_verified: 'yes' })],
    ['with a homoglyph in the local part', (email) => ({ email: email.replace('e', '\u0435'), email_verified: true })],
    ['with a homoglyph in the domain', (email) => ({ email: email.replace('.example', '.ex\u0430mple'), email_verified: true })],
    ['with an invisible character', (email) => ({ email: email.replace('@', '\u200b@'), email_verified: true })],
    ['with two at signs', (email) => ({ email: `${email}@evil.example`, email_verified: true })],
    ['with two at signs, reversed', (email) => ({ email: `evil@evil.example@${email.split('@')[1]}`, email_verified: true })],
    ['quoted', (email) => ({ email: `"${email}"@evil.example`, email_verified: true })],
    ['in a list', (email) => ({ email: [email], email_verified: true })],
    ['two in one', (email) => ({ email: `${email},evil@evil.example`, email_verified: true })],
    ['with a null byte', (email) => ({ email: `${email}\u0000`, email_verified: true })],
    ['with a line break', (email) => ({ email: `${email}\r\nBcc: evil@evil.example`, email_verified: true })],
  ]
  test.each(ADDRESSES)('an address %s matches no account', async (_, claims) => {
    await unchanged(() => world.dance(to(), { sub: 'attacker', ...claims(victim.email) }), 'federation_no_account')
  })

  test('a verified address needs confirmation, and the account is unchanged', async () => {
    const before = await identitiesOf(world.app, victim)
    const response = await world.dance(to(), { sub: 'attacker', email: victim.email, email_verified: true })
    expect(response.status).toBe(409)
    expect(await identitiesOf(world.app, victim)).toEqual(before)
  })

  test('five wrong codes void the right one', async () => {
    const { app, company } = world
    const person = await app.person(company)
    const link_ticket = textIn(await bodyOf(await world.dance(to(), { sub: 'guesser', email: person.email, email_verified: true })), 'link_ticket')
    await app.request('/federation/links/code', { body: { link_ticket } })
    const code = /^\s*(\d{6})\s*$/m.exec((await app.mailsTo(person.email)).at(-1)?.text ?? '')?.[1] ?? ''
    const confirm = (guess: string) => app.request('/federation/links/confirm', { body: { link_ticket, code: guess } })
    for (let n = 1; n <= 5; n++) expect((await confirm(String((Number(code) + n) % 1_000_000).padStart(6, '0'))).status).toBe(400)
    expect((await confirm(code)).status).toBe(400)
    expect(await identitiesOf(app, person)).toEqual([])
    expect(await leaked(app, [company.tenantId], [code, link_ticket])).toEqual([])
  })

  test('the code of one link_ticket does not confirm another', async () => {
    const { app, company } = world
    const person = await app.person(company)
    const ticketOf = async (sub: string) =>
      textIn(await bodyOf(await world.dance(to(), { sub, email: person.email, email_verified: true })), 'link_ticket')
    const [owners, attackers] = [await ticketOf('owner'), await ticketOf('attacker')]
    await app.request('/federation/links/code', { body: { link_ticket: owners } })
    const code = /^\s*(\d{6})\s*$/m.exec((await app.mailsTo(person.email)).at(-1)?.text ?? '')?.[1]
    expect((await app.request('/federation/links/confirm', { body: { link_ticket: attackers, code } })).status).toBe(400)
    expect(await identitiesOf(app, person)).toEqual([])
    expect((await app.request('/federation/links/confirm', { body: { link_ticket: owners, code } })).status).toBe(200)
    expect(await identitiesOf(app, person)).toMatchObject([{ subject: 'owner' }])
  })

  test('pre-hijacked account: proving the address removes the password, sessions and identities set before', async () => {
    const { app, company } = world
    const person = await app.person(company)
    await change(app, person, { emailVerifiedAt: null })
    const strangers = await app.token(person)
    await world.link(person, 'strangers-own')
    const letIn = await letInForGood(app, company, person.id)
    app.clock.advance(1)
    const link_ticket = textIn(await bodyOf(await world.dance(to(), { sub: 'owners', email: person.email, email_verified: true })), 'link_ticket')
    await app.request('/federation/links/code', { body: { link_ticket } })
    const code = /^\s*(\d{6})\s*$/m.exec((await app.mailsTo(person.email)).at(-1)?.text ?? '')?.[1]
    expect((await app.request('/federation/links/confirm', { body: { link_ticket, code } })).status).toBe(200)
    expect(await identitiesOf(app, person)).toMatchObject([{ subject: 'owners' }])
    expect(await rowOf(app, person)).toMatchObject({ passwordHash: null, emailVerifiedAt: app.clock.now() })
    expect(await letIn()).toBe(false)
    app.clock.advance(2)
    expect((await app.request(`${BASE}/identities`, { token: strangers })).status).toBe(401)
  })
})

describe('the response goes only to a registered origin', () => {
  test.each([
    'https://evil.example',
    'null',
    'http://evil.example:80',
    'https://localhost.evil.example',
    'https://evil.example/localhost',
    'file://',
  ])('the origin %s is refused', async (origin) => {
    const response = await federationBrowser(world.app, origin).begin({ provider: world.provider, ...to() })
    expect([response.status, (await bodyOf(response)).code]).toEqual([400, 'redirect_refused'])
  })

  test('a domain of another tenant is refused, and forwarded headers of untrusted peers are ignored', async () => {
    const globex = await world.app.company('globex')
    await verifyDomain(world.app, globex, `id.${globex.name}.example`)
    const there = federationBrowser(world.app, `https://id.${globex.name}.example`)
    expect((await there.begin({ provider: world.provider, ...to() })).status).toBe(400)
    expect((await there.begin({ provider: world.provider, tenant_domain: globex.domain })).status).toBe(200)
    const headers = { 'x-forwarded-host': 'evil.example', 'x-forwarded-proto': 'https', host: 'evil.example', forwarded: 'host=evil.example' }
    const begun = await bodyOf(await world.app.request(`${BASE}/initiate`, { body: { provider: world.provider, ...to() }, headers }))
    expect(new URL(textIn(begun, 'redirect_url')).searchParams.get('redirect_uri')).toBe(`${world.app.config.BASE_URL}${BASE}/callback`)
  })

  const LATER = [
    '//evil.example',
    '/\\evil.example',
    '\\evil.example',
    'https://evil.example/',
    'javascript:alert(1)',
    '/a\u0000b',
    'https:evil.example',
  ]
  const MORE = [
    '/%0d%0a\r\n',
    'data:text/html,x',
    'http://localhost@evil.example/',
    'evil',
    '/\u3002evil.example',
    ' /x',
    'https://localhost.evil.example/',
  ]
  test.each([...LATER, ...MORE])('redirect_after %j is refused', async (redirect_after) => {
    const response = await federationBrowser(world.app).begin({ provider: world.provider, ...to(), redirect_after })
    expect(response.status).toBe(400)
  })

  test.each(['/welcome?a=b#c', 'http://localhost:3000/app'])('redirect_after %s is returned', async (redirect_after) => {
    expect(await bodyOf(await world.dance({ ...to(), redirect_after }, who))).toMatchObject({ redirect_after })
  })
})

test('responses of concurrent flows in two tenants are never mixed up', async () => {
  const { app, company } = world
  const globex = await app.company('globex')
  const [one, two] = [await app.person(company), await app.person(globex)]
  await world.link(one, 'person-one')
  await world.link(two, 'person-two')
  const ends = await Promise.all(
    Array.from({ length: 10 }, async (_, n) => {
      const [home, person, sub] = n % 2 === 0 ? [company, one, 'person-one'] : [globex, two, 'person-two']
      const body = await bodyOf(await world.dance({ tenant_domain: home.domain }, { sub }))
      return [body.tenant_id, body.email, home.tenantId, person.email]
    }),
  )
  for (const [tenantId, email, wantedTenant, wantedEmail] of ends) expect([tenantId, email]).toEqual([wantedTenant, wantedEmail])
})

test('20 concurrent redemptions of a code create one session', async () => {
  const { app, company } = world
  const mine = federationBrowser(app)
  const back = await world.danceWith(mine, to(), who)
  await mine.land(back)
  const before = Number((await federationStateOf(app, company.tenantId)).sessions)
  const answers = await Promise.all(Array.from({ length: 20 }, () => mine.exchange(back)))
  expect(answers.map(({ status }) => status).toSorted((a, b) => a - b)).toEqual([200, ...Array.from({ length: 19 }, () => 401)])
  expect((await federationStateOf(app, company.tenantId)).sessions).toBe(before + 1)
})

test('no secret is in logs or audit events', async () => {
  const { app, company, upstream } = world
  const mine = federationBrowser(app)
  const begun = await bodyOf(await mine.begin({ provider: world.provider, ...to() }))
  const back = upstream.authorize(textIn(begun, 'redirect_url'), who)
  await mine.land(back)
  const body = await bodyOf(await mine.exchange(back))
  const secrets = [back.get('code') ?? '', back.get('state') ?? '', textIn(body, 'token'), 'our-secret-at-the-provider', ...mine.jar.kept.values()]
  expect(await leaked(app, [company.tenantId, SYSTEM_TENANT], secrets)).toEqual([])
})
