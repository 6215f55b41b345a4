import { describe, expect, test } from 'vitest'
import { forTenant, SYSTEM_TENANT } from '#db/engine/tenant'
import { findTenant } from '#db/store/tenants'
import { type Company, type Person, startApp } from '#tests/support/app'
import { addProvider, providerIdOf } from '#tests/support/federation'
import { type Body, bodyOf, enrol, verifyDomain } from '#tests/support/sign-in'
import { platformAdministrator } from '../../tests/seeds/seeds.ts'
import { accountRoutes } from '../account/routes.ts'
import { authRoutes } from '../auth/routes.ts'
import { connectionRoutes } from '../connections/routes.ts'
import { peopleRoutes } from './routes.ts'

const PATH = '/tenant/settings'
const TWO = ['pwd', 'otp']

const setUp = async () => {
  const app = await startApp([...peopleRoutes, ...accountRoutes, ...authRoutes, ...connectionRoutes])
  const company = await app.company()
  const read = async (token: string, query = '') => {
    const response = await app.request(`${PATH}${query}`, { token })
    return { status: response.status, etag: response.headers.get('etag') ?? '', body: await bodyOf(response) }
  }
  const patch = async (token: string, body: Body, { ifMatch = '*', query = '' } = {}) => {
    const response = await app.request(`${PATH}${query}`, { method: 'PATCH', token, body, headers: { 'if-match': ifMatch } })
    return { status: response.status, body: await bodyOf(response), challenge: response.headers.get('www-authenticate') }
  }
  const stored = async (of: Company = company) => (await findTenant(forTenant(app.db, of.tenantId)))?.settings
  const events = async (event: string) => (await app.events(company.tenantId)).filter((row) => row.event === event)
  const lives = async (token: string): Promise<boolean> => (await app.request('/account/sessions', { token })).status === 200
  return { app, company, read, patch, stored, events, lives, strong: await app.token(company.admin, TWO) }
}

