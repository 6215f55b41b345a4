// A passkey as the second factor of a login transaction, and as step-up in a session.
import { expect, test } from 'vitest'
import { forTenant } from '#db/engine/tenant'
import { findPasskeys } from '#db/store/passkeys'
import { type Company, type Person, startApp, type TestApp } from '#tests/support/app'
import { type Algorithm, type Authenticator, authenticator } from '#tests/support/authenticator'
import {
  authenticate,
  bodyOf,
  givePasskey,
  loginTicket,
  named,
  optionsOf,
  PAGE,
  passkeyStateOf,
  postPasskey,
  verifiedIn,
} from '#tests/support/passkeys'
import { webauthnRoutes } from './routes.ts'

type World = { readonly app: TestApp; readonly company: Company; readonly person: Person; readonly device: Authenticator }
const world = async (...traits: Parameters<typeof authenticator>[1][]): Promise<World> => {
  const app = await startApp(webauthnRoutes)
  const company = await app.company()
  const person = await app.person(company)
  const device = authenticator(PAGE, traits[0])
  await givePasskey(app, person, device)
  return { app, company, person, device }
}

const FORMS = [
  ['/admin/beginAuthentication', '/admin/finishAuthentication', ['success', 'user_id', 'email']],
  ['/enduser/beginAuthentication', '/enduser/finishAuthentication', ['success', 'user_id', 'email']],
  ['/beginAuthentication', '/finishAuthentication', ['success', 'message', 'credential_id']],
  ['/biometric/verifyBegin', '/biometric/verifyFinish', ['success', 'message', 'credential_id']],
  ['/biometric/verifyLoginBegin', '/biometric/verifyLoginFinish', ['success', 'message', 'credential_id']],
] as const

test.each(FORMS)('%s, %s: verifies the factor in the login transaction and returns no token', async (begin, finish, members) => {
  const { app, person, device } = await world()
  const ticket = await loginTicket(app, person)
  const options = await optionsOf(await postPasskey(app, begin, named(person), { ticket }))
  expect(options.publicKey).toMatchObject({ rpId: 'localhost', userVerification: 'preferred', allowCredentials: [{ id: device.held[0]?.id }] })
  const credential = device.get(options)
  const done = await postPasskey(app, finish, { ...named(person), session_id: options.session_id, credential }, { ticket })
  expect(done.status).toBe(200)
  expect(Object.keys(await bodyOf(done)).sort()).toEqual([...members].sort())
  expect(await verifiedIn(app, person, ticket)).toEqual(['hwk', 'mfa', 'pwd', 'user'])
  const [passkey] = await findPasskeys(forTenant(app.db, person.tenantId), person.id)
  expect(passkey?.signCount).toBe(2)
  const events = await app.events(person.tenantId)
  expect(events.filter(({ event }) => event === 'factor.verified')).toHaveLength(1)
})

test('the flat form also accepts the assertion at the top of the body', async () => {
  const { app, person, device } = await world()
  const ticket = await loginTicket(app, person)
  const options = await optionsOf(await postPasskey(app, '/beginAuthentication', named(person), { ticket }))
  const body = { ...named(person), session_id: options.session_id, ...device.get(options) }
  expect((await postPasskey(app, '/finishAuthentication', body, { ticket })).status).toBe(200)
  const without = await postPasskey(app, '/finishAuthentication', named(person), { ticket })
  expect([without.status, (await bodyOf(without)).error]).toEqual([400, 'email and credential are required'])
})

test('a ceremony of one form cannot be finished at another', async () => {
  const { app, person, device } = await world()
  const ticket = await loginTicket(app, person)
  const options = await optionsOf(await postPasskey(app, '/biometric/verifyLoginBegin', named(person), { ticket }))
  const body = { ...named(person), session_id: options.session_id, credential: device.get(options) }
  const wrong = await postPasskey(app, '/finishAuthentication', body, { ticket })
  expect([wrong.status, (await bodyOf(wrong)).error]).toEqual([400, 'no authentication session'])
  expect((await postPasskey(app, '/biometric/verifyLoginFinish', body, { ticket })).status).toBe(200)
})

