// Sign-in with a certified provider in its own process: correct responses are accepted, and every manipulated response is refused.
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { Person } from '../support/app.ts'
import { federationBrowser, federationStateOf, identitiesOf } from '../support/federation.ts'
import { bodyOf, codeIn, textIn } from '../support/sign-in.ts'
import { type PeerWorld, SECOND, startWorld } from './federation.ts'
import { startUpstream, type Upstream } from './upstream.ts'

let world: PeerWorld
let person: Person
beforeAll(async () => {
  world = await startWorld()
  person = await world.app.person(world.company)
  await world.link(person, 'ana', { issuer: world.upstream.url })
})
afterAll(() => world?.upstream.stop())
beforeEach(async () => {
  const unverified = { email: person.email, email_verified: false }
  const accounts = { ana: { name: 'Ana' }, eve: unverified, uma: { email: person.email, email_verified: true } }
  await world.upstream.control({ replace: null, accounts })
})
const to = () => ({ tenant_domain: world.company.domain })

const refused = async (attack: () => Promise<Response>): Promise<void> => {
  const before = [await federationStateOf(world.app, world.company.tenantId), await identitiesOf(world.app, person)]
  const response = await attack()
  expect(response.status).toBe(401)
  expect(await bodyOf(response)).not.toHaveProperty('token')
  expect([await federationStateOf(world.app, world.company.tenantId), await identitiesOf(world.app, person)]).toEqual(before)
}

test('smoke: a linked identity signs in; the provider announces its issuer, and the response names it', async () => {
  const { response, back } = await world.dance(to(), 'ana')
  expect(back.get('iss')).toBe(world.upstream.url)
  expect(await bodyOf(response)).toMatchObject({ email: person.email, token: expect.any(String) })
})

test('a person who refuses at the provider is not signed in', async () => {
  const { response, back } = await world.dance(to(), undefined)
  expect(back.get('error')).toBe('access_denied')
  expect(response.status).toBe(400)
})

const PAST = Math.floor(Date.now() / 1000) - 3600
test.each<[string, Readonly<Record<string, unknown>>]>([
  ['nonce', { nonce: 'of-another-dance' }],
  ['missing nonce', { nonce: null }],
  ['audience', { aud: SECOND.client_id }],
  ['audience with a foreign authorized party', { aud: ['our-client', SECOND.client_id], azp: SECOND.client_id }],
  ['issuer', { iss: 'https://accounts.google.com' }],
  ['time', { exp: PAST, iat: PAST - 60 }],
  ['subject', { sub: '' }],
])('a wrong %s with a valid signature is refused', async (_, replace) => {
  await world.upstream.control({ replace })
  await refused(async () => (await world.dance(to(), 'ana')).response)
})

test('rotated keys are used immediately; the old key is no longer accepted', async () => {
  expect((await world.dance(to(), 'ana')).response.status).toBe(200)
  await world.upstream.control({ rotate: true })
  expect((await world.dance(to(), 'ana')).response.status).toBe(200)
})

test('the response must name the correct issuer, and must name one', async () => {
  await refused(async () => (await world.dance(to(), 'ana', (back) => back.set('iss', 'https://evil.example'))).response)
  await refused(async () => (await world.dance(to(), 'ana', (back) => back.delete('iss'))).response)
})

test('a code from another sign-in, another browser, or used before is refused', async () => {
  const { app } = world
  const other = federationBrowser(app)
  const theirs = await bodyOf(await other.begin({ provider: world.provider, ...to() }))
  const foreign = await world.upstream.authorize(textIn(theirs, 'redirect_url'), 'ana')
  await refused(async () => (await world.dance(to(), 'ana', (back) => back.set('code', foreign.get('code') ?? ''))).response)
  const { browser, back, response } = await world.dance(to(), 'ana')
  expect(response.status).toBe(200)
  await refused(() => browser.exchange(back))
  await refused(() => other.exchange(foreign))
})

