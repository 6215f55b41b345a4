import { expect, test } from 'vitest'
import { forTenant } from '#db/engine/tenant'
import { findUser } from '#db/store/users'
import { authRoutes } from '../../functions/auth/routes.ts'
import { signUpRoutes } from '../../functions/sign-up/routes.ts'
import { userRoutes } from '../../functions/user/routes.ts'
import { userSignInRoutes } from '../../functions/user-sign-in/routes.ts'
import { PASSWORD, type Person, startApp } from '../support/app.ts'

const BASE = '/authsec/uflow/user'
const NEXT = 'violet-anchors-hum-quietly'
const house = async (env: Readonly<Record<string, string>> = {}) => {
  const app = await startApp([...userSignInRoutes, ...userRoutes, ...authRoutes, ...signUpRoutes], { env })
  const company = await app.company()
  const token = await app.token(company.admin)
  const of = (person: Person) => `${BASE}/enduser/${company.tenantId}/${person.id}`
  const row = (person: Person) => findUser(forTenant(app.db, company.tenantId), person.id)
  return { app, company, token, of, row }
}
const codeOf = async (response: Response): Promise<unknown> => ({ status: response.status, code: (await response.json()).code })

test('an end user reads and changes their own profile, and no data of another person', async () => {
  const { app, company, of, row } = await house()
  const [pat, mel] = [await app.person(company), await app.person(company)]
  const token = await app.token(pat)
  const own = await (await app.request(of(pat), { token })).text()
  expect(JSON.parse(own)).toMatchObject({ id: pat.id, email: pat.email, tenant_id: company.tenantId })
  expect(own).not.toMatch(/hash|argon2/)
  const put = await app.request(of(pat), {
    method: 'PUT',
    token,
    body: { name: 'Pat Renamed', username: 'pat', avatar_url: 'https://a.example/p.png' },
  })
  expect((await put.json()).user).toMatchObject({ name: 'Pat Renamed', username: 'pat' })
  expect(await codeOf(await app.request(of(pat), { method: 'PUT', token, body: { email: 'new@acme.example' } }))).toEqual({
    status: 403,
    code: 'forbidden',
  })
  const refused = { status: 403, code: 'insufficient_scope' }
  const body = { tenant_id: company.tenantId, user_id: mel.id, active: false }
  for (const [method, path, sent] of [
    ['GET', of(mel), undefined],
    ['PUT', of(mel), { name: 'Gone' }],
    ['GET', `${BASE}/enduser/list`, undefined],
    ['POST', `${BASE}/enduser/active`, body],
    ['PUT', `${of(mel)}/status`, { active: false }],
    ['DELETE', of(mel), undefined],
    ['POST', `${BASE}/admin/change-password`, { ...body, new_password: NEXT }],
    ['POST', `${BASE}/admin/reset-password`, body],
    ['POST', `${BASE}/groups/users/add`, { ...body, groups: ['crew'] }],
  ] as const) {
    expect(await codeOf(await app.request(path, { method, token, ...(sent ? { body: sent } : {}) })), path).toEqual(refused)
  }
  expect(await row(mel)).toMatchObject({ active: true, name: 'Pat Person' })
})

