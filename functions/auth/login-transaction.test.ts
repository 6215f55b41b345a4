import { expect, test } from 'vitest'
import { forTenant } from '#db/engine/tenant'
import { findLoginTransaction } from '#db/store/login-transactions'
import { transactionHandleHash } from '#shared/domains/login-transaction/login-transaction'
import { type Company, cookieJar, type Person, startApp, type TestApp } from '#tests/support/app'
import { bodyOf, change, configure, enrol, outcomeOf, rowOf, setStatus, textIn, verifyDomain } from '#tests/support/sign-in'
import { signUpRoutes } from '../sign-up/routes.ts'
import { authRoutes } from './routes.ts'

const LOGIN = '/authsec/uflow/auth/admin/login'
const UI_LOGIN = '/authsec/uflow/login'
const CALLBACK = '/authsec/uflow/login/webauthn-callback'
const UI = 'http://localhost:3000'

const credentials = ({ email, password }: Person, more: Record<string, unknown> = {}) => ({ email, password, ...more })
const finish = (person: Person, more: Record<string, unknown> = {}) => ({
  email: person.email,
  tenant_id: person.tenantId,
  mfa_verified: true,
  ...more,
})
const start = async (env: Record<string, string> = {}): Promise<{ app: TestApp; company: Company; admin: Person }> => {
  const app = await startApp([...authRoutes, ...signUpRoutes], { env })
  const company = await app.company()
  return { app, company, admin: company.admin }
}
const newTicket = async (app: TestApp, person: Person): Promise<string> =>
  textIn(await bodyOf(await app.request(UI_LOGIN, { body: credentials(person) })), 'login_ticket')
const mint = (app: TestApp, person: Person, transactionToken: string, more: Record<string, unknown> = {}): Promise<Response> =>
  app.request(CALLBACK, { body: finish(person, { login_ticket: transactionToken, ...more }) })
const refusal = { status: 401, body: { error: 'MFA verification failed', message: 'MFA verification failed', code: 'mfa_verification_failed' } }

test('Over https the cookie is Secure with the __Host- prefix; SameSite=None only for a configured UI of another site', async () => {
  const { app, company, admin } = await start({ BASE_URL: 'https://api.example.com', CORS_ALLOWED_ORIGINS: 'https://ui.example.net' })
  const cookieFor = async (origin: string): Promise<string> => {
    const body = JSON.stringify(credentials(admin))
    const headers = { 'content-type': 'application/json', origin }
    const response = await app.app.request(UI_LOGIN, { method: 'POST', headers, body }, { peer: { address: '192.0.2.1', secure: true } })
    return response.headers.getSetCookie()[0] ?? ''
  }
  expect(await cookieFor('https://api.example.com')).toMatch(/^__Host-authsec_login=[^;]+; Path=\/; Max-Age=600; HttpOnly; SameSite=Lax; Secure$/)
  expect(await cookieFor('https://ui.example.net')).toMatch(/; HttpOnly; SameSite=None; Secure$/)
  expect(await cookieFor('https://evil.example')).toMatch(/SameSite=Lax/)
  expect(await cookieFor('https://login.acme.example')).toMatch(/SameSite=Lax/)
  await verifyDomain(app, company, 'login.acme2.example')
  expect(await cookieFor('https://login.acme2.example')).toMatch(/; HttpOnly; SameSite=None; Secure$/)
})

test('A factor that was enrolled between the password and the callback is required', async () => {
  const { app, admin } = await start()
  const transactionToken = await newTicket(app, admin)
  await enrol(app, admin)
  expect(await outcomeOf(await mint(app, admin, transactionToken))).toEqual(refusal)
})

test('Where the tenant requires a factor and none is enrolled, the password gets no token', async () => {
  const { app, company, admin } = await start()
  await configure(app, company, { requireSecondFactor: true })
  const step = await bodyOf(await app.request(LOGIN, { body: credentials(admin) }))
  expect(step).toMatchObject({ mfa_required: true, methods: [] })
  expect(step.token).toBeUndefined()
  expect(await outcomeOf(await mint(app, admin, textIn(step, 'login_ticket')))).toEqual(refusal)
})