test('an unverified address finds no account; a verified one requires a mailed code', async () => {
  await refused(async () => (await world.dance(to(), 'eve')).response)
  const request = await world.dance(to(), 'uma')
  expect(request.response.status).toBe(409)
  const link_ticket = textIn(await bodyOf(request.response), 'link_ticket')
  await world.app.request('/federation/links/code', { body: { link_ticket } })
  const code = codeIn(await world.app.mailsTo(person.email))
  expect((await world.app.request('/federation/links/confirm', { body: { link_ticket, code } })).status).toBe(200)
  expect((await world.dance(to(), 'uma')).response.status).toBe(200)
})

describe('two tenants with different clients at one provider', () => {
  test('an ID token of one tenant\u2019s client is refused for the other; the same person has an account in each', async () => {
    const { app, company, dance, ownProvider, link, upstream } = world
    const globex = await app.company('globex')
    const [first, second] = [await ownProvider(company.tenantId, 'our-client', 'own'), await ownProvider(globex.tenantId, SECOND.client_id, 'own')]
    expect(first).toBe(second)
    await link(globex.admin, 'ana', { issuer: upstream.url, isOwnProvider: true })
    const there = await dance({ tenant_domain: globex.domain, provider: 'own' }, 'ana')
    expect(await bodyOf(there.response)).toMatchObject({ tenant_id: globex.tenantId, email: globex.admin.email })
    await upstream.control({ replace: { aud: 'our-client' } })
    expect((await dance({ tenant_domain: globex.domain, provider: 'own' }, 'ana')).response.status).toBe(401)
  })

  test('forty concurrent sign-ins are never mixed up', async () => {
    const { app, company, dance, link, upstream } = world
    const globex = await app.company('globex')
    const people = await Promise.all([company, globex].map((home) => app.person(home)))
    for (const [n, one] of people.entries()) await link(one, `many-${n}`, { issuer: upstream.url })
    const ends = await Promise.all(
      Array.from({ length: 40 }, async (_, n) => {
        const home = n % 2 === 0 ? company : globex
        const { response } = await dance({ tenant_domain: home.domain }, `many-${n % 2}`)
        const body = await bodyOf(response)
        return [body.tenant_id, body.email, home.tenantId, people[n % 2]?.email]
      }),
    )
    for (const [tenantId, email, wantedTenant, wantedEmail] of ends) expect([tenantId, email]).toEqual([wantedTenant, wantedEmail])
  })

  test('one code redeemed fifty times concurrently creates one session', async () => {
    const { app, company, provider, upstream } = world
    const browser = federationBrowser(app)
    const begun = await bodyOf(await browser.begin({ provider, ...to() }))
    const back = await upstream.authorize(textIn(begun, 'redirect_url'), 'ana')
    await browser.land(back)
    const before = Number((await federationStateOf(app, company.tenantId)).sessions)
    const answers = await Promise.all(Array.from({ length: 50 }, () => browser.exchange(back)))
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1)
    expect((await federationStateOf(app, company.tenantId)).sessions).toBe(before + 1)
  })
})

describe('a second provider', () => {
  let other: Upstream
  beforeAll(async () => {
    const client = { client_id: 'our-client', client_secret: 'our-secret-at-the-provider' }
    other = await startUpstream([client], `${world.app.config.BASE_URL}/authsec/uflow/oidc/callback`)
  })
  afterAll(() => other?.stop())

  test('its identities are separate from the first one\u2019s, even under the same subject', async () => {
    const { app, provider, upstream } = world
    const browser = federationBrowser(app)
    const begun = await bodyOf(await browser.begin({ provider, ...to() }))
    const redirected = textIn(begun, 'redirect_url').replace(upstream.url, other.url)
    for (const iss of [other.url, upstream.url]) {
      const back = await other.authorize(redirected, 'ana')
      back.set('iss', iss)
      await browser.land(back)
      await refused(() => browser.exchange(back))
    }
  })
})
