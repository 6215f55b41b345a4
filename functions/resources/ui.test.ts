// The shapes of resource servers that the newer administration UI reads: bare lists, clients by name, scopes by id, roles and bindings.
import { expect, test } from 'vitest'
import { atomically, forTenant } from '#db/engine/tenant'
import { findClient } from '#db/store/clients'
import { putGroup, putRole } from '#db/testing/access'
import { startApp } from '#tests/support/app'
import { newResource } from '#tests/support/oauth'
import { resourceRoutes } from './routes.ts'

const BASE = '/authsec/resource-servers'
const start = async () => {
  const app = await startApp(resourceRoutes)
  const company = await app.company()
  const token = await app.token(company.admin)
  const server = await newResource(app, company, [{ name: 'look' }, { name: 'pay', permission: 'users:write' }])
  const send = async (method: string, path: string, body?: unknown, as = token) => {
    const response = await app.request(path.startsWith('/authsec') ? path : `${BASE}/${server.id}${path}`, {
      method,
      token: as,
      ...(body === undefined ? {} : { body }),
    })
    const text = await response.text()
    return { status: response.status, body: text === '' ? undefined : JSON.parse(text) }
  }
  const role = (name: string, permissions: readonly string[]) =>
    atomically(forTenant(app.db, company.tenantId), (t) => putRole(t, name, permissions, app.clock.now()))
  return { app, company, token, server, send, role }
}

test('servers and clients are bare lists', async () => {
  const { company, server, send } = await start()
  const { body } = await send('GET', BASE)
  expect(body).toMatchObject([{ id: server.id, tenant_id: company.tenantId, resource_uri: server.resource, client_count: 0, state: 'pending_scan' }])
  expect((await send('GET', '/clients')).body).toEqual([])
})

test('a client is registered by its name and redirect URIs, and is public unless it requests a secret', async () => {
  const { app, company, server, send } = await start()
  const inspector = { client_name: 'Inspector', redirect_uris: ['http://localhost:6274/oauth/callback'], response_types: ['code'] }
  const made = await send('POST', '/clients', { ...inspector, grant_types: ['authorization_code'], token_endpoint_auth_method: 'none' })
  expect(made).toMatchObject({ status: 201, body: { client_name: 'Inspector', registration_type: 'prereg', status: 'approved' } })
  expect(made.body).not.toHaveProperty('client_secret')
  const row = await findClient(forTenant(app.db, company.tenantId), made.body.client_id)
  expect(row).toMatchObject({ isPublic: true, redirectUris: inspector.redirect_uris, grantTypes: ['authorization_code'], serviceAccountId: null })
  const secret = await send('POST', '/clients', { ...inspector, client_name: 'Backend', token_endpoint_auth_method: 'client_secret_basic' })
  expect(secret.body.client_secret).toMatch(/^[\w-]{43}$/)
  expect((await send('GET', '/clients')).body.map((one: { client_name: string }) => one.client_name).toSorted()).toEqual(['Backend', 'Inspector'])
  expect((await send('GET', '')).body.client_count).toBe(2)
  const events = (await app.events(company.tenantId)).filter(({ actorId, event }) => actorId === company.admin.id && /client/.test(event))
  expect(events.map(({ event }) => event).toSorted()).toEqual([
    'client.created',
    'client.created',
    'resource_server.client_registered',
    'resource_server.client_registered',
  ])
  for (const bad of [
    { redirect_uris: [] },
    { client_name: 'X', redirect_uris: ['http://evil.example/'] },
    { ...inspector, client_id: made.body.client_id },
  ])
    expect(await send('POST', '/clients', bad)).toMatchObject({ status: 400, body: { code: 'invalid_request' } })
  expect((await send('POST', `${BASE}/${app.ctx.random.id()}/clients`, inspector)).status).toBe(404)
  expect((await send('GET', `${BASE}/${server.id}/clients`)).body).toHaveLength(2)
})

test('the access policy has the UI\u2019s names and the roles to choose from', async () => {
  const { app, company, send, role } = await start()
  const payers = await role('Payers', ['users:write'])
  const readers = await role('Readers', ['users:read'])
  expect((await send('PUT', '/access-policy', { enabled: true, default_role_id: payers })).body).toMatchObject({
    enabled: true,
    role_id: payers,
    default_role_id: payers,
    default_role_name: 'Payers',
    assignment_trigger: 'first_authorization',
    assignment_source: 'access_policy',
    role_options: [
      { role_id: payers, name: 'Payers', recommended: true, permissions: 1, is_generated: false },
      { role_id: readers, name: 'Readers', recommended: false },
    ],
  })
  expect((await send('GET', '')).body.access_policy_role_name).toBe('Payers')
  const reader = await app.token(await app.person(company, ['clients:read']))
  expect((await send('GET', '/access-policy', undefined, reader)).body).toMatchObject({ default_role_name: 'Payers', role_options: [] })
})

