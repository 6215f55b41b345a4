// Clients: creation, lists, changes and deletion.
import { createHash } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { atomically, directory, forTenant } from '#db/engine/tenant'
import { findClient, findClientCredentials } from '#db/store/clients'
import { updateTenantSettings } from '#db/store/tenants'
import { authenticateSdkClient } from '#shared/domains/clients/secrets'
import { problem } from '#shared/platform/http/problem'
import { type Company, startApp, type TestApp } from '#tests/support/app'
import { newOauthClient } from '#tests/support/oauth'
import { accessRoutes } from '../access/routes.ts'
import { rolesRoutes } from '../roles/routes.ts'
import { clientsRoutes } from './routes.ts'

const base = (company: Company): string => `/authsec/clientms/tenants/${company.tenantId}/clients`
const sha256 = (text: string): string => createHash('sha256').update(text).digest('hex')
const hex = (bytes: Uint8Array | null | undefined): string => Buffer.from(bytes ?? []).toString('hex')

const start = async () => {
  const app = await startApp(clientsRoutes)
  const company = await app.company()
  const writer = await app.person(company, ['clients:read', 'clients:write'])
  const token = await app.token(writer)
  const create = async (body: Readonly<Record<string, unknown>> = {}) =>
    app.request(`${base(company)}/create`, { token, body: { name: 'Shop', email: 'shop@acme.example', ...body } })
  return { app, company, writer, token, create }
}
const eventsOf = async (app: TestApp, company: Company, target: string) =>
  (await app.events(company.tenantId)).filter((event) => event.targetId === target).map((event) => event.event)
const credentials = (app: TestApp, id: string) => findClientCredentials(directory(app.db), id)

