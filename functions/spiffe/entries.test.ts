// Registration entries: who may make them, which ids they may have, and what a change ends.
import { expect, test } from 'vitest'
import { atomically, forTenant } from '#db/engine/tenant'
import { findEntry } from '#db/store/registration-entries'
import { findSvid } from '#db/store/svids'
import { findTenant, updateTenantSettings } from '#db/store/tenants'
import { matchEntries } from '#shared/domains/spiffe/entries'
import { issueJwtSvid } from '#shared/domains/spiffe/jwt-svid'
import { verifyJwtSvid } from '#shared/domains/spiffe/verify'
import { byWorkload } from '#shared/platform/audit/audit-log'
import { problem } from '#shared/platform/http/problem'
import { newAgent } from '#tests/support/agents'
import { type Company, startApp, type TestApp } from '#tests/support/app'
import { contextOf, idIn, newEntry } from '#tests/support/workloads'
import { spiffeRoutes } from './routes.ts'

const start = () => startApp(spiffeRoutes, { render: problem })
const JSON_TYPE = { 'content-type': 'application/json' }

const world = async () => {
  const app = await start()
  const [acme, globex] = [await app.company('acme'), await app.company('globex')]
  const manager = await app.person(acme, ['spire:manage'])
  return { app, acme, globex, manager, token: await app.token(manager), foreign: await app.token(globex.admin) }
}
const add = (app: TestApp, token: string, body: object) => app.request('/spiffe/entries', { token, body })
const codeOf = async (response: Response) => [response.status, (await response.json()).code]
const entryOf = (app: TestApp, company: Company, id: string) => findEntry(forTenant(app.db, company.tenantId), id)

test('an entry is made with defaults, listed, changed with its tag, and deleted', async () => {
  const { app, acme, token, manager } = await world()
  const spiffe_id = idIn(acme, 'ns/prod/sa/api')
  const created = await add(app, token, { spiffe_id, selectors: ['k8s:sa:api', 'k8s:ns:prod', 'k8s:ns:prod'] })
  expect(created.status).toBe(201)
  const entry = await created.json()
  expect(entry).toMatchObject({
    spiffe_id,
    parent_id: `spiffe://${acme.tenantId}`,
    selectors: ['k8s:ns:prod', 'k8s:sa:api'],
    x509_seconds: 3600,
    jwt_seconds: 300,
    audiences: [],
    agent_id: null,
  })
  const listed = await (await app.request('/spiffe/entries', { token })).json()
  expect(listed).toEqual({ entries: [entry] })
  const path = `/spiffe/entries/${entry.id}`
  const etag = (await app.request(path, { token })).headers.get('etag') ?? ''
  const change = (headers: Readonly<Record<string, string>>) =>
    app.request(path, { method: 'PATCH', token, headers: { ...JSON_TYPE, ...headers }, body: { x509_seconds: 600 } })
  expect(await codeOf(await change({}))).toEqual([428, 'precondition_required'])
  const changed = await change({ 'if-match': etag })
  expect([changed.status, (await changed.json()).x509_seconds]).toEqual([200, 600])
  expect(await codeOf(await change({ 'if-match': etag }))).toEqual([412, 'precondition_failed'])
  expect((await app.request(path, { method: 'DELETE', token })).status).toBe(204)
  expect(await codeOf(await app.request(path, { token }))).toEqual([404, 'not_found'])
  const events = await app.events(acme.tenantId, { actorId: manager.id })
  expect(events.map(({ event }) => event).filter((event) => event.startsWith('spiffe_entry'))).toEqual([
    'spiffe_entry.deleted',
    'spiffe_entry.updated',
    'spiffe_entry.created',
  ])
})

test('an id is in the organisation\u2019s trust domain, and selectors are never empty', async () => {
  const { app, acme, globex, token } = await world()
  const selectors = ['k8s:ns:prod']
  const refused: readonly object[] = [
    { spiffe_id: idIn(globex, 'x'), selectors },
    { spiffe_id: `spiffe://${acme.tenantId}`, selectors },
    { spiffe_id: `spiffe://${acme.tenantId}/a/../b`, selectors },
    { spiffe_id: `spiffe://${acme.tenantId}/a%2fb`, selectors },
    { spiffe_id: `spiffe://${acme.tenantId}/a/`, selectors },
    { spiffe_id: `spiffe://${acme.tenantId.toUpperCase()}/a`, selectors },
    { spiffe_id: 'spiffe://example.org/a', selectors },
    { spiffe_id: idIn(acme, 'x'), selectors, parent_id: idIn(globex, 'node') },
    { spiffe_id: idIn(acme, 'x'), selectors: [] },
    { spiffe_id: idIn(acme, 'x'), selectors: ['no-type'] },
    { spiffe_id: idIn(acme, 'x'), selectors: ['K8S:ns:prod'] },
    { spiffe_id: idIn(acme, 'x'), selectors, federates_with: ['UPPER'] },
    { spiffe_id: idIn(acme, 'x'), selectors, unknown: true },
    { spiffe_id: idIn(acme, 'x'), selectors, x509_seconds: 86_401 },
  ]
  for (const body of refused) expect(await codeOf(await add(app, token, body)), JSON.stringify(body)).toEqual([400, 'invalid_request'])
  expect(await (await app.request('/spiffe/entries', { token })).json()).toEqual({ entries: [] })
})

