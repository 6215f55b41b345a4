// Who cannot enrol a passkey on an account, and what a ceremony must not grant.
import { expect, test } from 'vitest'
import { atomically, forTenant } from '#db/engine/tenant'
import { consumeLoginTransaction } from '#db/store/login-transactions'
import { findUserByEmail } from '#db/store/users'
import { methodOf, pathOf } from '#shared/platform/http/route'
import { type Company, type Person, startApp, type TestApp } from '#tests/support/app'
import { authenticator } from '#tests/support/authenticator'
import { bodyOf, type Caller, givePasskey, loginTicket, named, optionsOf, PAGE, passkeyStateOf, postPasskey, register } from '#tests/support/passkeys'
import { change, configure, enrol } from '#tests/support/sign-in'
import { formRoutes } from './forms.routes.ts'
import { webauthnRoutes } from './routes.ts'

type World = { readonly app: TestApp; readonly company: Company; readonly person: Person }
const world = async (): Promise<World> => {
  const app = await startApp(webauthnRoutes)
  const company = await app.company()
  return { app, company, person: await app.person(company) }
}
/** A complete body for any form; its claims prove nothing. */
const claim = (company: Company, person: { readonly email: string }) => {
  const device = authenticator(PAGE)
  const made = device.create({ publicKey: { challenge: 'AA', rp: { id: 'localhost' }, user: { id: 'AA' } } })
  const asserted = device.get({ publicKey: { challenge: 'AA', rpId: 'localhost' } })
  const who = { email: person.email, tenant_id: company.tenantId as string, client_id: company.clientId, mfa_verified: true }
  return (path: string) => ({
    ...who,
    session_id: `${company.tenantId}.${'A'.repeat(43)}`,
    credential: /Setup|Registration/.test(path) ? made : asserted,
  })
}
const refusedAlike = async (response: Response): Promise<unknown> => {
  const { request_id: _, ...body } = await bodyOf(response)
  return { status: response.status, body, cookies: response.headers.getSetCookie() }
}

const FORMS = formRoutes.map((route) => [pathOf(route).replace('/authsec/webauthn', ''), methodOf(route)] as const)

test.each(FORMS)('%s: an address proves nothing; known and unknown ones get the same answer, and no account is created', async (path) => {
  const { app, company, person } = await world()
  await givePasskey(app, person, authenticator(PAGE))
  const before = await passkeyStateOf(app, person)
  const unknown = `unknown-${app.ctx.random.id()}@example.com`
  const answers = []
  for (const email of [person.email, unknown]) answers.push(await refusedAlike(await postPasskey(app, path, claim(company, { email })(path))))
  expect(answers[0]).toEqual(answers[1])
  expect(answers[0]).toMatchObject({ status: 401, cookies: [] })
  expect(await passkeyStateOf(app, person)).toEqual(before)
  expect(await findUserByEmail(forTenant(app.db, company.tenantId), unknown)).toBeUndefined()
})

test.each(FORMS)('%s: one person\u2019s credentials give no access to another person, in the same tenant or another', async (path) => {
  const { app, company, person } = await world()
  const thief = await app.person(company)
  const foreign = await app.company('globex')
  const outsider = await app.person(foreign)
  const [inside, outside] = [await app.token(thief), await app.token(outsider)]
  const body = claim(company, person)(path)
  const callers: readonly Caller[] = [
    { ticket: await loginTicket(app, thief) },
    { ticket: await loginTicket(app, outsider) },
    { ticket: `${company.tenantId}.${'A'.repeat(43)}` },
    { ticket: 'nonsense' },
  ]
  const before = await passkeyStateOf(app, person)
  const mine = await Promise.all(callers.map(({ ticket }) => passkeyStateOf(app, ticket === callers[1]?.ticket ? outsider : thief)))
  for (const caller of callers) expect((await postPasskey(app, path, body, caller)).status).toBe(401)
  expect((await postPasskey(app, path, body, { token: inside })).status).toBe(401)
  expect((await postPasskey(app, path, body, { token: outside })).status).toBe(403)
  expect(await passkeyStateOf(app, person)).toEqual(before)
  expect((mine[0] as unknown[])[0]).toEqual([])
  expect(((await passkeyStateOf(app, thief)) as unknown[])[1]).toEqual([])
  expect(((await passkeyStateOf(app, outsider)) as unknown[])[1]).toEqual([])
})

