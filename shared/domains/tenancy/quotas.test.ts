// A tenant over its quota is refused, has one audit event a minute, and does not slow others.
import { describe, expect, test } from 'vitest'
import { atomically, forTenant, type TenantId } from '#db/engine/tenant'
import { updateTenantSettings } from '#db/store/tenants'
import type { RequestCtx } from '#shared/domains/context'
import { fixedClock } from '#shared/kernel/clock'
import { memoryCache } from '#shared/platform/cache/memory'
import { user } from '#shared/platform/http/access'
import { empty, routeFor } from '#shared/platform/http/route'
import { type Company, startApp, TEST_START, type TestApp } from '#tests/support/app'
import { countedDb } from '#tests/support/counted'
import { testDb } from '#tests/support/database'
import { adminRoutes } from '../../../functions/admin/routes.ts'
import { rolesRoutes } from '../../../functions/roles/routes.ts'
import { tenantsRoutes } from '../../../functions/tenants/routes.ts'
import { tokensRoutes as tokenRoutes } from '../../../functions/tokens/routes.ts'
import { userSignInRoutes } from '../../../functions/user-sign-in/routes.ts'
import { webhookRoutes } from '../../../functions/webhooks/routes.ts'
import { consumeQuota } from './quotas.ts'

const route = routeFor<RequestCtx>()
const routes = [
  route({
    id: 'q.me',
    on: 'GET /q/me',
    summary: 'A test.',
    access: user(),
    reply: empty(204),
    errors: [],
    emits: 'nothing',
    handle: async () => undefined,
  }),
]
const env = { RATE_LIMIT: 'on' }

const allow = (app: TestApp, tenantId: TenantId, quotas: Readonly<Record<string, number>>) =>
  atomically(forTenant(app.db, tenantId), (t) => updateTenantSettings(t, { quotas }, app.clock.now()))

const usage = async (app: TestApp, tenantId: TenantId): Promise<Readonly<Record<string, number>>> => {
  const text = 'select kind, count from authsec.tenant_usage where tenant_id = $1'
  const rows = (await forTenant(app.db, tenantId).run({ text, params: [tenantId], arrays: true })) as [string, number][]
  return Object.fromEntries(rows)
}

const quotaRefusals = async (app: TestApp, { tenantId }: Company): Promise<number> =>
  (await app.events(tenantId)).filter(({ event, reason }) => event === 'request.refused' && reason === 'quota_exceeded').length

describe('requests', () => {
  let addresses = 0
  /** Each call comes from its own address, so that no limit per address applies. */
  const callRoute = (app: TestApp, token: string): Promise<Response> => {
    addresses++
    return app.request('/q/me', { token, address: `10.1.${addresses >> 8}.${addresses & 255}` })
  }
  const statuses = async (app: TestApp, token: string, times: number): Promise<readonly number[]> => {
    const all: number[] = []
    for (let n = 0; n < times; n++) all.push((await callRoute(app, token)).status)
    return all
  }
  const two = async (app: TestApp) => {
    const [noisy, quiet] = [await app.company('noisy'), await app.company('quiet')]
    await allow(app, noisy.tenantId, { requestsPerMinute: 5 })
    return { noisy, quiet, loud: await app.token(noisy.admin), soft: await app.token(quiet.admin) }
  }

  test('over the quota are refused with 429 and Retry-After for everyone in that tenant, and for no other tenant', async () => {
    const app = await startApp(routes, { env })
    const { noisy, loud, soft } = await two(app)
    const colleague = await app.token(await app.person(noisy))
    expect(await statuses(app, loud, 6)).toEqual([204, 204, 204, 204, 204, 429])
    const refused = await callRoute(app, colleague)
    expect(refused.status).toBe(429)
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0)
    expect(await refused.json()).toMatchObject({ code: 'quota_exceeded' })
    expect(await statuses(app, soft, 8)).toEqual(Array(8).fill(204))
    app.clock.advance(120)
    expect(await statuses(app, loud, 1)).toEqual([204])
  })

  test('are counted over all instances', async () => {
    const clock = fixedClock(TEST_START)
    const cache = memoryCache(clock)
    const [one, other] = [await startApp(routes, { env, cache }), await startApp(routes, { env, cache })]
    const { loud } = await two(one)
    expect(await statuses(one, loud, 3)).toEqual([204, 204, 204])
    expect(await statuses(other, loud, 3)).toEqual([204, 204, 429])
    expect(await statuses(one, loud, 1)).toEqual([429])
  })

  test('over the quota are in the audit log once a minute', async () => {
    const app = await startApp(routes, { env })
    const { noisy, quiet, loud } = await two(app)
    await statuses(app, loud, 60)
    expect([await quotaRefusals(app, noisy), await quotaRefusals(app, quiet)]).toEqual([1, 0])
    app.clock.advance(60)
    await statuses(app, loud, 60)
    expect(await quotaRefusals(app, noisy)).toBe(2)
  })

  test('over the quota run no statement, so that other tenants do not wait for them', async () => {
    const counted = countedDb((await testDb()).engine)
    const app = await startApp(routes, { env, db: counted.db })
    const { loud, soft } = await two(app)
    await statuses(app, loud, 7)
    await statuses(app, soft, 1)
    app.clock.advance(1)
    await app.ctx.signingKeys.jwks()
    expect(await counted.during(() => statuses(app, loud, 50))).toEqual({ statements: 0, roundTrips: 0 })
    const crowd = await counted.during(async () => {
      const noise = Array.from({ length: 200 }, () => callRoute(app, loud))
      const quiet = await callRoute(app, soft)
      expect(quiet.status).toBe(204)
      for (const { status } of await Promise.all(noise)) expect(status).toBe(429)
    })
    expect(crowd).toEqual({ statements: 1, roundTrips: 1 })
  })

  test('over the quota are refused by a new instance before the session is read', async () => {
    const clock = fixedClock(TEST_START)
    const cache = memoryCache(clock)
    const counted = countedDb((await testDb()).engine)
    const [one, newInstance] = [await startApp(routes, { env, cache }), await startApp(routes, { env, cache, db: counted.db })]
    const { loud } = await two(one)
    await statuses(one, loud, 6)
    // The first answer gives the instance the tenant's quota; the second is refused.
    expect((await statuses(newInstance, loud, 2))[1]).toBe(429)
    await newInstance.ctx.signingKeys.jwks()
    expect(await counted.during(() => statuses(newInstance, loud, 3))).toEqual({ statements: 0, roundTrips: 0 })
  })

  test('have a default quota of 12,000 a minute', async () => {
    const app = await startApp(routes, { env })
    const { tenantId } = await app.company()
    expect(app.ctx.quotas.entry(tenantId, 'requestsPerMinute')).toMatchObject({ max: 12_000, windowSeconds: 60, guardsCredential: false })
  })
})

