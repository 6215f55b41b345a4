import { expect, test } from 'vitest'
import { asTenantId, atomically, directory, forTenant, SYSTEM_TENANT } from '#db/engine/tenant'
import { findDataKey } from '#db/store/data-keys'
import { findTenantByDomain } from '#db/store/domains'
import { findTenant, listTenantIds } from '#db/store/tenants'
import { findAdministeredTenants } from '#db/store/users'
import { putBinding, putRole } from '#db/testing/access'
import { openDetails } from '#shared/domains/audit/details'
import { emailHash } from '#shared/platform/crypto/email-hash'
import { adminRoutes } from '../../functions/admin/routes.ts'
import { authRoutes } from '../../functions/auth/routes.ts'
import { peopleRoutes } from '../../functions/people/routes.ts'
import { rolesRoutes } from '../../functions/roles/routes.ts'
import { purgeAudit } from '../../functions/scheduled/audit-retention.ts'
import { purgeTenants } from '../../functions/scheduled/tenant-purge.ts'
import { signUpRoutes } from '../../functions/sign-up/routes.ts'
import { tenantsRoutes } from '../../functions/tenants/routes.ts'
import { platformAdministrator } from '../seeds/seeds.ts'
import { PASSWORD, startApp } from '../support/app.ts'

const BASE = '/authsec/uflow/admin/tenants'
const NEXT = 'violet-anchors-hum-quietly'
const LATER = new Date('2100-01-01T00:00:00Z')
const house = async () => {
  const app = await startApp([...adminRoutes, ...rolesRoutes, ...tenantsRoutes, ...peopleRoutes, ...authRoutes, ...signUpRoutes])
  const company = await app.company()
  const token = await app.token(company.admin)
  const platform = await app.token(await platformAdministrator(app), ['pwd', 'otp', 'mfa'])
  const path = `${BASE}/${company.tenantId}`
  return { app, company, token, platform, path }
}
const codeOf = async (response: Response): Promise<unknown> => ({ status: response.status, code: (await response.json()).code })

test('a tenant sees itself; only the platform sees all tenants and creates them', async () => {
  const { app, company, token, platform } = await house()
  const own = await (await app.request(BASE, { token })).json()
  expect(own.tenants).toMatchObject([{ id: company.tenantId, tenant_id: company.tenantId, tenant_db: '', status: 'active' }])
  const all = await (await app.request(`${BASE}?limit=1`, { token: platform })).json()
  expect(all).toMatchObject({ tenants: [{}], next_cursor: expect.any(String) })
  const name = `globex-${app.ctx.random.id().slice(-8)}`
  const body = { email: `gina@${name}.example`, username: 'gina', password: NEXT, name, tenant_domain: name }
  expect(await codeOf(await app.request(BASE, { token, body }))).toEqual({ status: 403, code: 'insufficient_scope' })
  const created = await app.request(BASE, { token: platform, body })
  expect(created.status).toBe(201)
  const { tenant } = await created.json()
  expect(tenant).toMatchObject({ id: tenant.tenant_id, source: 'admin', status: 'active', email: body.email })
  expect(JSON.stringify(tenant)).not.toMatch(/hash|password/)
  const login = await app.request('/authsec/uflow/auth/admin/login', { body: { email: body.email, password: NEXT, tenant_domain: name } })
  expect(await login.json()).toMatchObject({ temporary_password: true, password_change_required: true })
  expect(await codeOf(await app.request(BASE, { token: platform, body: { ...body, email: `x${body.email}` } }))).toEqual({
    status: 409,
    code: 'tenant_domain_taken',
  })
})

test('an update changes name, address and domain, and releases the old domain', async () => {
  const { app, company, token, path } = await house()
  const name = `renamed-${app.ctx.random.id().slice(-8)}`
  const answer = await app.request(path, { method: 'PUT', token, body: { name: 'Acme & Sons', tenant_domain: name } })
  expect((await answer.json()).tenant).toMatchObject({ name: 'Acme & Sons', tenant_domain: `${name}.localhost` })
  expect(await findTenantByDomain(directory(app.db), company.domain)).toBeUndefined()
  expect(await findTenantByDomain(directory(app.db), `${name}.localhost`)).toBe(company.tenantId)
  expect(await codeOf(await app.request(path, { method: 'PUT', token, body: { status: 'suspended' } }))).toEqual({ status: 403, code: 'forbidden' })
})

test('the first administrator\u2019s user name changes with the tenant, and the audit log has both', async () => {
  const { app, company, token, path } = await house()
  expect((await app.request(path, { method: 'PUT', token, body: { username: 'ada' } })).status).toBe(200)
  const [event] = await app.events(company.tenantId, { event: 'tenant.updated' })
  const text = event === undefined ? undefined : await openDetails(app.ctx, forTenant(app.db, company.tenantId), event)
  expect(JSON.parse(text ?? '')).toMatchObject({ before: { username: company.admin.email }, after: { username: 'ada' } })
})

