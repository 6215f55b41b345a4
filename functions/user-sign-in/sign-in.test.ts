import { describe, expect, test } from 'vitest'
import { forTenant, SYSTEM_TENANT } from '#db/engine/tenant'
import { findUserByEmail } from '#db/store/users'
import { type Company, cookieJar, PASSWORD, startApp, type TestApp } from '#tests/support/app'
import { bodyOf, change, codeIn, configure, enrol, eventsOf, leaked, outcomeOf, rowOf, textIn, wrongCode } from '#tests/support/sign-in'
import { userSignInRoutes } from './routes.ts'

const BASE = '/authsec/uflow/user'
const LOGIN = `${BASE}/login`
const STATUS = `${BASE}/login/status`
const INITIATE = `${BASE}/register/initiate`
const COMPLETE = `${BASE}/register/complete`
const REGISTER = `${BASE}/register`
const FORGOT = `${BASE}/forgot-password`
const VERIFY = `${BASE}/forgot-password/verify-otp`
const RESET = `${BASE}/forgot-password/reset`
const FIRST = 'seven-purple-otters-sing'
const SECOND = 'eight-yellow-badgers-hum'
const NO_CLIENT = { status: 400, body: { error: 'Invalid client_id', code: 'invalid_client', field: 'body.client_id' } }

const start = async (env: Record<string, string> = {}): Promise<{ app: TestApp; company: Company }> => {
  const app = await startApp(userSignInRoutes, { env })
  return { app, company: await app.company() }
}
const newAddress = (app: TestApp): string => `eve@${app.ctx.random.id()}.example`
const at = (company: Company, email: string, more: Record<string, unknown> = {}) => ({ body: { client_id: company.clientId, email, ...more } })
const call = async (app: TestApp, path: string, company: Company, email: string, more: Record<string, unknown> = {}) =>
  outcomeOf(await app.request(path, at(company, email, more)))
/** Begins a sign-up, and returns the body that completes it with this code. */
const begin = async (app: TestApp, company: Company, email: string, password: string) => {
  const { status, body } = await call(app, INITIATE, company, email, { password })
  expect(status).toBe(200)
  const registration_ticket = String((body as Record<string, unknown>).registration_ticket)
  return (otp: string) => ({ otp, registration_ticket })
}
const account = (app: TestApp, company: Company, email: string) => findUserByEmail(forTenant(app.db, company.tenantId), email)

test('a verified sign-up: initiate, code, complete; then the password is the first step of a sign-in', async () => {
  const { app, company } = await start()
  const email = newAddress(app)
  const started = await call(app, INITIATE, company, email, { password: FIRST })
  expect(started).toEqual({ status: 200, body: { message: expect.any(String), email, registration_ticket: expect.any(String) } })
  const { registration_ticket } = started.body as Record<string, unknown>
  const code = codeIn(await app.mailsTo(email))
  expect(await account(app, company, email)).toBeUndefined()
  expect(await call(app, COMPLETE, company, email, { otp: code, registration_ticket })).toEqual({
    status: 200,
    body: { message: expect.any(String), email },
  })
  expect(await account(app, company, email)).toMatchObject({ provider: 'custom', clientId: company.clientId, emailVerifiedAt: app.clock.now() })
  const response = await app.request(LOGIN, at(company, email, { password: FIRST }))
  const step = await bodyOf(response)
  expect(step).toMatchObject({
    tenant_id: company.tenantId,
    tenant_domain: company.domain,
    email,
    first_login: true,
    mfa_required: false,
    methods: [],
  })
  expect([step.token, step.access_token]).toEqual([undefined, undefined])
  expect(response.headers.getSetCookie()[0]).toContain(`authsec_login=${step.login_ticket}`)
  expect(await call(app, COMPLETE, company, email, { otp: code, registration_ticket })).toMatchObject({
    status: 400,
    body: { code: 'registration_expired' },
  })
  expect(await eventsOf(app, company.tenantId, 'user.register.initiate')).toEqual(['registration.started'])
  expect(await eventsOf(app, company.tenantId, 'user.register.complete')).toEqual(['user.created'])
  expect(await eventsOf(app, company.tenantId, 'user.login')).toEqual(['login.first_factor_verified'])
  expect(await leaked(app, [company.tenantId, SYSTEM_TENANT], [FIRST, code, textIn(step, 'login_ticket'), String(registration_ticket)])).toEqual([])
})

