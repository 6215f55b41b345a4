// A tenant that a caller names must be the caller's own, wherever it is named, and no look-up reveals whether another one exists.
import { describe, expect, test } from 'vitest'
import * as z from 'zod'
import { SYSTEM_TENANT } from '#db/engine/tenant'
import type { RequestCtx } from '#shared/domains/context'
import { ensurePlatformAdministrator } from '#shared/domains/tenancy/system-tenant'
import { startApp } from '#tests/support/app'
import { countedDb } from '#tests/support/counted'
import { testDb } from '#tests/support/database'
import { open, user } from './access.ts'
import { empty, routeFor } from './route.ts'

const route = routeFor<RequestCtx>()
const common = { reply: empty(204), errors: [], emits: 'nothing', summary: 'A test.', handle: async () => undefined } as const
const routes = [
  route({ ...common, id: 'n.body', on: 'POST /authsec/n/body', access: user(), body: z.object({ x: z.string().optional() }) }),
  route({ ...common, id: 'n.form', on: 'POST /n/form', access: user(), form: z.object({ x: z.string().optional() }) }),
  route({ ...common, id: 'n.path', on: 'GET /n/path/:tenant_id', access: user(), path: z.object({ tenant_id: z.string() }) }),
  route({
    ...common,
    id: 'n.acting',
    on: 'POST /authsec/n/acting/:tenant_id',
    access: user(),
    path: z.object({ tenant_id: z.string() }),
    body: z.object({ tenant_id: z.string().optional() }),
    actsIn: 'path.tenant_id',
  }),
  route({ ...common, id: 'n.open', on: 'POST /n/open', access: open('A test.', { class: 'general' }), body: z.object({}) }),
]
const counted = testDb().then(({ engine }) => countedDb(engine))
const started = counted.then(({ db }) => startApp(routes, { db }))

type Call = Parameters<Awaited<ReturnType<typeof startApp>>['request']>[1]
const FORM = { 'content-type': 'application/x-www-form-urlencoded' }
const PLACES: readonly (readonly [string, (id: string) => readonly [string, Call]])[] = [
  ['the path', (id) => [`/n/path/${id}`, {}]],
  ['the query', (id) => [`/authsec/n/body?tenant_id=${id}`, { body: {} }]],
  ['the query of a route that reads none', (id) => [`/n/path/x?tenantId=${id}`, {}]],
  ['a body whose schema does not declare it', (id) => ['/authsec/n/body', { body: { tenant_id: id } }]],
  ['a body, in AuthSec\u2019s spelling', (id) => ['/authsec/n/body', { body: { tenantId: id } }]],
  ['a body, as a workspace', (id) => ['/authsec/n/body', { body: { workspace_id: id } }]],
  ['a form', (id) => ['/n/form', { method: 'POST', headers: FORM, body: `tenant_id=${id}` }]],
  ['a header', (id) => ['/authsec/n/body', { body: {}, headers: { tenant_id: id } }]],
  ['the other header', (id) => ['/authsec/n/body', { body: {}, headers: { 'x-tenant-id': id } }]],
]

describe.each(PLACES)('named in %s', (_, callWith) => {
  test('another tenant is refused alike whether it exists or not; the caller\u2019s own is accepted', async () => {
    const app = await started
    const [acme, globex] = [await app.company('acme'), await app.company('globex')]
    const token = await app.token(acme.admin)
    const send = async (id: string): Promise<unknown> => {
      const [path, call] = callWith(id)
      const response = await app.request(path, { token, headers: {}, ...call, ...(call?.headers ? { headers: { ...call.headers } } : {}) })
      const body = response.status === 204 ? undefined : ((await response.json()) as { code: string; error: string })
      return [response.status, body?.code, body?.error]
    }
    const refused = [403, 'tenant_mismatch', 'Access denied: tenant mismatch.']
    expect(await send(globex.tenantId)).toEqual(refused)
    expect(await send(globex.tenantId.toUpperCase())).toEqual(refused)
    expect(await send(app.ctx.random.id())).toEqual(refused)
    expect(await send(SYSTEM_TENANT)).toEqual(refused)
    expect((await send(acme.tenantId)) as number[]).toEqual([204, undefined, undefined])
    expect((await send(acme.tenantId.toUpperCase())) as number[]).toEqual([204, undefined, undefined])
    const refusals = (await app.events(acme.tenantId)).filter(({ reason }) => reason === 'tenant_mismatch')
    expect(refusals).toHaveLength(4)
    expect(await app.events(globex.tenantId)).toHaveLength(3)
  })
})

