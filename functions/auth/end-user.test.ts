import { decodeJwt } from 'jose'
import { expect, test } from 'vitest'
import { forTenant, SYSTEM_TENANT } from '#db/engine/tenant'
import { findUserByEmail } from '#db/store/users'
import { type Company, cookieJar, PASSWORD, startApp, type TestApp } from '#tests/support/app'
import { bodyOf, change, codeIn, enrol, eventsOf, leaked, outcomeOf, rowOf, setStatus, textIn } from '#tests/support/sign-in'
import { signUpRoutes } from '../sign-up/routes.ts'
import { userSignInRoutes } from '../user-sign-in/routes.ts'
import { authRoutes } from './routes.ts'

const BASE = '/authsec/uflow/auth/enduser'
const INITIATE = `${BASE}/initiate-registration`
const VERIFY = `${BASE}/verify-otp`
const PRECHECK = `${BASE}/login/precheck`
const CALLBACK = `${BASE}/webauthn-callback`
const LOGIN = '/authsec/uflow/user/login'
const NOTIFY = '/authsec/uflow/auth/notify/new-user-registration'
const FIRST = 'seven-purple-otters-sing'
const REGISTERED = { status: 201, body: { message: 'Registration completed successfully', registration_ticket: expect.any(String) } }
const start = async (env: Record<string, string> = {}): Promise<{ app: TestApp; company: Company }> => {
  const app = await startApp([...authRoutes, ...signUpRoutes, ...userSignInRoutes] as never, { env })
  return { app, company: await app.company() }
}
const newAddress = (app: TestApp): string => `eve@${app.ctx.random.id()}.example`
const initiate = (app: TestApp, company: Company, email: string, password = FIRST): Promise<Response> =>
  app.request(INITIATE, { body: { client_id: company.clientId, email, password } })
const login = (app: TestApp, company: Company, email: string, password: string): Promise<Response> =>
  app.request(LOGIN, { body: { client_id: company.clientId, email, password } })
const account = (app: TestApp, company: Company, email: string) => findUserByEmail(forTenant(app.db, company.tenantId), email)

test("An end user signs up, confirms the code, signs in and gets a token for the client's tenant at the callback", async () => {
  const { app, company } = await start()
  const email = newAddress(app)
  const browser = cookieJar()
  const call = async (path: string, body: unknown): Promise<Response> => {
    const response = await app.request(path, { body, headers: { origin: 'http://localhost:3000', ...browser.header() } })
    browser.take(response)
    return response
  }
  expect(await outcomeOf(await call(INITIATE, { client_id: company.clientId, email, password: FIRST }))).toEqual(REGISTERED)
  expect(await account(app, company, email)).toBeUndefined()
  const code = codeIn(await app.mailsTo(email))
  const confirmed = await call(VERIFY, { email, otp: code })
  expect([confirmed.status, await bodyOf(confirmed)]).toEqual([200, { message: expect.any(String), email }])
  const step = await bodyOf(await call(LOGIN, { client_id: company.clientId, email, password: FIRST }))
  expect(step).toEqual({
    tenant_id: company.tenantId,
    tenant_domain: company.domain,
    email,
    first_login: true,
    otp_required: false,
    webauthn_required: false,
    mfa_required: false,
    methods: [],
    login_ticket: expect.any(String),
  })
  const last = await call(CALLBACK, { email, tenant_id: company.tenantId, mfa_verified: true })
  const done = await bodyOf(last)
  expect(last.status).toBe(200)
  expect(done).toEqual({
    access_token: expect.any(String),
    token_type: 'Bearer',
    expires_in: 86_400,
    first_login: true,
    tenant_id: company.tenantId,
    email,
  })
  const claims = decodeJwt(textIn(done, 'access_token'))
  expect(claims).toMatchObject({ tenant_id: company.tenantId, client_id: company.clientId, email_id: email, amr: ['pwd'], jti: expect.any(String) })
  // The person has no permissions, so the token has no scope or role claims.
  expect([claims.scope, claims.scopes, claims.roles]).toEqual([undefined, undefined, undefined])
  expect((await app.ctx.principals.resolve(textIn(done, 'access_token'))).permissions.size).toBe(0)
  expect(await eventsOf(app, company.tenantId, 'auth.endUser.initiateRegistration')).toEqual(['registration.started'])
  expect(await eventsOf(app, company.tenantId, 'auth.endUser.verifyOtp')).toEqual(['user.created'])
  expect(await eventsOf(app, company.tenantId, 'auth.endUser.finishLogin')).toEqual(['session.created', 'user.signed_in'])
  const secrets = [FIRST, code, textIn(step, 'login_ticket'), textIn(done, 'access_token')]
  expect(await leaked(app, [company.tenantId, SYSTEM_TENANT], secrets)).toEqual([])
})

