// Sign-up of a company through a provider.
import { expect, test } from 'vitest'
import { asTenantId, directory, forTenant, SYSTEM_TENANT } from '#db/engine/tenant'
import { findTenantByDomain } from '#db/store/domains'
import { findPrimaryAdministrator } from '#db/store/users'
import type { TestApp } from '#tests/support/app'
import { BASE, type Federation, federationBrowser, federationStateOf, startFederation } from '#tests/support/federation'
import { type Body, bodyOf, codeIn, eventsOf, textIn } from '#tests/support/sign-in'
import { federationRoutes } from './routes.ts'

const start = (env: Readonly<Record<string, string>> = {}) => startFederation(federationRoutes, { env })
const someone = (app: TestApp) => {
  const sub = app.ctx.random.id()
  return { sub, email: `founder-${sub}@example.com`, email_verified: true, name: 'Fay Founder', picture: 'https://img.example/f.png' }
}
const domainOf = (app: TestApp): string => `co-${app.ctx.random.id().slice(-12)}`
const COMPLETE = `${BASE}/complete-registration`

/** An unknown identity, with the registration ticket of the refusal. */
const unknown = async ({ app, dance }: Federation, who: ReturnType<typeof someone>, browser = federationBrowser(app)) => {
  const refusal = await bodyOf(await dance({}, who, {}, browser))
  const { registration_ticket, ...data } = refusal.provider_data as Body
  return { refusal, ticket: String(registration_ticket), data }
}

test('a company signs up in one flow: tenant, administrator, identity and session', async () => {
  const { app, dance, upstream } = await start()
  const [who, tenant_domain] = [someone(app), domainOf(app)]
  const back = await bodyOf(await dance({ tenant_domain }, who))
  expect(back).toMatchObject({ email: who.email, first_login: true, token: expect.any(String), tenant_domain: `${tenant_domain}.localhost` })
  const tenantId = asTenantId(textIn(back, 'tenant_id'))
  const admin = await findPrimaryAdministrator(forTenant(app.db, tenantId))
  expect(admin).toMatchObject({
    passwordHash: null,
    providerId: who.sub,
    name: 'Fay Founder',
    emailVerifiedAt: app.clock.now(),
    avatarUrl: who.picture,
  })
  expect(await eventsOf(app, tenantId, 'federation.exchangeCode')).toEqual(
    ['client.created', 'identity.linked', 'session.created', 'tenant.created', 'user.created', 'user.signed_in'].toSorted(),
  )
  expect(await bodyOf(await dance({}, who))).toMatchObject({ tenant_id: tenantId })
  expect(upstream.asked.filter((path) => path === '/jwks').length).toBe(1)
})

test('after discovery and a domain, the proof in the ticket signs up', async () => {
  const world = await start()
  const { app, dance } = world
  const [who, browser] = [someone(app), federationBrowser(app)]
  const { data, refusal } = await unknown(world, who, browser)
  expect(refusal).toMatchObject({ email_confirmation_required: false })
  expect(data).toMatchObject({ email: who.email, provider_user_id: who.sub, name: who.name, picture: who.picture })
  // With the cookie only, as a browser does.
  const answer = await browser.call(COMPLETE, { body: { ...data, tenant_domain: domainOf(app) } })
  const done = await bodyOf(answer)
  expect(answer.status).toBe(200)
  expect(done).toMatchObject({ success: true, first_login: true })
  expect(new Set([done.tenant_id, done.user_id, done.client_id, done.project_id]).size).toBe(4)
  expect((await browser.call(COMPLETE, { body: { ...data, tenant_domain: domainOf(app) } })).status).toBe(401)
  expect(await bodyOf(await dance({}, who))).toMatchObject({ tenant_id: done.tenant_id, token: expect.any(String) })
})

test('a body that differs from the proof, or has no ticket, creates nothing', async () => {
  const world = await start()
  const { app } = world
  const who = someone(app)
  const { data, ticket } = await unknown(world, who)
  const tenant_domain = domainOf(app)
  const call = (more: Body) => app.request(COMPLETE, { body: { ...data, tenant_domain, registration_ticket: ticket, ...more } })
  const before = await federationStateOf(app, SYSTEM_TENANT)
  const others = {
    provider: 'google',
    email: 'victim@example.com',
    provider_user_id: 'another',
    name: 'Another Name',
    picture: 'https://img.example/x.png',
  }
  for (const [name, value] of Object.entries(others)) {
    const response = await call({ [name]: value })
    expect([name, response.status, (await bodyOf(response)).field]).toEqual([name, 400, `body.${name}`])
  }
  for (const registration_ticket of ['', 'nonsense', `${SYSTEM_TENANT}.${'A'.repeat(43)}`, ticket.slice(0, -1)])
    expect((await call({ registration_ticket })).status).toBe(401)
  for (const bad of ['ab', '1abc', 'abc-', 'a_b', 'platform', 'x'.repeat(64)]) expect((await call({ tenant_domain: bad })).status).toBe(400)
  expect(await findTenantByDomain(directory(app.db), `${tenant_domain}.localhost`)).toBeUndefined()
  expect(await federationStateOf(app, SYSTEM_TENANT)).toEqual(before)
  app.clock.advance(601)
  expect((await call({})).status).toBe(401)
})

