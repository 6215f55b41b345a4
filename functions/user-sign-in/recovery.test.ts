import { expect, test } from 'vitest'
import { SYSTEM_TENANT } from '#db/engine/tenant'
import { type Company, cookieJar, PASSWORD, type Person, startApp, type TestApp } from '#tests/support/app'
import { unchanged } from '#tests/support/rows'
import { bodyOf, change, codeIn, eventsOf, leaked, outcomeOf, textIn, wrongCode } from '#tests/support/sign-in'
import { userSignInRoutes } from './routes.ts'

const BASE = '/authsec/uflow/user'
const LOGIN = `${BASE}/login`
const INITIATE = `${BASE}/register/initiate`
const REGISTER = `${BASE}/register`
const FORGOT = `${BASE}/forgot-password`
const VERIFY = `${BASE}/forgot-password/verify-otp`
const RESET = `${BASE}/forgot-password/reset`
const FIRST = 'seven-purple-otters-sing'
const start = async (env: Record<string, string> = {}): Promise<{ app: TestApp; company: Company }> => {
  const app = await startApp(userSignInRoutes, { env })
  return { app, company: await app.company() }
}
const newAddress = (app: TestApp): string => `eve@${app.ctx.random.id()}.example`
const at = (company: Company, email: string, more: Record<string, unknown> = {}) => ({ body: { client_id: company.clientId, email, ...more } })
const call = async (app: TestApp, path: string, company: Company, email: string, more: Record<string, unknown> = {}) =>
  outcomeOf(await app.request(path, at(company, email, more)))
const resetCode = async (app: TestApp, company: Company, person: Person): Promise<string> => {
  await app.request(FORGOT, at(company, person.email))
  return codeIn((await app.mailsTo(person.email)).filter((mail) => /code to reset/.test(mail.subject)))
}

test.each([
  ['fourteen chars', 'password_too_short'],
  ['long-'.repeat(26), 'password_too_long'],
  ['123456789123456789', 'password_breached'],
] as const)('the password %s is refused at sign-up and at reset', async (password, code) => {
  const { app, company } = await start()
  const [email, person] = [newAddress(app), await app.person(company)]
  for (const path of [INITIATE, REGISTER]) {
    expect(await call(app, path, company, email, { password })).toMatchObject({ status: 400, body: { code, field: 'body.password' } })
    expect(await call(app, path, company, email, { password: email })).toMatchObject({ status: 400, body: { code: 'password_guessable' } })
  }
  const otp = await resetCode(app, company, person)
  const reset = (new_password: string) => call(app, RESET, company, person.email, { otp, new_password })
  expect(await reset(password)).toMatchObject({ status: 400, body: { code, field: 'body.new_password' } })
  expect(await reset(person.email)).toMatchObject({ status: 400, body: { code: 'password_guessable' } })
  expect((await reset(FIRST)).status).toBe(200)
})

test('a forgotten password: code, one-time value, new password; the owner is notified and old sessions end', async () => {
  const { app, company } = await start()
  const person = await app.person(company)
  const token = await app.token(person)
  const browser = cookieJar()
  const step = async (path: string, body: unknown): Promise<Response> => {
    const response = await app.request(path, { body, headers: browser.header() })
    browser.take(response)
    return response
  }
  app.clock.advance(1)
  expect(await outcomeOf(await step(FORGOT, at(company, person.email).body))).toEqual({
    status: 200,
    body: { message: expect.any(String), email: person.email },
  })
  const otp = codeIn(await app.mailsTo(person.email))
  const verified = await bodyOf(await step(VERIFY, { email: person.email, otp }))
  expect(verified).toEqual({ message: expect.any(String), email: person.email, reset_token: expect.any(String) })
  expect(await outcomeOf(await step(RESET, at(company, person.email, { new_password: FIRST }).body))).toEqual({
    status: 200,
    body: { message: expect.any(String) },
  })
  await expect(app.ctx.principals.resolve(token)).rejects.toMatchObject({ code: 'invalid_token' })
  expect((await call(app, LOGIN, company, person.email, { password: PASSWORD })).status).toBe(401)
  expect((await call(app, LOGIN, company, person.email, { password: FIRST })).status).toBe(200)
  expect((await app.mailsTo(person.email)).at(-1)?.subject).toMatch(/was changed/)
  expect(await eventsOf(app, company.tenantId, 'user.forgotPassword')).toEqual(['user.password_reset_requested'])
  expect(await eventsOf(app, company.tenantId, 'user.verifyResetCode')).toEqual(['user.password_reset_verified'])
  expect(await eventsOf(app, company.tenantId, 'user.resetPassword')).toEqual(['user.password_reset'])
  expect(await leaked(app, [company.tenantId, SYSTEM_TENANT], [otp, textIn(verified, 'reset_token'), FIRST])).toEqual([])
})

