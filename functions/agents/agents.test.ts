// Agents: their owners, their credentials, and how they are suspended and retired.
import { exportJWK, generateKeyPair, SignJWT } from 'jose'
import { describe, expect, test } from 'vitest'
import { atomically, forTenant } from '#db/engine/tenant'
import { findActingServiceAccount } from '#db/store/client-authentication'
import { findClient } from '#db/store/clients'
import { setUserActive } from '#db/store/people'
import { registerClient } from '#db/store/resource-servers'
import { putBinding, putRole } from '#db/testing/access'
import { authorizationServerError, problem } from '#shared/platform/http/problem'
import { introspected } from '#tests/support/agents'
import { startApp } from '#tests/support/app'
import { basicOf, newResource, postForm } from '#tests/support/oauth'
import { WEAK_KEY_SETS } from '#tests/support/weak-keys'
import { clientsRoutes } from '../clients/routes.ts'
import { oauthRoutes } from '../oauth/routes.ts'
import { agentRoutes } from './routes.ts'

const PERMISSIONS = ['admin:access', 'clients:read', 'clients:write'] as const

const start = async () => {
  const app = await startApp(agentRoutes, { render: problem })
  const server = await startApp(oauthRoutes, { render: authorizationServerError })
  const company = await app.company()
  const admin = await app.person(company, PERMISSIONS)
  const owner = await app.person(company)
  const [adminToken, ownerToken] = [await app.token(admin), await app.token(owner)]
  const resource = await newResource(app, company, [{ name: 'tools:read' }])
  const create = (body: Readonly<Record<string, unknown>> = {}, token = adminToken) =>
    app.request('/agents', { body: { name: 'Robo', agent_type: 'assistant', owner_id: owner.id, ...body }, token })
  const made = async (body: Readonly<Record<string, unknown>> = {}) => (await create(body)).json()
  const to = (id: string, path = '', token = adminToken, body: unknown = {}) => app.request(`/agents/${id}${path}`, { method: 'POST', token, body })
  const tokenOf = async (id: string, secret: string) => {
    await atomically(forTenant(app.db, company.tenantId), (t) => registerClient(t, resource.id, id, app.clock.now()))
    return postForm(server, '/oauth/token', { grant_type: 'client_credentials' }, { authorization: basicOf(id, secret) })
  }
  const code = async (response: Response) => [response.status, (await response.json()).code]
  const events = async (event: string) => app.events(company.tenantId, { event })
  return { app, server, company, admin, owner, adminToken, ownerToken, resource, create, made, to, tokenOf, code, events }
}

test('a new agent has an owner and no permissions; its secret is returned once and gets it a token', async () => {
  const { app, server, resource, owner, adminToken, create, tokenOf, events } = await start()
  const response = await create({ description: 'Answers mail.' })
  expect(response.status).toBe(201)
  const agent = await response.json()
  expect(agent).toMatchObject({
    name: 'Robo',
    agent_type: 'assistant',
    owner_id: owner.id,
    status: 'active',
    authentication_method: 'client_secret',
    client_secret: expect.any(String),
    spiffe_id: expect.stringContaining(`/agents/assistant/${agent.id}`),
  })
  const read = await app.request(`/agents/${agent.id}`, { token: adminToken })
  expect(JSON.stringify(await read.json())).not.toContain(agent.client_secret)
  const token = (await (await tokenOf(agent.id, agent.client_secret)).json()).access_token
  expect(await introspected(server, resource, token)).toMatchObject({ active: true, sub: agent.id, agent_type: 'assistant', owner_id: owner.id })
  expect(await events('agent.created')).toMatchObject([{ targetId: agent.id, targetType: 'agent' }])
})

test('an agent with a key pair authenticates with private_key_jwt and has no secret', async () => {
  const { app, server, company, made, resource } = await start()
  const { privateKey, publicKey } = await generateKeyPair('ES256')
  const agent = await made({ authentication: { method: 'private_key_jwt', jwks: { keys: [await exportJWK(publicKey)] } } })
  expect(agent).toMatchObject({ authentication_method: 'private_key_jwt' })
  expect(agent.client_secret).toBeUndefined()
  await atomically(forTenant(app.db, company.tenantId), (t) => registerClient(t, resource.id, agent.id, app.clock.now()))
  const now = Math.floor(app.clock.now().getTime() / 1000)
  const claims = { iss: agent.id, sub: agent.id, aud: 'http://localhost:7468', jti: app.ctx.random.id(), exp: now + 60 }
  const client_assertion = await new SignJWT(claims).setProtectedHeader({ alg: 'ES256' }).sign(privateKey)
  const client_assertion_type = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'
  const answered = await postForm(server, '/oauth/token', { grant_type: 'client_credentials', client_assertion, client_assertion_type })
  expect(answered.status).toBe(200)
})

