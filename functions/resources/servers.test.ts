import { expect, test } from 'vitest'
import { atomically, directory, forTenant } from '#db/engine/tenant'
import { findResourceServer, findTenantOfResource, listServerScopes, releaseIdentifiers } from '#db/store/resource-servers'
import { addDomain, proveDomain } from '#tests/support/administration'
import { newDetailType } from '#tests/support/agents'
import { startApp } from '#tests/support/app'
import { sha256 } from '#tests/support/backend'
import { newOauthClient } from '#tests/support/oauth'
import { resourceRoutes } from './routes.ts'

const BASE = '/authsec/resource-servers'
const start = async () => {
  const app = await startApp(resourceRoutes)
  const company = await app.company()
  const owner = await app.token(await app.person(company, ['admin:access', 'clients:read', 'clients:write']))
  const base = `https://api-${app.ctx.random.id().slice(-12)}.example.com`
  const create = (body: Readonly<Record<string, unknown>>, token = owner) =>
    app.request(BASE, { body: { name: 'Tools', public_base_url: base, ...body }, token })
  return { app, company, owner, base, create }
}

test('a resource server is created, changed and removed, and each change is recorded', async () => {
  const { app, company, owner, base, create } = await start()
  const response = await create({ scopes_supported: ['tools:read', { name: 'tools:write', permission: 'tools:write', description: 'Change tools' }] })
  expect(response.status).toBe(201)
  const made = await response.json()
  expect(made).toMatchObject({
    resource_url: `${base}/mcp`,
    issuer_url: 'http://localhost:7468',
    validation_mode: 'auto',
    scopes_supported: ['tools:read', 'tools:write'],
    status: 'ready',
    token_seconds: 300,
  })
  expect(made.introspection_secret).toMatch(new RegExp(`^${company.tenantId}\\.[\\w-]{43}$`))
  const [path, admin] = [`${BASE}/${made.id}`, await app.token(company.admin)]
  const seen = await (await app.request(path, { token: owner })).text()
  expect(seen).not.toContain(made.introspection_secret)
  const changed = await app.request(path, {
    method: 'PUT',
    body: { name: 'Better tools', active: false, scopes_supported: ['tools:read'] },
    token: admin,
  })
  expect(await changed.json()).toMatchObject({ name: 'Better tools', status: 'inactive', scopes_supported: ['tools:read'] })
  const rotated = await (await app.request(`${path}/rotate-introspection-secret`, { method: 'POST', token: owner })).json()
  expect(rotated.introspection_secret).not.toBe(made.introspection_secret)
  expect((await app.request(path, { method: 'DELETE', token: owner })).status).toBe(204)
  expect((await app.request(path, { token: owner })).status).toBe(404)
  const events = (await app.events(company.tenantId, { targetId: made.id })).map(({ event }) => event)
  expect(events.toSorted()).toEqual([
    'resource_server.created',
    'resource_server.deleted',
    'resource_server.secret_rotated',
    'resource_server.updated',
  ])
  expect(JSON.stringify(await app.events(company.tenantId))).not.toContain(made.introspection_secret)
})

test('clients of the tenant are added and removed; those of another tenant are not found', async () => {
  const { app, company, owner, create } = await start()
  const { id } = await (await create({})).json()
  const own = await newOauthClient(app, company)
  const foreign = await newOauthClient(app, await app.company('globex'))
  const add = (client_id: string) => app.request(`${BASE}/${id}/clients`, { body: { client_id }, token: owner })
  expect((await add(own.id)).status).toBe(201)
  expect((await add(foreign.id)).status).toBe(404)
  expect(await (await app.request(`${BASE}/${id}/clients`, { token: owner })).json()).toEqual([
    { client_id: own.id, client_name: 'Shop', registration_type: 'prereg', status: 'approved', created_at: expect.any(String) },
  ])
  const remove = () => app.request(`${BASE}/${id}/clients/${own.id}`, { method: 'DELETE', token: owner })
  expect(await (await remove()).json()).toEqual({ status: 'revoked' })
  expect((await remove()).status).toBe(404)
})