test('an address alone resets nothing, and neither does a code or token of another tenant or person; each gets 400', async () => {
  const { app, company } = await start()
  const other = await app.company('globex')
  const [person, colleague] = [await app.person(company), await app.person(company)]
  const otp = await resetCode(app, company, person)
  expect(await outcomeOf(await app.request(VERIFY, { body: { email: person.email, otp } }))).toMatchObject({
    status: 400,
    body: { code: 'invalid_code' },
  })
  expect(await call(app, VERIFY, company, person.email, { otp: wrongCode(otp) })).toMatchObject({ status: 400, body: { code: 'invalid_code' } })
  expect(await call(app, VERIFY, other, person.email, { otp })).toMatchObject({ status: 400, body: { code: 'invalid_code' } })
  expect(await call(app, VERIFY, company, colleague.email, { otp })).toMatchObject({ status: 400, body: { code: 'invalid_code' } })
  const reset_token = textIn(await bodyOf(await app.request(VERIFY, at(company, person.email, { otp }))), 'reset_token')
  const missing = { status: 400, body: { error: 'No verified reset code found. Ask for a new code.', code: 'reset_code_missing' } }
  const reset = (at: Company, email: string, more: Record<string, unknown>) => call(app, RESET, at, email, { new_password: FIRST, ...more })
  expect(await reset(company, person.email, {})).toMatchObject(missing)
  expect(await reset(company, colleague.email, { reset_token })).toMatchObject(missing)
  expect(await reset(other, person.email, { reset_token })).toMatchObject(missing)
  expect(await reset(company, newAddress(app), { reset_token })).toMatchObject(missing)
  expect(await reset(company, person.email, { reset_token })).toMatchObject({ status: 200 })
  expect(await reset(company, person.email, { reset_token })).toMatchObject(missing)
})

test('a reset proves the mailbox: a person who never confirmed it can sign in afterwards', async () => {
  const { app, company } = await start()
  const person = await app.person(company)
  await change(app, person, { emailVerifiedAt: null })
  expect(await call(app, LOGIN, company, person.email, { password: PASSWORD })).toMatchObject({ body: { code: 'email_not_verified' } })
  const otp = await resetCode(app, company, person)
  await call(app, RESET, company, person.email, { otp, new_password: FIRST })
  expect((await call(app, LOGIN, company, person.email, { password: FIRST })).status).toBe(200)
})

test('a synced account without a password cannot set one with a password-reset mail', async () => {
  const { app, company } = await start()
  const synced = await app.person(company)
  await change(app, synced, { provider: 'ad_sync', isSyncedUser: true, passwordHash: null })
  expect((await call(app, FORGOT, company, synced.email)).status).toBe(200)
  expect(await app.mailsTo(synced.email)).toEqual([])
})

test('a reset ends every other reset in progress', async () => {
  const { app, company } = await start()
  const person = await app.person(company)
  const values: string[] = []
  for (let n = 0; n < 2; n++) {
    app.clock.advance(61)
    const otp = await resetCode(app, company, person)
    values.push(textIn(await bodyOf(await app.request(VERIFY, at(company, person.email, { otp }))), 'reset_token'))
  }
  const [older = '', newer = ''] = values
  expect((await call(app, RESET, company, person.email, { reset_token: newer, new_password: FIRST })).status).toBe(200)
  const again = await unchanged(app, [company], () => call(app, RESET, company, person.email, { reset_token: older, new_password: `${FIRST}-again` }))
  expect(again).toMatchObject({ status: 400, body: { code: 'reset_code_missing' } })
})