test('a renamed tenant uses its new domain; the old one is reserved for ninety days and can be taken back', async () => {
  const { app, company, path } = await house()
  const other = await app.company('globex')
  const put = async (of: typeof company, name: string) => {
    const fresh = await app.token(of.admin)
    return app.request(`${BASE}/${of.tenantId}`, { method: 'PUT', token: fresh, body: { tenant_domain: name } })
  }
  const toResponse = async () => (await (await app.request(`${path}/domains`, { token: await app.token(company.admin) })).json()).domains
  const [before] = await toResponse()
  const name = `renamed-${app.ctx.random.id().slice(-8)}`
  expect((await put(company, name)).status).toBe(200)
  expect(await toResponse()).toMatchObject([
    { id: before.id, domain: `${name}.localhost`, kind: 'platform_subdomain', is_primary: true, is_verified: true, created_at: before.created_at },
  ])
  expect(await codeOf(await put(other, company.domain))).toEqual({ status: 409, code: 'tenant_domain_taken' })
  expect((await put(company, company.domain)).status).toBe(200)
  expect(await toResponse()).toMatchObject([{ domain: company.domain }])
  expect(await findTenantByDomain(directory(app.db), `${name}.localhost`)).toBeUndefined()
  app.clock.advance(91 * 86_400)
  expect((await put(other, name)).status).toBe(200)
  expect(await findTenantByDomain(directory(app.db), `${name}.localhost`)).toBe(other.tenantId)
})

test('the last five former names of a tenant are reserved', async () => {
  const { app, company } = await house()
  const names = Array.from({ length: 7 }, (_, n) => `name${n}-${app.ctx.random.id().slice(-8)}`)
  for (const name of names) {
    app.clock.advance(60)
    const answer = await app.request(`${BASE}/${company.tenantId}`, {
      method: 'PUT',
      token: await app.token(company.admin),
      body: { tenant_domain: name },
    })
    expect(answer.status).toBe(200)
  }
  const other = await app.company('globex')
  const taken = async (domain: string) =>
    (await app.request(`${BASE}/${other.tenantId}`, { method: 'PUT', token: await app.token(other.admin), body: { tenant_domain: domain } })).status
  // The original domain, then the first name.
  expect([await taken(company.domain), await taken(names[1] ?? ''), await taken(names[6] ?? '')]).toEqual([200, 409, 409])
})

test('only the primary administrator deletes the tenant, recently signed in or by typing the domain; everyone is signed out, and the token restores it', async () => {
  const { app, company, token, path } = await house()
  const other = await app.token(await app.person(company, 'admin'))
  expect(await codeOf(await app.request(path, { method: 'DELETE', token: other }))).toEqual({ status: 403, code: 'forbidden' })
  app.clock.advance(16 * 60)
  expect(await codeOf(await app.request(path, { method: 'DELETE', token }))).toEqual({ status: 401, code: 'insufficient_user_authentication' })
  const answer = await app.request(`${path}?confirm=${company.domain}`, { method: 'DELETE', token })
  const closed = await answer.json()
  expect(closed).toMatchObject({ status: 'deleting', database_dropped: false, deleted_counts: { users: 2 } })
  for (const one of [token, other]) expect((await app.request(BASE, { token: one })).status).toBe(401)
  const login = await app.request('/authsec/uflow/auth/admin/login', { body: { email: company.admin.email, password: PASSWORD } })
  expect(login.status).toBe(401)
  expect(await codeOf(await app.request('/tenants/restore', { body: { restore_token: `${closed.restore_token.slice(0, -3)}abc` } }))).toEqual({
    status: 401,
    code: 'restore_token_invalid',
  })
  expect((await app.request('/tenants/restore', { body: { restore_token: closed.restore_token } })).status).toBe(200)
  expect((await app.request('/tenants/restore', { body: { restore_token: closed.restore_token } })).status).toBe(401)
  expect((await app.request(BASE, { token })).status).toBe(401)
  expect((await app.request(BASE, { token: await app.token(company.admin) })).status).toBe(200)
})