describe('settings of a tenant', () => {
  test('return the effective values and which of them the tenant has set', async () => {
    const h = await setUp()
    const { status, body, etag } = await h.read(h.strong)
    expect(status).toBe(200)
    expect(etag).toMatch(/^"[\w-]{22}"$/)
    expect(body).toMatchObject({
      require_second_factor: false,
      admin_acr: null,
      recovery: { backup_codes: true, administrator_pass: true, waiting_days: null },
      trust_factors_of: [],
      session_idle_seconds: 28_800,
      session_absolute_seconds: 86_400,
      audit_retention_days: 90,
      quotas: { users: 1_000_000 },
      decided: [],
    })
  })

  test('can each be changed, and null restores the default', async () => {
    const h = await setUp()
    const first = await h.read(h.strong)
    const wanted = {
      require_second_factor: true,
      admin_acr: 'aal2',
      direct_sign_up: true,
      require_login_challenge: true,
      passwordless_totp: true,
      recovery: { backup_codes: false, administrator_pass: false, waiting_days: 3 },
      language: 'de',
      ciba_number_matching: true,
      ciba_discloses_accounts: true,
      session_idle_seconds: 600,
      session_absolute_seconds: 3600,
      audit_retention_days: 365,
      delegation_depth: 2,
    }
    const changed = await h.patch(h.strong, wanted, { ifMatch: first.etag })
    expect(changed).toMatchObject({ status: 200, body: wanted })
    expect(changed.body.decided).toHaveLength(15)
    expect(await h.stored()).toMatchObject({ requireSecondFactor: true, adminAcr: 'aal2', recovery: { waitingDays: 3 }, sessionIdleSeconds: 600 })
    expect((await h.read(h.strong)).body).toEqual(changed.body)
    const [event] = await h.events('tenant.settings_changed')
    expect(event?.targetId).toBe(h.company.tenantId)
    const nothing = (given: Body): Body =>
      Object.fromEntries(
        Object.entries(given).map(([name, value]) => [name, typeof value === 'object' && value !== null ? nothing(value as Body) : null]),
      )
    expect((await h.patch(h.strong, nothing(wanted))).body).toEqual(first.body)
  })

  test('need If-Match: one of 20 concurrent changes succeeds', async () => {
    const h = await setUp()
    const { etag } = await h.read(h.strong)
    const tries = await Promise.all([...Array(20).keys()].map((n) => h.patch(h.strong, { session_idle_seconds: 300 + n }, { ifMatch: etag })))
    expect(tries.filter(({ status }) => status === 200)).toHaveLength(1)
    expect(tries.filter(({ status, body }) => status === 412 && body.code === 'precondition_failed')).toHaveLength(19)
    expect(await h.events('tenant.settings_changed')).toHaveLength(1)
    const bare = await h.app.request(PATH, { method: 'PATCH', token: h.strong, body: { session_idle_seconds: 900 } })
    expect([bare.status, (await bodyOf(bare)).code]).toEqual([428, 'precondition_required'])
  })

  test.each<Body>([
    { unknown: true },
    { recovery: { unknown: true } },
    { quotas: { unknown: 3 } },
    { admin_acr: 'aal4' },
    { language: 'fr' },
    { session_idle_seconds: 299 },
    { session_absolute_seconds: 86_401 },
    { session_idle_seconds: 1e300 },
    { audit_retention_days: 89 },
    { recovery: { waiting_days: 0 } },
    { recovery: { waiting_days: 31 } },
    { require_second_factor: 'true' },
    { trust_factors_of: ['x'.repeat(65)] },
    { trust_factors_of: Array(51).fill('google') },
  ])('are unchanged when %j is refused', async (body) => {
    const h = await setUp()
    const before = await h.stored()
    expect(await h.patch(h.strong, body)).toMatchObject({ status: 400, body: { code: 'invalid_request' } })
    expect(await h.stored()).toEqual(before)
  })

  test('refuse to trust an unknown provider', async () => {
    const h = await setUp()
    expect(await h.patch(h.strong, { trust_factors_of: ['unknown-provider'] })).toMatchObject({ status: 400, body: { code: 'provider_not_enabled' } })
    expect(await h.stored()).toEqual({})
  })

  test('can be changed only by administrators with the permission, and only in their own tenant', async () => {
    const h = await setUp()
    const other = await h.app.company('globex')
    const reader = await h.app.token(await h.app.person(h.company, ['admin:access']), TWO)
    expect((await h.read(reader)).status).toBe(200)
    expect(await h.patch(reader, { session_idle_seconds: 600 })).toMatchObject({ status: 403, body: { code: 'insufficient_scope' } })
    expect(await h.patch(h.strong, { session_idle_seconds: 600 }, { query: `?tenant_id=${other.tenantId}` })).toMatchObject({
      status: 403,
      body: { code: 'tenant_mismatch' },
    })
    expect([await h.stored(), await h.stored(other)]).toEqual([{}, {}])
  })

  test('include quotas, which only the platform changes, for any tenant', async () => {
    const h = await setUp()
    expect(await h.patch(h.strong, { quotas: { users: 5 } })).toMatchObject({ status: 403, body: { code: 'forbidden' } })
    const platform = await h.app.token(await platformAdministrator(h.app))
    const query = `?tenant_id=${h.company.tenantId}`
    expect(await h.patch(platform, { quotas: { users: 5 } }, { query })).toMatchObject({
      status: 200,
      body: { quotas: { users: 5, clients: 10_000 } },
    })
    expect(await h.stored()).toMatchObject({ quotas: { users: 5 } })
    expect((await h.patch(platform, { quotas: { users: null } }, { query })).body).toMatchObject({ quotas: { users: 1_000_000 }, decided: [] })
  })

  test('of the platform require a second factor for administration', async () => {
    const h = await setUp()
    const platform = await h.app.token(await platformAdministrator(h.app))
    expect((await h.read(platform)).body.admin_acr).toBe('aal2')
    expect((await h.read(platform, `?tenant_id=${SYSTEM_TENANT}`)).body.admin_acr).toBe('aal2')
  })
})

