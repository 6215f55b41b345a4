// The tools of a resource server: the SDK declares them, an administrator activates them, and what is declared later is drift.
import { describe, expect, test } from 'vitest'
import { atomically, forTenant } from '#db/engine/tenant'
import { listResourceTools } from '#db/store/resource-tools'
import { putRole } from '#db/testing/access'
import { startApp } from '#tests/support/app'
import { basicOf, newResource } from '#tests/support/oauth'
import { resourceRoutes } from './routes.ts'

const BASE = '/authsec/resource-servers'
type Json = Readonly<Record<string, unknown>>
const READ = { name: 'read', title: 'Read', description: 'Reads files.', input_schema: { type: 'object' }, annotations: { readOnlyHint: true } }
const BURN = { name: 'burn', description: 'Burns files.', annotations: { destructiveHint: true }, suggested_scopes: ['files:burn'] }

const start = async () => {
  const app = await startApp(resourceRoutes)
  const company = await app.company()
  const person = await app.person(company, ['admin:access', 'clients:read', 'clients:write'])
  const token = await app.token(person)
  const server = await newResource(app, company, [{ name: 'files:read' }, { name: 'files:burn', permission: 'files:burn' }])
  const at = `${BASE}/${server.id}`
  const send = async (method: string, path: string, body?: unknown, as = token) => {
    const response = await app.request(`${at}${path}`, { method, token: as, ...(body === undefined ? {} : { body }) })
    return { status: response.status, body: (await response.json()) as Json & Record<string, never> }
  }
  const bySdk = async (method: string, path: string, body?: unknown, authorization = server.authorization) => {
    const response = await app.request(`${at}${path}`, { method, headers: { authorization }, ...(body === undefined ? {} : { body }) })
    return { status: response.status, body: (await response.json()) as Json & Record<string, never> }
  }
  const declare = (...tools: readonly Json[]) => bySdk('PUT', '/sdk-manifest', { tools })
  const policy = async () => (await bySdk('GET', '/sdk-policy')).body
  const idsOf = async () => {
    const { tools, scopes } = (await send('GET', '/scope-matrix')).body as unknown as {
      tools: readonly { id: string; name: string }[]
      scopes: readonly { id: string; scope_string: string }[]
    }
    return {
      tool: (name: string) => tools.find((tool) => tool.name === name)?.id ?? '',
      scope: (name: string) => scopes.find((scope) => scope.scope_string === name)?.id ?? '',
    }
  }
  const map = async (tool: string, scope: string, remove = false, as = token) => {
    const ids = await idsOf()
    return send('PUT', '/tool-scope-map', { mappings: [{ tool_id: ids.tool(tool), scope_id: ids.scope(scope), remove }] }, as)
  }
  const activated = async () => {
    await declare(READ)
    await map('read', 'files:read')
    expect(await send('POST', '/activate')).toMatchObject({ status: 200, body: { status: 'ready' } })
  }
  const events = async () =>
    (await app.events(company.tenantId, { targetId: server.id })).map(({ event }) => event).filter((event) => event.startsWith('resource_server.'))
  return { app, company, token, server, at, send, bySdk, declare, policy, idsOf, map, activated, events }
}