test('a suspended company is restored as suspended, by the token and by the platform, also after it was closed twice', async () => {
  const { app, platform, path, company } = await house()
  const statusOf = async () => (await findTenant(forTenant(app.db, company.tenantId)))?.status
  const close = async () => (await app.request(`${path}?confirm=${company.domain}`, { method: 'DELETE', token: platform })).json()
  expect((await app.request(path, { method: 'PUT', token: platform, body: { status: 'suspended' } })).status).toBe(200)
  await close()
  const { restore_token } = await close()
  expect(await statusOf()).toBe('deleting')
  const put = await app.request(path, { method: 'PUT', token: platform, body: { status: 'active' } })
  expect(await codeOf(put)).toEqual({ status: 403, code: 'forbidden' })
  expect((await app.request('/tenants/restore', { body: { restore_token } })).status).toBe(200)
  expect(await statusOf()).toBe('suspended')
  await close()
  expect((await app.request('/tenants/restore/by-platform', { token: platform, body: { tenant_id: company.tenantId } })).status).toBe(200)
  expect(await statusOf()).toBe('suspended')
})

test('a single-company deployment gets no second one, even from its administrators', async () => {
  const app = await startApp(tenantsRoutes, { env: { TENANCY: 'single' } })
  await app.company()
  const token = await app.token(await platformAdministrator(app), ['pwd', 'otp', 'mfa'])
  const name = `second-${app.ctx.random.id().slice(-8)}`
  const body = { email: `gina@${name}.example`, username: 'gina', password: NEXT, name, tenant_domain: name }
  expect(await codeOf(await app.request(BASE, { token, body }))).toEqual({ status: 409, code: 'single_tenant' })
  expect(await findTenantByDomain(directory(app.db), `${name}.localhost`)).toBeUndefined()
})

test('a first administrator’s password that another person chose expires after seven days', async () => {
  const { app, platform } = await house()
  const name = `globex-${app.ctx.random.id().slice(-8)}`
  const body = { email: `gina@${name}.example`, username: 'gina', password: NEXT, name, tenant_domain: name }
  expect((await app.request(BASE, { token: platform, body })).status).toBe(201)
  const login = () => app.request('/authsec/uflow/auth/admin/login', { body: { email: body.email, password: NEXT, tenant_domain: name } })
  app.clock.advance(7 * 86_400 - 1)
  expect((await login()).status).toBe(200)
  app.clock.advance(1)
  expect(await codeOf(await login())).toMatchObject({ code: 'temporary_password_expired' })
})

test('permission for migrations or platform providers gives no access to companies', async () => {
  const { app, company, path } = await house()
  const [clerk, at] = [await platformAdministrator(app), app.clock.now()]
  await atomically(forTenant(app.db, SYSTEM_TENANT), async (t) => {
    await t.run({ text: 'delete from authsec.role_bindings where tenant_id = $1 and user_id = $2', params: [t.tenantId, clerk.id], arrays: true })
    const rights = ['admin:access', 'users:read', 'users:active', 'platform:migrate', 'platform:providers']
    await putBinding(t, await putRole(t, `Keeper ${clerk.id}`, rights, at), { userId: clerk.id }, at)
  })
  const token = await app.token(clerk, ['pwd', 'otp'])
  expect(await codeOf(await app.request(`${path}/users`, { token }))).toEqual({ status: 403, code: 'tenant_mismatch' })
  const off = { tenant_id: company.tenantId, user_id: company.admin.id, active: false }
  expect(await codeOf(await app.request('/authsec/uflow/admin/users/active', { token, body: off }))).toEqual({ status: 403, code: 'tenant_mismatch' })
})

test('exporting the data requires the permissions to read it', async () => {
  const { app, company } = await house()
  const manager = await app.token(await app.person(company, ['admin:access', 'admin:manage']))
  expect(await codeOf(await app.request(`/tenants/${company.tenantId}/export`, { token: manager }))).toEqual({
    status: 403,
    code: 'insufficient_scope',
  })
})

test('the system tenant cannot be deleted or suspended', async () => {
  const { app, platform } = await house()
  const [path, before] = [`${BASE}/${SYSTEM_TENANT}`, await findTenant(forTenant(app.db, SYSTEM_TENANT))]
  expect(await codeOf(await app.request(path, { method: 'DELETE', token: platform }))).toEqual({ status: 403, code: 'forbidden' })
  const suspend = await app.request(path, { method: 'PUT', token: platform, body: { status: 'suspended' } })
  expect(await codeOf(suspend)).toEqual({ status: 403, code: 'forbidden' })
  expect(await findTenant(forTenant(app.db, SYSTEM_TENANT))).toMatchObject({ status: before?.status, deleteAfter: null })
})