test('lists can be filtered, searched, sorted and paged, also by cursor, with totals', async () => {
  const { app, company } = await house()
  const names: string[] = []
  for (let n = 0; n < 5; n++) {
    app.clock.advance(1)
    const person = await app.person(company)
    names.push(person.id)
    const as = await app.token(company.admin)
    await app.request(`${BASE}/enduser/${company.tenantId}/${person.id}`, {
      method: 'PUT',
      token: as,
      body: { name: `Zoë Number${n}`, username: `user_${n}%` },
    })
  }
  const token = await app.token(company.admin)
  const list = async (query: string) => (await app.request(`${BASE}/enduser/list?${query}`, { token })).json()
  const ids = (page: { users: { id: string }[] }) => page.users.map(({ id }) => id)
  expect(await list('limit=2&page=2')).toMatchObject({ total: 6, page: 2, limit: 2, total_pages: 3 })
  expect(ids(await list('limit=2&page=2'))).toEqual([names[2], names[1]])
  const first = await list('limit=2')
  expect(ids(await list(`limit=2&cursor=${first.next_cursor}`))).toEqual([names[2], names[1]])
  expect(ids(await list(`name=${encodeURIComponent('zoË num')}`))).toHaveLength(5)
  expect(ids(await list('search=number3'))).toEqual([names[3]])
  expect(ids(await list(`search=${encodeURIComponent('3%')}`))).toEqual([names[3]])
  expect(await list(`search=${encodeURIComponent('%')}&limit=1`)).toMatchObject({ total: 5 })
  expect(ids(await list('email=number3'))).toEqual([])
  expect(ids(await list('sort=name&limit=2'))).toEqual([company.admin.id, names[0]])
  await app.request(`${BASE}/enduser/${company.tenantId}/${names[0]}/status`, { method: 'PUT', token, body: { active: false } })
  expect(ids(await list('active=false'))).toEqual([names[0]])
  expect((await list('active=0')).total).toBe(1)
  expect((await list('')).total).toBe(5)
  expect(await codeOf(await app.request(`${BASE}/enduser/list?active=perhaps`, { token }))).toEqual({ status: 400, code: 'invalid_request' })
  const posted = await app.request(`${BASE}/enduser/list`, { token, body: { tenant_id: company.tenantId, active: 'true', limit: 1 } })
  expect((await posted.json()).users).toHaveLength(1)
})

test('an address set by an administrator is unverified, ends all sessions, and the previous address is notified', async () => {
  const { app, company, token, of, row } = await house()
  const pat = await app.person(company)
  const open = await app.token(pat)
  const email = `moved-${pat.id.slice(-6)}@acme.example`
  expect((await app.request(of(pat), { method: 'PUT', token, body: { email } })).status).toBe(200)
  expect(await row(pat)).toMatchObject({ email, emailVerifiedAt: null })
  expect((await app.request(of(pat), { token: open })).status).toBe(401)
  expect((await app.mailsTo(pat.email))[0]?.text).toContain(email)
  const taken = await app.request(of(pat), { method: 'PUT', token, body: { email: company.admin.email } })
  expect(await codeOf(taken)).toEqual({ status: 409, code: 'email_taken' })
})

test('changing an address, setting a password and resetting require every right that the person holds', async () => {
  const { app, company, of, row } = await house()
  const target = await app.person(company, ['audit:read'])
  const before = await row(target)
  const weak = await app.token(await app.person(company, ['users:write', 'users:password', 'users:read']))
  const named = { tenant_id: company.tenantId, user_id: target.id }
  for (const [method, path, body] of [
    ['PUT', of(target), { email: 'taken.over@acme.example' }],
    ['POST', `${BASE}/admin/change-password`, { ...named, new_password: NEXT }],
    ['POST', `${BASE}/admin/reset-password`, named],
  ] as const) {
    expect(await codeOf(await app.request(path, { method, token: weak, body })), path).toEqual({ status: 403, code: 'cannot_grant' })
  }
  expect(await row(target)).toEqual(before)
  const equal = await app.token(await app.person(company, ['users:password', 'audit:read']))
  expect((await app.request(`${BASE}/admin/change-password`, { token: equal, body: { ...named, new_password: NEXT } })).status).toBe(200)
})