test('A login transaction stores when the address was verified', async () => {
  const { app, company, admin } = await start()
  const transactionToken = await newTicket(app, admin)
  const row = await findLoginTransaction(forTenant(app.db, company.tenantId), transactionHandleHash(app.ctx, transactionToken), app.clock.now())
  expect(row).toMatchObject({ purpose: 'login', verified: ['pwd'], mailboxProvedAt: (await rowOf(app, admin))?.emailVerifiedAt })
})

test('The callback refuses a missing, invented or malformed ticket, and mfa_verified=false', async () => {
  const { app, company, admin } = await start()
  const invented = `${company.tenantId}.${'A'.repeat(43)}`
  expect(await outcomeOf(await app.request(CALLBACK, { body: finish(admin) }))).toEqual(refusal)
  expect(await outcomeOf(await mint(app, admin, invented))).toEqual(refusal)
  expect(await outcomeOf(await mint(app, admin, 'not a handle'))).toEqual(refusal)
  expect(await outcomeOf(await mint(app, admin, await newTicket(app, admin), { mfa_verified: false }))).toEqual(refusal)
  expect((await rowOf(app, admin))?.lastLoginAt).toBeNull()
})

test('The ticket is accepted from header and body too, once', async () => {
  const { app, admin } = await start()
  const byHeader = await newTicket(app, admin)
  const headers = { 'x-login-ticket': byHeader }
  expect((await app.request(CALLBACK, { body: finish(admin), headers })).status).toBe(200)
  expect(await outcomeOf(await app.request(CALLBACK, { body: finish(admin), headers }))).toEqual(refusal)
  const byBody = await newTicket(app, admin)
  expect((await mint(app, admin, byBody)).status).toBe(200)
  expect(await outcomeOf(await mint(app, admin, byBody))).toEqual(refusal)
})

test('The ticket cookie works only from the origin where the sign-in began', async () => {
  const { app, admin } = await start()
  const browser = cookieJar()
  browser.take(await app.request(UI_LOGIN, { body: credentials(admin), headers: { origin: UI } }))
  const from = (origin: Record<string, string>): Promise<Response> =>
    app.request(CALLBACK, { body: finish(admin), headers: { ...origin, ...browser.header() } })
  expect(await outcomeOf(await from({ origin: 'https://evil.example' }))).toEqual(refusal)
  expect(await outcomeOf(await from({}))).toEqual(refusal)
  for (let i = 0; i < 6; i++) await from({ origin: 'https://evil.example' })
  // A foreign page cannot use the ticket's failed attempts up either.
  expect((await from({ origin: UI })).status).toBe(200)
})

test('A ticket works only for its own person and tenant, and ends at the fifth refusal', async () => {
  const { app, company, admin } = await start()
  const [other, stranger] = [await app.person(company, 'admin'), (await app.company('globex')).admin]
  const transactionToken = await newTicket(app, admin)
  expect(await outcomeOf(await mint(app, other, transactionToken))).toEqual(refusal)
  expect(await outcomeOf(await mint(app, stranger, transactionToken))).toEqual(refusal)
  expect(await outcomeOf(await mint(app, admin, transactionToken, { tenant_id: stranger.tenantId }))).toEqual(refusal)
  expect(await outcomeOf(await mint(app, admin, transactionToken, { email: 'other@else.example' }))).toEqual(refusal)
  expect((await mint(app, admin, transactionToken)).status).toBe(200)
  const second = await newTicket(app, admin)
  for (let i = 0; i < 5; i++) expect((await mint(app, stranger, second)).status).toBe(401)
  expect(await outcomeOf(await mint(app, admin, second))).toEqual(refusal)
})

test('A ticket ends after ten minutes, when sign-ins are revoked, and with the account and the tenant', async () => {
  const { app, company, admin } = await start()
  const expired = await newTicket(app, admin)
  app.clock.advance(600)
  expect(await outcomeOf(await mint(app, admin, expired))).toEqual(refusal)
  const changed = await newTicket(app, admin)
  app.clock.advance(1)
  await change(app, admin, { validFrom: app.clock.now() })
  expect(await outcomeOf(await mint(app, admin, changed))).toEqual(refusal)
  const disabled = await newTicket(app, admin)
  await change(app, admin, { active: false })
  expect(await outcomeOf(await mint(app, admin, disabled))).toEqual(refusal)
  await change(app, admin, { active: true })
  const ofSuspended = await newTicket(app, admin)
  await setStatus(app, company, 'suspended')
  expect(await outcomeOf(await mint(app, admin, ofSuspended))).toEqual(refusal)
})
