import { expect, test } from 'vitest'
import { directory, SYSTEM_TENANT } from '#db/engine/tenant'
import { findTenantByDomain } from '#db/store/domains'
import { startApp, type TestApp } from '#tests/support/app'
import { ownDb } from '#tests/support/database'
import { codeIn, eventsOf, outcomeOf, wrongCode } from '#tests/support/sign-in'
import { authRoutes } from '../auth/routes.ts'
import { signUpRoutes } from './routes.ts'

const REGISTER = '/authsec/uflow/auth/admin/register'
const BOOTSTRAP = '/authsec/uflow/auth/admin/login/bootstrap'
const COMPLETE = '/authsec/uflow/auth/admin/complete-registration'
const INITIATE = '/authsec/uflow/register/initiate'
const RESEND = '/authsec/uflow/register/resendOtp'
const VERIFY = '/authsec/uflow/register/verify'
const FIRST = 'seven-purple-otters-sing'
type SignUp = { readonly email: string; readonly password: string; readonly name: string; readonly tenant_domain: string }
const someone = (app: TestApp, more: Partial<SignUp> = {}): SignUp => {
  const label = `co${app.ctx.random.id().slice(-12)}`
  return { email: `founder@${label}.example`, password: FIRST, name: 'Fay Founder', tenant_domain: label, ...more }
}
const lastCode = async (app: TestApp, email: string): Promise<string> => codeIn(await app.mailsTo(email))
const complete = (app: TestApp, email: string, otp: string): Promise<Response> => app.request(COMPLETE, { body: { email, otp } })
const begun = async (app: TestApp, more: Partial<SignUp> = {}) => {
  const who = someone(app, more)
  expect((await app.request(REGISTER, { body: who })).status).toBe(201)
  return { who, code: await lastCode(app, who.email) }
}

test('five wrong guesses void the code, and each refusal is in the audit log', async () => {
  const app = await startApp([...authRoutes, ...signUpRoutes])
  const { who, code } = await begun(app)
  for (let i = 1; i <= 5; i++) expect((await complete(app, who.email, wrongCode(code, i))).status).toBe(401)
  expect(await outcomeOf(await complete(app, who.email, code))).toMatchObject({ status: 401, body: { code: 'invalid_otp' } })
  expect(await findTenantByDomain(directory(app.db), `${who.tenant_domain}.localhost`)).toBeUndefined()
  expect(await eventsOf(app, SYSTEM_TENANT, 'auth.admin.completeRegistration')).toContain('refused: invalid_otp')
})

test('a code expires after half an hour, a sign-up after a day', async () => {
  const app = await startApp([...authRoutes, ...signUpRoutes])
  const { who, code } = await begun(app)
  app.clock.advance(30 * 60)
  expect(await outcomeOf(await complete(app, who.email, code))).toMatchObject({ status: 401, body: { code: 'invalid_otp' } })
  expect((await app.request(RESEND, { body: { email: who.email } })).status).toBe(200)
  expect((await complete(app, who.email, await lastCode(app, who.email))).status).toBe(201)
  const late = await begun(app)
  app.clock.advance(24 * 3600)
  expect(await outcomeOf(await complete(app, late.who.email, late.code))).toMatchObject({
    status: 400,
    body: { error: 'Registration session expired. Please register again.', code: 'registration_expired' },
  })
  expect(await outcomeOf(await complete(app, someone(app).email, '123456'))).toMatchObject({ status: 400, body: { code: 'registration_expired' } })
})

