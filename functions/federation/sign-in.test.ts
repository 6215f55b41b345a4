// Sign-in through a provider: existing accounts, discovery, confirmation and second factors.
import { expect, test } from 'vitest'
import { atomically, forTenant, SYSTEM_TENANT } from '#db/engine/tenant'
import { setUserActive } from '#db/store/people'
import { addProvider, BASE, federationBrowser, federationStateOf, identitiesOf, providerIdOf, startFederation } from '#tests/support/federation'
import { bodyOf, change, codeIn, configure, enrol, eventsOf, rowOf, setStatus, textIn, verifyDomain } from '#tests/support/sign-in'
import { platformAdministrator } from '../../tests/seeds/seeds.ts'
import { federationRoutes } from './routes.ts'

const start = (world = {}) => startFederation(federationRoutes, world)
const claimsOf = (token: string): Record<string, unknown> => JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString())

test('a linked identity signs in: the token has amr and acr, the identity its last use, and the owner is notified of the first use', async () => {
  const { app, company, dance, link } = await start()
  const person = await app.person(company)
  await link(person, 'sub-1')
  app.clock.advance(60)
  const answer = await dance({ tenant_domain: company.name }, { sub: 'sub-1', email: 'other@example.com', name: 'Pat\u202e P.' })
  expect(answer.status).toBe(200)
  const body = await bodyOf(answer)
  expect(body).toMatchObject({ tenant_id: company.tenantId, tenant_domain: company.domain, email: person.email, mfa_required: false })
  expect(claimsOf(textIn(body, 'token'))).toMatchObject({ sub: person.id, tenant_id: company.tenantId, amr: ['fed'], acr: 'aal1' })
  expect(claimsOf(textIn(body, 'token')).roles ?? []).toEqual([])
  const [identity] = await identitiesOf(app, person)
  expect(identity).toMatchObject({ email: 'other@example.com', lastLoginAt: app.clock.now(), profile: { name: 'Pat P.', email_verified: false } })
  expect((await app.mailsTo(person.email)).map(({ subject }) => subject)).toEqual([expect.stringContaining('through Example ID')])
  expect(await eventsOf(app, company.tenantId, 'federation.exchangeCode')).toEqual(['identity.used_first', 'session.created', 'user.signed_in'])
  expect((await dance({ tenant_domain: company.name }, { sub: 'sub-1' })).status).toBe(200)
  expect(await app.mailsTo(person.email)).toHaveLength(1)
})

test('the token has the roles of the account, and a required second factor stays required', async () => {
  const { app, company, dance, link } = await start()
  await link(company.admin, 'sub-1')
  const first = await bodyOf(await dance({ tenant_domain: company.domain }, { sub: 'sub-1' }))
  expect(claimsOf(textIn(first, 'token'))).toMatchObject({ sub: company.admin.id, roles: ['admin'] })
  await enrol(app, company.admin)
  const pending = await bodyOf(await dance({ tenant_domain: company.domain }, { sub: 'sub-1', amr: ['mfa'], acr: 'phr' }))
  expect(pending).toMatchObject({ mfa_required: true, otp_required: true, login_ticket: expect.any(String) })
  expect(pending).not.toHaveProperty('token')
})

test('multi-factor authentication at the provider counts only if the tenant trusts the provider for it', async () => {
  const { app, company, provider, dance, link } = await start()
  await link(company.admin, 'sub-1')
  await configure(app, company, { requireSecondFactor: true, trustFactorsOf: ['another'] })
  const strong = { sub: 'sub-1', amr: ['pwd', 'mfa'] }
  expect(await bodyOf(await dance({ tenant_domain: company.domain }, strong))).toMatchObject({ mfa_required: true, methods: [] })
  const providerId = await providerIdOf(app, provider)
  // The name of a provider names no row: another provider could have it.
  await configure(app, company, { requireSecondFactor: true, trustFactorsOf: [provider] })
  expect(await bodyOf(await dance({ tenant_domain: company.domain }, strong))).toMatchObject({ mfa_required: true, methods: [] })
  await configure(app, company, { trustFactorsOf: [providerId] })
  const trusted = await bodyOf(await dance({ tenant_domain: company.domain }, strong))
  expect(trusted.mfa_required).toBe(false)
  expect(claimsOf(textIn(trusted, 'token'))).toMatchObject({ amr: ['fed', 'mfa'], acr: 'aal2' })
  expect(await bodyOf(await dance({ tenant_domain: company.domain }, { sub: 'sub-1', amr: ['pwd'] }))).toMatchObject({ mfa_required: true })
})

