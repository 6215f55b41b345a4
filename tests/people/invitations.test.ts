import { expect, test } from 'vitest'
import { atomically, forTenant, SYSTEM_TENANT, type TenantTx } from '#db/engine/tenant'
import { findClient } from '#db/store/clients'
import { deleteUser, setUserActive } from '#db/store/people'
import { updateTenantSettings } from '#db/store/tenants'
import { findLivePermissions, findUserByEmail, updateUser } from '#db/store/users'
import { accountRoutes } from '../../functions/account/routes.ts'
import { adminRoutes } from '../../functions/admin/routes.ts'
import { authRoutes } from '../../functions/auth/routes.ts'
import { rolesRoutes } from '../../functions/roles/routes.ts'
import { signUpRoutes } from '../../functions/sign-up/routes.ts'
import { tenantsRoutes } from '../../functions/tenants/routes.ts'
import { platformAdministrator } from '../seeds/seeds.ts'
import { startApp } from '../support/app.ts'

const NEXT = 'violet-anchors-hum-quietly'
const BASE = '/authsec/uflow/admin/invite'
const house = async (env: Readonly<Record<string, string>> = {}) => {
  const app = await startApp([...adminRoutes, ...rolesRoutes, ...tenantsRoutes, ...accountRoutes, ...authRoutes, ...signUpRoutes], { env })
  const company = await app.company()
  const token = await app.token(company.admin)
  const email = `ines@${company.name}.example`
  const post = (path: string, body: object, as = token) => app.request(`${BASE}${path}`, { token: as, body })
  const linkOf = async (to = email): Promise<string> => {
    const mails = await app.mailsTo(to)
    return /#ticket=([\w.-]+)/.exec(mails.findLast(({ text }) => text.includes('#ticket='))?.text ?? '')?.[1] ?? ''
  }
  const accept = (ticket: string) => app.request('/account/set-password', { body: { ticket, new_password: NEXT } })
  return { app, company, token, email, post, linkOf, accept }
}
const codeOf = async (response: Response): Promise<unknown> => ({ status: response.status, code: (await response.json()).code })

test('an invitation mails a one-time link, and contains no password', async () => {
  const { app, company, email, post, linkOf, accept } = await house()
  const answer = await post('', { email: email.toUpperCase(), username: 'ines', first_name: 'Ines', last_name: 'Invited' })
  expect(answer.status).toBe(201)
  const invited = await answer.json()
  expect(invited).toMatchObject({ email, username: 'ines', email_sent: true })
  expect(invited).not.toHaveProperty('temporary_password')
  const t = forTenant(app.db, company.tenantId)
  expect(await findUserByEmail(t, email)).toMatchObject({
    passwordHash: null,
    temporaryPassword: true,
    name: 'Ines Invited',
    invitedBy: company.admin.id,
  })
  const pending = await (await app.request(`${BASE}/pending`, { token: await app.token(company.admin) })).json()
  expect(pending).toMatchObject({ total: 1, invites: [{ user_id: invited.user_id, is_expired: false, expires_at: invited.expires_at }] })
  expect((await accept(await linkOf())).status).toBe(204)
  expect(await codeOf(await accept(await linkOf()))).toEqual({ status: 400, code: 'link_expired' })
  const login = await app.request('/authsec/uflow/auth/admin/login', { body: { email, password: NEXT } })
  expect(login.status).toBe(200)
  expect(await codeOf(await post('/cancel', { user_id: invited.user_id }))).toEqual({ status: 400, code: 'invitation_accepted' })
  expect(await codeOf(await post('/resend', { user_id: invited.user_id }))).toEqual({ status: 400, code: 'invitation_accepted' })
})

test('a taken address or user name is a conflict without side effects', async () => {
  const { app, company, email, post } = await house()
  await post('', { email, username: 'ines' })
  const before = await app.events(company.tenantId)
  expect(await codeOf(await post('', { email, username: 'other' }))).toEqual({ status: 409, code: 'email_taken' })
  expect(await codeOf(await post('', { email: `x${email}`, username: 'ines' }))).toEqual({ status: 409, code: 'username_taken' })
  expect(await findUserByEmail(forTenant(app.db, company.tenantId), `x${email}`)).toBeUndefined()
  expect(await app.events(company.tenantId)).toEqual(before)
  expect(await app.mailsTo(`x${email}`)).toEqual([])
})