const registering = async (app: TestApp, person: Person, caller: Caller): Promise<number> =>
  (await postPasskey(app, '/beginRegistration', named(person), caller)).status

test('a stolen password adds nothing beside an existing factor: a ticket enrols only the first one', async () => {
  const { app, person } = await world()
  await enrol(app, person, 'totp')
  const ticket = await loginTicket(app, person)
  const before = await passkeyStateOf(app, person)
  expect(await registering(app, person, { ticket })).toBe(401)
  expect(await registering(app, person, { token: await app.token(person) })).toBe(401)
  expect(((await passkeyStateOf(app, person)) as unknown[]).slice(0, 3)).toEqual((before as unknown[]).slice(0, 3))
})

test('a ticket\u2019s ceremony ends when another factor is added meanwhile', async () => {
  const { app, person } = await world()
  const ticket = await loginTicket(app, person)
  const options = await optionsOf(await postPasskey(app, '/beginRegistration', named(person), { ticket }))
  await enrol(app, person, 'totp')
  const before = await passkeyStateOf(app, person)
  const body = { ...named(person), session_id: options.session_id, credential: authenticator(PAGE).create(options) }
  expect((await postPasskey(app, '/finishRegistration', body, { ticket })).status).toBe(401)
  expect(await passkeyStateOf(app, person)).toEqual(before)
})

test('where a factor is required, the first one needs a mailbox proof of the last hour', async () => {
  const { app, company, person } = await world()
  await configure(app, company, { requireSecondFactor: true })
  await change(app, person, { emailVerifiedAt: app.clock.now() })
  const proved = await loginTicket(app, person)
  expect(await registering(app, person, { ticket: proved })).toBe(200)
  app.clock.advance(3601)
  const response = await postPasskey(app, '/beginRegistration', named(person), { token: await app.token(person) })
  expect([response.status, (await bodyOf(response)).code]).toEqual([401, 'mailbox_proof_required'])
})

test('a ticket that was used, or whose account was reset or disabled meanwhile, enrols nothing', async () => {
  const { app, person } = await world()
  const spent = await loginTicket(app, person)
  await atomically(forTenant(app.db, person.tenantId), (t) => consumeLoginTransaction(t, app.ctx.hash('ticket', spent), app.clock.now()))
  expect(await registering(app, person, { ticket: spent })).toBe(401)
  const ticket = await loginTicket(app, person)
  await change(app, person, { passwordResetRequired: true })
  expect(await registering(app, person, { ticket })).toBe(401)
  app.clock.advance(1)
  await change(app, person, { passwordResetRequired: false, validFrom: app.clock.now() })
  expect(await registering(app, person, { ticket })).toBe(401)
})

test('an enrolment returns no token and no ticket, in a session or in a login transaction', async () => {
  const { app, person } = await world()
  const callers = [async () => ({ ticket: await loginTicket(app, person) }), async () => ({ token: await app.token(person, ['pwd', 'hwk']) })]
  for (const by of callers) {
    const caller: Caller = await by()
    const done = await register(app, person, authenticator(PAGE), caller)
    expect(done.status).toBe(200)
    expect(Object.keys(await bodyOf(done)).sort()).toEqual(['credential_id', 'message', 'success'])
    expect(done.headers.getSetCookie().every((line) => line.startsWith('authsec_webauthn=;'))).toBe(true)
  }
})

test('enrolling the first factor ends every other session, since those began with less', async () => {
  const { app, person } = await world()
  const other = await app.token(person)
  const token = await app.token(person)
  expect((await register(app, person, authenticator(PAGE), { token })).status).toBe(200)
  const list = (bearer: string) => app.request('/authsec/webauthn/passkeys', { token: bearer })
  expect([(await list(other)).status, (await list(token)).status]).toEqual([401, 200])
})
