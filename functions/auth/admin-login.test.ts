import { decodeJwt } from 'jose'
import { expect, test } from 'vitest'
import { SYSTEM_TENANT } from '#db/engine/tenant'
import { ensurePlatformAdministrator } from '#shared/domains/tenancy/system-tenant'
import { type Company, cookieJar, PASSWORD, type Person, startApp, type TestApp } from '#tests/support/app'
import { bodyOf, change, configure, enrol, eventsOf, leaked, outcomeOf, rowOf, textIn } from '#tests/support/sign-in'
import { signUpRoutes } from '../sign-up/routes.ts'
import { authRoutes } from './routes.ts'

const LOGIN = '/authsec/uflow/auth/admin/login'
const HYBRID = '/authsec/uflow/auth/admin/login-hybrid'
const UI_LOGIN = '/authsec/uflow/login'
const CALLBACK = '/authsec/uflow/login/webauthn-callback'
const PRECHECK = '/authsec/uflow/auth/admin/login/precheck'
const CHALLENGE = '/authsec/uflow/auth/admin/challenge'
const UI = 'http://localhost:3000'

const credentials = ({ email, password }: Person, more: Record<string, unknown> = {}) => ({ email, password, ...more })
const finish = (person: Person, more: Record<string, unknown> = {}) => ({
  email: person.email,
  tenant_id: person.tenantId,
  mfa_verified: true,
  ...more,
})
const start = async (env: Record<string, string> = {}): Promise<{ app: TestApp; company: Company; admin: Person }> => {
  const app = await startApp([...authRoutes, ...signUpRoutes], { env, cache: 'by-clock' })
  const company = await app.company()
  return { app, company, admin: company.admin }
}
const mint = (app: TestApp, person: Person, transactionToken: string, more: Record<string, unknown> = {}): Promise<Response> =>
  app.request(CALLBACK, { body: finish(person, { login_ticket: transactionToken, ...more }) })
const refusal = { status: 401, body: { error: 'MFA verification failed', message: 'MFA verification failed', code: 'mfa_verification_failed' } }

test('The sign-in of the UI runs from precheck and password to a token at the callback, by cookie', async () => {
  const { app, company, admin } = await start()
  const browser = cookieJar()
  const call = async (path: string, body: unknown): Promise<Response> => {
    const response = await app.request(path, { body, headers: { origin: UI, ...browser.header() } })
    browser.take(response)
    return response
  }
  expect(await outcomeOf(await call(PRECHECK, { email: admin.email }))).toEqual({
    status: 200,
    body: {
      exists: true,
      next_step: 'login',
      requires_password: true,
      tenant_domain: 'localhost',
      available_providers: expect.arrayContaining(['email']),
    },
  })
  const first = await call(UI_LOGIN, credentials(admin, { tenant_domain: 'localhost' }))
  const step = await bodyOf(first)
  expect(first.status).toBe(200)
  expect(step).toEqual({
    tenant_id: company.tenantId,
    tenant_domain: company.domain,
    email: admin.email,
    otp_required: false,
    webauthn_required: false,
    mfa_required: false,
    methods: [],
    login_ticket: expect.any(String),
    first_login: true,
  })
  expect(first.headers.getSetCookie()).toEqual([`authsec_login=${step.login_ticket}; Path=/; Max-Age=600; HttpOnly; SameSite=Lax`])
  const last = await call(CALLBACK, finish(admin, { flow_context: 'admin' }))
  const done = await bodyOf(last)
  expect(last.status).toBe(200)
  expect(done).toEqual({
    token: done.access_token,
    access_token: expect.any(String),
    token_type: 'Bearer',
    expires_in: 86_400,
    first_login: true,
    tenant_id: company.tenantId,
    email: admin.email,
  })
  expect(last.headers.get('cache-control')).toBe('no-store')
  expect(browser.kept.has('authsec_login')).toBe(false)
  expect(browser.kept.has('authsec_device')).toBe(true)
  expect(await app.ctx.principals.resolve(textIn(done, 'access_token'))).toMatchObject({ userId: admin.id, tenantId: company.tenantId, amr: ['pwd'] })
  expect(await eventsOf(app, company.tenantId, 'login')).toEqual(['login.first_factor_verified'])
  expect(await eventsOf(app, company.tenantId, 'login.finish')).toEqual(['session.created', 'user.signed_in'])
  const secrets = [PASSWORD, textIn(step, 'login_ticket'), textIn(done, 'access_token'), browser.kept.get('authsec_device') ?? '']
  expect(await leaked(app, [company.tenantId, SYSTEM_TENANT], secrets)).toEqual([])
})