test('a cancelled invitation cannot be accepted, and its person is removed', async () => {
  const { app, company, email, post, linkOf, accept } = await house()
  const { user_id } = await (await post('', { email, username: 'ines' })).json()
  const link = await linkOf()
  expect(await (await post('/cancel', { user_id })).json()).toMatchObject({ user_id, email })
  expect(await codeOf(await accept(link))).toEqual({ status: 400, code: 'link_expired' })
  expect(await findUserByEmail(forTenant(app.db, company.tenantId), email)).toBeUndefined()
  expect(await codeOf(await post('/cancel', { user_id }))).toEqual({ status: 404, code: 'not_found' })
  // The address is available again.
  expect((await post('', { email, username: 'ines' })).status).toBe(201)
})

test('after resending only the newest link works; not after thirty days, and not indefinitely', async () => {
  const { app, company, email, post, linkOf, accept } = await house()
  const { user_id } = await (await post('', { email, username: 'ines' })).json()
  const old = await linkOf()
  app.clock.advance(60)
  expect((await post('/resend', { user_id })).status).toBe(200)
  expect(await codeOf(await accept(old))).toEqual({ status: 400, code: 'link_expired' })
  app.clock.advance(30 * 86_400)
  const again = await app.token(company.admin)
  expect(await codeOf(await post('/resend', { user_id }, again))).toEqual({ status: 400, code: 'invitation_lapsed' })
})

test('resending has its own limit', async () => {
  const { email, post } = await house({ RATE_LIMIT: 'on' })
  const { user_id } = await (await post('', { email, username: 'ines' })).json()
  const statuses = []
  for (let n = 0; n < 4; n++) statuses.push((await post('/resend', { user_id })).status)
  expect(statuses).toEqual([200, 200, 200, 429])
})

test('a caller without the role cannot invite into it', async () => {
  const { app, company, email, post } = await house()
  const partial = await app.token(await app.person(company, ['admin:access', 'users:write']))
  expect(await codeOf(await post('', { email, username: 'ines' }, partial))).toEqual({ status: 403, code: 'cannot_grant' })
  expect(await findUserByEmail(forTenant(app.db, company.tenantId), email)).toBeUndefined()
})

test('an administrator of another tenant cannot cancel', async () => {
  const { app, email, post } = await house()
  const { user_id } = await (await post('', { email, username: 'ines' })).json()
  const stranger = await app.token((await app.company('globex')).admin)
  expect(await codeOf(await post('/cancel', { user_id }, stranger))).toEqual({ status: 404, code: 'not_found' })
})

test('a platform administrator invites into the named company, not into the system tenant', async () => {
  const { app, company, email, post } = await house()
  const platform = await app.token(await platformAdministrator(app), ['pwd', 'otp'])
  expect((await post('', { email, username: 'ines', tenant_id: company.tenantId }, platform)).status).toBe(201)
  expect(await findUserByEmail(forTenant(app.db, SYSTEM_TENANT), email)).toBeUndefined()
  const user = await findUserByEmail(forTenant(app.db, company.tenantId), email)
  expect(await findLivePermissions(forTenant(app.db, company.tenantId), user?.id ?? '', app.clock.now())).toContain('admin:access')
})

test('client and project of an invited person belong to the tenant', async () => {
  const { app, company, email, post } = await house()
  const globex = await app.company('globex')
  const theirs = await findClient(forTenant(app.db, globex.tenantId), globex.clientId)
  for (const foreign of [{ client_id: globex.clientId }, { project_id: theirs?.projectId }, { tenant_domain: globex.domain }])
    expect(await codeOf(await post('', { email, username: 'ines', ...foreign })), JSON.stringify(foreign)).toEqual({
      status: 400,
      code: 'invalid_request',
    })
  expect(await findUserByEmail(forTenant(app.db, company.tenantId), email)).toBeUndefined()
  expect((await post('', { email, username: 'ines', client_id: company.clientId, tenant_domain: company.domain })).status).toBe(201)
})

test('a domain in an invitation is ignored when it is the platform’s or that of the page', async () => {
  const { app, company, email, token, post } = await house()
  expect((await post('', { email, username: 'ines', tenant_domain: 'localhost' })).status).toBe(201)
  const fromPage = (tenant_domain: string, origin: string) =>
    app.request(BASE, { token, body: { email: `ida@${company.name}.example`, username: 'ida', tenant_domain }, headers: { origin } })
  expect(await codeOf(await fromPage('console.example', 'https://other.example'))).toEqual({ status: 400, code: 'invalid_request' })
  expect((await fromPage('console.example', 'https://console.example')).status).toBe(201)
})

