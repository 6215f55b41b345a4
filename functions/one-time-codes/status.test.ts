import { expect, test } from 'vitest'
import { type Company, type Person, startApp, type TestApp } from '#tests/support/app'
import { loginTransactionFor, setUpApp } from '#tests/support/factors'
import { bodyOf, outcomeOf } from '#tests/support/sign-in'
import { authRoutes } from '../auth/routes.ts'
import { userSignInRoutes } from '../user-sign-in/routes.ts'
import { oneTimeCodeRoutes } from './routes.ts'

const BASE = '/authsec/webauthn'
const start = async (): Promise<{ app: TestApp; company: Company; pat: Person }> => {
  const app = await startApp([...authRoutes, ...userSignInRoutes, ...oneTimeCodeRoutes] as never)
  const company = await app.company()
  return { app, company, pat: await app.person(company) }
}

type Ask = (app: TestApp, email: string, tenantId: string, more?: { token?: string; login_ticket?: string }) => Promise<Response>
const posting =
  (path: string): Ask =>
  (app, email, tenant_id, { token, login_ticket } = {}) =>
    app.request(`${BASE}${path}`, {
      body: { email, tenant_id, ...(login_ticket === undefined ? {} : { login_ticket }) },
      ...(token === undefined ? {} : { token }),
    })
const getting =
  (path: string): Ask =>
  (app, email, tenant_id, { token, login_ticket } = {}) =>
    app.request(`${BASE}${path}?email=${encodeURIComponent(email)}${path.includes('enduser') ? `&tenant_id=${tenant_id}` : ''}`, {
      headers: login_ticket === undefined ? {} : { 'x-login-ticket': login_ticket },
      ...(token === undefined ? {} : { token }),
    })
const ENDPOINTS: readonly (readonly [string, Ask])[] = [
  ['POST admin/mfa/status', posting('/admin/mfa/status')],
  ['POST admin/mfa/loginStatus', posting('/admin/mfa/loginStatus')],
  ['GET admin/mfa/loginStatus', getting('/admin/mfa/loginStatus')],
  ['POST enduser/mfa/status', posting('/enduser/mfa/status')],
  ['POST enduser/mfa/loginStatus', posting('/enduser/mfa/loginStatus')],
  ['GET enduser/mfa/loginStatus', getting('/enduser/mfa/loginStatus')],
  ['POST mfa/status', posting('/mfa/status')],
  ['POST mfa/loginStatus', posting('/mfa/loginStatus')],
]

test.each(ENDPOINTS)('%s: the answer is the same for every address except the caller\u2019s own', async (_, ask) => {
  const { app, company, pat } = await start()
  await setUpApp(app, pat, { token: await app.token(pat) })
  const other = await app.person(company)
  const unknown = await outcomeOf(await ask(app, 'stranger@acme.example', company.tenantId))
  const masked = (text: string): string => JSON.stringify(unknown).replaceAll('stranger@acme.example', text)
  const answers = [
    await outcomeOf(await ask(app, pat.email, company.tenantId)),
    await outcomeOf(await ask(app, pat.email, company.tenantId, { token: await app.token(other) })),
    await outcomeOf(await ask(app, pat.email, company.tenantId, { login_ticket: await loginTransactionFor(app, company, other) })),
    await outcomeOf(await ask(app, pat.email, company.tenantId, { login_ticket: `${company.tenantId}.${'C'.repeat(43)}` })),
  ]
  for (const answer of answers) expect(JSON.stringify(answer)).toBe(masked(pat.email))
  expect(unknown.status).toBe(200)
})

test.each(ENDPOINTS)('%s: a person in a login transaction gets their factors, without any secret', async (_, ask) => {
  const { app, company, pat } = await start()
  const { seed, backupCodes } = await setUpApp(app, pat, { token: await app.token(pat) })
  const transactionToken = await loginTransactionFor(app, company, pat)
  const status = await bodyOf(await ask(app, pat.email, company.tenantId, { login_ticket: transactionToken }))
  const [method] = status.methods as Record<string, unknown>[]
  expect(method).toMatchObject({
    method_type: 'totp',
    client_id: pat.id,
    user_id: pat.id,
    enabled: true,
    verified: true,
    is_primary: true,
    method_data: {},
  })
  expect(method).not.toHaveProperty('backup_codes')
  const text = JSON.stringify(status)
  for (const secret of [seed, ...backupCodes]) expect(text).not.toContain(secret)
})

test('without factors nothing is required in a login transaction; the flat form offers a passkey', async () => {
  const { app, company, pat } = await start()
  const transactionToken = await loginTransactionFor(app, company, pat)
  const ask = async (path: string) => bodyOf(await posting(path)(app, pat.email, company.tenantId, { login_ticket: transactionToken }))
  expect(await ask('/enduser/mfa/loginStatus')).toEqual({ mfa_required: false })
  expect(await ask('/mfa/status')).toEqual({ user_id: pat.id, email: pat.email, mfa_enabled: false, methods: [] })
  expect(await ask('/mfa/loginStatus')).toEqual({ mfa_required: false, methods: [], webauthn_status: 'register' })
})

test('requires an address', async () => {
  const { app } = await start()
  expect((await app.request(`${BASE}/admin/mfa/loginStatus`)).status).toBe(400)
  expect((await app.request(`${BASE}/admin/mfa/status`, { body: {} })).status).toBe(400)
})