test('The UI sign-in returns first_login until a factor is enrolled, however often the person has signed in', async () => {
  const { app, admin } = await start()
  const firstLogin = async (): Promise<unknown> => (await bodyOf(await app.request(UI_LOGIN, { body: credentials(admin) }))).first_login
  expect(await firstLogin()).toBe(true)
  expect((await app.request(LOGIN, { body: credentials(admin) })).status).toBe(200)
  expect(await firstLogin()).toBe(true)
  await enrol(app, admin)
  expect(await firstLogin()).toBe(false)
})

test('Without a factor the API returns a token for the password alone; its permissions come from the store', async () => {
  const { app, company, admin } = await start()
  const response = await app.request(LOGIN, { body: credentials(admin, { tenant_domain: company.domain }) })
  const body = await bodyOf(response)
  expect(response.status).toBe(200)
  expect(body).toMatchObject({ tenant_id: company.tenantId, email: admin.email, first_login: true, mfa_required: false, token: expect.any(String) })
  expect(body.login_ticket).toBeUndefined()
  const claims = decodeJwt(textIn(body, 'token'))
  expect(claims).toMatchObject({ sub: admin.id, tenant_id: company.tenantId, client_id: company.clientId, roles: ['admin'], amr: ['pwd'] })
  expect(claims).toMatchObject({ jti: expect.any(String), sid: expect.any(String), auth_time: expect.any(Number) })
  expect(Number(claims.exp) - Number(claims.iat)).toBeLessThanOrEqual(86_400)
  expect(claims.scope).toBeUndefined()
  expect(await eventsOf(app, company.tenantId, 'auth.admin.login')).toEqual(['session.created', 'user.signed_in'])
  const again = await bodyOf(await app.request(LOGIN, { body: credentials(admin) }))
  expect(again.first_login).toBe(false)
})

test('The hybrid login requires the same second factor', async () => {
  const { app, company, admin } = await start()
  const plain = await bodyOf(await app.request(HYBRID, { body: credentials(admin) }))
  expect(plain).toMatchObject({
    tenant_id: company.tenantId,
    source: 'tenant_database',
    user_type: 'tenant_user',
    mfa_required: false,
    first_login: true,
  })
  expect(plain.token).toEqual(expect.any(String))
  await enrol(app, admin)
  const withFactor = await bodyOf(await app.request(HYBRID, { body: credentials(admin) }))
  expect(withFactor).toMatchObject({ otp_required: true, mfa_required: true, methods: ['totp'], login_ticket: expect.any(String) })
  expect(withFactor.token).toBeUndefined()
  for (let i = 0; i < 5; i++) await app.request(HYBRID, { body: { email: admin.email, password: 'wrong' } })
  expect((await app.request(HYBRID, { body: credentials(admin) })).status).toBe(401)
})

test('No token is issued before an enrolled factor is verified, even if the caller claims mfa_verified', async () => {
  const { app, company, admin } = await start()
  await enrol(app, admin, 'webauthn')
  await enrol(app, admin, 'totp')
  const step = await bodyOf(await app.request(LOGIN, { body: credentials(admin) }))
  expect(step).toMatchObject({
    otp_required: true,
    webauthn_required: true,
    mfa_required: true,
    mfa_method: 'webauthn',
    methods: ['webauthn', 'totp'],
  })
  expect(step.token).toBeUndefined()
  expect(await outcomeOf(await mint(app, admin, textIn(step, 'login_ticket')))).toEqual(refusal)
  expect(await eventsOf(app, company.tenantId, 'login.finish')).toEqual(['refused: mfa_verification_failed'])
})

test('Only administrators can sign in at the administrator entry points, also with an existing login ticket', async () => {
  const { app, company } = await start()
  const user = await app.person(company, ['users:read'])
  expect(await outcomeOf(await app.request(LOGIN, { body: credentials(user, { tenant_domain: company.domain }) }))).toMatchObject({
    status: 401,
    body: { code: 'invalid_credentials' },
  })
  const admin = await app.person(company, ['admin:access'])
  const transactionToken = textIn(
    await bodyOf(await app.request(UI_LOGIN, { body: credentials(admin, { tenant_domain: company.domain }) })),
    'login_ticket',
  )
  await change(app, admin, { deletedAt: app.clock.now() })
  expect(await outcomeOf(await mint(app, admin, transactionToken))).toEqual(refusal)
})

