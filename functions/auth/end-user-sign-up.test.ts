import { expect, test } from 'vitest'
import { forTenant } from '#db/engine/tenant'
import { findUserByEmail } from '#db/store/users'
import { type Company, startApp, type TestApp } from '#tests/support/app'
import { change, codeIn, configure, eventsOf, outcomeOf, rowOf, wrongCode } from '#tests/support/sign-in'
import { signUpRoutes } from '../sign-up/routes.ts'
import { userSignInRoutes } from '../user-sign-in/routes.ts'
import { authRoutes } from './routes.ts'

const BASE = '/authsec/uflow/auth/enduser'
const INITIATE = `${BASE}/initiate-registration`
const VERIFY = `${BASE}/verify-otp`
const LOGIN = '/authsec/uflow/user/login'
const FIRST = 'seven-purple-otters-sing'
const REGISTERED = { status: 201, body: { message: 'Registration completed successfully', registration_ticket: expect.any(String) } }
/** The response where no code is mailed. */
const CREATED = { status: 201, body: { message: 'Registration completed successfully' } }
const BAD_CODE = { status: 401, body: { error: 'Invalid or expired OTP', code: 'invalid_otp' } }

const start = async (env: Record<string, string> = {}): Promise<{ app: TestApp; company: Company }> => {
  const app = await startApp([...authRoutes, ...signUpRoutes, ...userSignInRoutes] as never, { env })
  return { app, company: await app.company() }
}
const newAddress = (app: TestApp): string => `eve@${app.ctx.random.id()}.example`
const initiate = (app: TestApp, company: Company, email: string, password = FIRST): Promise<Response> =>
  app.request(INITIATE, { body: { client_id: company.clientId, email, password } })
/** The ticket that completes a sign-up together with the mailed code. */
const ticketIn = async (response: Response) => ({
  registration_ticket: String(((await outcomeOf(response)).body as Record<string, unknown>).registration_ticket),
})
const login = (app: TestApp, company: Company, email: string, password: string): Promise<Response> =>
  app.request(LOGIN, { body: { client_id: company.clientId, email, password } })
const account = (app: TestApp, company: Company, email: string) => findUserByEmail(forTenant(app.db, company.tenantId), email)

test('A sign-up with a known address gets the same response, changes nothing and notifies the owner', async () => {
  const { app, company } = await start()
  const [person, synced] = [await app.person(company), await app.person(company)]
  await change(app, synced, { provider: 'ad_sync', isSyncedUser: true, passwordHash: null })
  for (const known of [person, synced]) {
    const before = await rowOf(app, known)
    const answer = await outcomeOf(await initiate(app, company, known.email))
    expect(answer).toEqual(REGISTERED)
    const { registration_ticket } = answer.body as Record<string, unknown>
    expect(await rowOf(app, known)).toEqual(before)
    const mails = await app.mailsTo(known.email)
    expect(mails.map(({ subject }) => subject)).toEqual([expect.stringMatching(/already have an account/)])
    expect(mails[0]?.text).not.toMatch(/^\s*\d{6}\s*$/m)
    expect((await login(app, company, known.email, FIRST)).status).toBe(401)
    // The next step does not disclose it either.
    const guess = await outcomeOf(
      await app.request(VERIFY, { body: { client_id: company.clientId, email: known.email, otp: '123456', registration_ticket } }),
    )
    expect(guess).toMatchObject(BAD_CODE)
  }
})

test('verify-otp refuses a wrong, expired or unknown code, and a code of another tenant or purpose', async () => {
  const { app, company } = await start()
  const other = await app.company('globex')
  const email = newAddress(app)
  const ticket = await ticketIn(await initiate(app, company, email))
  const code = codeIn(await app.mailsTo(email))
  const verify = async (body: Record<string, unknown>) => outcomeOf(await app.request(VERIFY, { body }))
  const at = { client_id: company.clientId, email, ...ticket }
  expect(await verify({ ...at, otp: wrongCode(code) })).toMatchObject(BAD_CODE)
  expect(await verify({ ...at, otp: '111111' })).toMatchObject(BAD_CODE)
  expect(await verify({ ...ticket, email, client_id: other.clientId, otp: code })).toMatchObject({
    status: 400,
    body: { code: 'registration_expired' },
  })
  expect(await verify({ email: newAddress(app), client_id: company.clientId, otp: code })).toMatchObject({ body: { code: 'registration_expired' } })
  const reset = { body: { email, client_id: company.clientId, otp: code } }
  expect(await outcomeOf(await app.request('/authsec/uflow/user/forgot-password/verify-otp', reset))).toMatchObject({
    body: { code: 'invalid_code' },
  })
  expect(await verify({ ...at, otp: 'none' })).toMatchObject(BAD_CODE)
  expect(await verify({ client_id: company.clientId, email: 'nonsense', otp: code })).toMatchObject({ status: 400, body: { field: 'body.email' } })
  expect(await verify({ ...at })).toMatchObject({ status: 400, body: { field: 'body.otp' } })
  expect(await verify({ email, otp: code })).toMatchObject({ status: 400, body: { code: 'invalid_client', field: 'body.client_id' } })
  app.clock.advance(10 * 60)
  expect(await verify({ ...at, otp: code })).toMatchObject(BAD_CODE)
  app.clock.advance(20 * 60)
  expect(await verify({ ...at, otp: code })).toMatchObject({ status: 400, body: { code: 'registration_expired' } })
})

