import { expect, test } from 'vitest'
import { SYSTEM_TENANT } from '#db/engine/tenant'
import { type Company, cookieJar, PASSWORD, type Person, startApp, type TestApp } from '#tests/support/app'
import { bodyOf, change, codeIn, configure, eventsOf, leaked, outcomeOf, rowOf, setStatus, textIn, wrongCode } from '#tests/support/sign-in'
import { signUpRoutes } from '../sign-up/routes.ts'
import { authRoutes } from './routes.ts'

const FORGOT = '/authsec/uflow/auth/admin/forgot-password'
const VERIFY = '/authsec/uflow/auth/admin/forgot-password/verify-otp'
const RESET = '/authsec/uflow/auth/admin/forgot-password/reset'
const LOGIN = '/authsec/uflow/auth/admin/login'
const UI_LOGIN = '/authsec/uflow/login'
const CALLBACK = '/authsec/uflow/login/webauthn-callback'
const NEW_PASSWORD = 'nine-silver-herons-wade'
const NOT_VERIFIED = { status: 401, body: { error: 'No verified reset code found. Ask for a new code.', code: 'reset_not_verified' } }
const BAD_CODE = { status: 401, body: { error: 'Invalid or expired OTP', code: 'invalid_otp' } }

const start = async (): Promise<{ app: TestApp; company: Company; admin: Person }> => {
  const app = await startApp([...authRoutes, ...signUpRoutes])
  const company = await app.company()
  return { app, company, admin: company.admin }
}
const requested = async (app: TestApp, person: Person, more: Record<string, unknown> = {}): Promise<string> => {
  expect((await app.request(FORGOT, { body: { email: person.email, ...more } })).status).toBe(200)
  return codeIn((await app.mailsTo(person.email)).filter((mail) => /code to reset/.test(mail.subject)))
}
const verified = async (app: TestApp, person: Person, otp: string): Promise<string> =>
  textIn(await bodyOf(await app.request(VERIFY, { body: { email: person.email, otp } })), 'reset_token')
const setPassword = (app: TestApp, person: Person, more: Record<string, unknown>): Promise<Response> =>
  app.request(RESET, { body: { email: person.email, new_password: NEW_PASSWORD, ...more } })
const signsIn = async (app: TestApp, { email }: Person, password: string): Promise<boolean> =>
  (await app.request(LOGIN, { body: { email, password } })).status === 200

test('A reset takes a mailed code and a one-time value, ends all sessions and transactions, and notifies the owner', async () => {
  const { app, company, admin } = await start()
  const browser = cookieJar()
  const call = async (path: string, body: unknown): Promise<Response> => {
    const response = await app.request(path, { body, headers: { origin: 'http://localhost:3000', ...browser.header() } })
    browser.take(response)
    return response
  }
  const [token, transactionToken] = [await app.token(admin), textIn(await bodyOf(await app.request(UI_LOGIN, { body: admin })), 'login_ticket')]
  await change(app, admin, { failedAttempts: 7, lockedUntil: new Date(app.clock.now().getTime() + 60_000), passwordResetRequired: true })
  app.clock.advance(1)
  const first = await call(FORGOT, { email: admin.email })
  expect([first.status, await bodyOf(first)]).toEqual([200, { message: expect.any(String) }])
  const mails = await app.mailsTo(admin.email)
  expect(mails).toHaveLength(1)
  expect(mails[0]?.text).toContain('192.0.2.1')
  const code = codeIn(mails)
  const second = await call(VERIFY, { email: admin.email, otp: code })
  const value = textIn(await bodyOf(second), 'reset_token')
  expect(second.headers.getSetCookie()).toEqual([`authsec_reset=${value}; Path=/; Max-Age=600; HttpOnly; SameSite=Lax`])
  const third = await call(RESET, { email: admin.email, new_password: NEW_PASSWORD })
  expect([third.status, await bodyOf(third)]).toEqual([200, { message: expect.any(String) }])
  expect(browser.kept.has('authsec_reset')).toBe(false)
  expect((await app.mailsTo(admin.email)).at(-1)?.subject).toMatch(/was changed/)
  await expect(app.ctx.principals.resolve(token)).rejects.toMatchObject({ code: 'invalid_token' })
  const old = { email: admin.email, tenant_id: company.tenantId, mfa_verified: true, login_ticket: transactionToken }
  expect((await app.request(CALLBACK, { body: old })).status).toBe(401)
  expect(await rowOf(app, admin)).toMatchObject({ failedAttempts: 0, lockedUntil: null, passwordResetRequired: false, temporaryPassword: false })
  expect([await signsIn(app, admin, PASSWORD), await signsIn(app, admin, NEW_PASSWORD)]).toEqual([false, true])
  expect(await eventsOf(app, company.tenantId, 'auth.admin.forgotPassword')).toEqual(['user.password_reset_requested'])
  expect(await eventsOf(app, company.tenantId, 'auth.admin.verifyResetCode')).toEqual(['user.password_reset_verified'])
  expect(await eventsOf(app, company.tenantId, 'auth.admin.resetPassword')).toEqual(['user.password_reset'])
  expect(await leaked(app, [company.tenantId, SYSTEM_TENANT], [code, value, NEW_PASSWORD, PASSWORD])).toEqual([])
})

