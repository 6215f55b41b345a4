import { expect, test } from 'vitest'
import { asTenantId, directory, forTenant, SYSTEM_TENANT } from '#db/engine/tenant'
import { findTenantByDomain } from '#db/store/domains'
import { findTenant } from '#db/store/tenants'
import { findUserByEmail } from '#db/store/users'
import { cookieJar, startApp, type TestApp } from '#tests/support/app'
import { bodyOf, codeIn, eventsOf, leaked, outcomeOf, textIn } from '#tests/support/sign-in'
import { authRoutes } from '../auth/routes.ts'
import { signUpRoutes } from './routes.ts'

const REGISTER = '/authsec/uflow/auth/admin/register'
const BOOTSTRAP = '/authsec/uflow/auth/admin/login/bootstrap'
const COMPLETE = '/authsec/uflow/auth/admin/complete-registration'
const INITIATE = '/authsec/uflow/register/initiate'
const RESEND = '/authsec/uflow/register/resendOtp'
const VERIFY = '/authsec/uflow/register/verify'
const LOGIN = '/authsec/uflow/auth/admin/login'
const FIRST = 'seven-purple-otters-sing'
const SECOND = 'eight-yellow-badgers-hum'

type SignUp = { readonly email: string; readonly password: string; readonly name: string; readonly tenant_domain: string }
const someone = (app: TestApp, more: Partial<SignUp> = {}): SignUp => {
  const label = `co${app.ctx.random.id().slice(-12)}`
  return { email: `founder@${label}.example`, password: FIRST, name: 'Fay Founder', tenant_domain: label, ...more }
}
const lastCode = async (app: TestApp, email: string): Promise<string> => codeIn(await app.mailsTo(email))
const complete = (app: TestApp, email: string, otp: string, more: Readonly<Record<string, unknown>> = {}): Promise<Response> =>
  app.request(COMPLETE, { body: { email, otp, ...more } })
const begun = async (app: TestApp, more: Partial<SignUp> = {}) => {
  const who = someone(app, more)
  expect((await app.request(REGISTER, { body: who })).status).toBe(201)
  return { who, code: await lastCode(app, who.email) }
}

test('a company registers, proves its address, and its administrator signs in', async () => {
  const app = await startApp([...authRoutes, ...signUpRoutes])
  const who = someone(app)
  const domain = `${who.tenant_domain}.localhost`
  const started = await app.request(REGISTER, { body: who })
  expect(started.status).toBe(201)
  expect(await bodyOf(started)).toEqual({ message: expect.any(String), email: who.email, registration_ticket: expect.any(String) })
  const [mail] = await app.mailsTo(who.email)
  expect(mail).toMatchObject({ subject: 'Your code to register your company at localhost:7468', fromName: 'localhost:7468' })
  expect(mail?.text).toContain(domain)
  expect(mail?.text).toContain('192.0.2.1')
  const code = codeIn(await app.mailsTo(who.email))
  const finished = await complete(app, who.email, code)
  const done = await bodyOf(finished)
  expect(finished.status).toBe(201)
  expect(done).toEqual({
    message: expect.any(String),
    email: who.email,
    email_id: who.email,
    tenant_id: expect.any(String),
    user_id: expect.any(String),
    project_id: expect.any(String),
    client_id: expect.any(String),
    tenant_domain: domain,
  })
  expect(new Set([done.tenant_id, done.user_id, done.project_id, done.client_id]).size).toBe(4)
  const tenantId = asTenantId(textIn(done, 'tenant_id'))
  const login = await bodyOf(await app.request(LOGIN, { body: { email: who.email, password: FIRST } }))
  expect(login).toMatchObject({ tenant_id: tenantId, tenant_domain: domain, token: expect.any(String) })
  expect((await app.ctx.principals.resolve(textIn(login, 'token'))).permissions.has('admin:access')).toBe(true)
  expect(await eventsOf(app, tenantId, 'auth.admin.completeRegistration')).toEqual(['client.created', 'tenant.created', 'user.created'])
  expect(await eventsOf(app, SYSTEM_TENANT, 'auth.admin.register')).toContain('registration.started')
  expect(await leaked(app, [tenantId, SYSTEM_TENANT], [FIRST, code])).toEqual([])
})

test('another tenant cannot see a new company', async () => {
  const app = await startApp([...authRoutes, ...signUpRoutes])
  const [{ who, code }, other] = [await begun(app), await app.company()]
  await complete(app, who.email, code)
  expect(await findUserByEmail(forTenant(app.db, other.tenantId), who.email)).toBeUndefined()
  expect((await app.events(other.tenantId)).every((row) => row.tenantId === other.tenantId)).toBe(true)
})