test('an audience belongs to one company: another cannot register it, nor a host below the company\u2019s verified domain', async () => {
  const { app, company, base, create } = await start()
  const globex = await app.company('globex')
  const theirs = await app.token(await app.person(globex, ['admin:access', 'clients:write']))
  expect((await create({})).status).toBe(201)
  const taken = await create({}, theirs)
  expect([taken.status, (await taken.json()).code]).toEqual([409, 'resource_taken'])
  expect((await create({ protected_base_path: '/other' }, theirs)).status).toBe(201)
  const domain = `d-${app.ctx.random.id().slice(-12)}.com`
  await proveDomain(app, company, (await addDomain(app, company, domain)).id)
  for (const host of [`api.${domain}`, `api.${domain}.`, `${domain}:8443`])
    expect((await create({ public_base_url: `https://${host}` }, theirs)).status, host).toBe(409)
  expect((await create({ public_base_url: `https://api.${domain}` })).status).toBe(201)
  // Nor below our own base URL, which is the audience of tokens for this server.
  for (const protected_base_path of ['/', '/mcp'])
    expect((await create({ public_base_url: 'http://localhost:7468', protected_base_path })).status).toBe(409)
  for (const token of [undefined, theirs]) expect((await create({ public_base_url: 'http://localhost:3000' }, token)).status).toBe(201)
  expect(base).toMatch(/^https/)
})

test('look-alikes of an identifier, and paths below it, belong to its company', async () => {
  const { app, base, create } = await start()
  const globex = await app.company('globex')
  const theirs = await app.token(await app.person(globex, ['admin:access', 'clients:write']))
  expect((await create({})).status).toBe(201)
  const host = new URL(base).host
  const LOOK_ALIKES = [
    [base, '/%6dcp'],
    [base, '/%6Dcp'],
    [base, '/MCP'],
    [base, '/mcp/tools'],
    [base, '/mcp%2Ftools'],
    [base, '/mcp/%2e%2e%2fmcp'],
    [base, '/x%2f..%2fmcp'],
    [base, '//mcp'],
    [`https://${host}.`, '/mcp'],
    [`https://${host}.`, '/%4dCP/x'],
    [`${base}/mcp`, '/'],
    [`${base}/mcp/a`, '/b'],
  ]
  const events = (await app.events(globex.tenantId)).length
  for (const [public_base_url, protected_base_path] of LOOK_ALIKES) {
    const response = await create({ public_base_url, protected_base_path }, theirs)
    const { code } = await response.json()
    expect([response.status, code], `${public_base_url}${protected_base_path}`).toEqual(
      // An address that is not plain is not a valid identifier.
      response.status === 400 ? [400, 'invalid_request'] : [409, 'resource_taken'],
    )
  }
  expect((await app.events(globex.tenantId)).filter(({ event }) => event === 'resource_server.created')).toEqual([])
  expect((await app.events(globex.tenantId)).length).toBeGreaterThanOrEqual(events)
  for (const protected_base_path of ['/mcp2', '/other', '/mc']) expect((await create({ protected_base_path }, theirs)).status).toBe(201)
  // The owner may register them, and then they are protected too.
  expect((await create({ protected_base_path: '/Tools' })).status).toBe(201)
  for (const protected_base_path of ['/tools', '/TOOLS/x']) expect((await create({ protected_base_path }, theirs)).status).toBe(409)
  for (const protected_base_path of ['/mcp/tools', '/%6dcp']) expect((await create({ protected_base_path })).status).toBe(201)
})

test('a dot at the end of a host does not bypass the verified domain of another company', async () => {
  const { app, company, create } = await start()
  const globex = await app.company('globex')
  const theirs = await app.token(await app.person(globex, ['admin:access', 'clients:write']))
  const domain = `d-${app.ctx.random.id().slice(-12)}.com`
  await proveDomain(app, company, (await addDomain(app, company, domain)).id)
  for (const host of [`api.${domain}`, `api.${domain}.`, `${domain}.`]) {
    expect((await create({ public_base_url: `https://${host}` }, theirs)).status, host).toBe(409)
  }
})

test.each([
  ['http://api.example.com'],
  ['https://a:b@api.example.com'],
  ['https://api.example.com/?x=1'],
  ['https://api.example.com/#x'],
  ['https://API.example.com'],
  ['https://api.example.com/a/../b'],
  ['ftp://api.example.com'],
  ['api.example.com'],
])('refuses %s as base URL', async (public_base_url) => {
  const { create } = await start()
  expect(await (await create({ public_base_url })).json()).toMatchObject({ code: 'invalid_request', field: 'body.public_base_url' })
})

test('only a digest of the secret is stored', async () => {
  const { app, company, create } = await start()
  const made = await (await create({})).json()
  const row = await findResourceServer(forTenant(app.db, company.tenantId), made.id)
  expect(Buffer.from(row?.introspectionHash ?? []).length).toBe(32)
})

