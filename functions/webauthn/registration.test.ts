// Registering a passkey through every form of AuthSec.
import { expect, test } from 'vitest'
import { forTenant } from '#db/engine/tenant'
import { findPasskeys } from '#db/store/passkeys'
import { findFactorKinds } from '#db/store/users'
import { cookieJar, startApp } from '#tests/support/app'
import { type Algorithm, authenticator } from '#tests/support/authenticator'
import { bodyOf, givePasskey, loginTicket, named, optionsOf, PAGE, passkeyStateOf, postPasskey, register, verifiedIn } from '#tests/support/passkeys'
import { webauthnRoutes } from './routes.ts'

const world = async () => {
  const app = await startApp(webauthnRoutes)
  const company = await app.company()
  return { app, company, person: await app.person(company) }
}
const hexOf = (id: string): string => Buffer.from(id, 'base64url').toString('hex')

test('options match AuthSec: user handle, excluded credentials, no attestation, our algorithms', async () => {
  const { app, person } = await world()
  const held = await givePasskey(app, person, authenticator(PAGE))
  const { publicKey, session_id } = await optionsOf(
    await postPasskey(app, '/beginRegistration', named(person), { token: await app.token(person, ['pwd', 'otp']) }),
  )
  expect(publicKey).toMatchObject({
    rp: { id: 'localhost', name: 'AuthSec MFA Service' },
    user: { id: Buffer.from(person.id).toString('base64url'), name: person.email },
    pubKeyCredParams: [-7, -8, -257].map((alg) => ({ type: 'public-key', alg })),
    timeout: 60_000,
    excludeCredentials: [{ type: 'public-key', id: held.id }],
    authenticatorSelection: { residentKey: 'preferred', userVerification: 'preferred' },
    attestation: 'none',
  })
  expect(Buffer.from(publicKey.challenge, 'base64url')).toHaveLength(32)
  expect(session_id).toContain(person.tenantId)
})

const FORMS = [
  ['/admin/beginRegistration', '/admin/finishRegistration', []],
  ['/enduser/beginRegistration', '/enduser/finishRegistration', []],
  ['/beginRegistration', '/finishRegistration', ['message']],
  ['/beginAuthRegistration', '/finishRegistration', ['message']],
  ['/biometric/beginLoginSetup', '/biometric/confirmLoginSetup', ['message']],
] as const

test.each(FORMS)('%s, %s: registers in the login transaction of a person without a factor', async (begin, finish, more) => {
  const { app, company, person } = await world()
  const ticket = await loginTicket(app, person)
  const device = authenticator(PAGE)
  const who = { ...named(person), client_id: company.clientId }
  const options = await optionsOf(await postPasskey(app, begin, who, { ticket }))
  const credential = device.create(options)
  const done = await postPasskey(app, finish, { ...who, session_id: options.session_id, credential }, { ticket })
  expect(done.status).toBe(200)
  const body = await bodyOf(done)
  expect(body).toMatchObject({ success: true, credential_id: hexOf(credential.id) })
  expect(Object.keys(body).sort()).toEqual(['credential_id', ...more, 'success'])
  expect(await verifiedIn(app, person, ticket)).toEqual(['hwk', 'mfa', 'pwd', 'user'])
  const [passkey] = await findPasskeys(forTenant(app.db, person.tenantId), person.id)
  expect(passkey).toMatchObject({
    credentialId: credential.id,
    signCount: 1,
    rpId: 'localhost',
    discoverable: true,
    userVerified: true,
    algorithm: -7,
  })
  expect(await findFactorKinds(forTenant(app.db, person.tenantId), person.id)).toEqual(['webauthn'])
  expect((await app.mailsTo(person.email)).at(-1)?.subject).toContain('was added')
  const events = await app.events(person.tenantId)
  expect(events.filter(({ event }) => event === 'factor.added')).toMatchObject([{ actorId: person.id, subjectId: person.id, outcome: 'success' }])
})