test('a validation returns keys and states, and lists include its result', async () => {
  const { send } = await start()
  const { body } = await send('POST', '/validate')
  expect(body).toMatchObject({
    valid: false,
    status: 'failed',
    last_validated_at: expect.any(String),
    checks: [{ key: 'metadata', label: expect.any(String), status: 'failed', message: expect.any(String) }, {}, {}, {}],
  })
  expect((await send('GET', '')).body).toMatchObject({ last_validation_status: 'failed', last_validated_at: body.last_validated_at })
})

test('scopes are created, changed and deleted by id, and each change is recorded', async () => {
  const { app, company, server, send } = await start()
  const [permission] = (await send('GET', '/scopes')).body.flatMap((one: { permissions: readonly { id: string }[] }) => one.permissions)
  const made = await send('POST', '/scopes', { scope_string: 'burn', display_name: 'Burn', risk_level: 'critical', permission_ids: [permission.id] })
  expect(made).toMatchObject({
    status: 201,
    body: { scope_string: 'burn', display_name: 'Burn', risk_level: 'critical', resource_server_id: server.id, permissions: [{ id: permission.id }] },
  })
  expect(await send('POST', '/scopes', { scope_string: 'burn' })).toMatchObject({ status: 409, body: { code: 'scope_exists' } })
  const at = `/authsec/scopes/${made.body.id}`
  expect((await send('PUT', at, { description: 'Destroys.', permission_ids: [] })).body).toMatchObject({
    description: 'Destroys.',
    display_name: 'Burn',
    permissions: [],
  })
  // A change of the whole list keeps the ids of the scopes that stay.
  await send('PUT', '', { scopes_supported: ['burn', { name: 'pay', permission: 'users:write' }] })
  expect((await send('GET', '/scopes')).body.find((one: { scope_string: string }) => one.scope_string === 'burn')).toMatchObject({
    id: made.body.id,
    risk_level: 'critical',
  })
  expect((await send('DELETE', at)).status).toBe(204)
  expect((await send('DELETE', at)).status).toBe(404)
  expect(await send('POST', '/scopes', { scope_string: 'x', permission_ids: [app.ctx.random.id()] })).toMatchObject({ status: 400 })
  const changes = (await app.events(company.tenantId, { targetId: server.id })).filter(({ event }) => event === 'resource_server.updated')
  expect(changes).toHaveLength(4)
})

test('roles that give access to the server are listed and assigned, under the rules of all bindings', async () => {
  const { app, company, send, role } = await start()
  const [payers, readers] = [await role('Payers', ['users:write']), await role('Readers', ['users:read'])]
  const pat = await app.person(company)
  expect((await send('GET', '/roles')).body.roles.map(({ id }: { id: string }) => id)).toContain(payers)
  expect((await send('GET', '/roles')).body.roles.map(({ id }: { id: string }) => id)).not.toContain(readers)
  expect((await send('GET', '/eligible-users')).body.users).toContainEqual({ id: pat.id, email: pat.email, name: expect.any(String) })
  const bound = await send('POST', '/bindings', { user_id: pat.id, role_id: payers })
  expect(bound).toMatchObject({ status: 201, body: { user_id: pat.id, role_id: payers, role_name: 'Payers' } })
  expect(await send('POST', '/bindings', { user_id: pat.id, role_id: readers })).toMatchObject({ status: 404, body: { code: 'not_found' } })
  const weak = await app.token(await app.person(company, ['admin:access', 'roles:read', 'roles:write']))
  expect((await send('POST', '/bindings', { user_id: pat.id, role_id: payers }, weak)).status).toBe(403)
  expect((await send('DELETE', `/bindings/${bound.body.id}`, undefined, weak)).status).toBe(403)
  const { bindings } = (await send('GET', '/bindings')).body
  expect(bindings).toContainEqual(expect.objectContaining({ id: bound.body.id, user_email: pat.email, assignment_source: 'manual' }))
  expect((await send('DELETE', `/bindings/${bound.body.id}`)).body).toEqual({ status: 'revoked' })
  expect((await send('DELETE', `/bindings/${bound.body.id}`)).status).toBe(404)
  const foreign = await atomically(forTenant(app.db, company.tenantId), (t) => putGroup(t, 'crew', [], app.clock.now()))
  expect((await send('DELETE', `/bindings/${foreign}`)).status).toBe(404)
})