test('after the grace period all data is deleted, keys and directories included; the audit log stays unreadable until its retention ends', async () => {
  const { app, company, token, path } = await house()
  await app.request(path, { method: 'DELETE', token })
  await purgeTenants(app.ctx, LATER)
  expect(await findTenant(forTenant(app.db, company.tenantId))).toMatchObject({ status: 'deleting' })
  app.clock.advance(8 * 86_400)
  const late = await app.request('/tenants/restore/by-platform', {
    token: await app.token(await platformAdministrator(app), ['pwd', 'otp', 'mfa']),
    body: { tenant_id: company.tenantId },
  })
  expect(late.status).toBe(404)
  const t = forTenant(app.db, company.tenantId)
  const readable = async () => {
    const opened = (await app.events(company.tenantId)).map((row) => openDetails(app.ctx, t, row))
    return (await Promise.all(opened)).filter((text) => text !== undefined).length
  }
  const events = (await app.events(company.tenantId)).length
  expect(await readable()).toBeGreaterThan(0)
  expect(await purgeTenants(app.ctx, LATER)).toMatchObject({ purged: expect.any(Number) })
  expect(await findTenant(t)).toBeUndefined()
  for (const subject of [company.admin.id, company.tenantId]) expect(await findDataKey(t, subject)).toBeUndefined()
  expect(await readable()).toBe(0)
  expect(await findTenantByDomain(directory(app.db), company.domain)).toBeUndefined()
  expect(await findAdministeredTenants(directory(app.db), emailHash(app.ctx, company.admin.email))).toEqual([])
  expect(await app.events(company.tenantId)).toHaveLength(events)
  expect(await app.events(SYSTEM_TENANT)).toContainEqual(expect.objectContaining({ event: 'tenant.purged', targetId: company.tenantId }))
  app.clock.advance(120 * 86_400)
  await purgeAudit(app.ctx, LATER)
  await purgeTenants(app.ctx, LATER)
  expect(await app.events(company.tenantId)).toEqual([])
  const ids = (await listTenantIds(directory(app.db), undefined, 10_000)).map(({ tenantId }) => tenantId)
  expect(ids).not.toContain(asTenantId(company.tenantId))
})

test('administrators are notified of the deletion with a link to cancel it, reminded on the last day, and notified of its end without any details', async () => {
  const { app, company, token, path } = await house()
  const other = await app.person(company, 'admin')
  const endUser = await app.person(company)
  const subjects = async (to: string) => (await app.mailsTo(to)).map(({ subject }) => subject)
  expect((await app.request(path, { method: 'DELETE', token })).status).toBe(200)
  for (const { email } of [company.admin, other]) expect(await subjects(email)).toEqual([`${company.name} is closed and will be deleted`])
  expect(await subjects(endUser.email)).toEqual([])
  const [mail] = await app.mailsTo(other.email)
  expect(mail?.text).toContain('9 March 2026')
  const restoreToken = /[0-9a-f-]{36}\.[\w-]{43}/.exec(mail?.text ?? '')?.[0]
  // Restored with the token from the mail; then no reminder is sent.
  expect((await app.request('/tenants/restore', { body: { restore_token: restoreToken } })).status).toBe(200)
  app.clock.advance(6.5 * 86_400)
  expect(await subjects(other.email)).toHaveLength(1)
  await app.request(path, { method: 'DELETE', token: await app.token(company.admin) })
  app.clock.advance(5.9 * 86_400)
  expect(await subjects(other.email)).toHaveLength(2)
  app.clock.advance(0.2 * 86_400)
  expect((await subjects(other.email)).at(-1)).toBe(`${company.name} will be deleted tomorrow`)
  app.clock.advance(86_400)
  await purgeTenants(app.ctx, LATER)
  for (const { email } of [company.admin, other]) {
    const last = (await app.mailsTo(email)).at(-1)
    expect(last?.subject).toBe('An organisation that you administered was deleted')
    for (const word of [company.name, company.domain, company.tenantId])
      expect(`${last?.text}${last?.html}${last?.fromName}`.replaceAll(email, '')).not.toContain(word)
  }
  expect(await subjects(endUser.email)).toEqual([])
})

test('an export of a tenant contains everything except secrets', async () => {
  const { app, company, token } = await house()
  const pat = await app.person(company)
  const answer = await app.request(`/tenants/${company.tenantId}/export`, { token })
  const text = await answer.text()
  const lines = text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line))
  expect(lines[0]).toMatchObject({ format: 'authsec.tenant.v1', tenant_id: company.tenantId })
  expect(lines.at(-1)).toEqual({ end: true, rows: lines.length - 2 })
  const kinds = (kind: string) => lines.filter((line) => line.kind === kind).map(({ row }) => row)
  expect(kinds('users').map(({ id }) => id)).toEqual(expect.arrayContaining([company.admin.id, pat.id]))
  expect(kinds('clients')).toMatchObject([{ id: company.clientId, is_default: true }])
  expect(text).not.toMatch(/argon2|hash|secret|wrapped|sealed/)
})