describe('invalid requests', () => {
  test.each([
    ['no name', { name: '' }],
    ['a type of two dots', { agent_type: '..' }],
    ['a type with a slash', { agent_type: 'a/b' }],
    ['an unknown member', { permissions: ['admin:access'] }],
    ['an owner that is not a UUID', { owner_id: 'ada' }],
    ['private_key_jwt without keys', { authentication: { method: 'private_key_jwt' } }],
    ['a private key', { authentication: { method: 'private_key_jwt', jwks: { keys: [{ kty: 'EC', d: 'x' }] } } }],
    ['no authentication method', { authentication: { method: 'none' } }],
  ])('%s', async (_, body) => {
    const { create, code, events } = await start()
    expect(await code(await create(body))).toEqual([400, 'invalid_request'])
    expect(await events('agent.created')).toEqual([])
  })

  test.each(WEAK_KEY_SETS)('%s', async (_, keys) => {
    const { create, code, events } = await start()
    expect(await code(await create({ authentication: { method: 'private_key_jwt', jwks: { keys } } }))).toEqual([400, 'invalid_request'])
    expect(await events('agent.created')).toEqual([])
  })

  test('the owner must be an active person of the tenant', async () => {
    const { app, company, create, code } = await start()
    const disabled = await app.person(company)
    await atomically(forTenant(app.db, company.tenantId), (t) => setUserActive(t, disabled.id, false, app.clock.now()))
    const theirs = (await app.company('globex')).admin
    for (const owner_id of [disabled.id, theirs.id, app.ctx.random.id()]) expect(await code(await create({ owner_id }))).toEqual([404, 'not_found'])
  })
})

test('the list has filters and pages by cursor', async () => {
  const { app, admin, owner, adminToken, made, to } = await start()
  const agents = []
  for (const [agent_type, owner_id] of [
    ['a', owner.id],
    ['b', owner.id],
    ['a', admin.id],
  ]) {
    app.clock.advance(1)
    agents.push(await made({ agent_type, owner_id }))
  }
  await to(agents[1].id, '/suspend')
  const list = async (query: string) => {
    const response = await app.request(`/agents?${query}`, { token: adminToken })
    return {
      ids: (await response.json()).agents.map(({ id }: { id: string }) => id),
      next: /<\?([^>]*)>/.exec(response.headers.get('link') ?? '')?.[1],
    }
  }
  const [first, second, third] = agents.map(({ id }) => id)
  expect((await list('')).ids).toEqual([third, second, first])
  expect((await list('agent_type=a')).ids).toEqual([third, first])
  expect((await list(`owner_id=${owner.id}`)).ids).toEqual([second, first])
  expect((await list('status=suspended')).ids).toEqual([second])
  const page = await list('limit=2')
  expect(page.ids).toEqual([third, second])
  expect((await list(page.next ?? '')).ids).toEqual([first])
  for (const query of ['cursor=x', 'limit=0', 'status=gone', 'more=1'])
    expect((await app.request(`/agents?${query}`, { token: adminToken })).status).toBe(400)
})

test('a change needs the ETag of the agent as it was read', async () => {
  const { app, admin, adminToken, made, code, events } = await start()
  const agent = await made()
  const etag = (await app.request(`/agents/${agent.id}`, { token: adminToken })).headers.get('etag') ?? ''
  const change = (body: unknown, tag?: string) =>
    app.request(`/agents/${agent.id}`, { method: 'PATCH', token: adminToken, body, headers: tag === undefined ? {} : { 'if-match': tag } })
  expect(await code(await change({ name: 'R2' }))).toEqual([428, 'precondition_required'])
  expect(await code(await change({ name: 'R2' }, '"x"'))).toEqual([412, 'precondition_failed'])
  expect(await code(await change({}, etag))).toEqual([400, 'invalid_request'])
  expect(await code(await change({ owner_id: app.ctx.random.id() }, etag))).toEqual([404, 'not_found'])
  const changed = await change({ name: 'R2', owner_id: admin.id, dpop_bound_access_tokens: true }, etag)
  expect(await changed.json()).toMatchObject({ name: 'R2', owner_id: admin.id, dpop_bound_access_tokens: true })
  expect(await code(await change({ name: 'R3' }, etag))).toEqual([412, 'precondition_failed'])
  expect(await events('agent.updated')).toHaveLength(1)
})

