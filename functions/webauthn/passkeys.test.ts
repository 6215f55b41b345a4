// A person's own passkeys, and the alarm about one that may have been copied.
import { expect, test } from 'vitest'
import { directory } from '#db/engine/tenant'
import { findTenantOfPasskey } from '#db/store/passkeys'
import { type Company, type Person, startApp, type TestApp } from '#tests/support/app'
import { type Authenticator, authenticator } from '#tests/support/authenticator'
import { authenticate, bodyOf, givePasskey, loginTicket, named, optionsOf, PAGE, passkeyStateOf, postPasskey } from '#tests/support/passkeys'
import { change, configure, enrol } from '#tests/support/sign-in'
import { webauthnRoutes } from './routes.ts'

const OWN = '/authsec/webauthn/passkeys'
const ALARMS = '/authsec/webauthn/alarms'
const STRONG = ['hwk', 'mfa', 'pwd', 'user'] as const

type World = { readonly app: TestApp; readonly company: Company; readonly person: Person; readonly device: Authenticator }
const world = async (): Promise<World> => {
  const app = await startApp(webauthnRoutes)
  const company = await app.company()
  return { app, company, person: await app.person(company), device: authenticator(PAGE) }
}
const remove = (app: TestApp, token: string, id: string, query = '') => app.request(`${OWN}/${id}${query}`, { method: 'DELETE', token })

test('the owner sees their passkeys and the signals for a password manager', async () => {
  const { app, person, device } = await world()
  const first = await givePasskey(app, person, device)
  app.clock.advance(1)
  const second = await givePasskey(app, person, authenticator(PAGE, { synced: true }), 'login.acme.com')
  await authenticate(app, person, device, { ticket: await loginTicket(app, person) })
  const body = await bodyOf(await app.request(OWN, { token: await app.token(person) }))
  const userHandle = Buffer.from(person.id).toString('base64url')
  expect(body).toMatchObject({
    passkeys: [
      { id: second.factorId, credential_id: second.id, name: 'Laptop', rp_id: 'login.acme.com', synced: true, backed_up: true },
      { id: first.factorId, credential_id: first.id, synced: false, user_verified: true, last_used_at: app.clock.now().toISOString() },
    ],
    signals: [
      { rp_id: 'login.acme.com', user_id: userHandle, all_accepted_credential_ids: [second.id], name: person.email, display_name: 'Pat Person' },
      { rp_id: 'localhost', user_id: userHandle, all_accepted_credential_ids: [first.id] },
    ],
  })
  expect(JSON.stringify(body)).not.toContain('public_key')
  const other = await app.token(await app.person(await app.company('globex')))
  expect(await bodyOf(await app.request(OWN, { token: other }))).toEqual({ passkeys: [], signals: [] })
})

test('only its owner can name a passkey', async () => {
  const { app, company, person, device } = await world()
  const { factorId } = await givePasskey(app, person, device)
  const rename = (token: string, name: string) => app.request(`${OWN}/${factorId}`, { method: 'PATCH', body: { name }, token })
  const token = await app.token(person)
  expect(await bodyOf(await rename(token, ' Work laptop '))).toMatchObject({ passkeys: [{ name: 'Work laptop' }] })
  expect((await rename(token, '')).status).toBe(400)
  const other = await app.token(await app.person(company))
  const before = await passkeyStateOf(app, person)
  expect((await rename(other, 'Mine')).status).toBe(404)
  expect(await passkeyStateOf(app, person)).toEqual(before)
})

test('a removed passkey no longer signs in and is gone from the directory, and the answer has the signals for the browser', async () => {
  const { app, person, device } = await world()
  const gone = await givePasskey(app, person, device)
  const kept = await givePasskey(app, person, authenticator(PAGE))
  const weak = await app.token(person)
  const refused = await remove(app, weak, gone.factorId)
  expect([refused.status, refused.headers.get('www-authenticate')]).toEqual([401, expect.stringContaining('acr_values="aal2"')])
  const other = await app.token(person)
  const done = await remove(app, await app.token(person, STRONG), gone.factorId)
  expect(await bodyOf(done)).toMatchObject({
    success: true,
    unknown: { rp_id: 'localhost', credential_id: gone.id },
    signals: [{ rp_id: 'localhost', all_accepted_credential_ids: [kept.id] }],
  })
  expect((await app.request(OWN, { token: other })).status).toBe(401)
  const entry = app.ctx.hash('passkey-directory', gone.id, gone.userHandle)
  expect(await findTenantOfPasskey(directory(app.db), entry)).toBeUndefined()
  const options = await optionsOf(await postPasskey(app, '/passkey/begin', {}))
  expect((await postPasskey(app, '/passkey/finish', { session_id: options.session_id, credential: device.get(options) })).status).toBe(401)
  expect((await app.mailsTo(person.email)).at(-1)?.subject).toContain('was removed')
})