test('an unverified address signs up only after a mailed code', async () => {
  const world = await start()
  const { app, dance } = world
  const who = { ...someone(app), email_verified: false }
  const tenant_domain = domainOf(app)
  const asked = await dance({ tenant_domain }, who)
  expect(asked.status).toBe(409)
  const body = await bodyOf(asked)
  expect(body).toMatchObject({ code: 'email_confirmation_required', tenant_domain: `${tenant_domain}.localhost` })
  const registration_ticket = textIn(body, 'registration_ticket')
  const data = { provider: world.provider, email: who.email, provider_user_id: who.sub, tenant_domain, registration_ticket }
  expect((await app.request(COMPLETE, { body: data })).status).toBe(409)
  expect((await app.request(COMPLETE, { body: { ...data, otp: '000000' } })).status).toBe(400)
  expect((await app.request('/federation/registrations/code', { body: { registration_ticket } })).status).toBe(202)
  expect((await app.request('/federation/registrations/code', { body: { registration_ticket } })).status).toBe(429)
  const otp = codeIn(await app.mailsTo(who.email))
  const done = await app.request(COMPLETE, { body: { ...data, otp } })
  expect(done.status).toBe(200)
})

test('one of five concurrent completions of a ticket creates a company', async () => {
  const world = await start()
  const { app } = world
  const { data, ticket } = await unknown(world, someone(app))
  const answers = await Promise.all(
    Array.from({ length: 5 }, () => app.request(COMPLETE, { body: { ...data, tenant_domain: domainOf(app), registration_ticket: ticket } })),
  )
  expect(answers.map(({ status }) => status).toSorted()).toEqual([200, 401, 401, 401, 401])
})

test('a taken domain does not consume the ticket', async () => {
  const world = await start()
  const { app, company } = world
  const who = someone(app)
  const { data, ticket } = await unknown(world, who)
  const call = (tenant_domain: string) => app.request(COMPLETE, { body: { ...data, tenant_domain, registration_ticket: ticket } })
  expect((await call(company.domain)).status).toBe(409)
  expect((await call(domainOf(app))).status).toBe(200)
  const known = await federationBrowser(app).begin({ provider: world.provider, tenant_domain: company.domain }, '/register/initiate')
  expect([known.status, (await bodyOf(known)).code]).toEqual([409, 'tenant_domain_taken'])
})

test('federated sign-up is refused when sign-up is by invitation or closed', async () => {
  for (const env of [{ SIGN_UP: 'invite' }, { SIGN_UP: 'closed' }]) {
    const world = await start(env)
    const { app, provider } = world
    for (const path of ['/initiate', '/register/initiate'])
      expect((await federationBrowser(app).begin({ provider, tenant_domain: domainOf(app) }, path)).status).toBe(403)
    const refusal = await bodyOf(await world.dance({}, someone(app)))
    expect(refusal).not.toHaveProperty('provider_data')
    expect(refusal.code).toBe('federation_unknown')
  }
})

test('a single-tenant deployment refuses federated sign-up', async () => {
  const world = await start({ TENANCY: 'single' })
  const { app, provider } = world
  const response = await federationBrowser(app).begin({ provider, tenant_domain: domainOf(app) })
  expect([response.status, (await bodyOf(response)).code]).toEqual([409, 'single_tenant'])
  expect(await bodyOf(await world.dance({}, someone(app)))).not.toHaveProperty('provider_data')
})

test('an identity without a usable address cannot sign up', async () => {
  const { app, dance } = await start()
  for (const email of [undefined, 'a@b@c.example', '"a"@example.com'])
    expect(await bodyOf(await dance({ tenant_domain: domainOf(app) }, { ...someone(app), email }))).toMatchObject({ code: 'email_missing' })
})

test('check-tenant returns whether a domain signs in or signs up', async () => {
  const { app, company } = await start()
  const check = async (domain: string) => bodyOf(await app.request(`${BASE}/check-tenant?domain=${encodeURIComponent(domain)}`))
  expect(await check(company.name.toUpperCase())).toEqual({ domain: company.domain, exists: true, action: 'login' })
  expect(await check('unused-domain')).toEqual({ domain: 'unused-domain.localhost', exists: false, action: 'register' })
  for (const bad of ['', '1', 'a b', 'x.evil.example'])
    expect((await app.request(`${BASE}/check-tenant?domain=${encodeURIComponent(bad)}`)).status).toBe(400)
  expect((await app.request(`${BASE}/check-tenant`)).status).toBe(400)
})