test('another tenant is refused also beside the caller\u2019s own', async () => {
  const app = await started
  const [acme, globex] = [await app.company('acme'), await app.company('globex')]
  const token = await app.token(acme.admin)
  const [mine, theirs] = [acme.tenantId, globex.tenantId]
  const calls: readonly (readonly [string, Call])[] = [
    ['/authsec/n/body', { body: { tenant_id: mine, tenantId: theirs } }],
    [`/authsec/n/body?tenant_id=${mine}`, { body: { tenant_id: theirs } }],
    ['/authsec/n/body', { body: {}, headers: { tenant_id: mine, 'x-tenant-id': theirs } }],
  ]
  for (const [path, call] of calls) expect((await app.request(path, { token, ...call })).status).toBe(403)
})

test('the check makes no database query', async () => {
  const app = await started
  const acme = await app.company()
  const token = await app.token(acme.admin)
  await app.request('/authsec/n/body', { token, body: {} })
  // Only the audit log is written: the event, sealed with the person's key.
  const own = await (await counted).during(() => app.request('/authsec/n/body', { token, body: { tenant_id: app.ctx.random.id() } }))
  const again = await (await counted).during(() => app.request('/authsec/n/body', { token, body: { tenant_id: app.ctx.random.id() } }))
  expect(own.statements).toBeGreaterThan(0)
  expect(again.statements).toBeLessThanOrEqual(3)
})

const root = async () => {
  const app = await started
  const email = `root-${app.ctx.random.id()}@platform.example`
  const { userId } = await ensurePlatformAdministrator(app.ctx, { email, name: 'Root', passwordHash: null, proved: true })
  const token = await app.token({ id: userId, email, password: '', tenantId: SYSTEM_TENANT })
  const send = async (path: string, call: Call): Promise<unknown> => {
    const response = await app.request(path, { token, ...call })
    return response.status === 204 ? 204 : ((await response.json()) as { code: string }).code
  }
  const accessed = async () => (await app.events(SYSTEM_TENANT)).filter(({ event, actorId }) => event === 'tenant.accessed' && actorId === userId)
  return { app, userId, send, accessed }
}

test('a platform administrator may name a tenant where the route acts in it, and the audit log records it', async () => {
  const { app, userId, send, accessed } = await root()
  const { tenantId } = await app.company()
  expect(await send(`/authsec/n/acting/${tenantId}`, { body: {} })).toBe(204)
  expect(await send(`/authsec/n/acting/${tenantId.toUpperCase()}`, { body: { tenant_id: tenantId }, headers: { tenant_id: SYSTEM_TENANT } })).toBe(
    204,
  )
  const event = { actorId: userId, route: 'n.acting', outcome: 'success', targetId: tenantId }
  expect(await accessed()).toEqual([expect.objectContaining(event), expect.objectContaining(event)])
})

describe.each(PLACES)('named in %s by a platform administrator', (_, callWith) => {
  test('another tenant is refused where the route acts in the platform\u2019s own', async () => {
    const { app, send, accessed } = await root()
    const { tenantId } = await app.company()
    const [path, call] = callWith(tenantId)
    expect(await send(path, call)).toBe('tenant_mismatch')
    expect(await accessed()).toEqual([])
  })
})

test('a platform administrator cannot name a tenant where the route does not read it, nor two tenants', async () => {
  const { app, send, accessed } = await root()
  const [{ tenantId: acme }, { tenantId: globex }] = [await app.company('acme'), await app.company('globex')]
  const calls: readonly (readonly [string, Call])[] = [
    [SYSTEM_TENANT, { body: { tenant_id: acme } }],
    [SYSTEM_TENANT, { body: {}, headers: { tenant_id: acme } }],
    [`${SYSTEM_TENANT}?tenant_id=${acme}`, { body: {} }],
    [acme, { body: { tenant_id: globex } }],
    [acme, { body: {}, headers: { 'x-tenant-id': globex } }],
    [`${acme}?workspaceId=${globex}`, { body: {} }],
  ]
  for (const [named, call] of calls) expect(await send(`/authsec/n/acting/${named}`, call)).toBe('tenant_mismatch')
  expect(await accessed()).toEqual([])
})

test('actsIn must name a declared member', () => {
  const path = z.object({ tenant_id: z.string() })
  const wrong = [
    // @ts-expect-error there is no such member
    route({ ...common, id: 'n.wrong', on: 'GET /n/wrong/:tenant_id', access: user(), path, actsIn: 'path.tenantId' }),
    // @ts-expect-error there is no such part
    route({ ...common, id: 'n.wrong', on: 'GET /n/wrong/:tenant_id', access: user(), path, actsIn: 'body.tenant_id' }),
  ]
  expect(wrong).toHaveLength(2)
})

test('a tenant named by an anonymous caller is ignored', async () => {
  const app = await started
  expect((await app.request('/n/open', { body: { tenant_id: app.ctx.random.id() } })).status).toBe(204)
})