test('the last factor cannot be removed where one is required, and a weaker one replaces it only on confirmation', async () => {
  const { app, company, person, device } = await world()
  const { factorId } = await givePasskey(app, person, device)
  await configure(app, company, { requireSecondFactor: true })
  const token = await app.token(person, STRONG)
  const code = async (response: Response) => [response.status, (await bodyOf(response)).code]
  expect(await code(await remove(app, token, factorId, '?accept_weaker=true'))).toEqual([409, 'last_factor'])
  await enrol(app, person, 'totp')
  expect(await code(await remove(app, token, factorId))).toEqual([409, 'weaker_factors_remain'])
  await change(app, person, { passwordHash: null })
  expect(await code(await remove(app, token, factorId, '?accept_weaker=true'))).toEqual([409, 'last_factor'])
})

test('a counter that went back is refused, marked, recorded, mailed and listed for administrators; the passkey is blocked from then on', async () => {
  const { app, company, person, device } = await world()
  const { id, factorId } = await givePasskey(app, person, device)
  const ticket = await loginTicket(app, person)
  expect((await authenticate(app, person, device, { ticket })).status).toBe(200)
  const again = await loginTicket(app, person)
  const options = await optionsOf(await postPasskey(app, '/beginAuthentication', named(person), { ticket: again }))
  const body = { ...named(person), session_id: options.session_id, credential: device.get(options, { counter: 2 }) }
  const refused = await postPasskey(app, '/finishAuthentication', body, { ticket: again })
  expect([refused.status, (await bodyOf(refused)).error]).toEqual([401, 'authentication failed'])
  const events = await app.events(person.tenantId, { event: 'passkey.counter_regressed' })
  expect(events).toMatchObject([{ targetId: factorId, subjectId: person.id }])
  expect((await app.mailsTo(person.email)).at(-1)?.subject).toContain('may have been copied')
  // The copy with the higher counter is blocked too.
  const next = await loginTicket(app, person)
  expect((await postPasskey(app, '/beginAuthentication', named(person), { ticket: next })).status).toBe(428)
  const onlyPasskey = await optionsOf(await postPasskey(app, '/passkey/begin', {}))
  expect(
    (await postPasskey(app, '/passkey/finish', { session_id: onlyPasskey.session_id, credential: device.get(onlyPasskey, { counter: 99 }) })).status,
  ).toBe(401)
  const admin = await app.token(await app.person(company, ['admin:access', 'users:read']))
  expect(await bodyOf(await app.request(ALARMS, { token: admin }))).toMatchObject({
    alarms: [{ id: factorId, user_id: person.id, email: person.email, name: 'Laptop', at: app.clock.now().toISOString() }],
  })
  const other = await app.company('globex')
  expect(await bodyOf(await app.request(ALARMS, { token: await app.token(other.admin) }))).toEqual({ alarms: [] })
  const own = await bodyOf(await app.request(OWN, { token: await app.token(person) }))
  expect(own.passkeys).toMatchObject([{ credential_id: id, counter_alarm_at: app.clock.now().toISOString() }])
})

test('a forged signature with a lower counter raises no alarm', async () => {
  const { app, person, device } = await world()
  await givePasskey(app, person, device)
  const ticket = await loginTicket(app, person)
  const options = await optionsOf(await postPasskey(app, '/beginAuthentication', named(person), { ticket }))
  const before = await passkeyStateOf(app, person)
  const credential = device.get(options, { counter: 1, forged: true })
  expect((await postPasskey(app, '/finishAuthentication', { ...named(person), session_id: options.session_id, credential }, { ticket })).status).toBe(
    401,
  )
  expect(await passkeyStateOf(app, person)).toEqual(before)
})
