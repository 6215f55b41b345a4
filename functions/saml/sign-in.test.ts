import { expect, test } from 'vitest'
import { forTenant } from '#db/engine/tenant'
import { findUserByEmail } from '#db/store/users'
import { identitiesOf } from '#tests/support/federation'
import { addSamlProvider, HMGR, newChallenge, type Saml, samlBrowser, samlStateOf, startSaml } from '#tests/support/saml'
import { type AssertionContent, assertionXml, base64, encrypted, keyPair, responseXml, signedXml } from '#tests/support/saml-idp'
import { bodyOf, change, codeIn, configure, enrol, textIn, verifyDomain } from '#tests/support/sign-in'
import { authRoutes } from '../auth/routes.ts'
import { federationRoutes } from '../federation/routes.ts'
import { samlRoutes } from './routes.ts'

const start = (more = {}) => startSaml([...samlRoutes, ...federationRoutes, ...authRoutes], more)
const claimsOf = (token: string): Record<string, unknown> => JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString())

/** Runs a sign-in from the first request to the ticket that the page passes on. */
const prove = async (world: Saml, more: Partial<AssertionContent> = {}, browser = samlBrowser(world.app)) => {
  const asked = await world.begin(browser)
  return { browser, asked, ticket: await world.ticketOf(await world.land(browser, asked, world.answer(asked, more))) }
}
const mint = (world: Saml, body: Readonly<Record<string, unknown>>) =>
  world.app.request('/authsec/uflow/auth/enduser/webauthn-callback', { body: { ...body, mfa_verified: true } })

test('a request names us, the provider and the response URL; a valid response continues the login transaction', async () => {
  const world = await start()
  const { app, company, begin, answer, land, ticketOf, login, link } = world
  const person = await app.person(company)
  await link(person, 'subject-1')
  app.clock.advance(60)
  const browser = samlBrowser(app)
  const request = await begin(browser)
  const service = `${company.tenantId}/${company.clientId}`
  expect(request).toMatchObject({
    issuer: `${app.config.BASE_URL}/authsec/hmgr/saml/metadata/${service}`,
    acs: `${app.config.BASE_URL}/authsec/hmgr/saml/acs/${service}`,
    destination: 'https://idp.example/sso?tenant=1',
  })
  expect(request.relayState).toHaveLength(80)
  const landed = await land(browser, request, answer(request))
  expect(landed.status).toBe(200)
  expect(landed.headers.get('cache-control')).toBe('no-store')
  expect(landed.headers.get('content-security-policy')).toContain("default-src 'none'")
  const page = await landed.clone().text()
  expect(page).toContain('/oidc/login?login_challenge=')
  for (const personal of [person.id, person.email, 'subject-1']) expect(page).not.toContain(personal)
  const transactionToken = await ticketOf(landed)
  const done = await bodyOf(await login(browser, transactionToken, person.email))
  expect(done).toMatchObject({ tenant_id: company.tenantId, email: person.email, mfa_required: true, login_ticket: expect.any(String) })
  expect(done).not.toHaveProperty('token')
  const minted = await bodyOf(await mint(world, { email: person.email, tenant_id: company.tenantId, login_ticket: done.login_ticket }))
  expect(claimsOf(textIn(minted, 'access_token'))).toMatchObject({ sub: person.id, amr: ['fed'], acr: 'aal1' })
  expect((await app.mailsTo(person.email)).map(({ subject }) => subject)).toEqual([expect.stringContaining('Acme Directory')])
  expect((await login(browser, transactionToken, person.email)).status).toBe(401)
})

test('the ticket is the proof: refused if missing, with a wrong address or client, in another tenant, or after five wrong attempts', async () => {
  const world = await start()
  const { app, company, login, link } = world
  const person = await app.person(company)
  await link(person, 'subject-1')
  const { browser, ticket } = await prove(world)
  const globex = await app.company('globex')
  // A failed attempt counts against the ticket.
  const before = await samlStateOf(app, company, ['tickets'])
  expect((await login(samlBrowser(app), undefined, person.email)).status).toBe(401)
  expect((await login(browser, `${company.tenantId}.${'A'.repeat(43)}`, person.email)).status).toBe(401)
  expect((await login(browser, ticket, company.admin.email)).status).toBe(401)
  expect((await login(browser, ticket, person.email, globex.clientId)).status).toBe(401)
  expect(await samlStateOf(app, company, ['tickets'])).toEqual(before)
  expect((await login(browser, ticket, person.email)).status).toBe(200)
  const second = await prove(world)
  for (let n = 0; n < 5; n++) expect((await login(second.browser, second.ticket, company.admin.email)).status).toBe(401)
  expect((await login(second.browser, second.ticket, person.email)).status).toBe(401)
})