describe('creating a client', () => {
  test('its secrets are returned once, stored as digests, and appear in no other response, event or log line', async () => {
    const { app, company, token, create } = await start()
    const response = await create({ react_app_url: 'https://shop.example/' })
    expect(response.status).toBe(201)
    const made = await response.json()
    expect(made).toMatchObject({ id: made.client_id, tenant_id: company.tenantId, name: 'Shop', active: true, warnings: [] })
    expect(made.secret_id).toMatch(/^[\w-]{43}$/)
    expect(made.sdk_client_id).toMatch(new RegExp(`^${made.client_id}~[0-9a-f]{64}$`))
    const sdkSecret = made.sdk_client_id.split('~')[1]
    const stored = await credentials(app, made.client_id)
    expect(hex(stored?.secretHash)).toBe(sha256(made.secret_id))
    expect(hex(stored?.sdkSecretHash)).toBe(sha256(sdkSecret))
    const row = await findClient(forTenant(app.db, company.tenantId), made.client_id)
    expect(row).toMatchObject({
      redirectUris: ['https://shop.example/oidc/auth/callback'],
      hydraClientId: `${made.client_id}-main-client`,
      isPublic: false,
    })
    expect(row?.serviceAccountId).toMatch(/^[0-9a-f-]{36}$/)
    const again = await (await app.request(`${base(company)}/${made.client_id}`, { token })).text()
    const list = await (await app.request(`${base(company)}/getClients`, { token })).text()
    const disclosed = [again, list, app.log.lines.join(), JSON.stringify(await app.events(company.tenantId))].join()
    expect(disclosed).not.toContain(made.secret_id)
    expect(disclosed).not.toContain(sdkSecret)
    expect(await eventsOf(app, company, made.client_id)).toEqual(['client.created'])
  })

  test('a claw_auth client has the redirect URI that it names', async () => {
    const { app, company, create } = await start()
    const claw = { client_type: 'claw_auth', agent_type: 'claw_auth', redirect_url: 'https://claw.example/callback' }
    const made = await (await create(claw)).json()
    expect(await findClient(forTenant(app.db, company.tenantId), made.client_id)).toMatchObject({
      clientType: 'claw_auth',
      agentType: 'claw_auth',
      redirectUris: ['https://claw.example/callback'],
      isPublic: false,
    })
    expect(made.secret_id).toMatch(/^[\w-]{43}$/)
    const before = await app.events(company.tenantId, { event: 'client.created' })
    for (const redirect_url of [undefined, 'http://claw.example/callback', 'javascript:alert(1)', 'https://claw.example/#x']) {
      const refused = await create({ ...claw, redirect_url })
      expect([refused.status, (await refused.json()).code]).toEqual([400, 'invalid_request'])
    }
    expect(await app.events(company.tenantId, { event: 'client.created' })).toEqual(before)
  })

  test('its service account is returned, so that an administrator can permit it to request decisions', async () => {
    const app = await startApp([...clientsRoutes, ...rolesRoutes, ...accessRoutes], { render: problem })
    const company = await app.company()
    const token = await app.token(company.admin)
    const made = await (await app.request(`${base(company)}/create`, { token, body: { name: 'Shop', email: 'shop@acme.example' } })).json()
    const again = await (await app.request(`${base(company)}/${made.client_id}`, { token })).json()
    expect(again.service_account_id).toBe(made.service_account_id)
    const authorization = `Basic ${Buffer.from(`${made.client_id}:${made.secret_id}`).toString('base64')}`
    const body = { subject: { type: 'user', id: company.admin.id }, action: { name: 'access' }, resource: { type: 'admin', id: 'any' } }
    const evaluate = (): Promise<Response> => app.request('/access/v1/evaluation', { body, headers: { authorization } })
    expect((await evaluate()).status).toBe(403)
    const role = await (
      await app.request('/authsec/uflow/admin/roles', { token, body: { name: 'decider', permission_strings: ['policy:check'] } })
    ).json()
    const bound = { service_account_id: made.service_account_id, role_id: role.id }
    expect((await app.request('/authsec/uflow/admin/bindings', { token, body: bound })).status).toBe(200)
    const answer = await evaluate()
    expect([answer.status, await answer.json()]).toMatchObject([200, { decision: true }])
  })

  test('a public client gets neither a secret nor a service account', async () => {
    const { app, company, create } = await start()
    const made = await (await create({ token_endpoint_auth_method: 'none' })).json()
    expect(made).not.toHaveProperty('secret_id')
    expect(made).not.toHaveProperty('sdk_client_id')
    expect(made).not.toHaveProperty('service_account_id')
    expect(made.warnings).toHaveLength(1)
    expect(await findClient(forTenant(app.db, company.tenantId), made.client_id)).toMatchObject({ isPublic: true, serviceAccountId: null })
  })

  test('the form of AuthSec\u2019s console creates an application: it sends an agent type and an empty platform for every client', async () => {
    const { app, company, create } = await start()
    const form = { client_type: 'application', agent_type: 'mcp-agent', platform: '', project_id: '', react_app_url: '' }
    const made = await create({ ...form, platform_config: { namespace: '', service_account: '' } })
    expect(made.status).toBe(201)
    const { client_id } = await made.json()
    expect(await findClient(forTenant(app.db, company.tenantId), client_id)).toMatchObject({
      clientType: 'application',
      agentType: null,
      selectors: null,
    })
    const found = await create({ ...form, selectors: { 'k8s:ns': 'shop' } })
    expect(found.status).toBe(400)
    expect(await found.json()).toMatchObject({ field: 'body.selectors' })
  })

  test('an agent gets a SPIFFE id, and its selectors are validated before anything is stored', async () => {
    const { app, company, create } = await start()
    const agent = { client_type: 'ai_agent', agent_type: 'buyer', platform: 'kubernetes' }
    const count = async () => (await app.events(company.tenantId)).length
    const before = await count()
    for (const wrong of [
      { selectors: { 'unix:uid': '0' } },
      { selectors: { 'k8s:ns': ' ' } },
      { platform: 'mainframe' },
      { platform: undefined, selectors: { 'k8s:ns': 'x' } },
      { agent_type: '..' },
      { agent_type: 'a/b' },
    ]) {
      const response = await create({ ...agent, ...wrong })
      expect(response.status, JSON.stringify(wrong)).toBe(400)
      expect(await response.json()).toMatchObject({ code: 'invalid_request', field: expect.stringMatching(/^body\./) })
    }
    expect(await count()).toBe(before)
    const made = await (await create({ ...agent, selectors: { 'k8s:ns': 'shop', 'k8s:sa': 'buyer' } })).json()
    expect(made.spiffe_id).toBe(`spiffe://localhost/tenants/${company.tenantId}/agents/buyer/${made.client_id}`)
    expect(made).not.toHaveProperty('secret_id')
    expect(await findClient(forTenant(app.db, company.tenantId), made.client_id)).toMatchObject({
      selectors: { 'k8s:ns': 'shop', 'k8s:sa': 'buyer' },
      redirectUris: [],
      hydraClientId: null,
    })
  })

  test.each(['http://shop.example', 'javascript:alert(1)', 'https://a:b@shop.example', 'https://shop.example/#x', 'http://localhost.evil.example'])(
    'the redirect URI %s is refused',
    async (react_app_url) => {
      const { create } = await start()
      const response = await create({ react_app_url })
      expect(response.status).toBe(400)
      expect(await response.json()).toMatchObject({ field: 'body.react_app_url' })
    },
  )

  test('a project of another tenant is not found', async () => {
    const { app, company, create } = await start()
    const globex = await app.company('globex')
    const theirs = await findClient(forTenant(app.db, globex.tenantId), globex.clientId)
    for (const project_id of [theirs?.projectId, app.ctx.random.id()]) {
      const response = await create({ project_id })
      expect(response.status).toBe(404)
      expect(await response.json()).toMatchObject({ code: 'not_found', field: 'body.project_id' })
    }
    const own = await findClient(forTenant(app.db, company.tenantId), company.clientId)
    expect(await (await create({ project_id: company.tenantId })).json()).toMatchObject({ project_id: own?.projectId })
  })

  test('creation over the quota is refused, and removing a client frees quota', async () => {
    const { app, company, token, create } = await start()
    await atomically(forTenant(app.db, company.tenantId), (t) => updateTenantSettings(t, { quotas: { clients: 2 } }, app.clock.now()))
    const made = await (await create()).json()
    const refused = await create()
    expect(refused.status).toBe(429)
    expect(await refused.json()).toMatchObject({ code: 'quota_exceeded' })
    const body = { tenant_id: company.tenantId, client_id: made.client_id }
    expect((await app.request(`${base(company)}/delete-complete`, { token, body })).status).toBe(200)
    expect((await create()).status).toBe(201)
  })
})