test('both sign-ups answer a known address like an unknown one, change nothing and notify the owner', async () => {
  const { app, company } = await start()
  for (const path of [INITIATE, REGISTER]) {
    const [person, synced, email] = [await app.person(company), await app.person(company), newAddress(app)]
    await change(app, synced, { provider: 'entra_id', isSyncedUser: true, passwordHash: null })
    const before = [await rowOf(app, person), await rowOf(app, synced)]
    const plain = (answer: object, address: string) =>
      JSON.stringify(answer)
        .replace(address, email)
        .replace(/"registration_ticket":"[^"]+"/, '"ticket"')
    const unknown = plain(await call(app, path, company, email, { password: FIRST }), email)
    for (const known of [person, synced]) {
      const answer = await call(app, path, company, known.email, { password: FIRST })
      expect(plain(answer, known.email)).toBe(unknown)
      const { registration_ticket } = answer.body as Record<string, unknown>
      expect((await app.mailsTo(known.email)).map(({ subject }) => subject)).toEqual([expect.stringMatching(/already have an account/)])
      expect(await call(app, COMPLETE, company, known.email, { otp: '111111', registration_ticket })).toMatchObject({
        status: 401,
        body: { code: 'invalid_otp' },
      })
    }
    expect([await rowOf(app, person), await rowOf(app, synced)]).toEqual(before)
  }
})

describe('a sign-up belongs to the browser or client that began it', () => {
  test.each(['an earlier', 'a later'])(
    '%s attempt of someone else for the same address never sets the password, and its code completes no sign-up here',
    async (when) => {
      const { app, company } = await start()
      const [email, jar] = [newAddress(app), cookieJar()]
      const foreignAttempt = () => call(app, INITIATE, company, email, { password: SECOND })
      const ownAttempt = async () => {
        const response = await app.request(INITIATE, { ...at(company, email, { password: FIRST }), headers: jar.header() })
        expect(response.headers.getSetCookie().join()).toMatch(/authsec_sign_up=[^;]+;.*HttpOnly/)
        jar.take(response)
      }
      await (when === 'an earlier' ? foreignAttempt() : ownAttempt())
      const first = codeIn(await app.mailsTo(email))
      app.clock.advance(61)
      await (when === 'an earlier' ? ownAttempt() : foreignAttempt())
      const second = codeIn(await app.mailsTo(email))
      const [foreign, mine] = when === 'an earlier' ? [first, second] : [second, first]
      const finish = async (otp: string) => outcomeOf(await app.request(COMPLETE, { ...at(company, email, { otp }), headers: jar.header() }))
      expect(await finish(foreign)).toMatchObject({ status: 401, body: { code: 'invalid_otp' } })
      expect(await account(app, company, email)).toBeUndefined()
      expect((await finish(mine)).status).toBe(200)
      expect((await call(app, LOGIN, company, email, { password: SECOND })).status).toBe(401)
      expect((await call(app, LOGIN, company, email, { password: FIRST })).status).toBe(200)
    },
  )

  test('a code alone in a browser, or with the ticket of another sign-up, creates no account', async () => {
    const { app, company } = await start()
    const [email, other] = [newAddress(app), newAddress(app)]
    const own = await begin(app, company, email, FIRST)
    const otp = codeIn(await app.mailsTo(email))
    const { registration_ticket } = (await begin(app, company, other, SECOND))(otp)
    const before = await app.events(company.tenantId)
    for (const more of [{ registration_ticket }, { registration_ticket: 'x' }]) {
      expect(await call(app, COMPLETE, company, email, { otp, ...more })).toMatchObject({ status: 400, body: { code: 'registration_expired' } })
    }
    const inBrowser = { ...at(company, email, { otp }), headers: { origin: 'http://localhost:7468' } }
    expect(await outcomeOf(await app.request(COMPLETE, inBrowser))).toMatchObject({ status: 400, body: { code: 'registration_expired' } })
    expect(await account(app, company, email)).toBeUndefined()
    const written = (await app.events(company.tenantId)).slice(0, -before.length)
    expect(written.map(({ event, outcome }) => [event, outcome])).toEqual([])
    expect((await call(app, COMPLETE, company, email, own(otp))).status).toBe(200)
  })
})

