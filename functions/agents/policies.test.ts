// Delegation policies, authorization detail types and trusted issuers, each separate per tenant.
import { describe, expect, test } from 'vitest'
import { atomically, forTenant } from '#db/engine/tenant'
import { findDelegation, insertDelegation } from '#db/store/oauth-delegations'
import { putRole } from '#db/testing/access'
import { secondsAfter } from '#shared/kernel/clock'
import { problem } from '#shared/platform/http/problem'
import { PAYMENT } from '#tests/support/agents'
import { startApp } from '#tests/support/app'
import { newOauthClient, newResource } from '#tests/support/oauth'
import { agentRoutes } from './routes.ts'

const start = async () => {
  const app = await startApp(agentRoutes, { render: problem })
  const company = await app.company()
  const admin = await app.person(company, ['admin:access', 'admin:manage', 'clients:read', 'clients:write', 'roles:read', 'roles:write'])
  const token = await app.token(admin)
  await atomically(forTenant(app.db, company.tenantId), (t) => putRole(t, 'editor', [], app.clock.now()))
  const send = (method: string, path: string, body?: unknown, headers: Readonly<Record<string, string>> = {}) =>
    app.request(path, { method, token, headers, ...(body === undefined ? {} : { body }) })
  const outcomeOf = async (response: Response) => [response.status, (await response.json()).code]
  return { app, company, admin, token, send, outcomeOf }
}