describe('listing clients', () => {
  test('the list filters, pages by number and by cursor, and counts people', async () => {
    const { app, company, token, create } = await start()
    for (const name of ['Alpha', 'Beta', 'Gamma']) {
      app.clock.advance(1)
      expect((await create({ name })).status).toBe(201)
    }
    const get = async (query: string) => app.request(`${base(company)}/getClients?${query}`, { token })
    const page = await (await get('limit=2&page=1')).json()
    expect(page.clients.map(({ name }: { name: string }) => name)).toEqual(['Gamma', 'Beta'])
    expect(page.pagination).toEqual({ page: 1, limit: 2, total: 4, total_pages: 2 })
    const first = await get('limit=2')
    const next = /<\?([^>]+)>; rel="next"/.exec(first.headers.get('link') ?? '')?.[1] ?? ''
    const second = await get(next)
    expect((await second.json()).clients.map(({ name }: { name: string }) => name)).toEqual(['Alpha', 'Default client'])
    expect(second.headers.get('link')).toBeNull()
    const named = async (query: string) => (await (await get(query)).json()).clients.map(({ name }: { name: string }) => name)
    expect(await named('name=ET')).toEqual(['Beta'])
    expect(await named('name=%25')).toEqual([])
    expect(await named('email=SHOP@acme')).toEqual(['Gamma', 'Beta', 'Alpha'])
    expect(await named('limit=1000')).toHaveLength(4)
    const [standard] = (await (await get('name=default')).json()).clients
    expect(standard).toMatchObject({ authentication_methods: ['password'], user_count: 2, deleted: false })
    const bad = await get('active=perhaps')
    expect(bad.status).toBe(400)
  })

  test("clients:admin lists the tenant's clients; a platform administrator lists the clients of all tenants", async () => {
    const { app, company } = await start()
    const globex = await app.company('globex')
    const own = await app.token(await app.person(company, ['clients:admin']))
    const seen = await (await app.request('/authsec/clientms/admin/clients', { token: own })).json()
    expect(new Set(seen.clients.map(({ tenant_id }: { tenant_id: string }) => tenant_id))).toEqual(new Set([company.tenantId]))
    const { platformAdministrator } = await import('../../tests/seeds/seeds.ts')
    const token = await app.token(await platformAdministrator(app), ['pwd', 'otp', 'mfa'])
    // The companies of other tests are listed too, so read pages until both of these appear.
    const seenTenants = new Set<string>()
    for (let page = 1; !(seenTenants.has(company.tenantId) && seenTenants.has(globex.tenantId)); page++) {
      const all = await (await app.request(`/authsec/clientms/admin/clients/?limit=100&page=${page}`, { token })).json()
      expect(all.clients.length).toBeGreaterThan(0)
      for (const { tenant_id } of all.clients) seenTenants.add(tenant_id)
    }
    const theirs = await (await app.request(`/authsec/clientms/admin/clients?tenant_id=${globex.tenantId}&name=default`, { token })).json()
    expect(theirs.clients.map(({ id }: { id: string }) => id)).toEqual([globex.clientId])
    expect((await app.request('/authsec/clientms/admin/clients?name=x', { token })).status).toBe(400)
  })

  test('set-status has AuthSec’s error shape with a numeric code', async () => {
    const { app, company, token } = await start()
    const response = await app.request(`${base(company)}/set-status`, {
      token,
      body: { tenant_id: company.tenantId, client_id: app.ctx.random.id() },
    })
    expect(response.status).toBe(404)
    expect(await response.json()).toEqual({
      error: 'not_found',
      message: expect.any(String),
      code: 404,
      timestamp: app.clock.now().toISOString(),
      request_id: expect.any(String),
    })
  })
})