test('a token that ended with the previous owner stays inactive under a new owner', async () => {
  const { app, server, company, admin, owner, adminToken, resource, made, tokenOf } = await start()
  const agent = await made()
  const { access_token: token } = await (await tokenOf(agent.id, agent.client_secret)).json()
  const read = await app.request(`/agents/${agent.id}`, { token: adminToken })
  const body = { owner_id: admin.id }
  await atomically(forTenant(app.db, company.tenantId), (t) => setUserActive(t, owner.id, false, app.clock.now()))
  expect((await introspected(server, resource, token)).active).toBe(false)
  app.clock.advance(1)
  const headers = { 'if-match': read.headers.get('etag') ?? '' }
  expect((await app.request(`/agents/${agent.id}`, { method: 'PATCH', token: adminToken, body, headers })).status).toBe(200)
  expect((await introspected(server, resource, token)).active).toBe(false)
  server.clock.advance(2)
  const { access_token: next } = await (await tokenOf(agent.id, agent.client_secret)).json()
  expect((await introspected(server, resource, next)).active).toBe(true)
})

describe('suspension and retirement', () => {
  test('suspending an agent ends its tokens permanently; after resuming it gets new ones', async () => {
    const { app, server, resource, made, to, tokenOf, events } = await start()
    const agent = await made()
    const token = (await (await tokenOf(agent.id, agent.client_secret)).json()).access_token
    expect(await introspected(server, resource, token)).toMatchObject({ active: true })
    app.clock.advance(1)
    server.clock.advance(1)
    expect(await (await to(agent.id, '/suspend')).json()).toMatchObject({ status: 'suspended' })
    expect(await introspected(server, resource, token)).toEqual({ active: false })
    expect((await tokenOf(agent.id, agent.client_secret)).status).toBe(401)
    expect((await to(agent.id, '/suspend')).status).toBe(200)
    expect(await events('agent.suspended')).toHaveLength(1)
    expect(await (await to(agent.id, '/resume')).json()).toMatchObject({ status: 'active' })
    expect(await introspected(server, resource, token)).toEqual({ active: false })
    // Another instance may cache the suspended state for one second.
    server.clock.advance(2)
    expect((await tokenOf(agent.id, agent.client_secret)).status).toBe(200)
  })

  test('activating the client of a suspended agent does not resume the agent', async () => {
    const { app, server, company, resource, adminToken, made, to, tokenOf } = await start()
    const clients = await startApp(clientsRoutes)
    const agent = await made()
    const { access_token: token } = await (await tokenOf(agent.id, agent.client_secret)).json()
    const account = (await findClient(forTenant(app.db, company.tenantId), agent.id))?.serviceAccountId ?? ''
    const actsAs = () => findActingServiceAccount(forTenant(app.db, company.tenantId), agent.id, app.clock.now())
    expect(await actsAs()).toBe(account)
    await to(agent.id, '/suspend')
    const path = `/authsec/clientms/tenants/${company.tenantId}/clients/${agent.id}/activate`
    expect((await clients.request(path, { method: 'PATCH', token: adminToken })).status).toBe(200)
    server.clock.advance(2)
    expect(await (await tokenOf(agent.id, agent.client_secret)).json()).toMatchObject({ error: 'invalid_client' })
    expect((await introspected(server, resource, token)).active).toBe(false)
    expect(await actsAs()).toBeUndefined()
  })

  test('a retired agent stays retired and loses its credentials', async () => {
    const { app, adminToken, made, to, tokenOf, code, events } = await start()
    const agent = await made()
    expect(await (await to(agent.id, '/retire')).json()).toMatchObject({ status: 'retired' })
    expect((await tokenOf(agent.id, agent.client_secret)).status).toBe(401)
    expect(await code(await to(agent.id, '/resume'))).toEqual([409, 'agent_retired'])
    expect(await code(await to(agent.id, '/suspend'))).toEqual([409, 'agent_retired'])
    expect(await code(await to(agent.id, '/credentials', adminToken, { authentication: { method: 'client_secret' } }))).toEqual([
      409,
      'agent_retired',
    ])
    const change = { method: 'PATCH', token: adminToken, body: { name: 'x' }, headers: { 'if-match': '*' } }
    expect(await code(await app.request(`/agents/${agent.id}`, change))).toEqual([409, 'agent_retired'])
    expect((await to(agent.id, '/retire')).status).toBe(200)
    expect(await events('agent.retired')).toHaveLength(1)
  })
})