test('Only a correct password discloses that a reset is required or that a temporary password is in use or expired', async () => {
  const { app, company, admin } = await start()
  await change(app, admin, { temporaryPassword: true, temporaryPasswordExpiresAt: new Date(app.clock.now().getTime() + 60_000) })
  const body = await bodyOf(await app.request(LOGIN, { body: credentials(admin) }))
  expect(body).toMatchObject({ temporary_password: true, password_change_required: true, token: expect.any(String) })
  app.clock.advance(60)
  const before = await rowOf(app, admin)
  expect(await outcomeOf(await app.request(LOGIN, { body: credentials(admin) }))).toMatchObject({
    status: 401,
    body: { code: 'temporary_password_expired' },
  })
  expect(await rowOf(app, admin)).toEqual(before)
  await change(app, admin, { temporaryPassword: false, passwordResetRequired: true })
  expect(await outcomeOf(await app.request(LOGIN, { body: credentials(admin) }))).toMatchObject({
    status: 401,
    body: { error: 'Password reset required', code: 'password_reset_required' },
  })
  const wrong = await outcomeOf(await app.request(LOGIN, { body: { email: admin.email, password: 'wrong' } }))
  expect(wrong).toMatchObject({ status: 401, body: { code: 'invalid_credentials' } })
  expect(await eventsOf(app, company.tenantId, 'auth.admin.login')).toEqual([
    'refused: invalid_credentials',
    'refused: password_reset_required',
    'refused: temporary_password_expired',
    'session.created',
    'user.signed_in',
  ])
})

test('An administrator whose address is not verified cannot sign in', async () => {
  const { app, company } = await start()
  const admin = await app.person(company, 'admin')
  await change(app, admin, { emailVerifiedAt: null })
  for (const path of [LOGIN, HYBRID, UI_LOGIN]) {
    expect(await outcomeOf(await app.request(path, { body: credentials(admin) }))).toMatchObject({
      status: 401,
      body: { code: 'email_not_verified' },
    })
  }
})

test('A platform administrator signs in at the hybrid login as a global administrator', async () => {
  const { app } = await start()
  const [email, passwordHash] = [`root@${app.ctx.random.id()}.example`, await app.ctx.passwords.hash(PASSWORD)]
  await ensurePlatformAdministrator(app.ctx, { email, name: 'Root', passwordHash, proved: true })
  expect(await bodyOf(await app.request(HYBRID, { body: { email, password: PASSWORD } }))).toMatchObject({
    tenant_id: 'admin',
    tenant_domain: 'platform.localhost',
    source: 'main_database',
    user_type: 'global_admin',
    token: expect.any(String),
  })
  const direct = await bodyOf(await app.request(LOGIN, { body: { email, password: PASSWORD, tenant_domain: 'platform' } }))
  expect(direct.tenant_id).toBe(SYSTEM_TENANT)
})

test('Case and surrounding spaces of an address do not matter', async () => {
  const { app, admin } = await start()
  const spelled = ` ${admin.email.toUpperCase()} `
  expect((await app.request(LOGIN, { body: { email: spelled, password: PASSWORD } })).status).toBe(200)
  expect(await bodyOf(await app.request(PRECHECK, { body: { email: spelled } }))).toMatchObject({ next_step: 'login' })
})

test('Replay protection: a challenge and a nonce work once, a timestamp must be within 60 seconds, a signature is refused', async () => {
  const { app, company, admin } = await start()
  const challenge = await bodyOf(await app.request(CHALLENGE))
  const now = Math.floor(app.clock.now().getTime() / 1000)
  expect(challenge).toEqual({ challenge: expect.any(String), created_at: now, expires_at: now + 300 })
  const attempt = async (more: Record<string, unknown>) => outcomeOf(await app.request(LOGIN, { body: credentials(admin, more) }))
  const refused = { status: 401, body: { error: 'Request validation failed', code: 'request_validation_failed', hint: expect.any(String) } }
  expect((await attempt({ challenge: challenge.challenge })).status).toBe(200)
  expect(await attempt({ challenge: challenge.challenge })).toMatchObject(refused)
  expect(await attempt({ challenge: 'invented' })).toMatchObject(refused)
  expect((await attempt({ nonce: 'n-1', timestamp: now })).status).toBe(200)
  expect(await attempt({ nonce: 'n-1', timestamp: now })).toMatchObject(refused)
  expect((await attempt({ nonce: 'n-2', timestamp: now - 60 })).status).toBe(200)
  expect(await attempt({ nonce: 'n-3', timestamp: now - 61 })).toMatchObject(refused)
  expect(await attempt({ nonce: 'n-4', timestamp: now + 61 })).toMatchObject(refused)
  expect(await attempt({ signature: 'c2lnbmVk' })).toMatchObject({ status: 400, body: { code: 'signature_unsupported', field: 'body.signature' } })
  const late = await bodyOf(await app.request(CHALLENGE))
  app.clock.advance(301)
  expect(await attempt({ challenge: late.challenge })).toMatchObject(refused)
  await configure(app, company, { requireLoginChallenge: true })
  expect(await attempt({})).toMatchObject(refused)
  // Only a correct password discloses this setting, because the tenant was found by the address.
  expect(await outcomeOf(await app.request(LOGIN, { body: { email: admin.email, password: 'wrong' } }))).toMatchObject({
    body: { code: 'invalid_credentials' },
  })
})