test('resending an invitation requires the rights that it grants', async () => {
  const { app, company, email, post, linkOf, accept } = await house()
  const { user_id } = await (await post('', { email, username: 'ines' })).json()
  const partial = await app.token(await app.person(company, ['admin:access', 'users:write']))
  expect(await codeOf(await post('/resend', { user_id }, partial))).toEqual({ status: 403, code: 'cannot_grant' })
  // A refusal leaves the link valid.
  expect((await accept(await linkOf())).status).toBe(204)
})

test('an invited person who is disabled and enabled again needs a new link', async () => {
  const { app, company, token, email, post, linkOf, accept } = await house()
  const { user_id } = await (await post('', { email, username: 'ines' })).json()
  const link = await linkOf()
  for (const active of [false, true]) {
    const body = { tenant_id: company.tenantId, user_id, active }
    expect((await app.request('/authsec/uflow/admin/users/active', { token, body })).status).toBe(200)
  }
  expect(await codeOf(await accept(link))).toEqual({ status: 400, code: 'link_expired' })
})

test('only an invitation can be cancelled: not a member of the company who never signed in', async () => {
  const { app, company, post } = await house()
  const pat = await app.person(company)
  await atomically(forTenant(app.db, company.tenantId), (t) => updateUser(t, pat.id, { temporaryPassword: true }))
  expect(await codeOf(await post('/cancel', { user_id: pat.id }))).toEqual({ status: 400, code: 'invitation_accepted' })
  expect(await findUserByEmail(forTenant(app.db, company.tenantId), pat.email)).toMatchObject({ id: pat.id })
})

test('an invited person counts against the company’s quota', async () => {
  const { app, company, email, post } = await house()
  await atomically(forTenant(app.db, company.tenantId), (t) => updateTenantSettings(t, { quotas: { users: 1 } }, app.clock.now()))
  expect(await codeOf(await post('', { email, username: 'ines' }))).toMatchObject({ code: 'quota_exceeded' })
  expect(await findUserByEmail(forTenant(app.db, company.tenantId), email)).toBeUndefined()
})

type Fall = readonly [how: string, fall: (t: TenantTx, userId: string, now: Date) => Promise<unknown>]
const FALLS: readonly Fall[] = [
  ['was disabled', (t, userId, now) => setUserActive(t, userId, false, now)],
  ['was permanently deleted', deleteUser],
  [
    'lost the role',
    (t, userId) =>
      t.run({ text: 'delete from authsec.role_bindings where tenant_id = $1 and user_id = $2', params: [t.tenantId, userId], arrays: true }),
  ],
  [
    'held the role only until a past date',
    (t, userId, now) =>
      t.run({
        text: 'update authsec.role_bindings set expires_at = $3 where tenant_id = $1 and user_id = $2',
        params: [t.tenantId, userId, now.toISOString()],
        arrays: true,
      }),
  ],
]

test.each(FALLS)('an invitation is invalid once its sender %s, until a permitted administrator resends it', async (_, fall) => {
  const { app, company, token, email, post, linkOf, accept } = await house()
  const inviter = await app.person(company, 'admin')
  const { user_id } = await (await post('', { email, username: 'ines' }, await app.token(inviter))).json()
  const link = await linkOf()
  const falls = (id: string) => atomically(forTenant(app.db, company.tenantId), (t) => fall(t, id, app.clock.now()))
  await falls(inviter.id)
  expect(await codeOf(await app.request('/account/set-password/link', { body: { ticket: link } }))).toMatchObject({ code: 'link_expired' })
  expect(await codeOf(await accept(link))).toEqual({ status: 400, code: 'link_expired' })
  expect(await findUserByEmail(forTenant(app.db, company.tenantId), email)).toMatchObject({ passwordHash: null, emailVerifiedAt: null })
  app.clock.advance(60)
  expect((await post('/resend', { user_id }, token)).status).toBe(200)
  expect((await accept(await linkOf())).status).toBe(204)
  // Once accepted, it no longer depends on its sender.
  await falls(company.admin.id)
  expect((await app.request('/authsec/uflow/auth/admin/login', { body: { email, password: NEXT } })).status).toBe(200)
})