test('people are sent only to a front end of the platform or of a verified domain of the company', async () => {
  const h = await setUp()
  await verifyDomain(h.app, h.company, `login.${h.company.name}.example`)
  const other = await h.app.company('globex')
  const own = `https://login.${h.company.name}.example`
  const refused = [
    `https://${other.domain}`,
    'https://evil.example',
    `${own}.evil.example`,
    `${own}/path`,
    `${own}:8443`,
    own.replace('https', 'http'),
    'javascript:alert(1)',
    '',
  ]
  for (const login_ui of refused)
    expect(await h.patch(h.strong, { login_ui }), login_ui).toMatchObject({ status: 400, body: { code: 'redirect_refused', field: 'body.login_ui' } })
  expect(await h.stored()).toEqual({})
  expect(await h.patch(h.strong, { login_ui: own })).toMatchObject({ status: 200, body: { login_ui: own, decided: ['login_ui'] } })
  expect((await h.patch(h.strong, { login_ui: null })).body).toMatchObject({ login_ui: null, decided: [] })
})

const WEAKER: readonly (readonly [Body, Body])[] = [
  [{ require_second_factor: true }, { require_second_factor: false }],
  [{ require_second_factor: true }, { require_second_factor: null }],
  [{ admin_acr: 'aal2' }, { admin_acr: null }],
  [{}, { direct_sign_up: true }],
  [{ require_login_challenge: true }, { require_login_challenge: false }],
  [{}, { passwordless_totp: true }],
  [{ recovery: { backup_codes: false } }, { recovery: { backup_codes: null } }],
  [{ recovery: { administrator_pass: false } }, { recovery: { administrator_pass: true } }],
  [{}, { recovery: { waiting_days: 30 } }],
  [{ recovery: { waiting_days: 9 } }, { recovery: { waiting_days: 8 } }],
  [{ ciba_number_matching: true }, { ciba_number_matching: false }],
  [{}, { ciba_discloses_accounts: true }],
  [{ session_idle_seconds: 600 }, { session_idle_seconds: 601 }],
  [{ session_absolute_seconds: 600 }, { session_absolute_seconds: null }],
  [{ audit_retention_days: 200 }, { audit_retention_days: 199 }],
  [{ delegation_depth: 2 }, { delegation_depth: 3 }],
  [{}, { login_ui: 'http://localhost:3000' }],
]

describe('a change that reduces protection', () => {
  test.each(WEAKER)('needs two factors and notifies the other administrators: after %j, %j', async (before, after) => {
    const h = await setUp()
    const other = await h.app.person(h.company, 'admin')
    // The stored value is set with two factors first. With `admin_acr` the weaker session gets 403 instead of 401.
    if (Object.keys(before).length > 0) expect((await h.patch(h.strong, before)).status).toBe(200)
    const mailsBefore = (await h.app.mailsTo(other.email)).length
    const state = await h.stored()
    const weak = await h.app.token(h.company.admin, ['pwd'])
    const refused = await h.patch(weak, after)
    expect([401, 403]).toContain(refused.status)
    if (refused.status === 401) {
      expect(refused.body).toMatchObject({ code: 'insufficient_user_authentication', acr_values: 'aal2' })
      expect(refused.challenge).toContain('acr_values="aal2"')
    }
    expect(await h.stored()).toEqual(state)
    expect(await h.app.mailsTo(other.email)).toHaveLength(mailsBefore)
    expect((await h.patch(h.strong, after)).status).toBe(200)
    const mail = (await h.app.mailsTo(other.email)).at(-1)
    expect(mail?.subject).toContain('were weakened')
    expect(mail?.text).toContain(h.company.admin.email)
    expect(await h.app.mailsTo(h.company.admin.email)).toEqual([])
  })

  test.each(WEAKER)('needs the whole administrator role: after %j, %j', async (before, after) => {
    const h = await setUp()
    if (Object.keys(before).length > 0) expect((await h.patch(h.strong, before)).status).toBe(200)
    const other = await h.app.person(h.company, 'admin')
    const [state, events] = [await h.stored(), await h.events('tenant.settings_changed')]
    const partial = await h.app.token(await h.app.person(h.company, ['admin:access', 'admin:manage']), TWO)
    expect(await h.patch(partial, after)).toMatchObject({ status: 403, body: { code: 'cannot_grant' } })
    expect([await h.stored(), await h.events('tenant.settings_changed'), await h.app.mailsTo(other.email)]).toEqual([state, events, []])
    expect((await h.patch(partial, { language: 'de' })).status).toBe(200)
  })

  test('needs a recent sign-in', async () => {
    const h = await setUp()
    h.app.clock.advance(15 * 60 + 1)
    expect(await h.patch(h.strong, { passwordless_totp: true })).toMatchObject({
      status: 401,
      body: { code: 'insufficient_user_authentication', max_age: 900 },
    })
    expect(await h.stored()).toEqual({})
  })

  test('notifies no one if protection is not reduced', async () => {
    const h = await setUp()
    const other = await h.app.person(h.company, 'admin')
    const weak = await h.app.token(h.company.admin, ['pwd'])
    expect((await h.patch(weak, { session_idle_seconds: 600, audit_retention_days: 365, ciba_number_matching: true })).status).toBe(200)
    expect(await h.app.mailsTo(other.email)).toEqual([])
  })
})