test('The address alone resets nothing, not even after the owner verified the code', async () => {
  const { app, admin } = await start()
  const value = await verified(app, admin, await requested(app, admin))
  expect(await outcomeOf(await setPassword(app, admin, {}))).toMatchObject(NOT_VERIFIED)
  expect(await outcomeOf(await setPassword(app, admin, { reset_token: `${admin.tenantId}.${'A'.repeat(43)}` }))).toMatchObject(NOT_VERIFIED)
  expect(await signsIn(app, admin, PASSWORD)).toBe(true)
  expect((await setPassword(app, admin, { reset_token: value })).status).toBe(200)
})

test('The one-time value works once, for ten minutes, for its own person and tenant', async () => {
  const { app, company, admin } = await start()
  const [colleague, stranger] = [await app.person(company, 'admin'), (await app.company('globex')).admin]
  const value = await verified(app, admin, await requested(app, admin))
  expect(await outcomeOf(await setPassword(app, colleague, { reset_token: value }))).toMatchObject(NOT_VERIFIED)
  expect(await outcomeOf(await setPassword(app, stranger, { reset_token: value }))).toMatchObject(NOT_VERIFIED)
  expect(await outcomeOf(await setPassword(app, admin, { reset_token: value, tenant_domain: 'nowhere' }))).toMatchObject(NOT_VERIFIED)
  expect((await setPassword(app, admin, { reset_token: value, tenant_domain: company.domain })).status).toBe(200)
  expect(await outcomeOf(await setPassword(app, admin, { reset_token: value }))).toMatchObject(NOT_VERIFIED)
  app.clock.advance(61)
  const late = await verified(app, admin, await requested(app, admin))
  app.clock.advance(600)
  expect(await outcomeOf(await setPassword(app, admin, { reset_token: late }))).toMatchObject(NOT_VERIFIED)
})

test('The cookie with the one-time value works only from the origin that received it', async () => {
  const { app, admin } = await start()
  const browser = cookieJar()
  const headers = { origin: 'http://localhost:3000' }
  const otp = await requested(app, admin)
  browser.take(await app.request(VERIFY, { body: { email: admin.email, otp }, headers }))
  const from = (origin: string): Promise<Response> =>
    app.request(RESET, { body: { email: admin.email, new_password: NEW_PASSWORD }, headers: { origin, ...browser.header() } })
  expect(await outcomeOf(await from('https://evil.example'))).toMatchObject(NOT_VERIFIED)
  expect((await from('http://localhost:3000')).status).toBe(200)
})

test('The last step also accepts the code; a refused password does not use it up', async () => {
  const { app, admin } = await start()
  const otp = await requested(app, admin)
  expect(await outcomeOf(await setPassword(app, admin, { otp, new_password: 'short' }))).toMatchObject({
    status: 400,
    body: { code: 'password_too_short', field: 'body.new_password' },
  })
  expect(await outcomeOf(await setPassword(app, admin, { otp: wrongCode(otp) }))).toMatchObject(BAD_CODE)
  expect((await setPassword(app, admin, { otp })).status).toBe(200)
  expect(await outcomeOf(await setPassword(app, admin, { otp }))).toMatchObject(BAD_CODE)
})

test.each([
  ['fourteen chars', 'password_too_short'],
  ['long-'.repeat(26), 'password_too_long'],
  ['123456789123456789', 'password_breached'],
] as const)('The new password %s is refused, and the one-time value stays valid', async (new_password, code) => {
  const { app, admin } = await start()
  const reset_token = await verified(app, admin, await requested(app, admin))
  expect(await outcomeOf(await setPassword(app, admin, { reset_token, new_password }))).toMatchObject({
    status: 400,
    body: { code, field: 'body.new_password' },
  })
  expect(await outcomeOf(await setPassword(app, admin, { reset_token, new_password: admin.email }))).toMatchObject({
    body: { code: 'password_guessable' },
  })
  expect((await setPassword(app, admin, { reset_token })).status).toBe(200)
})