test('discover finds accounts by issuer and subject only; a choice works once', async () => {
  const { app, company, dance, link } = await start()
  const globex = await app.company('globex')
  await link(company.admin, 'sub-1')
  const browser = federationBrowser(app)
  expect(await bodyOf(await dance({}, { sub: 'sub-1' }))).toMatchObject({ tenant_id: company.tenantId, token: expect.any(String) })
  await link(globex.admin, 'sub-1')
  await link((await app.company('hooli')).admin, 'sub-1', { isOwnProvider: true })
  const answer = await bodyOf(await dance({}, { sub: 'sub-1' }, {}, browser))
  expect(answer).not.toHaveProperty('token')
  expect((answer.accounts as { tenant_id: string }[]).map(({ tenant_id }) => tenant_id).toSorted()).toEqual(
    [company.tenantId, globex.tenantId].toSorted(),
  )
  const choose = (tenant_id: string) => browser.call('/federation/accounts/choose', { body: { choice_ticket: answer.choice_ticket, tenant_id } })
  const initech = await app.company('initech')
  expect((await choose(initech.tenantId)).status).toBe(401)
  const chosen = await choose(globex.tenantId)
  expect(await bodyOf(chosen)).toMatchObject({ tenant_id: globex.tenantId, email: globex.admin.email, token: expect.any(String) })
  expect((await choose(company.tenantId)).status).toBe(401)
  // The address exists in a tenant, but the identity does not.
  const unknown = await dance({}, { sub: 'sub-2', email: company.admin.email, email_verified: true })
  expect(unknown.status).toBe(404)
  expect(await bodyOf(unknown)).toMatchObject({ error: 'User not found', needs_domain: true, origin_domain: 'localhost' })
})

test('on a tenant\u2019s own domain only that tenant and its providers are used', async () => {
  const { app, company, upstream, link, danceWith } = await start()
  await verifyDomain(app, company, `id.${company.name}.example`)
  const own = await addProvider(app, { issuer: upstream.url }, company.tenantId)
  const browser = federationBrowser(app, `https://id.${company.name}.example`)
  const person = await app.person(company)
  await link(person, 'sub-1')
  const names = async (query = '', from = browser) =>
    ((await bodyOf(await from.call(`${BASE}/providers${query}`))).providers as { provider_name: string }[]).map(({ provider_name }) => provider_name)
  expect(await names()).toContain(own)
  expect(await names('', federationBrowser(app))).not.toContain(own)
  expect(await names(`?tenant_domain=${company.domain}`, federationBrowser(app))).toContain(own)
  const back = await danceWith(browser, { provider: own }, { sub: 'sub-1' })
  await browser.land(back)
  expect(await bodyOf(await browser.exchange(back))).toMatchObject({ tenant_id: company.tenantId, token: expect.any(String) })
  const stranger = await danceWith(browser, {}, { sub: 'sub-9', email: 'stranger@example.com', email_verified: true })
  await browser.land(stranger)
  expect((await browser.exchange(stranger)).status).toBe(403)
  // On other domains the provider is unknown.
  expect((await federationBrowser(app).begin({ provider: own })).status).toBe(400)
  expect((await federationBrowser(app).begin({ provider: own, tenant_domain: (await app.company('globex')).domain })).status).toBe(400)
})