describe('the SDK', () => {
  test('fetches a policy that refuses every tool until an administrator activates the server', async () => {
    const { server, declare, policy, map, send, events } = await start()
    const empty = { rs_id: server.id, policy_complete: false, scopes_supported: [], tools: {}, tool_policy: [], ttl_seconds: 30 }
    expect(await policy()).toMatchObject({ ...empty, state: 'pending_scan', reason: 'rs_pending_scan', generation: 0 })
    expect(await declare(READ, BURN)).toEqual({ status: 200, body: { status: 'ok', tools_seen: 2, generation: 1 } })
    expect(await policy()).toMatchObject({ ...empty, state: 'needs_setup', reason: 'rs_needs_setup', generation: 1 })
    expect(await send('POST', '/activate')).toMatchObject({ status: 409, body: { code: 'activation_blocked', failed: ['tools_mapped'] } })
    expect((await map('read', 'files:read')).status).toBe(200)
    expect((await map('burn', 'files:burn')).status).toBe(200)
    expect((await policy()).tool_policy).toEqual([])
    expect(await send('POST', '/activate')).toMatchObject({ status: 200, body: { status: 'ready' } })
    expect(await policy()).toMatchObject({
      state: 'ready',
      policy_complete: true,
      reason: '',
      scopes_supported: ['files:burn', 'files:read'],
      tools: { burn: ['files:burn'], read: ['files:read'] },
      tool_policy: [
        { name: 'burn', is_public: false, required_scopes: ['files:burn'] },
        { name: 'read', is_public: false, required_scopes: ['files:read'] },
      ],
    })
    expect((await events()).toSorted()).toEqual([
      'resource_server.activated',
      'resource_server.tool_changed',
      'resource_server.tool_changed',
      'resource_server.tools_declared',
    ])
  })

  test('sends the same manifest again, in another order, without a change', async () => {
    const { declare, events, send } = await start()
    await declare(READ, { ...BURN, annotations: { a: 1, b: 2 } })
    expect((await declare({ ...BURN, annotations: { b: 2, a: 1 } }, READ)).body.generation).toBe(1)
    expect(await events()).toEqual(['resource_server.tools_declared'])
    expect((await send('GET', '/sdk-manifest-status')).body).toMatchObject({ never_seen: false, last_success: { tool_count: 2 } })
  })

  test('needs the secret of its own server: another server, a person and a wrong secret are refused', async () => {
    const { app, company, server, bySdk, send, at, token } = await start()
    const other = await newResource(app, company, [])
    const foreign = await newResource(app, await app.company('globex'), [])
    for (const authorization of [
      other.authorization,
      foreign.authorization,
      basicOf(server.id, other.secret),
      basicOf(server.id, `${server.secret}x`),
      basicOf(other.id, server.secret),
    ]) {
      expect(await bySdk('GET', '/sdk-policy', undefined, authorization)).toMatchObject({
        status: 401,
        body: { code: 'client_authentication_failed' },
      })
      expect((await bySdk('PUT', '/sdk-manifest', { tools: [READ] }, authorization)).status).toBe(401)
    }
    expect((await app.request(`${at}/sdk-policy`)).status).toBe(401)
    expect((await app.request(`${at}/sdk-policy`, { token })).status).toBe(401)
    expect((await send('GET', '/tools')).body).toEqual([])
  })

  test.each([
    [{ tools: [] }],
    [{ tools: [READ, READ] }],
    [{ tools: [{ name: '' }] }],
    [{ tools: [{ name: 'x'.repeat(201) }] }],
    [{ tools: 'read' }],
    [{}],
  ])('cannot send a manifest such as %j', async (body) => {
    const { bySdk, send } = await start()
    expect(await bySdk('PUT', '/sdk-manifest', body)).toMatchObject({ status: 400, body: { code: 'invalid_request' } })
    expect((await send('GET', '/tools')).body).toEqual([])
  })
})