test('a resource server that is an agent declares this and its authorization detail types in the manifest', async () => {
  const { app, company, owner, create } = await start()
  const made = await (await create({ application_type: 'ai_agent' })).json()
  expect(made).toMatchObject({ application_type: 'ai_agent', agent_type: 'mcp-agent' })
  const named = await (await create({ application_type: 'ai_agent', agent_type: 'booking', protected_base_path: '/agent' })).json()
  const plain = await (await create({ protected_base_path: '/tools' })).json()
  expect(plain).not.toHaveProperty('agent_type')
  expect((await create({ application_type: 'ai_agent', agent_type: 'a b', protected_base_path: '/x' })).status).toBe(400)
  await newDetailType(app, company, { type: 'anywhere' })
  await newDetailType(app, company, { type: 'booking', resourceServerId: named.id })
  const manifest = async (id: string) => (await app.request(`${BASE}/${id}/manifest`, { token: owner })).json()
  expect(await manifest(named.id)).toMatchObject({
    resource: named.resource_url,
    application_type: 'ai_agent',
    agent_type: 'booking',
    authorization_details_types_supported: ['anywhere', 'booking'],
  })
  expect(await manifest(plain.id)).toMatchObject({ application_type: 'mcp_server', authorization_details_types_supported: ['anywhere'] })
  expect(await manifest(plain.id)).not.toHaveProperty('agent_type')
})

test('a caller without a permission cannot remove it from a scope that requires it', async () => {
  const { app, company, owner, create } = await start()
  const bound = [{ name: 'pay', permission: 'money:move' }, { name: 'look' }]
  const { id } = await (await create({ scopes_supported: bound })).json()
  const [path, t] = [`${BASE}/${id}`, forTenant(app.db, company.tenantId)]
  const put = async (scopes_supported: unknown, token = owner) => {
    const response = await app.request(path, { method: 'PUT', body: { scopes_supported }, token })
    return [response.status, (await response.json()).code]
  }
  const before = await listServerScopes(t, id)
  for (const freed of [['pay', 'look'], ['look'], [{ name: 'pay', permission: 'clients:read' }]])
    expect(await put(freed)).toEqual([403, 'cannot_grant'])
  expect((await app.request(path, { method: 'DELETE', token: owner })).status).toBe(403)
  expect(await listServerScopes(t, id)).toEqual(before)
  expect(await put([...bound, 'list'])).toEqual([200, undefined])
  expect(await put(['pay'], await app.token(company.admin))).toEqual([200, undefined])
})

test('a company takes an identifier below its verified domain from another one, which does not get it back', async () => {
  const { app, company, create } = await start()
  const globex = await app.company('globex')
  const theirs = await app.token(globex.admin)
  const domain = `d-${app.ctx.random.id().slice(-12)}.com`
  const origin = `https://api.${domain}`
  const made = await (await create({ public_base_url: origin, scopes_supported: ['tools:read'] }, theirs)).json()
  // A row from before hosts were recorded.
  await directory(app.db).run({
    text: 'update authsec.resource_directory set host = null where resource_server_id = $1',
    params: [made.id],
    arrays: true,
  })
  expect((await create({ public_base_url: origin })).status).toBe(409)
  expect(await app.events(globex.tenantId, { event: 'resource_servers.released' })).toHaveLength(0)
  await proveDomain(app, company, (await addDomain(app, company, domain)).id)
  const taken = await create({ public_base_url: origin })
  expect([taken.status, (await taken.json()).resource_url]).toEqual([201, `${origin}/mcp`])
  expect(await (await app.request(`${BASE}/${made.id}`, { token: theirs })).json()).toMatchObject({ active: false })
  expect(await app.events(globex.tenantId, { event: 'resource_servers.released' })).toHaveLength(1)
  const back = await app.request(`${BASE}/${made.id}`, { method: 'PUT', body: { active: true }, token: theirs })
  expect([back.status, (await back.json()).code]).toEqual([409, 'resource_taken'])
  expect(await (await app.request(`${BASE}/${made.id}`, { token: theirs })).json()).toMatchObject({ active: false })
  expect(await app.events(globex.tenantId, { event: 'resource_server.updated' })).toHaveLength(0)
})

test('a server that was switched off, and one whose identifier is free again, can be switched on', async () => {
  const { app, company, owner, create } = await start()
  const { id, resource_url: resource } = await (await create({})).json()
  const admin = await app.token(company.admin)
  const set = async (active: boolean) => (await app.request(`${BASE}/${id}`, { method: 'PUT', body: { active }, token: admin })).status
  expect([await set(false), await set(true)]).toEqual([200, 200])
  await atomically(forTenant(app.db, company.tenantId), (t) => releaseIdentifiers(t, [id], app.clock.now()))
  expect(await findTenantOfResource(directory(app.db), sha256(resource))).toBeUndefined()
  expect(await set(true)).toBe(200)
  expect(await findTenantOfResource(directory(app.db), sha256(resource))).toBe(company.tenantId)
  expect((await app.request(`${BASE}/${id}`, { token: owner })).status).toBe(200)
})