test('biometric setup needs a session', async () => {
  const { app, person } = await world()
  const ticket = await loginTicket(app, person)
  expect((await postPasskey(app, '/biometric/beginSetup', named(person), { ticket })).status).toBe(401)
  const token = await app.token(person)
  const options = await optionsOf(await postPasskey(app, '/biometric/beginSetup', named(person), { token }))
  const credential = authenticator(PAGE).create(options)
  const finish = { ...named(person), session_id: options.session_id, credential }
  expect((await postPasskey(app, '/biometric/confirmSetup', finish, { ticket })).status).toBe(401)
  const done = await postPasskey(app, '/biometric/confirmSetup', finish, { token })
  expect([done.status, await bodyOf(done)]).toEqual([200, { success: true, credential_id: hexOf(credential.id) }])
})

test.each([-7, -8, -257] as const)('accepts algorithm %i, with the attestation of its own key', async (algorithm: Algorithm) => {
  const { app, person } = await world()
  const ticket = await loginTicket(app, person)
  expect((await register(app, person, authenticator(PAGE, { algorithm, attestation: 'packed' }), { ticket })).status).toBe(200)
})

test('the cookie is enough to identify the ceremony', async () => {
  const { app, person } = await world()
  const ticket = await loginTicket(app, person)
  const jar = cookieJar()
  const begun = await postPasskey(app, '/beginRegistration', named(person), { ticket })
  jar.take(begun)
  const credential = authenticator(PAGE).create(await optionsOf(begun))
  const done = await postPasskey(app, '/finishRegistration', { ...named(person), credential }, { ticket, headers: jar.header() })
  expect(done.status).toBe(200)
  jar.take(done)
  expect([...jar.kept.keys()]).toEqual([])
})

test('a passkey has the name its owner gave, otherwise that of its provider', async () => {
  const { app, person } = await world()
  const token = await app.token(person, ['pwd', 'hwk'])
  await register(app, person, authenticator(PAGE), { token }, { name: ' Blue key ' })
  const firefox = 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0'
  await register(app, person, authenticator(PAGE), { token, headers: { 'user-agent': firefox } })
  const list = await bodyOf(await app.request('/authsec/webauthn/passkeys', { token }))
  expect((list.passkeys as { name: string }[]).map(({ name }) => name).sort()).toEqual(['Blue key', 'Firefox on Linux'])
})

test('a client of another tenant gets the same answer as an unknown one', async () => {
  const { app, person } = await world()
  const other = await app.company('globex')
  const ticket = await loginTicket(app, person)
  for (const client_id of [other.clientId, app.ctx.random.id(), 'nonsense']) {
    const response = await postPasskey(app, '/enduser/beginRegistration', { ...named(person), client_id }, { ticket })
    expect([response.status, (await bodyOf(response)).code]).toEqual([400, 'invalid_client'])
  }
  expect((await postPasskey(app, '/enduser/beginRegistration', named(person), { ticket })).status).toBe(400)
})

test('a session must be recent, and strong if there is a factor; the refusal is the challenge of RFC 9470', async () => {
  const { app, person } = await world()
  const old = await app.token(person)
  app.clock.advance(901)
  const refused = await postPasskey(app, '/beginRegistration', named(person), { token: old })
  expect([refused.status, refused.headers.get('www-authenticate')]).toEqual([401, expect.stringContaining('max_age="900"')])
  const token = await app.token(person)
  expect((await register(app, person, authenticator(PAGE), { token })).status).toBe(200)
  const before = await passkeyStateOf(app, person)
  const weak = await postPasskey(app, '/beginRegistration', named(person), { token })
  expect([weak.status, weak.headers.get('www-authenticate')]).toEqual([401, expect.stringContaining('acr_values="aal2"')])
  expect(await passkeyStateOf(app, person)).toEqual(before)
})