test('a person without a passkey gets 400, and 428 in the flat forms', async () => {
  const { app, company } = await world()
  const person = await app.person(company)
  const ticket = await loginTicket(app, person)
  const admin = await postPasskey(app, '/admin/beginAuthentication', named(person), { ticket })
  expect([admin.status, await bodyOf(admin)]).toEqual([400, expect.objectContaining({ error: 'no credentials' })])
  for (const path of ['/beginAuthentication', '/biometric/verifyBegin', '/biometric/verifyLoginBegin']) {
    const flat = await postPasskey(app, path, named(person), { ticket })
    expect(flat.status).toBe(428)
    expect(await bodyOf(flat)).toMatchObject({ error: 'no_credentials', message: expect.any(String), registration_required: true })
  }
})

test.each([-7, -8, -257] as const)('accepts signatures of algorithm %i', async (algorithm: Algorithm) => {
  const { app, person, device } = await world({ algorithm })
  expect((await authenticate(app, person, device, { ticket: await loginTicket(app, person) })).status).toBe(200)
})

test('after a password user presence is enough and counts as one factor; a synchronised key is software-secured', async () => {
  for (const [traits, amr] of [
    [{ uv: false }, ['hwk', 'pwd', 'user']],
    [{ synced: true }, ['mfa', 'pwd', 'swk', 'user']],
  ] as const) {
    const { app, person, device } = await world(traits)
    const ticket = await loginTicket(app, person)
    expect((await authenticate(app, person, device, { ticket })).status).toBe(200)
    expect(await verifiedIn(app, person, ticket)).toEqual(amr)
  }
})

test('without a proved password the passkey must verify the user', async () => {
  const { app, person, device } = await world()
  const ticket = await loginTicket(app, person, ['fed'])
  const options = await optionsOf(await postPasskey(app, '/beginAuthentication', named(person), { ticket }))
  expect(options.publicKey.userVerification).toBe('required')
  const body = { ...named(person), session_id: options.session_id, credential: device.get(options, { uv: false }) }
  const before = await passkeyStateOf(app, person)
  expect((await postPasskey(app, '/finishAuthentication', body, { ticket })).status).toBe(401)
  expect(await passkeyStateOf(app, person)).toEqual(before)
})

test('accepts repeated signatures of an authenticator that has no counter', async () => {
  const { app, person, device } = await world({ counts: 0 })
  for (let n = 0; n < 3; n++) expect((await authenticate(app, person, device, { ticket: await loginTicket(app, person) })).status).toBe(200)
})

test('in a session it renews the sign-in under a new token and revokes the old one', async () => {
  const { app, person, device } = await world()
  const token = await app.token(person)
  app.clock.advance(3600)
  const options = await optionsOf(await postPasskey(app, '/biometric/verifyBegin', named(person), { token }))
  const credential = device.get(options)
  const done = await postPasskey(app, '/biometric/verifyFinish', { ...named(person), session_id: options.session_id, credential }, { token })
  const body = await bodyOf(done)
  expect(body).toMatchObject({ success: true, token_type: 'Bearer', acr: 'aal3', amr: ['hwk', 'mfa', 'pwd', 'user'] })
  expect((await app.request('/authsec/webauthn/passkeys', { token })).status).toBe(401)
  const renewed = String(body.access_token)
  expect((await app.request('/authsec/webauthn/passkeys', { token: renewed })).status).toBe(200)
  const claims = JSON.parse(Buffer.from(renewed.split('.')[1] ?? '', 'base64url').toString())
  expect(claims.auth_time).toBe(Math.floor(app.clock.now().getTime() / 1000))
  // The session is now recent and strong, so the request that was refused before succeeds.
  expect((await postPasskey(app, '/beginRegistration', named(person), { token: renewed })).status).toBe(200)
  const events = await app.events(person.tenantId)
  expect(events.filter(({ event }) => event === 'session.stepped_up')).toHaveLength(1)
})