describe('sign-ins', () => {
  test('over the quota are refused until the minute ends, and store no session', async () => {
    const app = await startApp(routes)
    const [noisy, quiet] = [await app.company('noisy'), await app.company('quiet')]
    await allow(app, noisy.tenantId, { signInsPerMinute: 2 })
    await app.token(noisy.admin)
    await app.token(noisy.admin)
    const sessions = async (): Promise<unknown> =>
      (await forTenant(app.db, noisy.tenantId).run({ text: 'select count(*)::int from authsec.sessions', params: [], arrays: true }))[0]
    await expect(app.token(noisy.admin)).rejects.toMatchObject({ code: 'quota_exceeded', details: { retryAfterSeconds: 60 } })
    expect(await sessions()).toEqual([2])
    await app.token(quiet.admin)
    app.clock.advance(60)
    await app.token(noisy.admin)
    const { users, clients, ...windows } = await usage(app, noisy.tenantId)
    expect([users, clients, Object.values(windows)]).toEqual([1, 1, [1]])
  })
})

describe('rows', () => {
  test('a tenant starts with one person and one client, and adds none over the quota', async () => {
    const app = await startApp(routes)
    const { tenantId } = await app.company()
    expect(await usage(app, tenantId)).toEqual({ users: 1, clients: 1 })
    const add = (kind: 'users' | 'clients', max: number): Promise<void> =>
      atomically(forTenant(app.db, tenantId), (t) => consumeQuota(t, { quotas: { [kind]: max } }, kind))
    await add('users', 2)
    await expect(add('users', 2)).rejects.toMatchObject({ code: 'quota_exceeded' })
    await expect(add('clients', 1)).rejects.toMatchObject({ code: 'quota_exceeded' })
    await expect(add('clients', 0)).rejects.toMatchObject({ code: 'quota_exceeded' })
    expect(await usage(app, tenantId)).toEqual({ users: 2, clients: 1 })
  })
})