test('the mailed code decides which attempt becomes the account, at the client where it started', async () => {
  const { app, company } = await start()
  const other = await app.company('globex')
  const email = newAddress(app)
  await begin(app, company, email, FIRST)
  app.clock.advance(61)
  const complete = await begin(app, company, email, SECOND)
  const code = codeIn(await app.mailsTo(email))
  expect(await call(app, COMPLETE, other, email, complete(code))).toMatchObject({ status: 400, body: { code: 'registration_expired' } })
  expect(await call(app, COMPLETE, company, email, complete(wrongCode(code)))).toMatchObject({ status: 401, body: { code: 'invalid_otp' } })
  expect((await call(app, COMPLETE, company, email, complete(code))).status).toBe(200)
  expect((await call(app, LOGIN, company, email, { password: FIRST })).status).toBe(401)
  expect((await call(app, LOGIN, company, email, { password: SECOND })).status).toBe(200)
})

test('a sign-up code ends after five wrong guesses or ten minutes, and the sign-up after half an hour', async () => {
  const { app, company } = await start()
  const email = newAddress(app)
  const complete = await begin(app, company, email, FIRST)
  const code = codeIn(await app.mailsTo(email))
  for (let i = 1; i <= 5; i++) expect((await call(app, COMPLETE, company, email, complete(wrongCode(code, i)))).status).toBe(401)
  expect((await call(app, COMPLETE, company, email, complete(code))).status).toBe(401)
  app.clock.advance(61)
  const completeNext = await begin(app, company, email, FIRST)
  const second = codeIn(await app.mailsTo(email))
  app.clock.advance(600)
  expect((await call(app, COMPLETE, company, email, completeNext(second))).status).toBe(401)
  app.clock.advance(1200)
  expect(await call(app, COMPLETE, company, email, completeNext(second))).toMatchObject({ status: 400, body: { code: 'registration_expired' } })
})

test('an address gets at most one sign-up mail a minute and five an hour', async () => {
  const { app, company } = await start()
  const email = newAddress(app)
  expect((await call(app, INITIATE, company, email, { password: FIRST })).status).toBe(200)
  for (const path of [INITIATE, REGISTER]) {
    expect(await call(app, path, company, email, { password: FIRST })).toMatchObject({ status: 429, body: { code: 'too_many_codes' } })
  }
  for (let i = 0; i < 4; i++) {
    app.clock.advance(60)
    expect((await call(app, INITIATE, company, email, { password: FIRST })).status).toBe(200)
  }
  app.clock.advance(60)
  expect((await call(app, INITIATE, company, email, { password: FIRST })).status).toBe(429)
  expect(await app.mailsTo(email)).toHaveLength(5)
})

test('an unknown or malformed client is refused', async () => {
  const { app, company } = await start()
  const other = { ...company, clientId: company.tenantId }
  const email = newAddress(app)
  for (const signInContext of [other, { ...company, clientId: 'nonsense' }]) {
    expect(await call(app, STATUS, signInContext, email)).toMatchObject(NO_CLIENT)
    for (const path of [INITIATE, REGISTER]) expect(await call(app, path, signInContext, email, { password: FIRST })).toMatchObject(NO_CLIENT)
    expect(await call(app, COMPLETE, signInContext, email, { otp: '123456' })).toMatchObject(NO_CLIENT)
    expect(await call(app, FORGOT, signInContext, email)).toMatchObject(NO_CLIENT)
    expect(await call(app, VERIFY, signInContext, email, { otp: '123456' })).toMatchObject(NO_CLIENT)
    expect(await call(app, RESET, signInContext, email, { new_password: FIRST })).toMatchObject(NO_CLIENT)
  }
})

test('direct sign-up creates the account at once where the tenant allows it', async () => {
  const { app, company } = await start()
  await configure(app, company, { directSignUp: true, quotas: { users: 2 } })
  const [email, late] = [newAddress(app), newAddress(app)]
  expect(await call(app, REGISTER, company, email, { password: FIRST })).toMatchObject({ status: 200, body: { email } })
  expect((await call(app, LOGIN, company, email, { password: FIRST })).status).toBe(200)
  expect(await eventsOf(app, company.tenantId, 'user.register')).toEqual(['user.created'])
  expect(await call(app, REGISTER, company, late, { password: FIRST })).toMatchObject({ status: 429, body: { code: 'quota_exceeded' } })
  const complete = await begin(app, company, late, FIRST)
  const otp = codeIn(await app.mailsTo(late))
  expect(await call(app, COMPLETE, company, late, complete(otp))).toMatchObject({ status: 429, body: { code: 'quota_exceeded' } })
})