describe('changing a client', () => {
  test('deactivation ends sessions and the service account, and activation restores no session', async () => {
    const { app, company, token, create } = await start()
    const made = await (await create()).json()
    const { updateUser } = await import('#db/store/users')
    const customer = await app.person(company, ['clients:read'])
    await atomically(forTenant(app.db, company.tenantId), (t) => updateUser(t, customer.id, { clientId: made.client_id }))
    const session = await app.token(customer)
    const list = () => app.request(`${base(company)}/getClients`, { token: session })
    expect((await list()).status).toBe(200)
    app.clock.advance(1)
    const off = await app.request(`${base(company)}/${made.client_id}/deactivate`, { token, method: 'PATCH' })
    expect(await off.json()).toMatchObject({ client: { active: false, status: 'Development' } })
    expect((await list()).status).toBe(401)
    expect(await credentials(app, made.client_id)).toMatchObject({ active: false })
    expect(await authenticateSdkClient(app.ctx, made.sdk_client_id)).toBeUndefined()
    const on = await app.request(`${base(company)}/${made.client_id}/activate`, { token, method: 'PATCH' })
    expect(await on.json()).toMatchObject({ client: { active: true, status: 'Active' } })
    expect((await list()).status).toBe(401)
    expect(await authenticateSdkClient(app.ctx, made.sdk_client_id)).toMatchObject({ clientId: made.client_id })
    expect((await eventsOf(app, company, made.client_id)).toSorted()).toEqual(['client.activated', 'client.created', 'client.deactivated'])
  })

  test('a soft deletion keeps the row; a complete deletion removes everything', async () => {
    const { app, company, token, create } = await start()
    const made = await (await create()).json()
    const path = `${base(company)}/${made.client_id}`
    expect(await (await app.request(path, { token, method: 'DELETE' })).json()).toEqual({
      message: expect.any(String),
      id: made.client_id,
      deleted: true,
    })
    expect((await app.request(path, { token, method: 'DELETE' })).status).toBe(404)
    expect(await (await app.request(path, { token })).json()).toMatchObject({ status: 'Deleted', active: false, deleted_at: expect.any(String) })
    const ids = async (query: string) =>
      (await (await app.request(`${base(company)}/getClients?${query}`, { token })).json()).clients.map(({ id }: { id: string }) => id)
    expect(await ids('')).not.toContain(made.client_id)
    expect(await ids('deleted=true')).toContain(made.client_id)
    const body = { tenant_id: company.tenantId, client_id: `${made.client_id}-main-client` }
    const removed = await app.request('/authsec/clientms/oocmgr/tenant/delete-complete', { token, body })
    expect(await removed.json()).toMatchObject({ tenant_id: company.tenantId, client_id: made.client_id })
    expect(await credentials(app, made.client_id)).toBeUndefined()
    expect((await app.request(path, { token })).status).toBe(404)
  })

  test('the default client cannot be changed', async () => {
    const { app, company, token } = await start()
    const before = await findClient(forTenant(app.db, company.tenantId), company.clientId)
    const path = `${base(company)}/${company.clientId}`
    const body = { tenant_id: company.tenantId, client_id: company.clientId }
    const tries = [
      app.request(path, { token, method: 'PUT', body: { name: 'Mine' } }),
      app.request(path, { token, method: 'DELETE' }),
      app.request(`${path}/soft-delete`, { token, method: 'PATCH' }),
      app.request(`${path}/deactivate`, { token, method: 'PATCH' }),
      app.request(`${base(company)}/delete-complete`, { token, body }),
    ]
    for (const response of await Promise.all(tries)) {
      expect(response.status).toBe(403)
      expect(await response.json()).toMatchObject({ code: 'default_client' })
    }
    const status = await app.request(`${base(company)}/set-status`, { token, body })
    expect(await status.json()).toMatchObject({ error: 'default_client', code: 403 })
    expect(await findClient(forTenant(app.db, company.tenantId), company.clientId)).toEqual(before)
  })

  test('PUT and PATCH change the members in the body; a duplicate hydra_client_id is 409; contradicting members are 400', async () => {
    const { app, company, token, create } = await start()
    const [one, two] = [await (await create()).json(), await (await create()).json()]
    const put = (id: string, body: unknown, method = 'PUT') => app.request(`${base(company)}/${id}`, { token, method, body })
    expect(await (await put(one.client_id, { tags: ['a', 'a'], hydra_client_id: 'h-1' })).json()).toMatchObject({
      name: 'Shop',
      tags: ['a'],
      hydra_client_id: 'h-1',
    })
    const clash = await put(two.client_id, { hydra_client_id: 'h-1' }, 'PATCH')
    expect(clash.status).toBe(409)
    expect(await clash.json()).toMatchObject({ code: 'client_exists' })
    expect((await put(two.client_id, { status: 'Active', active: false })).status).toBe(400)
    expect(await (await put(two.client_id, { status: 'Deleted' })).json()).toMatchObject({ active: false, status: 'Deleted' })
  })
})