test('a verified address needs confirmation; a mailed code confirms once and signs in', async () => {
  const { app, company, dance } = await start()
  const person = await app.person(company)
  const who = { sub: 'sub-1', email: person.email.toUpperCase(), email_verified: true }
  const asked = await dance({ tenant_domain: company.domain }, who)
  expect(asked.status).toBe(409)
  const refusal = await bodyOf(asked)
  expect(refusal).toMatchObject({ code: 'link_confirmation_required' })
  expect(await identitiesOf(app, person)).toEqual([])
  const link_ticket = textIn(refusal, 'link_ticket')
  const browser = federationBrowser(app)
  const confirm = (code: string) => browser.call('/federation/links/confirm', { body: { link_ticket, code } })
  expect((await confirm('000000')).status).toBe(400)
  expect((await browser.call('/federation/links/code', { body: { link_ticket } })).status).toBe(202)
  const code = codeIn(await app.mailsTo(person.email))
  const done = await confirm(code)
  expect(await bodyOf(done)).toMatchObject({ tenant_id: company.tenantId, email: person.email, token: expect.any(String) })
  expect(await identitiesOf(app, person)).toHaveLength(1)
  expect((await confirm(code)).status).toBe(401)
  expect((await rowOf(app, person))?.passwordHash).not.toBeNull()
  expect((await dance({ tenant_domain: company.domain }, { sub: 'sub-1' })).status).toBe(200)
})

test('a recent session of the account can confirm instead of a code; other sessions cannot', async () => {
  const { app, company, dance } = await start()
  const [person, other] = [await app.person(company), await app.person(company)]
  const link_ticket = textIn(
    await bodyOf(await dance({ tenant_domain: company.domain }, { sub: 's', email: person.email, email_verified: true })),
    'link_ticket',
  )
  const accept = (token: string) => app.request('/federation/links/accept', { body: { link_ticket }, token })
  expect((await accept(await app.token(other))).status).toBe(401)
  expect((await accept(await app.token((await app.company('globex')).admin))).status).toBe(401)
  const token = await app.token(person)
  app.clock.advance(901)
  expect((await accept(token)).status).toBe(401)
  app.clock.advance(-901)
  expect((await accept(token)).status).toBe(200)
  expect(await identitiesOf(app, person)).toMatchObject([{ subject: 's' }])
  expect((await accept(token)).status).toBe(401)
})

test('a disabled person gets the response for an unknown identity, and a suspended tenant is not found', async () => {
  const { app, company, dance, link } = await start()
  const person = await app.person(company)
  await link(person, 'sub-1')
  const without = async (response: Response) => {
    const { request_id: _, ...body } = await bodyOf(response)
    return [response.status, body]
  }
  const refusal = await without(await dance({ tenant_domain: company.domain }, { sub: 'sub-2' }))
  expect(refusal[0]).toBe(401)
  await atomically(forTenant(app.db, company.tenantId), (t) => setUserActive(t, person.id, false, app.clock.now()))
  expect(await without(await dance({ tenant_domain: company.domain }, { sub: 'sub-1' }))).toEqual(refusal)
  await setStatus(app, company, 'suspended')
  expect((await federationBrowser(app).begin({ provider: 'x', tenant_domain: company.domain }, '/login/initiate')).status).toBe(404)
})

test('an account that is deleted, disabled or suspended during the flow is refused', async () => {
  const { app, company, danceWith, link } = await start()
  const person = await app.person(company)
  await link(person, 'sub-1')
  const after = async (happens: () => Promise<unknown>): Promise<unknown> => {
    const browser = federationBrowser(app)
    const back = await danceWith(browser, { tenant_domain: company.domain }, { sub: 'sub-1' })
    await browser.land(back)
    await happens()
    const before = await federationStateOf(app, company.tenantId)
    const response = await browser.exchange(back)
    expect(await federationStateOf(app, company.tenantId)).toEqual(before)
    return (await bodyOf(response)).code
  }
  const refusal = 'federation_no_account'
  expect(await after(() => change(app, person, { deletedAt: app.clock.now() }))).toBe(refusal)
  await change(app, person, { deletedAt: null })
  expect(await after(() => change(app, person, { active: false }))).toBe(refusal)
  await change(app, person, { active: true })
  expect(await after(() => setStatus(app, company, 'suspended'))).toMatch(/^federation_(no_account|failed)$/)
})