test('the routes of the UI: initiate, resend, verify', async () => {
  const app = await startApp([...authRoutes, ...signUpRoutes])
  const { name: _, ...who } = someone(app)
  const browser = cookieJar()
  const call = async (path: string, body: unknown): Promise<Response> => {
    const response = await app.request(path, { body, headers: browser.header() })
    browser.take(response)
    return response
  }
  const initiated = await call(INITIATE, who)
  expect([initiated.status, await bodyOf(initiated)]).toEqual([
    200,
    { message: expect.any(String), email: who.email, registration_ticket: expect.any(String) },
  ])
  const first = await lastCode(app, who.email)
  app.clock.advance(61)
  const resent = await call(RESEND, { email: who.email })
  expect([resent.status, await bodyOf(resent)]).toEqual([200, { message: expect.any(String), email: who.email }])
  const second = await lastCode(app, who.email)
  expect(await outcomeOf(await call(VERIFY, { email: who.email, otp: first }))).toMatchObject({ status: 401, body: { code: 'invalid_otp' } })
  const verified = await call(VERIFY, { email: who.email, otp: second })
  expect(verified.status).toBe(200)
  const done = await bodyOf(verified)
  expect(done).toMatchObject({ email_id: who.email, tenant_domain: `${who.tenant_domain}.localhost`, project_id: expect.any(String) })
  expect(await eventsOf(app, asTenantId(textIn(done, 'tenant_id')), 'register.verify')).toEqual(['client.created', 'tenant.created', 'user.created'])
})

test('resending discloses no accounts and mails no address without a sign-up', async () => {
  const app = await startApp([...authRoutes, ...signUpRoutes])
  const { who } = await begun(app)
  app.clock.advance(61)
  const stranger = someone(app).email
  const known = await outcomeOf(await app.request(RESEND, { body: { email: who.email } }))
  const unknown = await outcomeOf(await app.request(RESEND, { body: { email: stranger } }))
  expect(JSON.stringify(unknown).replace(stranger, '')).toBe(JSON.stringify(known).replace(who.email, ''))
  expect(await app.mailsTo(stranger)).toEqual([])
})

test('bootstrap starts the same sign-up, once both passwords match', async () => {
  const app = await startApp([...authRoutes, ...signUpRoutes])
  const who = someone(app)
  const mismatch = await app.request(BOOTSTRAP, { body: { ...who, confirm_password: SECOND } })
  expect(await outcomeOf(mismatch)).toMatchObject({
    status: 400,
    body: { error: 'Passwords do not match', code: 'passwords_do_not_match', field: 'body.confirm_password' },
  })
  expect(await app.mailsTo(who.email)).toEqual([])
  const response = await app.request(BOOTSTRAP, { body: { ...who, confirm_password: FIRST } })
  const body = await bodyOf(response)
  expect(response.status).toBe(201)
  expect(body).toEqual({
    message: expect.any(String),
    status: 'pending_verification',
    tenant_id: expect.any(String),
    tenant_domain: `${who.tenant_domain}.localhost`,
    user_id: '',
    registration_ticket: expect.any(String),
  })
  const done = await bodyOf(await complete(app, who.email, await lastCode(app, who.email)))
  expect(done.tenant_id).toBe(body.tenant_id)
})

test('no built-in code finishes a sign-up, and no response contains a code', async () => {
  const app = await startApp([...authRoutes, ...signUpRoutes])
  const { who, code } = await begun(app)
  expect(await outcomeOf(await complete(app, who.email, '111111'))).toMatchObject({
    status: 401,
    body: { error: 'Invalid or expired OTP', code: 'invalid_otp' },
  })
  expect(await outcomeOf(await complete(app, who.email, '1111111'))).toMatchObject({
    status: 400,
    body: { code: 'invalid_request', field: 'body.otp' },
  })
  app.clock.advance(61)
  const again = await app.request(REGISTER, { body: who })
  expect(again.status).toBe(200)
  expect(await again.text()).not.toContain(await lastCode(app, who.email))
  expect(await leaked(app, [SYSTEM_TENANT], [code, FIRST])).toEqual([])
})