describe('delegation policies', () => {
  const BASE = '/authsec/uflow/delegation-policies'
  const POLICY = { role_name: 'editor', agent_type: 'assistant', allowed_permissions: ['docs:read'] }

  test('a policy is created, listed, read, changed and deleted, and grants and issues nothing', async () => {
    const { app, company, admin, send } = await start()
    const client = await newOauthClient(app, company)
    const made = await send('POST', BASE, { ...POLICY, client_id: client.id, ignored: true })
    expect(made.status).toBe(201)
    const body = await made.json()
    expect(body).toMatchObject({
      policy: {
        ...POLICY,
        tenant_id: company.tenantId,
        max_ttl_seconds: 3600,
        enabled: true,
        client_id: client.id,
        created_by: admin.id,
        audience: [],
      },
      identity_provision: { status: 'skipped' },
      delegate_token: { status: 'skipped' },
    })
    const { id } = body.policy
    expect(await (await send('GET', `${BASE}?role_name=editor&enabled=true&agent_type=`)).json()).toMatchObject([{ id }])
    expect(await (await send('GET', `${BASE}?enabled=false`)).json()).toEqual([])
    const changed = await (await send('PUT', `${BASE}/${id}`, { enabled: false, client_id: '', max_ttl_seconds: 60 })).json()
    expect(changed).toMatchObject({ enabled: false, max_ttl_seconds: 60, allowed_permissions: ['docs:read'] })
    expect(changed.client_id).toBeUndefined()
    expect(await (await send('GET', `${BASE}/${id}`)).json()).toEqual(changed)
    expect(await (await send('DELETE', `${BASE}/${id}`)).json()).toEqual({ status: 'deleted', id })
    expect((await send('DELETE', `${BASE}/${id}`)).status).toBe(404)
    const events = (await app.events(company.tenantId)).map(({ event }) => event).filter((event) => event.startsWith('delegation_policy.'))
    expect(events).toEqual(['delegation_policy.deleted', 'delegation_policy.updated', 'delegation_policy.created'])
  })

  test('one policy per role and agent type; an unknown client is not found', async () => {
    const { app, send, outcomeOf } = await start()
    const first = await (await send('POST', BASE, POLICY)).json()
    expect(first.identity_provision).toBeUndefined()
    expect(await outcomeOf(await send('POST', BASE, POLICY))).toEqual([409, 'delegation_policy_exists'])
    const other = await (await send('POST', BASE, { ...POLICY, agent_type: 'other' })).json()
    expect(await outcomeOf(await send('PUT', `${BASE}/${other.policy.id}`, { agent_type: 'assistant' }))).toEqual([409, 'delegation_policy_exists'])
    const theirs = await newOauthClient(app, await app.company('globex'))
    for (const client_id of [app.ctx.random.id(), theirs.id])
      expect(await outcomeOf(await send('POST', BASE, { ...POLICY, agent_type: 'x', client_id }))).toEqual([404, 'not_found'])
    expect(await (await send('GET', `${BASE}/${app.ctx.random.id()}`)).json()).toMatchObject({ error: 'Delegation policy not found' })
  })

  test('a role that does not exist is not found, also that of another tenant, and nothing is written', async () => {
    const { app, company, send, outcomeOf } = await start()
    const globex = await app.company('globex')
    await atomically(forTenant(app.db, globex.tenantId), (t) => putRole(t, 'theirs', [], app.clock.now()))
    const made = await (await send('POST', BASE, POLICY)).json()
    const before = (await app.events(company.tenantId)).filter(({ event }) => event.startsWith('delegation_policy.'))
    for (const role_name of ['unknown', 'theirs', 'Editor']) {
      expect(await outcomeOf(await send('POST', BASE, { ...POLICY, role_name }))).toEqual([404, 'not_found'])
      expect(await outcomeOf(await send('PUT', `${BASE}/${made.policy.id}`, { role_name }))).toEqual([404, 'not_found'])
    }
    expect(await (await send('GET', BASE)).json()).toEqual([made.policy])
    expect((await app.events(company.tenantId)).filter(({ event }) => event.startsWith('delegation_policy.'))).toEqual(before)
  })

  test.each([
    [{ role_name: '' }],
    [{ agent_type: undefined }],
    [{ max_ttl_seconds: 59 }],
    [{ max_ttl_seconds: 86_401 }],
    [{ allowed_permissions: 'docs:read' }],
    [{ client_id: 'x' }],
    [{ enabled: 'yes' }],
  ])('%j is malformed', async (more) => {
    const { send, outcomeOf } = await start()
    expect(await outcomeOf(await send('POST', BASE, { ...POLICY, ...more }))).toEqual([400, 'invalid_request'])
    expect(await (await send('GET', BASE)).json()).toEqual([])
  })

  test('changing or deleting a policy ends the delegations under it, and no others', async () => {
    const { app, company, send } = await start()
    const client = await newOauthClient(app, company)
    const server = await newResource(app, company, [])
    const ids = await Promise.all(
      ['a', 'b'].map(async (agent_type) => (await (await send('POST', BASE, { ...POLICY, agent_type })).json()).policy.id as string),
    )
    const at = app.clock.now()
    const steps = ids.map(() => app.ctx.random.id())
    const row = { clientId: client.id, rootClientId: client.id, rootMadeAt: at, resourceServerId: server.id, scopes: [], depth: 1, createdAt: at }
    await atomically(forTenant(app.db, company.tenantId), async (t) => {
      for (const [n, id] of steps.entries())
        await insertDelegation(t, { ...row, id, path: [id], policyIds: [ids[n] ?? ''], expiresAt: secondsAfter(at, 300) })
    })
    await send('PUT', `${BASE}/${ids[0]}`, { allowed_permissions: [] })
    const revoked = async () => {
      const rows = await Promise.all(steps.map((id) => findDelegation(forTenant(app.db, company.tenantId), id)))
      return rows.map((one) => one?.revokedReason)
    }
    expect(await revoked()).toEqual(['policy_changed', null])
    await send('DELETE', `${BASE}/${ids[1]}`)
    expect(await revoked()).toEqual(['policy_changed', 'policy_deleted'])
  })
})