test('of fifty concurrent redemptions of a ticket one succeeds', async () => {
  const world = await start()
  const person = await world.app.person(world.company)
  await world.link(person, 'subject-1')
  const { browser, ticket } = await prove(world)
  const answers = await Promise.all(Array.from({ length: 50 }, () => world.login(browser, ticket, person.email)))
  expect(answers.filter(({ status }) => status === 200)).toHaveLength(1)
  expect(answers.filter(({ status }) => status === 401)).toHaveLength(49)
})

test('several factors at the provider count if the tenant says so; a factor enrolled here is still required', async () => {
  const world = await start()
  const { app, company, provider, link, login } = world
  const person = await app.person(company)
  await link(person, 'subject-1')
  await configure(app, company, { requireSecondFactor: true })
  const context = 'https://refeds.org/profile/mfa'
  const amr = async (): Promise<unknown> => {
    const { browser, ticket } = await prove(world, { context })
    const { login_ticket } = await bodyOf(await login(browser, ticket, person.email))
    const minted = await mint(world, { email: person.email, tenant_id: company.tenantId, login_ticket })
    return minted.status === 200 ? claimsOf(textIn(await bodyOf(minted), 'access_token')).amr : minted.status
  }
  expect(await amr()).toBe(401)
  await configure(app, company, { trustFactorsOf: [provider.id] })
  expect(await amr()).toEqual(['fed', 'mfa'])
  await configure(app, company, { trustFactorsOf: [] })
  await enrol(app, person)
  const { browser, ticket } = await prove(world, { context })
  expect(await bodyOf(await login(browser, ticket, person.email))).toMatchObject({ otp_required: true, methods: ['totp'] })
})

test('a person is identified by provider and name identifier, never by email; an account with that address is linked after a mailed code', async () => {
  const world = await start()
  const { app, company, login } = world
  const person = await app.person(company)
  const { browser, ticket } = await prove(world, { attributes: { email: [person.email.toUpperCase()] } })
  const asked = await login(browser, ticket, person.email)
  expect(asked.status).toBe(409)
  const { code, link_ticket } = await bodyOf(asked)
  expect(code).toBe('link_confirmation_required')
  expect(await identitiesOf(app, person)).toEqual([])
  expect((await browser.call('/federation/links/code', { body: { link_ticket } })).status).toBe(202)
  const confirmed = await browser.call('/federation/links/confirm', { body: { link_ticket, code: codeIn(await app.mailsTo(person.email)) } })
  expect(confirmed.status).toBe(200)
  expect(await identitiesOf(app, person)).toMatchObject([{ issuer: `saml:${world.provider.entityId}`, subject: 'subject-1', isOwnProvider: true }])
  const again = await prove(world)
  expect((await login(again.browser, again.ticket, person.email)).status).toBe(200)
})

test('where the tenant wants it, an account is created at the first sign-in: immediately for a domain of its own, otherwise after a mailed code', async () => {
  const world = await start({ jitProvisioning: true })
  const { app, company, provider, login } = world
  const domain = `mail.${company.name}.example`
  await verifyDomain(app, company, domain)
  const email = `new@${domain}`
  const attributes = { email: [email], givenName: ['Nia'], sn: ['New'] }
  const { browser, ticket } = await prove(world, { nameId: 'nia', attributes })
  expect(await bodyOf(await login(browser, ticket, email))).toMatchObject({ tenant_id: company.tenantId, email, first_login: true })
  const t = forTenant(app.db, company.tenantId)
  expect(await findUserByEmail(t, email)).toMatchObject({
    name: 'Nia New',
    provider: `saml-${provider.providerName}`,
    providerId: 'nia',
    passwordHash: null,
    emailVerifiedAt: app.clock.now(),
    clientId: company.clientId,
  })
  const elsewhere = `person@elsewhere.example`
  const other = await prove(world, { nameId: 'else', attributes: { email: [elsewhere] } })
  const joining = await login(other.browser, other.ticket, elsewhere)
  expect(joining.status).toBe(409)
  const { join_ticket } = await bodyOf(joining)
  expect(await findUserByEmail(t, elsewhere)).toBeUndefined()
  expect((await other.browser.call('/federation/joins/code', { body: { join_ticket } })).status).toBe(202)
  const code = codeIn(await app.mailsTo(elsewhere))
  expect((await other.browser.call('/federation/joins/confirm', { body: { join_ticket, code } })).status).toBe(200)
  expect(await findUserByEmail(t, elsewhere)).toMatchObject({ providerId: 'else' })
})

