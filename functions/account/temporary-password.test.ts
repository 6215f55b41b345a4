// A session that began with a temporary password can only change the password or sign out, regardless of the sign-in route.
import { expect, test } from 'vitest'
import { atomically, forTenant, SYSTEM_TENANT } from '#db/engine/tenant'
import { addVerifiedMethod } from '#db/store/login-transactions'
import { transactionHandleHash } from '#shared/domains/login-transaction/login-transaction'
import { ensurePlatformAdministrator } from '#shared/domains/tenancy/system-tenant'
import { PASSWORD, type Person, startApp, type TestApp } from '#tests/support/app'
import { bodyOf, change, enrol, outcomeOf, textIn } from '#tests/support/sign-in'
import { adminRoutes } from '../admin/routes.ts'
import { authRoutes } from '../auth/routes.ts'
import { rolesRoutes } from '../roles/routes.ts'
import { tokensRoutes } from '../tokens/routes.ts'
import { userSignInRoutes } from '../user-sign-in/routes.ts'
import { accountRoutes } from './routes.ts'

const AUTH = '/authsec/uflow/auth'
const NEW = 'nine-silver-herons-wade'
const CHANGE_REQUIRED = { temporary_password: true, password_change_required: true }

const start = () => startApp([...authRoutes, ...userSignInRoutes, ...accountRoutes, ...adminRoutes, ...rolesRoutes, ...tokensRoutes] as never)
const withTemporary = (app: TestApp, person: Person): Promise<boolean> =>
  change(app, person, { temporaryPassword: true, temporaryPasswordExpiresAt: new Date(app.clock.now().getTime() + 3_600_000) })
const signIn = async (app: TestApp, { email }: Person, password = PASSWORD) =>
  bodyOf(await app.request(`${AUTH}/admin/login`, { body: { email, password } }))
const rolesIn = (token: string): unknown => JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()).roles ?? []

test('every other route is refused and the token has no roles until the password changes; then the same session continues', async () => {
  const app = await start()
  const { admin, tenantId } = await app.company()
  await withTemporary(app, admin)
  const answer = await signIn(app, admin)
  expect(answer).toMatchObject(CHANGE_REQUIRED)
  const token = textIn(answer, 'token')
  expect(rolesIn(token)).toEqual([])
  for (const path of ['/account/sessions', '/authsec/uflow/admin/roles']) {
    expect(await outcomeOf(await app.request(path, { token })), path).toMatchObject({ status: 403, body: { code: 'password_change_required' } })
  }
  expect((await app.events(tenantId)).filter(({ reason }) => reason === 'password_change_required')).toHaveLength(2)
  await app.ctx.principals.resolve(token).then(({ permissions }) => expect([...permissions]).toEqual([]))
  expect((await app.request('/account/password', { token, body: { current_password: PASSWORD, new_password: NEW } })).status).toBe(204)
  expect((await app.request('/authsec/uflow/admin/roles', { token })).status).toBe(200)
  const after = await signIn(app, admin, NEW)
  expect(after.password_change_required).toBeUndefined()
  expect(rolesIn(textIn(after, 'token'))).not.toEqual([])
})

test('it can sign out', async () => {
  const app = await start()
  const { admin } = await app.company()
  await withTemporary(app, admin)
  const token = textIn(await signIn(app, admin), 'token')
  expect((await app.request('/account/sign-out', { token, method: 'POST' })).status).toBe(204)
})

test('both steps of an end user\u2019s sign-in report it, and the session is restricted', async () => {
  const app = await start()
  const company = await app.company()
  const person = await app.person(company)
  await withTemporary(app, person)
  const credentials = { client_id: company.clientId, email: person.email, password: PASSWORD }
  const step = await bodyOf(await app.request('/authsec/uflow/user/login', { body: credentials }))
  expect(step).toMatchObject(CHANGE_REQUIRED)
  const finish = { email: person.email, tenant_id: company.tenantId, mfa_verified: true, login_ticket: step.login_ticket }
  const minted = await bodyOf(await app.request(`${AUTH}/enduser/webauthn-callback`, { body: finish }))
  expect(minted).toMatchObject(CHANGE_REQUIRED)
  const refused = await app.request('/account/sessions', { token: textIn(minted, 'access_token') })
  expect(await outcomeOf(refused)).toMatchObject({ status: 403, body: { code: 'password_change_required' } })
})

test('a session that began without the password is not restricted', async () => {
  const app = await start()
  const { admin } = await app.company()
  const token = await app.token(admin, ['hwk'])
  await withTemporary(app, admin)
  expect((await app.request('/account/sessions', { token })).status).toBe(200)
})

test('login-hybrid names the tenant of a platform administrator "admin", and the last step accepts that name', async () => {
  const app = await start()
  const email = `root@${app.ctx.random.id()}.example`
  const passwordHash = await app.ctx.passwords.hash(PASSWORD)
  const { userId } = await ensurePlatformAdministrator(app.ctx, { email, name: 'Root', passwordHash, proved: true })
  const admin: Person = { id: userId, email, password: PASSWORD, tenantId: SYSTEM_TENANT }
  await enrol(app, admin)
  const step = await bodyOf(await app.request(`${AUTH}/admin/login-hybrid`, { body: { email: admin.email, password: PASSWORD } }))
  expect(step).toMatchObject({ tenant_id: 'admin', user_type: 'global_admin' })
  const finish = { email: admin.email, tenant_id: step.tenant_id, mfa_verified: true, login_ticket: step.login_ticket }
  // The second factor is still missing, so the factor is refused and not the name.
  expect(await outcomeOf(await app.request('/authsec/uflow/login/webauthn-callback', { body: finish }))).toMatchObject({
    status: 401,
    body: { code: 'mfa_verification_failed' },
  })
  const hash = transactionHandleHash(app.ctx, textIn(step, 'login_ticket'))
  await atomically(forTenant(app.db, SYSTEM_TENANT), (t) => addVerifiedMethod(t, hash, ['otp'], app.clock.now()))
  expect((await app.request('/authsec/uflow/login/webauthn-callback', { body: finish })).status).toBe(200)
})