test('An account that took the address before the code arrived is not overwritten', async () => {
  const { app, company } = await start()
  const email = newAddress(app)
  const ticket = await ticketIn(await initiate(app, company, email))
  const code = codeIn(await app.mailsTo(email))
  const rival = await app.person(company)
  await change(app, rival, { email })
  const before = await rowOf(app, rival)
  expect(await outcomeOf(await app.request(VERIFY, { body: { client_id: company.clientId, email, otp: code, ...ticket } }))).toMatchObject({
    status: 409,
    body: { error: 'User already exists', code: 'email_taken' },
  })
  expect(await rowOf(app, rival)).toEqual(before)
})

test('Direct sign-up creates the account at once and leaves existing accounts unchanged', async () => {
  const { app, company } = await start()
  await configure(app, company, { directSignUp: true })
  const [email, known] = [newAddress(app), await app.person(company)]
  expect(await outcomeOf(await initiate(app, company, email))).toEqual(CREATED)
  expect(await account(app, company, email)).toMatchObject({ emailVerifiedAt: null, provider: 'custom', active: true })
  expect(await eventsOf(app, company.tenantId, 'auth.endUser.initiateRegistration')).toEqual(['user.created'])
  expect((await login(app, company, email, FIRST)).status).toBe(200)
  const before = await rowOf(app, known)
  for (let i = 0; i < 3; i++) expect(await outcomeOf(await initiate(app, company, known.email))).toEqual(CREATED)
  expect(await rowOf(app, known)).toEqual(before)
  expect(await app.mailsTo(known.email)).toHaveLength(1)
  const direct = { status: 501, body: { error: 'Use InitiateRegistration for direct registration', code: 'direct_registration' } }
  expect(await outcomeOf(await app.request(VERIFY, { body: { client_id: company.clientId } }))).toMatchObject(direct)
  await configure(app, company, { directSignUp: false })
  expect(await outcomeOf(await login(app, company, email, FIRST))).toMatchObject({ status: 401, body: { code: 'email_not_verified' } })
  expect(await outcomeOf(await login(app, company, email, 'wrong'))).toMatchObject({ status: 401, body: { code: 'invalid_credentials' } })
})

test('A tenant at its quota of users accepts no sign-up', async () => {
  const { app, company } = await start()
  await configure(app, company, { directSignUp: true, quotas: { users: 2 } })
  expect((await initiate(app, company, newAddress(app))).status).toBe(201)
  const email = newAddress(app)
  expect(await outcomeOf(await initiate(app, company, email))).toMatchObject({ status: 429, body: { code: 'quota_exceeded' } })
  expect(await account(app, company, email)).toBeUndefined()
  await configure(app, company, { directSignUp: false })
  const ticket = await ticketIn(await initiate(app, company, email))
  const otp = codeIn(await app.mailsTo(email))
  expect(await outcomeOf(await app.request(VERIFY, { body: { client_id: company.clientId, email, otp, ...ticket } }))).toMatchObject({
    status: 429,
    body: { code: 'quota_exceeded' },
  })
})

test.each([
  ['fourteen chars', 'password_too_short'],
  ['long-'.repeat(26), 'password_too_long'],
  ['123456789123456789', 'password_breached'],
] as const)('The password %s is refused', async (password, code) => {
  const { app, company } = await start()
  const email = newAddress(app)
  expect(await outcomeOf(await initiate(app, company, email, password))).toMatchObject({ status: 400, body: { code, field: 'body.password' } })
  expect(await outcomeOf(await initiate(app, company, email, email))).toMatchObject({ status: 400, body: { code: 'password_guessable' } })
})

test('At most one code a minute goes to an address that signs up, known or unknown', async () => {
  const { app, company } = await start()
  for (const email of [newAddress(app), (await app.person(company)).email]) {
    expect((await initiate(app, company, email)).status).toBe(201)
    expect(await outcomeOf(await initiate(app, company, email))).toMatchObject({ status: 429, body: { code: 'too_many_codes' } })
  }
})