test('an address gets at most one code a minute and five an hour', async () => {
  const app = await startApp([...authRoutes, ...signUpRoutes])
  const { who } = await begun(app)
  const soon = await app.request(RESEND, { body: { email: who.email } })
  expect(await outcomeOf(soon)).toMatchObject({ status: 429, body: { code: 'too_many_codes' } })
  expect(soon.headers.get('retry-after')).toBe('60')
  for (let i = 0; i < 4; i++) {
    app.clock.advance(60)
    expect((await app.request(i % 2 === 0 ? RESEND : REGISTER, { body: who })).status).toBe(200)
  }
  app.clock.advance(60)
  const sixth = await app.request(REGISTER, { body: who })
  expect(await outcomeOf(sixth)).toMatchObject({ status: 429, body: { code: 'too_many_codes' } })
  expect(Number(sixth.headers.get('retry-after'))).toBe(3600 - 300)
  expect(await app.mailsTo(who.email)).toHaveLength(5)
  app.clock.advance(3600 - 300 + 1)
  expect((await app.request(REGISTER, { body: who })).status).toBe(200)
})

test('a code can be used only once', async () => {
  const app = await startApp([...authRoutes, ...signUpRoutes])
  const { who, code } = await begun(app)
  expect((await complete(app, who.email, code)).status).toBe(201)
  expect(await outcomeOf(await complete(app, who.email, code))).toMatchObject({ status: 400, body: { code: 'registration_expired' } })
})

test.each([
  ['a reserved domain', { tenant_domain: 'admin' }, 400, 'tenant_domain_invalid', 'body.tenant_domain'],
  ['a short password', { password: 'fourteen chars' }, 400, 'password_too_short', 'body.password'],
  ['a long password', { password: `${'long-'.repeat(26)}` }, 400, 'password_too_long', 'body.password'],
  ['a leaked password', { password: '123456789123456789' }, 400, 'password_breached', 'body.password'],
  [
    'a password made of the person’s own name or address',
    { email: 'bartholomew.jones@example.com', password: 'bartholomew.jones' },
    400,
    'password_guessable',
    'body.password',
  ],
  ['no name', { name: '' }, 400, 'invalid_request', 'body.name'],
  ['no address', { email: 'founder@' }, 400, 'invalid_request', 'body.email'],
] as const)('%s is refused before a sign-up starts', async (_, more, status, code, field) => {
  const app = await startApp([...authRoutes, ...signUpRoutes])
  const who = { ...someone(app), ...more }
  expect(await outcomeOf(await app.request(REGISTER, { body: who }))).toMatchObject({ status, body: { code, field } })
  expect(await app.mailsTo(who.email)).toEqual([])
})

test.each(['invite', 'closed'])('with SIGN_UP=%s no company can start a sign-up or finish a pending one', async (SIGN_UP) => {
  const open = await startApp([...authRoutes, ...signUpRoutes])
  const { who, code } = await begun(open)
  const app = await startApp([...authRoutes, ...signUpRoutes], { env: { SIGN_UP } })
  const closed = { status: 403, body: { code: 'sign_up_closed' } }
  for (const path of [REGISTER, BOOTSTRAP, INITIATE]) expect(await outcomeOf(await app.request(path, { body: someone(app) }))).toMatchObject(closed)
  for (const path of [COMPLETE, VERIFY])
    expect(await outcomeOf(await app.request(path, { body: { email: who.email, otp: code } }))).toMatchObject(closed)
  expect(await outcomeOf(await app.request(RESEND, { body: { email: who.email } }))).toMatchObject(closed)
})

test('with TENANCY=single only the first company is created, also when another sign-up started before it', async () => {
  const db = await ownDb()
  try {
    const app = await startApp([...authRoutes, ...signUpRoutes], { db, env: { TENANCY: 'single' } })
    const [first, second] = [await begun(app), await begun(app)]
    expect((await complete(app, first.who.email, first.code)).status).toBe(201)
    const single = { status: 409, body: { error: 'Single-tenant deployment: only one admin is allowed.', code: 'single_tenant' } }
    expect(await outcomeOf(await complete(app, second.who.email, second.code))).toMatchObject(single)
    expect(await outcomeOf(await app.request(REGISTER, { body: someone(app) }))).toMatchObject(single)
    expect(await outcomeOf(await app.request(BOOTSTRAP, { body: someone(app) }))).toMatchObject(single)
  } finally {
    await db.engine.close()
  }
})