test('an account that was created while the code was in transit is not taken over', async () => {
  const { app, company } = await start()
  const [email, rival] = [newAddress(app), await app.person(company)]
  const complete = await begin(app, company, email, FIRST)
  const otp = codeIn(await app.mailsTo(email))
  await change(app, rival, { email })
  expect(await call(app, COMPLETE, company, email, complete(otp))).toMatchObject({
    status: 409,
    body: { error: 'User already exists', code: 'email_taken' },
  })
  expect((await call(app, LOGIN, company, email, { password: PASSWORD })).status).toBe(200)
})

test('login discloses the factors only after the right password; synced accounts always count as new', async () => {
  const { app, company } = await start()
  const [person, synced] = [await app.person(company), await app.person(company)]
  await enrol(app, person, 'sms')
  expect(await call(app, LOGIN, company, person.email, { password: PASSWORD })).toMatchObject({
    status: 200,
    body: { mfa_required: true, otp_required: false, webauthn_required: false, mfa_method: 'sms', methods: ['sms'] },
  })
  await change(app, synced, { provider: 'ad_sync', isSyncedUser: true, lastLoginAt: app.clock.now(), emailVerifiedAt: null })
  expect(await call(app, LOGIN, company, synced.email, { password: PASSWORD })).toMatchObject({ status: 200, body: { first_login: true } })
})

test('login discloses the account state only after the right password', async () => {
  const { app, company } = await start()
  const person = await app.person(company)
  const expectDisclosed = async (set: Parameters<typeof change>[2], code: string): Promise<void> => {
    await change(app, person, set)
    expect(await call(app, LOGIN, company, person.email, { password: PASSWORD })).toMatchObject({ status: 401, body: { code } })
    expect(await call(app, LOGIN, company, person.email, { password: 'wrong' })).toMatchObject({ status: 401, body: { code: 'invalid_credentials' } })
  }
  await expectDisclosed({ emailVerifiedAt: null }, 'email_not_verified')
  await expectDisclosed({ temporaryPassword: true, temporaryPasswordExpiresAt: app.clock.now() }, 'temporary_password_expired')
  await expectDisclosed({ passwordResetRequired: true }, 'password_reset_required')
  expect(await call(app, LOGIN, company, person.email)).toMatchObject({ status: 400, body: { field: 'body.password' } })
})

test('login keeps accounts of two companies with the same address apart', async () => {
  const { app, company } = await start()
  const other = await app.company('globex')
  const [here, there] = [await app.person(company), await app.person(other)]
  await change(app, there, { email: here.email, passwordHash: await app.ctx.passwords.hash(SECOND) })
  expect(await call(app, LOGIN, company, here.email, { password: PASSWORD })).toMatchObject({ status: 200, body: { tenant_id: company.tenantId } })
  expect(await call(app, LOGIN, other, here.email, { password: SECOND })).toMatchObject({ status: 200, body: { tenant_id: other.tenantId } })
  expect((await call(app, LOGIN, other, here.email, { password: PASSWORD })).status).toBe(401)
})

test('login status answers the same for every address, unless the deployment discloses accounts', async () => {
  const strict = await start()
  const known = await strict.app.person(strict.company)
  const answers = [
    await call(strict.app, STATUS, strict.company, known.email),
    await call(strict.app, STATUS, strict.company, newAddress(strict.app)),
  ]
  expect(answers[0]).toEqual({ status: 200, body: { response: 'true', message: expect.any(String) } })
  expect(answers[1]).toEqual(answers[0])
  const open = await start({ COMPATIBILITY: 'authsec' })
  const person = await open.app.person(open.company)
  expect(await call(open.app, STATUS, open.company, person.email)).toMatchObject({ body: { response: 'true' } })
  expect(await call(open.app, STATUS, open.company, newAddress(open.app))).toMatchObject({ body: { response: 'false' } })
  expect(await call(open.app, INITIATE, open.company, person.email, { password: FIRST })).toMatchObject({
    status: 409,
    body: { code: 'email_taken' },
  })
  expect(await call(open.app, REGISTER, open.company, person.email, { password: FIRST })).toMatchObject({ status: 200, body: { response: 'true' } })
  expect((await call(open.app, LOGIN, open.company, person.email, { password: PASSWORD })).status).toBe(200)
})