test('a password handed over with an invitation is valid only while its sender is, at sign-in and at a reset', async () => {
  const { app, company, email, post } = await house({ RATE_LIMIT: 'on' })
  await atomically(forTenant(app.db, company.tenantId), (t) => updateTenantSettings(t, { quotas: { mailsPerHour: 0 } }, app.clock.now()))
  const inviter = await app.person(company, 'admin')
  const { temporary_password: password } = await (await post('', { email, username: 'ines' }, await app.token(inviter))).json()
  await atomically(forTenant(app.db, company.tenantId), (t) => updateTenantSettings(t, {}, app.clock.now()))
  const signIn = () => app.request('/authsec/uflow/auth/admin/login', { body: { email, password, tenant_domain: company.domain } })
  const RESET = '/authsec/uflow/auth/admin/forgot-password'
  const reset = async () => {
    await app.request(RESET, { body: { email, tenant_domain: company.domain } })
    const otp = /\b\d{6}\b/.exec((await app.mailsTo(email)).at(-1)?.text ?? '')?.[0] ?? '000000'
    const verified = await app.request(`${RESET}/verify-otp`, { body: { email, otp, tenant_domain: company.domain } })
    const { reset_token } = await verified.json()
    return app.request(`${RESET}/reset`, { body: { email, new_password: NEXT, reset_token, tenant_domain: company.domain } })
  }
  const switchOf = (active: boolean) => atomically(forTenant(app.db, company.tenantId), (t) => setUserActive(t, inviter.id, active, app.clock.now()))
  await switchOf(false)
  expect(await codeOf(await signIn())).toEqual({ status: 401, code: 'invalid_credentials' })
  expect(await codeOf(await reset())).toMatchObject({ status: 401 })
  expect(await findUserByEmail(forTenant(app.db, company.tenantId), email)).toMatchObject({ lastLoginAt: null, emailVerifiedAt: null })
  await switchOf(true)
  expect((await signIn()).status).toBe(200)
})

test('an invitation by the platform depends on the current rights of its platform administrator', async () => {
  const { app, company, email, post, linkOf, accept } = await house()
  const platform = await platformAdministrator(app)
  expect((await post('', { email, username: 'ines', tenant_id: company.tenantId }, await app.token(platform))).status).toBe(201)
  const system = forTenant(app.db, SYSTEM_TENANT)
  await atomically(system, (t) => setUserActive(t, platform.id, false, app.clock.now()))
  expect(await codeOf(await accept(await linkOf()))).toEqual({ status: 400, code: 'link_expired' })
  await atomically(system, (t) => setUserActive(t, platform.id, true, app.clock.now()))
  expect((await accept(await linkOf())).status).toBe(204)
})

test('a platform administrator lists, resends and cancels invitations sent into a company', async () => {
  const { app, company, email, post, linkOf } = await house()
  const platform = await app.token(await platformAdministrator(app))
  const tenant_id = company.tenantId
  const { user_id } = await (await post('', { email, username: 'ines', tenant_id }, platform)).json()
  const pending = async () => (await app.request(`${BASE}/pending?tenant_id=${tenant_id}`, { token: platform })).json()
  expect(await pending()).toMatchObject({ total: 1, invites: [{ user_id, email }] })
  const first = await linkOf()
  app.clock.advance(60)
  expect((await post('/resend', { user_id, tenant_id }, platform)).status).toBe(200)
  expect(await linkOf()).not.toBe(first)
  expect(await codeOf(await post('/cancel', { user_id }, platform))).toEqual({ status: 404, code: 'not_found' })
  expect((await post('/cancel', { user_id, tenant_id }, platform)).status).toBe(200)
  expect(await pending()).toMatchObject({ total: 0 })
})

test('cancelling an invitation requires the rights that it grants', async () => {
  const { app, company, email, post, linkOf, accept } = await house()
  const { user_id } = await (await post('', { email, username: 'ines' })).json()
  const partial = await app.token(await app.person(company, ['admin:access', 'users:write']))
  expect(await codeOf(await post('/cancel', { user_id }, partial))).toEqual({ status: 403, code: 'cannot_grant' })
  expect((await accept(await linkOf())).status).toBe(204)
})