test('health and API description are public and disclose nothing about tenants', async () => {
  const { request } = await startApp(clientsRoutes)
  expect(await (await request('/authsec/clientms/health')).json()).toEqual({ status: 'healthy', service: 'clients-microservice' })
  const page = await request('/authsec/clientms/swagger/index.html')
  expect(page.headers.get('content-type')).toMatch(/^text\/html/)
  expect(await page.text()).toContain('/clients/getClients')
  const document = await (await request('/authsec/clientms/swagger/doc.json')).json()
  expect(document.openapi).toBe('3.1.0')
  expect(Object.keys(document.paths)).toContain('/authsec/clientms/tenants/{tenantId}/clients/create')
})

test('activating a client gives its permissions back, so every route needs those permissions', async () => {
  const { app, company, token } = await start()
  const strong = await newOauthClient(app, company, { permissions: ['vault:open'] })
  const t = forTenant(app.db, company.tenantId)
  const [path, admin] = [`${base(company)}/${strong.id}`, await app.token(await app.person(company, ['clients:write', 'vault:open']))]
  const routes: readonly (readonly [string, string, object?])[] = [
    ['PATCH', `${path}/activate`],
    ['PATCH', path, { active: true }],
    ['PUT', path, { status: 'Active' }],
    ['POST', `${base(company)}/set-status`, { tenant_id: company.tenantId, client_id: strong.id, active: true }],
  ]
  const send = (as: string, [method, to, body]: (typeof routes)[number]) =>
    app.request(to, { method, token: as, ...(body === undefined ? {} : { body }) })
  for (const state of ['deactivate', 'soft-delete']) {
    for (const call of routes) {
      // Deactivation needs none of the client's permissions.
      expect((await app.request(`${path}/${state}`, { method: 'PATCH', token })).status, state).toBe(200)
      const refused = await send(token, call)
      expect([refused.status, JSON.stringify(await refused.json()).includes('cannot_grant')], call[1]).toEqual([403, true])
      expect(await findClient(t, strong.id)).toMatchObject({ active: false })
      expect((await send(admin, call)).status).toBe(200)
      expect(await findClient(t, strong.id)).toMatchObject({ active: true, status: 'Active', deletedAt: null })
    }
  }
  // An active client is not activated again.
  expect((await send(token, ['PATCH', path, { name: 'Renamed', active: true }])).status).toBe(200)
})