test('each attempt keeps its own password: the code decides which attempt becomes the account', async () => {
  const app = await startApp([...authRoutes, ...signUpRoutes])
  const who = someone(app)
  const ticketOf = async (response: Response) => ({ registration_ticket: textIn(await bodyOf(response), 'registration_ticket') })
  const one = await ticketOf(await app.request(REGISTER, { body: who }))
  const first = await lastCode(app, who.email)
  app.clock.advance(61)
  const other = await ticketOf(await app.request(REGISTER, { body: { ...who, password: SECOND } }))
  const second = await lastCode(app, who.email)
  // Of several attempts a code alone finishes none, for it is not known which one is the caller's.
  expect(await outcomeOf(await complete(app, who.email, second))).toMatchObject({ status: 400, body: { code: 'registration_expired' } })
  expect(await outcomeOf(await complete(app, who.email, second, one))).toMatchObject({ status: 401, body: { code: 'invalid_otp' } })
  expect((await complete(app, who.email, second, other)).status).toBe(201)
  expect((await app.request(LOGIN, { body: { email: who.email, password: SECOND } })).status).toBe(200)
  expect((await app.request(LOGIN, { body: { email: who.email, password: FIRST } })).status).toBe(401)
  // The earlier attempt requested the same domain.
  expect(await outcomeOf(await complete(app, who.email, first, one))).toMatchObject({ status: 409, body: { code: 'tenant_domain_taken' } })
})

test('a browser finishes only its own sign-up: an attempt elsewhere for the same address takes over neither its resend nor its code', async () => {
  const app = await startApp([...authRoutes, ...signUpRoutes])
  const browser = cookieJar()
  const who = someone(app)
  const call = async (path: string, body: unknown): Promise<Response> => {
    const response = await app.request(path, { body, headers: browser.header() })
    browser.take(response)
    return response
  }
  await call(INITIATE, who)
  app.clock.advance(61)
  expect((await app.request(INITIATE, { body: { ...someone(app), email: who.email, password: SECOND } })).status).toBe(200)
  const strangers = await lastCode(app, who.email)
  expect(await outcomeOf(await call(VERIFY, { email: who.email, otp: strangers }))).toMatchObject({ status: 401, body: { code: 'invalid_otp' } })
  app.clock.advance(61)
  await call(RESEND, { email: who.email })
  expect(await bodyOf(await call(VERIFY, { email: who.email, otp: await lastCode(app, who.email) }))).toMatchObject({
    tenant_domain: `${who.tenant_domain}.localhost`,
  })
  expect((await app.request(LOGIN, { body: { email: who.email, password: FIRST } })).status).toBe(200)
})

test('a browser that began no sign-up finishes none, also with the right code', async () => {
  const app = await startApp([...authRoutes, ...signUpRoutes])
  const { who, code } = await begun(app)
  for (const headers of [{ origin: 'http://localhost:7468' }, { 'sec-fetch-site': 'same-origin' }, { 'sec-fetch-site': 'cross-site' }]) {
    const refused = await app.request(COMPLETE, { body: { email: who.email, otp: code }, headers })
    expect(await outcomeOf(refused)).toMatchObject({ status: 400, body: { code: 'registration_expired' } })
  }
  expect((await app.request(LOGIN, { body: { email: who.email, password: FIRST } })).status).toBe(401)
})

test('a taken domain is refused at the start and again at the end, and nothing is left behind', async () => {
  const app = await startApp([...authRoutes, ...signUpRoutes])
  const [first, second] = [await begun(app), await begun(app)]
  const rival = await begun(app, { tenant_domain: first.who.tenant_domain })
  await complete(app, first.who.email, first.code)
  expect(
    await outcomeOf(await app.request(REGISTER, { body: { ...second.who, tenant_domain: first.who.tenant_domain.toUpperCase() } })),
  ).toMatchObject({
    status: 409,
    body: { error: 'Tenant domain already exists', code: 'tenant_domain_taken', field: 'body.tenant_domain' },
  })
  const refused = await complete(app, rival.who.email, rival.code)
  expect(await outcomeOf(refused)).toMatchObject({ status: 409, body: { code: 'tenant_domain_taken' } })
  expect((await app.request(LOGIN, { body: { email: rival.who.email, password: FIRST } })).status).toBe(401)
  const owner = await findTenantByDomain(directory(app.db), `${first.who.tenant_domain}.localhost`)
  expect((await findTenant(forTenant(app.db, owner ?? SYSTEM_TENANT)))?.email).toBe(first.who.email)
})

test('one address can administer two companies', async () => {
  const app = await startApp([...authRoutes, ...signUpRoutes])
  const { who, code } = await begun(app)
  await complete(app, who.email, code)
  app.clock.advance(61)
  const second = { ...someone(app), email: who.email, password: SECOND }
  expect((await app.request(REGISTER, { body: second })).status).toBe(201)
  const done = await complete(app, who.email, await lastCode(app, who.email))
  expect(done.status).toBe(201)
  expect(await bodyOf(done)).toMatchObject({ tenant_domain: `${second.tenant_domain}.localhost` })
})
