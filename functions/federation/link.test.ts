// Linking and unlinking identities.
import { expect, test } from 'vitest'
import { BASE, type Federation, federationBrowser, federationStateOf, identitiesOf, startFederation } from '#tests/support/federation'
import { letInForGood } from '#tests/support/oauth'
import { bodyOf, change, enrol, eventsOf, textIn } from '#tests/support/sign-in'
import { federationRoutes } from './routes.ts'

const start = () => startFederation(federationRoutes)

const beginLink = async ({ app, provider, upstream }: Federation, token: string, sub: string, browser = federationBrowser(app)) => {
  const begun = await bodyOf(await browser.begin({ provider }, '/link', token))
  const back = upstream.authorize(textIn(begun, 'redirect_url'), { sub, email: 'elsewhere@example.com', email_verified: false })
  await browser.land(back)
  return { browser, back }
}

test('a link is finished by the session that started it, notifies the owner, and then signs in', async () => {
  const world = await start()
  const { app, company, provider, dance } = world
  const person = await app.person(company)
  const token = await app.token(person)
  const { browser, back } = await beginLink(world, token, 'mine')
  const done = await browser.exchange(back, token)
  expect(done.status).toBe(200)
  expect(await bodyOf(done)).not.toHaveProperty('token')
  expect(await eventsOf(app, company.tenantId, 'federation.exchangeCode')).toEqual(['identity.linked'])
  expect((await app.mailsTo(person.email)).map(({ subject }) => subject)).toEqual([expect.stringContaining('was connected')])
  const listed = await bodyOf(await app.request(`${BASE}/identities`, { token }))
  expect(listed.identities).toMatchObject([
    { provider_name: provider, provider_user_id: 'mine', email: 'elsewhere@example.com', user_id: person.id, tenant_id: company.tenantId },
  ])
  expect((await dance({ tenant_domain: company.domain }, { sub: 'mine' })).status).toBe(200)
})

test('no other session, of another or the same person, can finish a link; its own session still can', async () => {
  const world = await start()
  const { app, company } = world
  const [victim, attacker] = [await app.person(company), await app.person(company)]
  const mine = await app.token(attacker)
  const { browser, back } = await beginLink(world, mine, 'attackers')
  const before = await federationStateOf(app, company.tenantId)
  expect((await browser.exchange(back, await app.token((await app.company('globex')).admin))).status).toBe(401)
  expect((await browser.exchange(back)).status).toBe(401)
  expect((await browser.exchange(back, 'nonsense')).status).toBe(401)
  expect(await federationStateOf(app, company.tenantId)).toEqual(before)
  for (const token of [await app.token(victim), await app.token(attacker)]) expect((await browser.exchange(back, token)).status).toBe(401)
  expect([await identitiesOf(app, victim), await identitiesOf(app, attacker)]).toEqual([[], []])
  expect((await browser.exchange(back, mine)).status).toBe(200)
})

test('a linked identity cannot be taken over, and linking it again changes nothing', async () => {
  const world = await start()
  const { app, company, link } = world
  const [owner, other] = [await app.person(company), await app.person(company)]
  await link(owner, 'owned')
  const token = await app.token(other)
  const { browser, back } = await beginLink(world, token, 'owned')
  const taken = await browser.exchange(back, token)
  expect([taken.status, (await bodyOf(taken)).code]).toEqual([409, 'identity_taken'])
  expect(await identitiesOf(app, owner)).toHaveLength(1)
  const own = await app.token(owner)
  const again = await beginLink(world, own, 'owned')
  expect((await again.browser.exchange(again.back, own)).status).toBe(200)
  expect(await identitiesOf(app, owner)).toHaveLength(1)
  expect(await app.mailsTo(owner.email)).toEqual([])
})

test('linking and unlinking need a recent sign-in', async () => {
  const { app, company, provider, link } = await start()
  const person = await app.person(company)
  await link(person, 'x')
  const token = await app.token(person)
  app.clock.advance(901)
  for (const response of [
    await app.request(`${BASE}/link`, { body: { provider }, token }),
    await app.request(`${BASE}/unlink/${provider}`, { method: 'DELETE', token }),
  ]) {
    expect(response.status).toBe(401)
    expect(response.headers.get('www-authenticate')).toContain('insufficient_user_authentication')
  }
  expect(await identitiesOf(app, person)).toHaveLength(1)
})

test('an unlinked identity no longer signs in, other sessions end, and the owner is notified', async () => {
  const { app, company, provider, link, dance } = await start()
  const person = await app.person(company)
  await link(person, 'one')
  const other = textIn(await bodyOf(await dance({ tenant_domain: company.domain }, { sub: 'one' })), 'token')
  const token = await app.token(person)
  const letIn = await letInForGood(app, company, person.id)
  const unlink = () => app.request(`${BASE}/unlink/${provider}`, { method: 'DELETE', token })
  expect((await unlink()).status).toBe(200)
  expect(await letIn()).toBe(false)
  expect((await app.request(`${BASE}/identities`, { token: other })).status).toBe(401)
  expect((await app.request(`${BASE}/identities`, { token })).status).toBe(200)
  expect((await dance({ tenant_domain: company.domain }, { sub: 'one' })).status).toBe(401)
  expect((await dance({}, { sub: 'one' })).status).toBe(404)
  expect(await eventsOf(app, company.tenantId, 'federation.unlink')).toEqual(['identity.unlinked'])
  expect((await app.mailsTo(person.email)).at(-1)?.subject).toContain('was disconnected')
  const again = await unlink()
  expect([again.status, (await bodyOf(again)).code]).toEqual([400, 'identity_not_linked'])
})

test('the last sign-in method cannot be unlinked; a passkey, password or identity counts, an authenticator app does not', async () => {
  const { app, company, provider, link } = await start()
  const person = await app.person(company)
  await change(app, person, { passwordHash: null })
  await link(person, 'only')
  const token = await app.token(person)
  const unlink = () => app.request(`${BASE}/unlink/${provider}`, { method: 'DELETE', token })
  await enrol(app, person, 'totp')
  const before = await federationStateOf(app, company.tenantId)
  const refused = await unlink()
  expect([refused.status, (await bodyOf(refused)).code]).toEqual([400, 'last_sign_in_method'])
  expect(await federationStateOf(app, company.tenantId)).toEqual(before)
  await enrol(app, person, 'webauthn')
  expect((await unlink()).status).toBe(200)
})

test('concurrent requests cannot remove the last sign-in method', async () => {
  const { app, company, provider, link } = await start()
  const person = await app.person(company)
  await change(app, person, { passwordHash: null })
  await link(person, 'only')
  const token = await app.token(person)
  const answers = await Promise.all(Array.from({ length: 5 }, () => app.request(`${BASE}/unlink/${provider}`, { method: 'DELETE', token })))
  expect(answers.map(({ status }) => status)).toEqual([400, 400, 400, 400, 400])
  expect(await identitiesOf(app, person)).toHaveLength(1)
})

test('a person sees only their own identities', async () => {
  const { app, company, link } = await start()
  const [person, other] = [await app.person(company), await app.person(company)]
  await link(other, 'theirs')
  expect(await bodyOf(await app.request(`${BASE}/identities`, { token: await app.token(person) }))).toEqual({ identities: [] })
})