test('refuses a person without an account where accounts are not created, and a disabled person', async () => {
  const world = await start()
  const { app, company, login, link } = world
  await verifyDomain(app, company, `mail.${company.name}.example`)
  const email = `new@mail.${company.name}.example`
  const { browser, ticket } = await prove(world, { nameId: 'nia', attributes: { email: [email] } })
  const refused = await login(browser, ticket, email)
  expect([refused.status, (await bodyOf(refused)).code]).toEqual([401, 'federation_no_account'])
  expect(await findUserByEmail(forTenant(app.db, company.tenantId), email)).toBeUndefined()
  const person = await app.person(company)
  await link(person, 'subject-1')
  await change(app, person, { active: false })
  const second = await prove(world)
  expect((await login(second.browser, second.ticket, person.email)).status).toBe(401)
})

test('the tenant’s mapping comes first; two addresses count as none; the name identifier is used as an address if it is one', async () => {
  const world = await start({ attributeMapping: { email: 'upn' } })
  const { app, company, login } = world
  const [mapped, other] = [await app.person(company), await app.person(company)]
  const first = await prove(world, { attributes: { upn: [mapped.email], email: [other.email] } })
  expect((await login(first.browser, first.ticket, mapped.email)).status).toBe(409)
  const two = await prove(world, { attributes: { upn: [mapped.email, other.email] } })
  expect((await login(two.browser, two.ticket, mapped.email)).status).toBe(401)
  const named = await prove(world, { nameId: other.email })
  expect((await login(named.browser, named.ticket, other.email)).status).toBe(409)
})

test('refuses a response of a provider that was switched off, changed or removed meanwhile', async () => {
  const world = await start()
  const { app, company, provider, login, link } = world
  const person = await app.person(company)
  await link(person, 'subject-1')
  const { browser, ticket } = await prove(world)
  const token = await app.token(company.admin)
  const off = await app.request(`${HMGR}/admin/saml-providers/${provider.id}`, { method: 'PUT', body: { is_active: false }, token })
  expect(off.status).toBe(200)
  expect((await login(browser, ticket, person.email)).status).toBe(401)
})

test('accepts both certificates while a provider rotates its key', async () => {
  const next = await keyPair('next')
  const world = await start()
  const { app, company, key, begin, saying, land } = world
  const both = await addSamlProvider(app, company, key, { certificates: [key.certificate, next.certificate] })
  for (const signer of [key, next]) {
    const browser = samlBrowser(app)
    const request = await begin(browser, both)
    const reported = saying(request, { issuer: both.entityId })
    const landed = await land(browser, request, responseXml(reported, signedXml(assertionXml(reported), 'Assertion', { key: signer })))
    expect(landed.status).toBe(200)
  }
})