test('A tenant that requires a second factor accepts a password of ten characters', async () => {
  const { app, company, admin } = await start()
  await configure(app, company, { requireSecondFactor: true })
  const reset_token = await verified(app, admin, await requested(app, admin))
  expect((await setPassword(app, admin, { reset_token, new_password: 'xq7-plover' })).status).toBe(200)
})

test('A code has no built-in value, allows five guesses, is replaced by a new one and expires after half an hour', async () => {
  const { app, admin } = await start()
  const check = async (otp: string) => outcomeOf(await app.request(VERIFY, { body: { email: admin.email, otp } }))
  const first = await requested(app, admin)
  expect(await check('111111')).toMatchObject(BAD_CODE)
  app.clock.advance(61)
  const second = await requested(app, admin)
  if (first !== second) expect(await check(first)).toMatchObject(BAD_CODE)
  for (let i = 1; i <= 4; i++) expect(await check(wrongCode(second, i))).toMatchObject(BAD_CODE)
  expect(await check(second)).toMatchObject(BAD_CODE)
  app.clock.advance(61)
  const third = await requested(app, admin)
  app.clock.advance(30 * 60)
  expect(await check(third)).toMatchObject(BAD_CODE)
})

test('A code can be verified once', async () => {
  const { app, admin } = await start()
  const otp = await requested(app, admin)
  await verified(app, admin, otp)
  expect(await outcomeOf(await app.request(VERIFY, { body: { email: admin.email, otp } }))).toMatchObject(BAD_CODE)
})

test('At most one mail a minute and five an hour are sent, and the response does not disclose it', async () => {
  const { app, admin } = await start()
  const answers = new Set<string>()
  for (let minute = 0; minute < 8; minute++) {
    for (let i = 0; i < 2; i++) answers.add(await (await app.request(FORGOT, { body: { email: admin.email } })).text())
    app.clock.advance(60)
  }
  expect(answers.size).toBe(1)
  expect(await app.mailsTo(admin.email)).toHaveLength(5)
})

test('No code goes to disabled or removed accounts, suspended tenants, people without a password or people who are not administrators', async () => {
  const { app, company } = await start()
  const suspended = await app.company('suspended')
  await setStatus(app, suspended, 'suspended')
  const [disabled, removed, synced] = [await app.person(company, 'admin'), await app.person(company, 'admin'), await app.person(company, 'admin')]
  const user = await app.person(company)
  await change(app, disabled, { active: false })
  await change(app, removed, { deletedAt: app.clock.now() })
  await change(app, synced, { provider: 'entra_id', isSyncedUser: true, passwordHash: null })
  for (const person of [disabled, removed, synced, user, suspended.admin]) {
    const tenant_domain = person === suspended.admin ? suspended.domain : company.domain
    expect((await app.request(FORGOT, { body: { email: person.email, tenant_domain } })).status).toBe(200)
    expect(await app.mailsTo(person.email)).toEqual([])
  }
})

test('The second step uses the tenant that the first step named', async () => {
  const { app, company } = await start()
  const other = await app.company('globex')
  const elsewhere = await app.person(other, 'admin')
  await change(app, elsewhere, { email: company.admin.email })
  const browser = cookieJar()
  browser.take(await app.request(FORGOT, { body: { email: company.admin.email, tenant_domain: other.domain } }))
  const otp = codeIn(await app.mailsTo(company.admin.email))
  expect(await outcomeOf(await app.request(VERIFY, { body: { email: company.admin.email, otp } }))).toMatchObject(BAD_CODE)
  const answer = await app.request(VERIFY, { body: { email: company.admin.email, otp }, headers: browser.header() })
  expect(answer.status).toBe(200)
  const done = await app.request(RESET, {
    body: { email: company.admin.email, new_password: NEW_PASSWORD, reset_token: textIn(await bodyOf(answer), 'reset_token') },
  })
  expect(done.status).toBe(200)
  expect(await signsIn(app, company.admin, PASSWORD)).toBe(true)
})

test('A reset with a mailed code verifies the address', async () => {
  const { app, company } = await start()
  const admin = await app.person(company, 'admin')
  await change(app, admin, { emailVerifiedAt: null })
  const otp = await requested(app, admin)
  expect((await setPassword(app, admin, { otp })).status).toBe(200)
  expect((await rowOf(app, admin))?.emailVerifiedAt).toEqual(app.clock.now())
})