test('a password set by an administrator is temporary and ends sessions, and the owner is notified', async () => {
  const { app, company, token, row } = await house()
  const pat = await app.person(company, 'admin')
  const open = await app.token(pat)
  const body = { tenant_id: company.tenantId, email: pat.email }
  const short = await app.request(`${BASE}/admin/change-password`, { token, body: { ...body, new_password: 'short' } })
  expect(await codeOf(short)).toEqual({ status: 400, code: 'password_too_short' })
  const answer = await app.request(`${BASE}/admin/change-password`, { token, body: { ...body, new_password: NEXT } })
  expect(await answer.json()).toEqual({ success: true, message: 'Password changed', user_id: pat.id, email: pat.email, tenant_id: company.tenantId })
  expect(await row(pat)).toMatchObject({ temporaryPassword: true })
  expect((await app.request(`${BASE}/groups/users`, { token: open })).status).toBe(401)
  expect((await app.mailsTo(pat.email)).length).toBe(1)
  const login = (password: string) => app.request('/authsec/uflow/auth/admin/login', { body: { email: pat.email, password } })
  expect((await login(PASSWORD)).status).toBe(401)
  expect(await (await login(NEXT)).json()).toMatchObject({ password_change_required: true })
  app.clock.advance(8 * 86_400)
  expect(await codeOf(await login(NEXT))).toEqual({ status: 401, code: 'temporary_password_expired' })
})

test('a reset either mails a link or returns a password, never both', async () => {
  const { app, company, token } = await house()
  const pat = await app.person(company)
  const body = { tenant_id: company.tenantId, user_id: pat.id }
  const mailed = await (await app.request(`${BASE}/admin/reset-password`, { token, body: { ...body, send_email: true } })).json()
  expect(mailed).toMatchObject({ success: true, email_sent: true })
  expect(mailed).not.toHaveProperty('temporary_password')
  expect((await app.mailsTo(pat.email)).some(({ text }) => text.includes('#ticket='))).toBe(true)
  const told = await (await app.request(`${BASE}/admin/reset-password`, { token, body })).json()
  expect(told).toMatchObject({ email_sent: false, temporary_password: expect.stringMatching(/^\w{20}$/) })
  const none = await app.request(`${BASE}/admin/reset-password`, { token, body: { tenant_id: company.tenantId } })
  expect(await codeOf(none)).toEqual({ status: 400, code: 'invalid_request' })
})

test('a person is found by address only together with the client', async () => {
  const { app, company, token } = await house()
  const pat = await app.person(company)
  const path = `${BASE}/enduser/${company.tenantId}/${encodeURIComponent(pat.email)}`
  expect(await codeOf(await app.request(path, { token }))).toEqual({ status: 400, code: 'invalid_request' })
  expect((await app.request(`${path}?client_id=${company.clientId}`, { token })).status).toBe(200)
  expect(await codeOf(await app.request(`${path}?client_id=${pat.id}`, { token }))).toEqual({ status: 404, code: 'not_found' })
})

test('no one can set their own password without the current one, nor that of a disabled person', async () => {
  const { app, company, token, row } = await house()
  const pat = await app.person(company)
  const set = (userId: string) =>
    app.request(`${BASE}/admin/change-password`, { token, body: { tenant_id: company.tenantId, user_id: userId, new_password: NEXT } })
  const reset = (userId: string) => app.request(`${BASE}/admin/reset-password`, { token, body: { tenant_id: company.tenantId, user_id: userId } })
  for (const call of [set, reset]) expect(await codeOf(await call(company.admin.id))).toEqual({ status: 403, code: 'forbidden' })
  await app.request(`${BASE}/enduser/${company.tenantId}/${pat.id}/status`, { method: 'PUT', token, body: { active: false } })
  const before = await row(pat)
  for (const call of [set, reset]) expect(await codeOf(await call(pat.id))).toEqual({ status: 404, code: 'not_found' })
  expect(await row(pat)).toEqual(before)
})

test('a person has the domain of the tenant and a unique user name', async () => {
  const { app, company, token, of } = await house()
  const [ann, bob] = [await app.person(company), await app.person(company)]
  const put = async (who: typeof ann, body: object) => {
    const response = await app.request(of(who), { method: 'PUT', token, body })
    return response.status === 200 ? 200 : codeOf(response)
  }
  expect(await put(ann, { tenant_domain: 'elsewhere.example' })).toEqual({ status: 400, code: 'invalid_request' })
  expect(await put(ann, { tenant_domain: company.domain, username: 'ann' })).toBe(200)
  expect(await put(bob, { username: 'ann' })).toEqual({ status: 409, code: 'username_taken' })
})