describe('rows of administrators', () => {
  const ADMIN = '/authsec/uflow/admin'
  type Make = (call: (path: string, body: object) => Promise<Response>, company: Company, n: number) => Promise<Response>
  const kinds: readonly [string, string, Make][] = [
    ['roles', 'quota_exceeded', (call, _, n) => call(`${ADMIN}/roles`, { name: `role ${n}`, permission_strings: ['users:read'] })],
    ['permissions', 'quota_exceeded', (call, _, n) => call(`${ADMIN}/permissions`, { resource: 'docs', action: `a${n}` })],
    ['scopes', 'quota_exceeded', (call, _, n) => call(`${ADMIN}/scopes`, { scope_name: `s${n}` })],
    ['scopes', 'quota_exceeded', (call, _, n) => call(`${ADMIN}/api_scopes`, { name: `api:s${n}` })],
    ['groups', 'quota_exceeded', (call, { tenantId }, n) => call(`${ADMIN}/groups`, { tenant_id: tenantId, groups: [`g${n}`] })],
    ['groups', 'quota_exceeded', (call, { tenantId }, n) => call('/authsec/authmgr/admin/groups', { tenant_id: tenantId, groups: [`g${n}`] })],
    ['projects', 'quota_exceeded', (call, _, n) => call(`${ADMIN}/projects`, { name: `p${n}` })],
    ['webhooks', 'webhook_limit', (call, _, n) => call('/webhooks', { url: `https://hooks${n}.acme.com/`, events: ['*'] })],
  ]

  test.each(kinds)('%s: over the quota the code is %s and nothing is added', async (kind, code, make) => {
    const app = await startApp([...adminRoutes, ...rolesRoutes, ...tenantsRoutes, ...tokenRoutes, ...webhookRoutes] as never)
    const company = await app.company()
    const token = await app.token(company.admin)
    const call = (path: string, body: object) => app.request(path, { token, body })
    const table = kind === 'webhooks' ? 'webhook_endpoints' : kind
    const rows = async () => {
      const text = `select count(*)::int from authsec.${table} where tenant_id = $1`
      return Number(((await forTenant(app.db, company.tenantId).run({ text, params: [company.tenantId], arrays: true })) as number[][])[0]?.[0])
    }
    // The default project does not count.
    await allow(app, company.tenantId, { [kind]: kind === 'projects' ? 1 : (await rows()) + 1 })
    expect((await make(call, company, 1)).status).toBeLessThan(300)
    const full = await rows()
    const refused = await make(call, company, 2)
    expect(await refused.json()).toMatchObject({ code })
    expect(await rows()).toBe(full)
  })

  test('bindings: an existing one does not count again', async () => {
    const app = await startApp(rolesRoutes)
    const company = await app.company()
    const token = await app.token(company.admin)
    const call = async (path: string, body: object) => (await app.request(`${ADMIN}${path}`, { token, body })).json()
    const { id: role } = await call('/roles', { name: 'Reader', permission_strings: ['users:read'] })
    const [ann, bob] = [await app.person(company), await app.person(company)]
    await allow(app, company.tenantId, { bindings: 2 })
    const bind = (user_id: string) => call('/bindings', { user_id, role_id: role })
    expect(await bind(ann.id)).toMatchObject({ status: 'active' })
    expect(await bind(ann.id)).toMatchObject({ status: 'active' })
    expect(await bind(bob.id)).toMatchObject({ code: 'quota_exceeded' })
  })
})

describe('mails', () => {
  const start = async () => {
    const app = await startApp(userSignInRoutes, { env })
    const [noisy, quiet] = [await app.company('noisy'), await app.company('quiet')]
    await allow(app, noisy.tenantId, { mailsPerHour: 1 })
    let people = 0
    const register = (company: Company): Promise<Response> => {
      people++
      const body = { client_id: company.clientId, email: `new-${people}@${company.name}.example`, password: 'an-uncommon-password-7468' }
      return app.request('/authsec/uflow/user/register/initiate', { body, address: `10.2.0.${people}` })
    }
    return { app, noisy, quiet, register }
  }

  test('of sign-ups are refused over the quota, before a password is hashed; other tenants continue', async () => {
    const { app, noisy, quiet, register } = await start()
    expect((await register(noisy)).status).toBe(200)
    const refused = await register(noisy)
    expect([refused.status, ((await refused.json()) as { code: string }).code]).toEqual([429, 'quota_exceeded'])
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(60)
    expect(await quotaRefusals(app, noisy)).toBe(1)
    expect((await register(quiet)).status).toBe(200)
  })

  test('of password resets are skipped over the quota, with the same answer for every address', async () => {
    const { app, noisy, register } = await start()
    await register(noisy)
    const forgot = async (email: string): Promise<unknown> => {
      const response = await app.request('/authsec/uflow/user/forgot-password', { body: { client_id: noisy.clientId, email }, address: '10.3.0.1' })
      return [response.status, ((await response.json()) as { message: string }).message]
    }
    expect(await forgot(noisy.admin.email)).toEqual(await forgot(`unknown@${noisy.name}.example`))
    expect(await app.mailsTo(noisy.admin.email)).toEqual([])
  })

  test('about changes are never refused', async () => {
    const { app, noisy, register } = await start()
    await register(noisy)
    for (let n = 0; n < 5; n++) {
      const body = { client_id: noisy.clientId, email: noisy.admin.email, password: 'wrong' }
      expect((await app.request('/authsec/uflow/user/login', { body, address: `10.4.0.${n}` })).status).toBe(401)
    }
    expect(await app.mailsTo(noisy.admin.email)).toHaveLength(1)
  })
})