test('accepts IdP-initiated responses where the tenant allows them: at the client’s own address, each assertion once', async () => {
  const world = await start({ allowsUnsolicited: true })
  const { app, company, begin, saying } = world
  const request = await begin(samlBrowser(app))
  const browser = samlBrowser(app)
  const reported = saying(request, { inResponseTo: undefined, assertionId: `_u-${company.tenantId}` })
  const SAMLResponse = base64(responseXml(reported, signedXml(assertionXml(reported), 'Assertion', { key: world.key })))
  expect((await browser.post(`${HMGR}/saml/acs`, { SAMLResponse })).status).toBe(400)
  const landed = await browser.post(new URL(request.acs).pathname, { SAMLResponse, RelayState: 'https://evil.example/' })
  expect(landed.status).toBe(200)
  const page = await landed.text()
  expect(page).toContain(`/signin/saml/finish?client_id=${company.clientId}`)
  expect(page).not.toContain('evil.example')
  expect(browser.jar.kept.has('authsec_federation')).toBe(true)
  const again = await browser.post(new URL(request.acs).pathname, { SAMLResponse })
  expect(again.status).toBe(400)
  const old = saying(request, { inResponseTo: undefined, issuedAt: new Date(app.clock.now().getTime() - 400_000) })
  const late = base64(responseXml(old, signedXml(assertionXml(old), 'Assertion', { key: world.key })))
  expect((await browser.post(new URL(request.acs).pathname, { SAMLResponse: late })).status).toBe(400)
  // A response with InResponseTo is not IdP-initiated.
  const answer = base64(world.answer(request))
  expect((await browser.post(new URL(request.acs).pathname, { SAMLResponse: answer })).status).toBe(400)
})

test('over TLS the browser cookie is SameSite=None, host-bound and hidden from scripts', async () => {
  const { app, company, provider } = await start()
  const response = await app.request(`${HMGR}/saml/initiate/${provider.providerName}`, {
    body: { login_challenge: await newChallenge(app, company) },
    secure: true,
  })
  expect(response.headers.getSetCookie()).toEqual([expect.stringMatching(/^__Host-authsec_saml=[\w-]{43}; .*HttpOnly.*/)])
  expect(response.headers.getSetCookie()[0]).toMatch(/; Secure/)
  expect(response.headers.getSetCookie()[0]).toMatch(/; SameSite=None/)
})

test('refuses to start for unknown challenges, unknown providers and disabled ones', async () => {
  const { app, company, key } = await start()
  const begin = async (name: string, login_challenge: string) => {
    const response = await app.request(`${HMGR}/saml/initiate/${name}`, { body: { login_challenge } })
    const { error, success } = await bodyOf(response)
    return [response.status, success, error]
  }
  const challenge = await newChallenge(app, company)
  expect(await begin('okta', `${company.tenantId}.${'A'.repeat(43)}`)).toEqual([404, false, 'Client not found'])
  expect(await begin('unknown', challenge)).toEqual([404, false, 'SAML provider not found'])
  const off = await addSamlProvider(app, company, key, { isActive: false })
  expect(await begin(off.providerName, challenge)).toEqual([400, false, 'Provider is not active'])
  const globex = await app.company('globex')
  const theirs = await addSamlProvider(app, globex, key)
  expect(await begin(theirs.providerName, challenge)).toEqual([404, false, 'SAML provider not found'])
  expect((await app.request(`${HMGR}/saml/initiate/x`, { body: {} })).status).toBe(400)
})

test('a browser gets a page when the response is refused', async () => {
  const world = await start()
  const browser = samlBrowser(world.app)
  const response = await browser.call(`${HMGR}/saml/acs`, {
    method: 'POST',
    body: new URLSearchParams({ SAMLResponse: 'AAAA', RelayState: `${world.company.tenantId}.${'A'.repeat(43)}` }).toString(),
    headers: { 'content-type': 'application/x-www-form-urlencoded', accept: 'text/html,*/*' },
  })
  expect(response.status).toBe(400)
  expect(response.headers.get('content-type')).toContain('text/html')
  expect(await response.text()).toContain('href="/signin"')
})

const certificateIn = (metadata: string, use: string, n = 0): string => {
  const der = [...metadata.matchAll(new RegExp(`use="${use}">.*?<ds:X509Certificate>([^<]+)<`, 'gs'))][n]?.[1] ?? ''
  return `-----BEGIN CERTIFICATE-----\n${der.match(/.{1,64}/g)?.join('\n')}\n-----END CERTIFICATE-----\n`
}