test('the owner may read and suspend an agent; other people may not', async () => {
  const { app, company, ownerToken, made, to, code } = await start()
  const agent = await made()
  const stranger = await app.token(await app.person(company))
  expect((await app.request(`/agents/${agent.id}`, { token: ownerToken })).status).toBe(200)
  expect(await code(await app.request(`/agents/${agent.id}`, { token: stranger }))).toEqual([403, 'insufficient_scope'])
  expect(await code(await to(agent.id, '/suspend', stranger))).toEqual([403, 'insufficient_scope'])
  expect((await to(agent.id, '/suspend', ownerToken)).status).toBe(200)
  for (const path of ['/resume', '/retire', '/credentials']) expect((await to(agent.id, path, ownerToken)).status).toBe(403)
})

test('new credentials replace the old ones at once, and need every permission that the agent has', async () => {
  const { app, company, adminToken, made, to, tokenOf, code, events } = await start()
  const agent = await made()
  const body = { authentication: { method: 'client_secret' } }
  const rotated = await (await to(agent.id, '/credentials', adminToken, body)).json()
  expect((await tokenOf(agent.id, agent.client_secret)).status).toBe(401)
  expect((await tokenOf(agent.id, rotated.client_secret)).status).toBe(200)
  await atomically(forTenant(app.db, company.tenantId), async (t) => {
    const at = app.clock.now()
    await putBinding(t, await putRole(t, `strong-${agent.id}`, ['vault:open'], at), { serviceAccountId: agent.service_account_id }, at)
  })
  expect(await code(await to(agent.id, '/credentials', adminToken, body))).toEqual([403, 'cannot_grant'])
  expect((await tokenOf(agent.id, rotated.client_secret)).status).toBe(200)
  await to(agent.id, '/suspend')
  expect(await code(await to(agent.id, '/resume'))).toEqual([403, 'cannot_grant'])
  expect(await events('agent.credentials_rotated')).toHaveLength(1)
})

test('a new owner and the end of DPoP need every permission that the agent has', async () => {
  const { app, company, adminToken, made, code } = await start()
  const agent = await made({ dpop_bound_access_tokens: true })
  const next = await app.person(company)
  const patch = (body: Readonly<Record<string, unknown>>) =>
    app.request(`/agents/${agent.id}`, { method: 'PATCH', token: adminToken, body, headers: { 'if-match': '*' } })
  await atomically(forTenant(app.db, company.tenantId), async (t) => {
    const at = app.clock.now()
    await putBinding(t, await putRole(t, `strong-${agent.id}`, ['vault:open'], at), { serviceAccountId: agent.service_account_id }, at)
  })
  for (const body of [{ owner_id: next.id }, { dpop_bound_access_tokens: false }])
    expect(await code(await patch(body))).toEqual([403, 'cannot_grant'])
  expect((await patch({ name: 'Renamed' })).status).toBe(200)
})

test('AuthSec\u2019s list has every agent of the tenant', async () => {
  const { app, adminToken, made, to } = await start()
  const agent = await made({ agent_type: 'z' })
  const list = async (query = '') => (await app.request(`/authsec/uflow/admin/agents${query}`, { token: adminToken })).json()
  expect(await list()).toMatchObject({ total: 1, agents: [{ id: agent.id, name: 'Robo', active: true, agent_type: 'z' }] })
  expect((await list('?agent_type=y')).total).toBe(0)
  await to(agent.id, '/suspend')
  expect([(await list('?status=active')).total, (await list('?status=inactive')).total]).toEqual([0, 1])
  expect(await (await app.request(`/authsec/uflow/admin/agents/${agent.id}`, { token: adminToken })).json()).toMatchObject({ id: agent.id })
  const missing = await app.request(`/authsec/uflow/admin/agents/${app.ctx.random.id()}`, { token: adminToken })
  expect([missing.status, (await missing.json()).error]).toEqual([404, 'Agent not found'])
})