describe('authorization detail types (RFC 9396)', () => {
  const TYPE = { type: PAYMENT.type, title: PAYMENT.title, json_schema: PAYMENT.jsonSchema, limits: PAYMENT.limits }

  test('a type is registered, listed, renamed and deleted', async () => {
    const { app, company, send, outcomeOf } = await start()
    const server = await newResource(app, company, [])
    const made = await send('POST', '/authorization-types', { ...TYPE, resource_server_id: server.id })
    expect(made.status).toBe(201)
    const { id } = await made.json()
    expect(await outcomeOf(await send('POST', '/authorization-types', TYPE))).toEqual([409, 'detail_type_exists'])
    expect(await outcomeOf(await send('POST', '/authorization-types', { ...TYPE, type: 'x', resource_server_id: app.ctx.random.id() }))).toEqual([
      404,
      'not_found',
    ])
    const read = await send('GET', `/authorization-types/${id}`)
    expect(await read.json()).toMatchObject({ ...TYPE, resource_server_id: server.id })
    const path = `/authorization-types/${id}`
    expect(await outcomeOf(await send('PATCH', path, { title: 'Pay' }))).toEqual([428, 'precondition_required'])
    const changed = await send('PATCH', path, { title: 'Pay' }, { 'if-match': read.headers.get('etag') ?? '' })
    expect(await changed.json()).toMatchObject({ title: 'Pay' })
    expect(await outcomeOf(await send('PATCH', path, { title: 'x' }, { 'if-match': read.headers.get('etag') ?? '' }))).toEqual([
      412,
      'precondition_failed',
    ])
    expect((await send('PATCH', path, { json_schema: {} }, { 'if-match': '*' })).status).toBe(400)
    expect((await (await send('GET', '/authorization-types')).json()).authorization_types).toHaveLength(1)
    expect((await send('DELETE', path)).status).toBe(204)
    expect((await send('DELETE', path)).status).toBe(404)
  })

  const object = (properties: unknown, more = {}) => ({ type: 'object', additionalProperties: false, properties, ...more })
  const text = { type: 'string' }
  test.each([
    ['an open object', { type: 'object', properties: { type: text } }],
    ['no object', { type: 'array', items: text }],
    ['no type', object({})],
    ['a pattern', object({ type: { ...text, pattern: '(a+)+$' } })],
    ['a format', object({ type: { ...text, format: 'email' } })],
    ['a reference', object({ type: { $ref: 'https://evil.example/' } })],
    ['an open object inside', object({ type: text, inner: { type: 'object', properties: {} } })],
    ['a list of anything', object({ type: text, inner: { type: 'array' } })],
    ['a part without a type', object({ type: text, inner: {} })],
    [
      'a name of the prototype',
      JSON.parse('{"type":"object","additionalProperties":false,"properties":{"type":{"type":"string"},"constructor":{"type":"string"}}}'),
    ],
    ['depth', object({ type: text, a: object({ b: object({ c: object({ d: object({ e: object({ f: text }) }) }) }) }) })],
    ['size', object({ type: { ...text, description: 'x'.repeat(20_000) } })],
  ])('a schema with %s is refused', async (_, json_schema) => {
    const { send, outcomeOf } = await start()
    expect(await outcomeOf(await send('POST', '/authorization-types', { type: 't', title: 'T', json_schema }))).toEqual([400, 'invalid_request'])
  })

  test.each([
    ['on a missing member', [{ member: 'none', kind: 'calls' }]],
    ['on a text member', [{ member: 'currency', kind: 'calls' }]],
    ['without a currency', [{ member: 'max_amount', kind: 'amount' }]],
    [
      'twice',
      [
        { member: 'max_calls', kind: 'calls' },
        { member: 'max_amount', kind: 'calls' },
      ],
    ],
    ['of an unknown kind', [{ member: 'max_calls', kind: 'tries' }]],
  ])('a limit %s is refused', async (_, limits) => {
    const { send, outcomeOf } = await start()
    expect(await outcomeOf(await send('POST', '/authorization-types', { ...TYPE, limits }))).toEqual([400, 'invalid_request'])
  })
})