test('claims missing in the ID token come from the userinfo endpoint', async () => {
  const { app, company, dance } = await start({ claimsInUserinfo: true })
  const person = await app.person(company)
  const asked = await dance({ tenant_domain: company.domain }, { sub: 'sub-1', email: person.email, email_verified: true })
  expect(await bodyOf(asked)).toMatchObject({ code: 'link_confirmation_required' })
})

test('accounts of the platform tenant are never found by address', async () => {
  const { app, dance } = await start()
  const admin = await platformAdministrator(app)
  const answer = await dance({ tenant_domain: `platform.${app.config.TENANT_DOMAIN_SUFFIX}` }, { sub: 'x', email: admin.email, email_verified: true })
  expect(await bodyOf(answer)).toMatchObject({ code: 'federation_no_account' })
  expect(await identitiesOf(app, { ...admin, tenantId: SYSTEM_TENANT })).toEqual([])
})

test('a mailbox gets at most five codes an hour over all sign-ins', async () => {
  const { app, company, dance } = await start({ env: { RATE_LIMIT: 'on' } })
  const person = await app.person(company)
  const statuses: number[] = []
  for (let n = 0; n < 6; n++) {
    app.clock.advance(61)
    const asked = await dance({ tenant_domain: company.domain }, { sub: `sub-${n}`, email: person.email, email_verified: true })
    const link_ticket = textIn(await bodyOf(asked), 'link_ticket')
    statuses.push((await app.request('/federation/links/code', { body: { link_ticket } })).status)
  }
  expect(statuses).toEqual([202, 202, 202, 202, 202, 429])
  expect(await app.mailsTo(person.email)).toHaveLength(5)
})

test.each([
  ['changed its address', (n: string) => ({ email: `moved-${n}@acme.example` })],
  ['was disabled', () => ({ active: false })],
  ['was removed', () => ({ deletedAt: new Date('2026-03-02T09:00:00Z') })],
] as const)('an account that %s after the code was requested cannot be linked', async (_, set) => {
  const { app, company, dance } = await start()
  const person = await app.person(company)
  const asked = await dance({ tenant_domain: company.domain }, { sub: 's', email: person.email, email_verified: true })
  const link_ticket = textIn(await bodyOf(asked), 'link_ticket')
  await app.request('/federation/links/code', { body: { link_ticket } })
  const code = codeIn(await app.mailsTo(person.email))
  await change(app, person, set(app.ctx.random.id()) as Parameters<typeof change>[2])
  const before = await federationStateOf(app, company.tenantId)
  expect((await app.request('/federation/links/confirm', { body: { link_ticket, code } })).status).toBe(401)
  expect((await app.request('/federation/links/code', { body: { link_ticket } })).status).toBe(401)
  expect(await federationStateOf(app, company.tenantId)).toEqual(before)
  expect(await identitiesOf(app, person)).toEqual([])
})

test('an account with an unverified address and an enrolled factor is not handed over', async () => {
  const { app, company, dance } = await start()
  const person = await app.person(company)
  await change(app, person, { emailVerifiedAt: null })
  await enrol(app, person)
  const asked = await dance({ tenant_domain: company.domain }, { sub: 's', email: person.email, email_verified: true })
  const link_ticket = textIn(await bodyOf(asked), 'link_ticket')
  await app.request('/federation/links/code', { body: { link_ticket } })
  const code = codeIn(await app.mailsTo(person.email))
  const confirmed = await app.request('/federation/links/confirm', { body: { link_ticket, code } })
  expect((await bodyOf(confirmed)).code).toBe('federation_no_account')
  expect(await identitiesOf(app, person)).toEqual([])
  expect((await rowOf(app, person))?.passwordHash).not.toBeNull()
})

test('a person who never verified their address cannot sign in through a provider', async () => {
  const { app, company, dance, link } = await start()
  const person = await app.person(company)
  await link(person, 'sub-1')
  await change(app, person, { emailVerifiedAt: null, provider: 'custom' })
  const before = await federationStateOf(app, company.tenantId)
  expect((await bodyOf(await dance({ tenant_domain: company.domain }, { sub: 'sub-1' }))).code).toBe('email_not_verified')
  expect(await federationStateOf(app, company.tenantId)).toEqual(before)
})