describe('drift', () => {
  test('a new tool is listed with what it would be able to do, and cannot be called before it is activated', async () => {
    const { app, company, activated, declare, policy, send, map } = await start()
    await activated()
    await atomically(forTenant(app.db, company.tenantId), (t) => putRole(t, 'Burners', ['files:burn'], app.clock.now()))
    expect((await send('GET', '/drift-events')).body).toEqual({ events: [] })
    await declare(READ, BURN)
    const { events } = (await send('GET', '/drift-events')).body as unknown as { events: readonly Json[] }
    expect(events).toMatchObject([
      {
        event_type: 'tool_added',
        event_payload: {
          tool_name: 'burn',
          activated: null,
          declared: { name: 'burn', annotations: { destructiveHint: true }, suggested_scopes: ['files:burn'], required_scopes: [], is_public: false },
        },
      },
    ])
    expect(Object.keys((await policy()).tools ?? {})).toEqual(['read'])
    await map('burn', 'files:burn')
    expect(Object.keys((await policy()).tools ?? {})).toEqual(['read'])
    expect((await send('GET', '/activation-preview')).body).toMatchObject({
      can_activate: true,
      new_tools: [{ name: 'burn', required_scopes: ['files:burn'], permissions: ['files:burn'], roles: [], open_to_everyone: false }],
    })
    const full = await app.token(company.admin)
    expect((await send('GET', '/activation-preview', undefined, full)).body).toMatchObject({ new_tools: [{ name: 'burn', roles: ['Burners'] }] })
    expect((await send('POST', '/activate')).status).toBe(200)
    expect(Object.keys((await policy()).tools ?? {})).toEqual(['burn', 'read'])
    expect((await send('GET', '/drift-events')).body).toEqual({ events: [] })
  })

  test('a changed and a removed tool are listed; dismissing hides the difference until the tool changes again', async () => {
    const { activated, declare, send, policy, events } = await start()
    await activated()
    const drift = async () =>
      ((await send('GET', '/drift-events')).body as unknown as { events: readonly { id: string; event_type: string }[] }).events
    await declare({ ...READ, description: 'Reads and sends files.' })
    const [changed] = await drift()
    expect(changed).toMatchObject({ event_type: 'tool_changed', event_payload: { activated: { description: 'Reads files.' } } })
    expect((await send('POST', `/drift-events/${changed?.id}/dismiss`)).body).toEqual({ status: 'dismissed' })
    expect(await drift()).toEqual([])
    expect((await send('POST', `/drift-events/${changed?.id}/dismiss`)).status).toBe(404)
    await declare({ ...READ, description: 'Reads, sends and deletes files.' })
    expect(await drift()).toHaveLength(1)
    await declare(READ)
    expect(await drift()).toEqual([])
    await declare(BURN)
    expect((await drift()).map(({ event_type }) => event_type)).toEqual(['tool_added', 'tool_removed'])
    expect((await policy()).tools).toEqual({})
    expect((await events()).filter((event) => event === 'resource_server.drift_dismissed')).toHaveLength(1)
  })

  test('an activation for tools that have changed since is refused', async () => {
    const { activated, declare, send, map, policy } = await start()
    await activated()
    const { generation } = (await send('GET', '/activation-preview')).body as unknown as { generation: number }
    await declare(READ, BURN)
    await map('burn', 'files:read')
    expect(await send('POST', '/activate', { generation })).toMatchObject({ status: 409, body: { code: 'conflict' } })
    expect(Object.keys((await policy()).tools ?? {})).toEqual(['read'])
  })
})