describe('an administrator cannot lock themselves out', () => {
  test.each<readonly [string, readonly string[], Body]>([
    ['a password', ['pwd'], { require_second_factor: true }],
    ['a password', ['pwd'], { admin_acr: 'aal2' }],
    ['a code', TWO, { admin_acr: 'aal3' }],
  ])('signed in with %s', async (_, amr, body) => {
    const h = await setUp()
    const token = await h.app.token(h.company.admin, amr)
    expect(await h.patch(token, body)).toMatchObject({ status: 409, body: { code: 'would_lock_out' } })
    expect(await h.stored()).toEqual({})
    expect((await h.read(token)).status).toBe(200)
  })

  test('but a sufficient session can make the change', async () => {
    const h = await setUp()
    const strongest = await h.app.token(h.company.admin, ['pwd', 'hwk', 'pin'])
    expect((await h.patch(strongest, { admin_acr: 'aal3' })).status).toBe(200)
    expect((await h.read(strongest)).status).toBe(200)
    expect(await h.patch(h.strong, { session_idle_seconds: 600 })).toMatchObject({ status: 403 })
  })
})

describe('settings apply at once', () => {
  const sessions = async (h: Awaited<ReturnType<typeof setUp>>, person: Person) => ({
    password: await h.app.token(person, ['pwd']),
    code: await h.app.token(person, ['otp']),
    two: await h.app.token(person, TWO),
  })

  test('requiring a second factor ends sessions of one factor, and sign-in then needs two', async () => {
    const h = await setUp()
    const person = await h.app.person(h.company)
    const { password, code, two } = await sessions(h, person)
    expect(await h.lives(password)).toBe(true)
    expect((await h.patch(h.strong, { require_second_factor: true })).status).toBe(200)
    expect([await h.lives(password), await h.lives(code), await h.lives(two), await h.lives(h.strong)]).toEqual([false, false, true, true])
    expect(await h.events('sessions.revoked')).toHaveLength(1)
    await enrol(h.app, h.company.admin)
    const login = await bodyOf(
      await h.app.request('/authsec/uflow/auth/admin/login', { body: { email: h.company.admin.email, password: h.company.admin.password } }),
    )
    expect(login).not.toHaveProperty('token')
  })

  test('disabling sign-in by code ends sessions that began with only a code', async () => {
    const h = await setUp()
    const { password, code, two } = await sessions(h, await h.app.person(h.company))
    expect((await h.patch(h.strong, { passwordless_totp: true })).status).toBe(200)
    expect((await h.patch(h.strong, { passwordless_totp: false })).status).toBe(200)
    expect([await h.lives(password), await h.lives(code), await h.lives(two)]).toEqual([true, false, true])
  })

  test('a shorter absolute lifetime applies to existing sessions', async () => {
    const h = await setUp()
    const { password } = await sessions(h, await h.app.person(h.company))
    expect((await h.patch(h.strong, { session_absolute_seconds: 600 })).status).toBe(200)
    h.app.clock.advance(599)
    expect(await h.lives(password)).toBe(true)
    h.app.clock.advance(2)
    expect(await h.lives(password)).toBe(false)
  })

  test('a shorter idle time applies to existing sessions', async () => {
    const h = await setUp()
    const { password, two } = await sessions(h, await h.app.person(h.company))
    expect((await h.patch(h.strong, { session_idle_seconds: 300 })).status).toBe(200)
    h.app.clock.advance(200)
    expect(await h.lives(two)).toBe(true)
    h.app.clock.advance(200)
    expect([await h.lives(password), await h.lives(two)]).toEqual([false, true])
  })

  test('no longer trusting a provider ends sessions that relied on its second factor, and refuses the change from such a session', async () => {
    const h = await setUp()
    const name = await addProvider(h.app, {}, h.company.tenantId)
    const trust_factors_of = [await providerIdOf(h.app, name, h.company.tenantId)]
    expect((await h.patch(h.strong, { trust_factors_of: [name] })).body).toMatchObject({ trust_factors_of })
    const { password, two } = await sessions(h, await h.app.person(h.company))
    const trusted = await h.app.token(h.company.admin, ['fed', 'mfa'])
    expect((await h.patch(h.strong, { admin_acr: 'aal2' })).status).toBe(200)
    expect(await h.patch(trusted, { trust_factors_of: [] })).toMatchObject({ status: 409, body: { code: 'would_lock_out' } })
    expect(await h.lives(trusted)).toBe(true)
    expect((await h.patch(h.strong, { trust_factors_of: null })).status).toBe(200)
    expect([await h.lives(trusted), await h.lives(password), await h.lives(two)]).toEqual([false, true, true])
  })

  test('trust in a provider is trust in its row: another provider of the same name has none of it, and pointing it elsewhere needs the whole role', async () => {
    const h = await setUp()
    const connections = '/connections'
    const writer = await h.app.token(await h.app.person(h.company, ['admin:access', 'admin:manage', 'connections:read', 'connections:write']), TWO)
    const body = { name: 'okta', display_name: 'Okta', issuer: 'https://acme.okta.com', client_id: '0oa1', client_secret: 's' }
    const call = async (token: string, method: string, path: string, more?: Body) => {
      const response = await h.app.request(`${connections}${path}`, { method, token, headers: { 'if-match': '*' }, ...(more ? { body: more } : {}) })
      return { status: response.status, body: response.status === 204 ? {} : await bodyOf(response) }
    }
    const { id } = (await call(h.strong, 'POST', '', body)).body
    expect(await h.patch(writer, { trust_factors_of: ['okta'] })).toMatchObject({ status: 403, body: { code: 'cannot_grant' } })
    const other = await h.app.person(h.company, 'admin')
    expect((await h.patch(h.strong, { trust_factors_of: ['okta'] })).body).toMatchObject({ trust_factors_of: [id] })
    expect((await h.app.mailsTo(other.email)).at(-1)?.text).toContain('okta')
    const elsewhere = { issuer: 'https://evil.okta.com', client_secret: 's' }
    for (const change of [elsewhere, { client_id: 'another' }])
      expect(await call(writer, 'PATCH', `/${id}`, change)).toMatchObject({ status: 403, body: { code: 'cannot_grant' } })
    expect((await call(writer, 'PATCH', `/${id}`, { display_name: 'Renamed' })).status).toBe(200)
    expect((await call(writer, 'DELETE', `/${id}`)).status).toBe(204)
    const again = (await call(writer, 'POST', '', { ...body, ...elsewhere })).body.id
    expect(again).not.toBe(id)
    expect(await h.stored()).toMatchObject({ trustFactorsOf: [id] })
    // To trust the new one is a new trust.
    expect(await h.patch(writer, { trust_factors_of: ['okta'] })).toMatchObject({ status: 403, body: { code: 'cannot_grant' } })
    expect((await h.patch(writer, { trust_factors_of: [] })).status).toBe(200)
  })

  test('a higher admin_acr ends administration in weaker sessions', async () => {
    const h = await setUp()
    const weak = await h.app.token(await h.app.person(h.company, 'admin'), ['pwd'])
    expect((await h.read(weak)).status).toBe(200)
    expect((await h.patch(h.strong, { admin_acr: 'aal2' })).status).toBe(200)
    expect((await h.read(weak)).status).toBe(403)
  })
})