test('accepts assertions encrypted for our key with an authenticated cipher; other ciphers only inside a signed message', async () => {
  const world = await start()
  const { app, key, begin, saying, land } = world
  const browser = samlBrowser(app)
  const first = await begin(browser)
  const certificate = certificateIn(await (await app.request(new URL(first.issuer).pathname)).text(), 'encryption')
  const CBC = 'http://www.w3.org/2001/04/xmlenc#aes256-cbc'
  const status = async (make: (reported: AssertionContent) => Promise<string>): Promise<number> => {
    const request = await begin(browser)
    return (await land(browser, request, await make(saying(request)))).status
  }
  const inner = (reported: AssertionContent, more = {}): string => signedXml(assertionXml(reported), 'Assertion', { key, ...more })
  expect(await status(async (reported) => responseXml(reported, await encrypted(inner(reported), certificate)))).toBe(200)
  expect(
    await status(async (reported) =>
      signedXml(responseXml(reported, await encrypted(assertionXml(reported), certificate, CBC)), 'Response', { key }),
    ),
  ).toBe(200)
  expect(await status(async (reported) => responseXml(reported, await encrypted(inner(reported), certificate, CBC)))).toBe(400)
  expect(await status(async (reported) => responseXml(reported, await encrypted(assertionXml(reported), certificate)))).toBe(400)
  const oldTransport = 'http://www.w3.org/2001/04/xmlenc#rsa-1_5'
  expect(await status(async (reported) => responseXml(reported, await encrypted(inner(reported), certificate, undefined, oldTransport)))).toBe(400)
  expect(await status(async (reported) => responseXml(reported, await encrypted(inner(reported), key.certificate)))).toBe(400)
  const sha1 = { algorithm: 'http://www.w3.org/2000/09/xmldsig#rsa-sha1' }
  expect(await status(async (reported) => responseXml(reported, await encrypted(inner(reported, sha1), certificate)))).toBe(400)
  const commented = async (reported: AssertionContent) => encrypted(inner(reported).replace('>subject-1<', '>subject<!---->-1<'), certificate)
  expect(await status(async (reported) => responseXml(reported, await commented(reported)))).toBe(400)
  const twice = async (reported: AssertionContent) => encrypted(`<a>${inner(reported)}${inner(reported)}</a>`, certificate)
  expect(await status(async (reported) => responseXml(reported, await twice(reported)))).toBe(400)
})

test('metadata has one key at first and two in its last month; requests are signed with the older one', async () => {
  const world = await start()
  const { app, company, provider } = world
  const path = `${HMGR}/saml/metadata/${company.tenantId}/${company.clientId}`
  const read = async (): Promise<string> => {
    const response = await app.request(path)
    expect([response.status, response.headers.get('content-type')]).toEqual([200, 'application/xml'])
    return response.text()
  }
  const answers = await Promise.all(Array.from({ length: 20 }, read))
  expect(new Set(answers).size).toBe(1)
  const [before = ''] = answers
  expect(before.match(/AssertionConsumerService [^>]*Location="([^"]+)" index="\d"/g)).toHaveLength(2)
  app.clock.advance(340 * 24 * 3600)
  const later = await read()
  expect(certificateIn(later, 'signing', 0)).toBe(certificateIn(before, 'signing'))
  expect(certificateIn(later, 'signing', 1)).toBe(certificateIn(later, 'encryption', 0))
  expect(certificateIn(later, 'encryption', 1)).toBe(certificateIn(before, 'encryption'))
  const begun = await bodyOf(
    await app.request(`${HMGR}/saml/initiate/${provider.providerName}`, { body: { login_challenge: await newChallenge(app, company) } }),
  )
  const query = new URL(textIn(begun, 'sso_url')).search.slice(1)
  const parameters = new URLSearchParams(query)
  const signedPart = ['SAMLRequest', 'RelayState', 'SigAlg'].map((name) => `${name}=${encodeURIComponent(parameters.get(name) ?? '')}`).join('&')
  const { createVerify } = await import('node:crypto')
  const verifies = (certificate: string): boolean =>
    createVerify('RSA-SHA256')
      .update(signedPart)
      .verify(certificate, parameters.get('Signature') ?? '', 'base64')
  expect(parameters.get('SigAlg')).toBe('http://www.w3.org/2001/04/xmldsig-more#rsa-sha256')
  expect([verifies(certificateIn(before, 'signing')), verifies(certificateIn(later, 'encryption'))]).toEqual([true, false])
  for (const unknown of [`${company.tenantId}/${company.tenantId}`, `${company.clientId}/${company.clientId}`]) {
    expect((await app.request(`${HMGR}/saml/metadata/${unknown}`)).status).toBe(404)
  }
  expect((await app.request(`${HMGR}/saml/metadata/x/y`)).status).toBe(400)
})