describe('who may call a tool', () => {
  test('a caller without the permission of a guarded tool has no way to open it', async () => {
    const { app, company, declare, map, send, policy, idsOf, bySdk, at, token } = await start()
    const full = await app.token(company.admin)
    await declare(BURN)
    await map('burn', 'files:burn')
    await send('POST', '/activate')
    const before = await listResourceTools(forTenant(app.db, company.tenantId), at.slice(BASE.length + 1))
    expect(await map('burn', 'files:read')).toMatchObject({ status: 403, body: { code: 'cannot_grant' } })
    expect((await map('burn', 'files:burn', true)).status).toBe(403)
    const ids = await idsOf()
    const open = { is_public: true, confirmation_token: 'burn' }
    expect((await send('POST', `/tools/${ids.tool('burn')}/public`, open)).status).toBe(403)
    const scope = `/authsec/scopes/${ids.scope('files:burn')}`
    expect((await app.request(scope, { method: 'PUT', body: { permission_ids: [] }, token })).status).toBe(403)
    expect((await app.request(scope, { method: 'DELETE', token })).status).toBe(403)
    expect(await listResourceTools(forTenant(app.db, company.tenantId), at.slice(BASE.length + 1))).toEqual(before)
    // The server withdraws the tool, and the administrator accepts that. When the tool returns, it has its scope and is not active.
    await declare(READ)
    await map('read', 'files:read')
    await send('POST', '/activate')
    await bySdk('PUT', '/sdk-manifest', { tools: [READ, BURN] })
    expect((await policy()).tools).toEqual({ read: ['files:read'] })
    expect((await map('burn', 'files:read')).status).toBe(403)
    expect((await send('POST', `/tools/${(await idsOf()).tool('burn')}/public`, open, full)).status).toBe(200)
    expect((await policy()).tools).toEqual({ read: ['files:read'] })
    await send('POST', '/activate')
    expect((await policy()).tools).toEqual({ burn: [], read: ['files:read'] })
  })

  test('a deleted scope no longer gives access to its tools, and neither does a later scope of the same name', async () => {
    const { app, token, activated, idsOf, policy, send } = await start()
    await activated()
    expect((await app.request(`/authsec/scopes/${(await idsOf()).scope('files:read')}`, { method: 'DELETE', token })).status).toBe(204)
    expect(await policy()).toMatchObject({ policy_complete: true, tools: {}, tool_policy: [] })
    expect((await send('POST', '/scopes', { scope_string: 'files:read', display_name: 'Read' })).status).toBe(201)
    expect((await policy()).tools).toEqual({})
  })

  test('a tool becomes public only by its name; a manual tool is added once', async () => {
    const { send, policy, activated, idsOf } = await start()
    await activated()
    expect(await send('POST', '/tools', { name: 'ping', description: 'Answers.' })).toMatchObject({
      status: 201,
      body: { name: 'ping', inventory_source: 'manual' },
    })
    expect(await send('POST', '/tools', { name: 'ping' })).toMatchObject({ status: 409, body: { code: 'conflict' } })
    const path = `/tools/${(await idsOf()).tool('ping')}/public`
    for (const confirmation_token of [undefined, 'Ping', ''])
      expect((await send('POST', path, { is_public: true, confirmation_token })).status).toBe(400)
    expect((await send('POST', path, { is_public: true, confirmation_token: 'ping' })).body).toMatchObject({ is_public: true })
    expect((await policy()).tools).toEqual({ read: ['files:read'] })
    await send('POST', '/activate')
    expect((await policy()).tools).toEqual({ ping: [], read: ['files:read'] })
    expect((await send('GET', '/setup')).body).toMatchObject({ can_activate: true })
    expect((await send('POST', '/test-login')).body).toMatchObject({
      oauth: { state: 'ready' },
      sdk_enforcement: { tool_count: 2, unmapped_tools: 0 },
    })
  })

  test('mappings are applied all or not at all, and another server\u2019s tools and scopes are not found', async () => {
    const { app, company, declare, send, idsOf, policy } = await start()
    await declare(READ)
    const ids = await idsOf()
    const other = await newResource(app, company, [{ name: 'x' }])
    const otherScopes = await (await app.request(`${BASE}/${other.id}/scopes`, { token: await app.token(company.admin) })).json()
    const good = { tool_id: ids.tool('read'), scope_id: ids.scope('files:read') }
    for (const bad of [
      { ...good, tool_id: app.ctx.random.id() },
      { ...good, scope_id: otherScopes[0].id },
    ])
      expect((await send('PUT', '/tool-scope-map', { mappings: [good, bad] })).status).toBe(404)
    expect((await send('GET', '/scope-matrix')).body).toMatchObject({ tools: [{ name: 'read', scopes: [] }], total_tools: 1, total_scopes: 2 })
    expect((await policy()).policy_complete).toBe(false)
  })
})
