// Signing in with only a passkey, from the options to the token.
import { expect, test } from 'vitest'
import { atomically, forTenant } from '#db/engine/tenant'
import { setUserActive } from '#db/store/people'
import { type Company, type Person, startApp, type TestApp } from '#tests/support/app'
import { type Authenticator, authenticator, type Lies } from '#tests/support/authenticator'
import { bodyOf, type Caller, givePasskey, optionsOf, PAGE, passkeyStateOf, postPasskey, verifiedIn } from '#tests/support/passkeys'
import { change, setStatus, textIn, verifyDomain } from '#tests/support/sign-in'
import { webauthnRoutes } from './routes.ts'

type World = { readonly app: TestApp; readonly company: Company; readonly person: Person; readonly device: Authenticator }
const world = async (): Promise<World> => {
  const app = await startApp(webauthnRoutes)
  const company = await app.company()
  const person = await app.person(company)
  const device = authenticator(PAGE)
  await givePasskey(app, person, device)
  return { app, company, person, device }
}
const begin = async (app: TestApp, caller: Caller = {}, body = {}) => optionsOf(await postPasskey(app, '/passkey/begin', body, caller))
const signIn = async ({ app, device }: Pick<World, 'app' | 'device'>, lies: Lies = {}, caller: Caller = {}, body = {}): Promise<Response> => {
  const options = await begin(app, caller, body)
  return postPasskey(app, '/passkey/finish', { session_id: options.session_id, credential: device.get(options, lies) }, caller)
}

test('needs no identifier, requires user verification, and returns a ticket with both factors proved', async () => {
  const here = await world()
  const { app, company, person } = here
  const options = await begin(app)
  expect(options.publicKey).toMatchObject({ rpId: 'localhost', userVerification: 'required', allowCredentials: [] })
  const done = await signIn(here)
  expect(done.status).toBe(200)
  const body = await bodyOf(done)
  expect(body).toMatchObject({ tenant_id: company.tenantId, user_id: person.id, email: person.email, mfa_required: false, first_login: true })
  expect(body).not.toHaveProperty('access_token')
  expect(await verifiedIn(app, person, textIn(body, 'login_ticket'))).toEqual(['hwk', 'user', 'mfa'])
  expect(done.headers.getSetCookie().map((line) => line.split('=')[0])).toEqual(['authsec_login', 'authsec_webauthn'])
})

test('the tenant comes from the passkey, or from the client; with a client, passkeys of other tenants are refused', async () => {
  const here = await world()
  const other = await here.app.company('globex')
  expect((await signIn(here, {}, {}, { client_id: here.company.clientId })).status).toBe(200)
  const before = await passkeyStateOf(here.app, here.person)
  expect((await signIn(here, {}, {}, { client_id: other.clientId })).status).toBe(401)
  expect(await passkeyStateOf(here.app, here.person)).toEqual(before)
  expect((await postPasskey(here.app, '/passkey/begin', { client_id: 'nonsense' })).status).toBe(400)
})

test("a tenant's own domain is a separate relying party, only for that tenant's people", async () => {
  const here = await world()
  const { app, company, person } = here
  const domain = `login-${company.name}.com`
  const page = `https://${domain}`
  await verifyDomain(app, company, domain)
  const device = authenticator(page)
  await givePasskey(app, person, device, domain)
  const options = await begin(app, { origin: page })
  expect(options.publicKey.rpId).toBe(domain)
  expect((await signIn({ app, device }, {}, { origin: page })).status).toBe(200)
  // A passkey of the platform is refused there, even if a browser offered it.
  expect((await signIn({ app, device: here.device }, { origin: page, rpId: domain }, { origin: page })).status).toBe(401)
})

test('refuses people who cannot sign in with a password either: a disabled or reset account, an unverified address, a suspended company', async () => {
  const here = await world()
  const { app, company, person } = here
  const refused = async (status: number): Promise<void> => {
    const before = await passkeyStateOf(app, person)
    expect((await signIn(here)).status).toBe(status)
    expect(await passkeyStateOf(app, person)).toEqual(before)
  }
  await change(app, person, { passwordResetRequired: true })
  await refused(401)
  await change(app, person, { passwordResetRequired: false, emailVerifiedAt: null })
  await refused(401)
  await change(app, person, { emailVerifiedAt: app.clock.now() })
  const active = (yes: boolean) => atomically(forTenant(app.db, person.tenantId), (t) => setUserActive(t, person.id, yes, app.clock.now()))
  await active(false)
  await refused(401)
  await active(true)
  await setStatus(app, company, 'suspended')
  await refused(401)
  await setStatus(app, company, 'active')
  expect((await signIn(here)).status).toBe(200)
})

test('the error for an unknown passkey lets the page ask the browser to forget it; the error for an invalid one does not', async () => {
  const here = await world()
  const unknown = authenticator(PAGE)
  unknown.create({ publicKey: { challenge: '', rp: { id: 'localhost' }, user: { id: Buffer.from(here.person.id).toString('base64url') } } })
  const gone = await signIn({ app: here.app, device: unknown })
  expect([gone.status, (await bodyOf(gone)).signal]).toEqual([
    401,
    { method: 'signalUnknownCredential', rp_id: 'localhost', credential_id: unknown.held[0]?.id },
  ])
  const wrong = await signIn(here, { forged: true })
  expect([wrong.status, (await bodyOf(wrong)).signal]).toEqual([401, undefined])
})