test('an id is given once in an organisation, and the same path exists in another', async () => {
  const { app, acme, globex, token, foreign } = await world()
  const selectors = ['k8s:ns:prod']
  expect((await add(app, token, { spiffe_id: idIn(acme, 'api'), selectors })).status).toBe(201)
  expect(await codeOf(await add(app, token, { spiffe_id: idIn(acme, 'api'), selectors: ['k8s:ns:other'] }))).toEqual([409, 'entry_exists'])
  expect((await add(app, foreign, { spiffe_id: idIn(globex, 'api'), selectors })).status).toBe(201)
})

test('an entry of an agent, or with an agent\u2019s id, takes every right of that agent', async () => {
  const { app, acme, globex, token } = await world()
  const owner = await app.person(acme, ['admin:access'])
  const spiffeId = idIn(acme, 'agents/robo')
  const agent = await newAgent(app, acme, owner.id, { permissions: ['payments:send'], spiffeId })
  const selectors = ['k8s:ns:prod']
  const named = { spiffe_id: idIn(acme, 'bot'), selectors, agent_id: agent.id }
  const byId = { spiffe_id: spiffeId, selectors }
  expect(await codeOf(await add(app, token, named))).toEqual([403, 'cannot_grant'])
  expect(await codeOf(await add(app, token, byId))).toEqual([403, 'cannot_grant'])
  const admin = await app.token(acme.admin)
  const made = await add(app, admin, byId)
  expect([made.status, (await made.json()).agent_id]).toEqual([201, agent.id])
  const theirs = await newAgent(app, globex, globex.admin.id)
  expect(await codeOf(await add(app, admin, { ...named, agent_id: theirs.id }))).toEqual([404, 'not_found'])
})

test('deleting or narrowing an entry ends its SVIDs at once; a longer lifetime or another audience does not', async () => {
  const { app, acme, token } = await world()
  const entry = await newEntry(app, acme, 'api', { audiences: ['a', 'b'] })
  const issue = async () => {
    const current = await entryOf(app, acme, entry.id)
    if (current === undefined) throw new Error('no entry')
    return issueJwtSvid(contextOf(app), current, { audience: ['a'], actor: byWorkload(entry.id) })
  }
  const isLive = async (jwt: string) => (await verifyJwtSvid(app.ctx, jwt)) !== undefined
  const change = async (body: object) =>
    expect((await app.request(`/spiffe/entries/${entry.id}`, { method: 'PATCH', token, headers: { 'if-match': '*' }, body })).status).toBe(200)
  let jwt = await issue()
  await change({ x509_seconds: 900 })
  await change({ audiences: ['a', 'b', 'c'] })
  expect(await isLive(jwt.token)).toBe(true)
  for (const body of [{ selectors: ['k8s:ns:other'] }, { parent_id: idIn(acme, 'node/1') }, { audiences: ['a'] }]) {
    await change(body)
    expect(await isLive(jwt.token), JSON.stringify(body)).toBe(false)
    expect(await findSvid(forTenant(app.db, acme.tenantId), jwt.id)).toMatchObject({ reason: 'entry_changed' })
    app.clock.advance(1)
    jwt = await issue()
    expect(await isLive(jwt.token)).toBe(true)
  }
  await app.request(`/spiffe/entries/${entry.id}`, { method: 'DELETE', token })
  expect(await isLive(jwt.token)).toBe(false)
  expect(await findSvid(forTenant(app.db, acme.tenantId), jwt.id)).toMatchObject({ reason: 'entry_deleted' })
})

test('a workload matches the entries whose selectors it proves all: below its node first, then the most precise, then the oldest', async () => {
  const { app, acme, globex } = await world()
  const node = idIn(acme, 'node/1')
  const one = await newEntry(app, acme, 'one', { selectors: ['k8s:ns:prod'] })
  const same = await newEntry(app, acme, 'same', { selectors: ['k8s:ns:prod'] })
  const precise = await newEntry(app, acme, 'precise', { selectors: ['k8s:ns:prod', 'k8s:sa:api'] })
  const below = await newEntry(app, acme, 'below', { selectors: ['k8s:sa:api'], parentId: node })
  await newEntry(app, acme, 'more', { selectors: ['k8s:ns:prod', 'k8s:sa:api', 'k8s:pod-label:app:x'] })
  await newEntry(app, globex, 'theirs', { selectors: ['k8s:ns:prod'] })
  const t = forTenant(app.db, acme.tenantId)
  const proved = ['k8s:ns:prod', 'k8s:sa:api', 'k8s:node:n']
  const ids = async (options = {}) => (await matchEntries(t, proved, options)).map(({ id }) => id)
  expect(await ids()).toEqual([precise.id, one.id, same.id, below.id])
  expect(await ids({ parentId: node })).toEqual([below.id, precise.id, one.id, same.id])
  expect(await ids({ parentId: node, onlyBelow: true })).toEqual([below.id])
  expect(await matchEntries(t, [])).toEqual([])
  expect(await matchEntries(t, ['k8s:ns:Prod'])).toEqual([])
})

test('an organisation has a quota of entries', async () => {
  const { app, acme, token } = await world()
  const settings = (await findTenant(forTenant(app.db, acme.tenantId)))?.settings ?? {}
  await atomically(forTenant(app.db, acme.tenantId), (t) => updateTenantSettings(t, { ...settings, quotas: { entries: 1 } }, app.clock.now()))
  expect((await add(app, token, { spiffe_id: idIn(acme, 'a'), selectors: ['x:y'] })).status).toBe(201)
  expect(await codeOf(await add(app, token, { spiffe_id: idIn(acme, 'b'), selectors: ['x:y'] }))).toEqual([429, 'quota_exceeded'])
})