describe('trusted issuers', () => {
  const ISSUER = {
    name: 'Workforce',
    issuer: 'https://idp.partner.example.com',
    accepts: { identity_assertions: true, jwks_uri: 'https://idp.partner.example.com/jwks' },
  }

  const startTrusting = async () => {
    const w = await start()
    const token = await w.app.token(w.company.admin, ['pwd', 'otp'])
    const send = (method: string, path: string, body?: unknown, headers: Readonly<Record<string, string>> = {}) =>
      w.app.request(path, { method, token, headers, ...(body === undefined ? {} : { body }) })
    return { ...w, send }
  }

  test('an issuer is registered, listed, changed and deleted', async () => {
    const { app, company, send, outcomeOf } = await startTrusting()
    const client = await newOauthClient(app, company)
    const made = await send('POST', '/trusted-issuers', { ...ISSUER, sends: { client_ids: { [client.id]: 'theirs' }, scopes: ['chat'] } })
    expect(made.status).toBe(201)
    const body = await made.json()
    expect(body).toMatchObject({
      issuer: ISSUER.issuer,
      active: true,
      sends: { client_ids: { [client.id]: 'theirs' } },
      accepts: { subject_mapping: 'identity', jwt: false },
    })
    expect(await outcomeOf(await send('POST', '/trusted-issuers', ISSUER))).toEqual([409, 'issuer_exists'])
    const path = `/trusted-issuers/${body.id}`
    expect(await outcomeOf(await send('PATCH', path, { active: false }))).toEqual([428, 'precondition_required'])
    expect(await outcomeOf(await send('PATCH', path, { active: false }, { 'if-match': '"x"' }))).toEqual([412, 'precondition_failed'])
    const changed = await (await send('PATCH', path, { active: false, accepts: null }, { 'if-match': '*' })).json()
    expect(changed).toMatchObject({ active: false, accepts: null, sends: { scopes: ['chat'] } })
    expect(await (await send('GET', path)).json()).toEqual(changed)
    expect((await (await send('GET', '/trusted-issuers')).json()).trusted_issuers).toHaveLength(1)
    expect((await send('DELETE', path)).status).toBe(204)
    expect(await outcomeOf(await send('GET', path))).toEqual([404, 'not_found'])
    const events = (await app.events(company.tenantId)).map(({ event }) => event).filter((event) => event.startsWith('trusted_issuer.'))
    expect(events).toEqual(['trusted_issuer.deleted', 'trusted_issuer.updated', 'trusted_issuer.created'])
  })

  test.each([
    ['this deployment', { issuer: 'http://localhost:7468' }],
    ['http', { issuer: 'http://idp.partner.example.com' }],
    ['a link-local address', { issuer: 'https://169.254.169.254' }],
    ['a query', { issuer: 'https://idp.partner.example.com/?a=b' }],
    ['keys in a private network', { accepts: { identity_assertions: true, jwks_uri: 'https://10.0.0.1/jwks' } }],
    ['missing keys', { accepts: { identity_assertions: true } }],
    ['keys given twice', { accepts: { identity_assertions: true, jwks_uri: ISSUER.accepts.jwks_uri, jwks: { keys: [{ kty: 'EC' }] } } }],
    ['nothing accepted', { accepts: { jwks_uri: ISSUER.accepts.jwks_uri } }],
    ['a mapping by address', { accepts: { ...ISSUER.accepts, subject_mapping: 'email' } }],
    ['an unknown member', { trusted: true }],
  ])('%s is refused', async (_, more) => {
    const { send, outcomeOf } = await startTrusting()
    expect(await outcomeOf(await send('POST', '/trusted-issuers', { ...ISSUER, ...more }))).toEqual([400, 'invalid_request'])
    expect((await (await send('GET', '/trusted-issuers')).json()).trusted_issuers).toEqual([])
  })
})