test('The callback refuses an address and tenant without a ticket, and the ticket of another person', async () => {
  const { app, company } = await start()
  const [person, other] = [await app.person(company), await app.person(company)]
  const refusal = { status: 401, body: { error: 'MFA verification failed', code: 'mfa_verification_failed' } }
  const body = { email: person.email, tenant_id: company.tenantId, mfa_verified: true }
  expect(await outcomeOf(await app.request(CALLBACK, { body }))).toMatchObject(refusal)
  const transactionToken = textIn(await bodyOf(await login(app, company, other.email, PASSWORD)), 'login_ticket')
  expect(await outcomeOf(await app.request(CALLBACK, { body: { ...body, login_ticket: transactionToken } }))).toMatchObject(refusal)
  const own = textIn(await bodyOf(await login(app, company, person.email, PASSWORD)), 'login_ticket')
  expect(await outcomeOf(await app.request(CALLBACK, { body: { ...body, mfa_verified: false, login_ticket: own } }))).toMatchObject(refusal)
  await enrol(app, person)
  expect(await outcomeOf(await app.request(CALLBACK, { body: { ...body, login_ticket: own } }))).toMatchObject(refusal)
})

test('An unknown or malformed client and the client of a suspended tenant are refused', async () => {
  const { app, company } = await start()
  const suspended = await app.company('suspended')
  await setStatus(app, suspended, 'suspended')
  for (const client_id of [company.tenantId, 'nonsense', suspended.clientId]) {
    const body = { client_id, email: newAddress(app), password: FIRST }
    expect(await outcomeOf(await app.request(INITIATE, { body }))).toMatchObject({
      status: 400,
      body: { code: 'invalid_client', field: 'body.client_id' },
    })
  }
  expect(await outcomeOf(await app.request(PRECHECK, { body: { client_id: 'nonsense', email: newAddress(app) } }))).toMatchObject({
    status: 400,
    body: { error: 'Invalid client_id', code: 'invalid_client' },
  })
  expect(
    (await app.request(INITIATE, { body: { client_id: `"${company.clientId.toUpperCase()}-main-client"`, email: newAddress(app), password: FIRST } }))
      .status,
  ).toBe(201)
})

test('The precheck responds alike for every address', async () => {
  const { app, company } = await start()
  const [known, disabled] = [await app.person(company), await app.person(company)]
  await enrol(app, known)
  await change(app, disabled, { active: false })
  for (const email of [known.email, disabled.email, newAddress(app)]) {
    expect(await outcomeOf(await app.request(PRECHECK, { body: { client_id: company.clientId, email } }))).toEqual({
      status: 200,
      body: { email, exists: true, mfa_enabled: false, mfa_method: [], tenant_domain: company.domain, tenant_id: company.tenantId },
    })
  }
})

test('With COMPATIBILITY=authsec accounts are disclosed, but the callback still requires a login ticket', async () => {
  const { app, company } = await start({ COMPATIBILITY: 'authsec' })
  const [known, disabled] = [await app.person(company), await app.person(company)]
  await enrol(app, known)
  await change(app, disabled, { active: false })
  const precheck = async (email: string) => outcomeOf(await app.request(PRECHECK, { body: { client_id: company.clientId, email } }))
  expect(await precheck(known.email)).toMatchObject({ status: 200, body: { mfa_enabled: true, mfa_method: ['totp'] } })
  expect(await precheck(newAddress(app))).toMatchObject({ status: 404, body: { error: 'User not found', code: 'not_found' } })
  expect(await precheck(disabled.email)).toMatchObject({ status: 401, body: { error: 'User account is inactive' } })
  const before = await rowOf(app, known)
  expect(await outcomeOf(await initiate(app, company, known.email))).toEqual({
    status: 200,
    body: { response: 'true', message: 'User already exists' },
  })
  expect(await rowOf(app, known)).toEqual(before)
  expect(await outcomeOf(await app.request(VERIFY, { body: {} }))).toMatchObject({ status: 501, body: { code: 'direct_registration' } })
  const email = newAddress(app)
  expect((await initiate(app, company, email)).status).toBe(201)
  expect((await login(app, company, email, FIRST)).status).toBe(200)
  expect((await app.request(CALLBACK, { body: { email, tenant_id: company.tenantId, mfa_verified: true } })).status).toBe(401)
})

test('The end-user entry point also creates challenges', async () => {
  const { app } = await start()
  expect((await bodyOf(await app.request(`${BASE}/challenge`))).challenge).toEqual(expect.any(String))
})

test('Administrators are notified of a new person once', async () => {
  const { app, company } = await start()
  const person = await app.person(company)
  const token = await app.token(person)
  const notify = (): Promise<Response> => app.request(NOTIFY, { body: {}, token })
  const first = await notify()
  expect([first.status, await bodyOf(first)]).toEqual([200, { success: true, message: expect.any(String) }])
  expect((await notify()).status).toBe(200)
  const mails = await app.mailsTo(company.admin.email)
  expect(mails).toHaveLength(1)
  expect(mails[0]?.text).toContain(person.email)
  expect(await eventsOf(app, company.tenantId, 'auth.notifyNewUser')).toEqual(['user.announced'])
  expect((await app.request(NOTIFY, { body: {} })).status).toBe(401)
})
