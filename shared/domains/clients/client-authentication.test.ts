// Backends that authenticate with their client's secret.
import { beforeAll, describe, expect, test } from 'vitest'
import * as z from 'zod'
import { atomically, forTenant, type TenantTx } from '#db/engine/tenant'
import { insertAgent } from '#db/store/agents'
import { setUserActive } from '#db/store/people'
import { setTenantStatus } from '#db/store/tenants'
import { removeBinding } from '#db/testing/access'
import type { RequestCtx } from '#shared/domains/context'
import { client } from '#shared/platform/http/access'
import { json, routeFor } from '#shared/platform/http/route'
import { type Company, startApp, type TestApp } from '#tests/support/app'
import { type Backend, basic, newBackend, sha256 } from '#tests/support/backend'

const Out = z.object({ tenant: z.string(), client: z.string(), service: z.string() })
const routes = [
  routeFor<RequestCtx>()({
    id: 'test.backend',
    on: 'GET /test/backend',
    summary: 'Returns the caller.',
    access: client('policy:check'),
    reply: json(200, Out),
    errors: [],
    emits: 'nothing',
    handle: async ({ principal }) => ({ tenant: principal.tenantId, client: principal.clientId, service: principal.serviceAccountId }),
  }),
]

let app: TestApp
let company: Company
beforeAll(async () => {
  app = await startApp(routes)
  company = await app.company()
})

const call = (authorization: string | undefined): Promise<Response> =>
  app.request('/test/backend', authorization === undefined ? {} : { headers: { authorization } })
const statusOf = async (backend: Backend): Promise<number> => (await call(backend.authorization)).status
const change = (work: (t: TenantTx) => Promise<unknown>): Promise<unknown> => atomically(forTenant(app.db, company.tenantId), work)
const sql = (t: TenantTx, text: string, ...params: readonly unknown[]): Promise<unknown[]> => t.run({ text, params, arrays: true })

test('a backend acts as its service account in its tenant', async () => {
  const backend = await newBackend(app, company, ['policy:check'])
  const response = await call(backend.authorization)
  expect(response.status).toBe(200)
  expect(await response.json()).toEqual({ tenant: company.tenantId, client: backend.clientId, service: backend.serviceAccountId })
})

test('all other credentials get the same refusal with a challenge', async () => {
  const backend = await newBackend(app, company, ['policy:check'])
  const person = await app.person(company, ['policy:check'])
  const wrong: readonly (string | undefined)[] = [
    undefined,
    `Bearer ${await app.token(person)}`,
    'Basic',
    'Basic ',
    'Basic !!!',
    `Basic ${Buffer.from('no colon').toString('base64')}`,
    `Basic ${Buffer.from(`${backend.clientId}:%`).toString('base64')}`,
    `${backend.authorization} more`,
    basic(backend.clientId, ''),
    basic(backend.clientId, `${backend.secret}x`),
    basic(backend.clientId, backend.secret.slice(0, -1)),
    basic(backend.serviceAccountId, backend.secret),
    basic(company.clientId, backend.secret),
    basic(app.ctx.random.id(), backend.secret),
    basic("'; drop table", backend.secret),
  ]
  const answers = new Set<string>()
  for (const authorization of wrong) {
    const response = await call(authorization)
    const body = (await response.json()) as { request_id: string }
    expect(response.headers.get('www-authenticate')).toMatch(/^Basic realm="authsec"/)
    answers.add(JSON.stringify({ status: response.status, ...body, request_id: '' }))
  }
  expect([...answers].map((answer) => JSON.parse(answer))).toEqual([expect.objectContaining({ status: 401, code: 'client_authentication_failed' })])
})

test('without the permission the answer is 403, and the audit log names the client', async () => {
  const backend = await newBackend(app, company, ['policy:read'])
  const response = await call(backend.authorization)
  expect(response.status).toBe(403)
  expect(await response.json()).toMatchObject({ code: 'insufficient_scope' })
  expect(await app.events(company.tenantId)).toContainEqual(
    expect.objectContaining({ event: 'request.refused', actorType: 'client', clientId: backend.clientId, actorId: backend.serviceAccountId }),
  )
})

describe('a revoked backend is refused at once on this instance and within a second on others', () => {
  const revocations: readonly (readonly [what: string, status: number, work: (t: TenantTx, backend: Backend) => Promise<unknown>])[] = [
    [
      'a disabled client',
      401,
      (t, b) => sql(t, 'update authsec.clients set active = false where tenant_id = $1 and id = $2', t.tenantId, b.clientId),
    ],
    ['a disabled directory entry', 401, (t, b) => sql(t, 'update authsec.client_directory set active = false where client_id = $1', b.clientId)],
    [
      'a deleted client',
      401,
      (t, b) => sql(t, 'update authsec.clients set deleted_at = now() where tenant_id = $1 and id = $2', t.tenantId, b.clientId),
    ],
    [
      'a disabled service account',
      401,
      (t, b) => sql(t, 'update authsec.service_accounts set active = false where tenant_id = $1 and id = $2', t.tenantId, b.serviceAccountId),
    ],
    ['a new secret', 401, (t, b) => sql(t, 'update authsec.client_directory set secret_hash = $2 where client_id = $1', b.clientId, sha256('new'))],
    [
      'a revoked binding',
      403,
      async (t, b) => {
        const [row] = (await sql(
          t,
          'select id from authsec.role_bindings where tenant_id = $1 and service_account_id = $2',
          t.tenantId,
          b.serviceAccountId,
        )) as [string][]
        await removeBinding(t, row?.[0] ?? '')
      },
    ],
    [
      'a binding made conditional',
      403,
      async (t, b) => {
        await sql(
          t,
          `update authsec.role_bindings set conditions = '{"mfa_required": true}' where tenant_id = $1 and service_account_id = $2`,
          t.tenantId,
          b.serviceAccountId,
        )
      },
    ],
  ]
  test.each(revocations)('%s: %i', async (_, status, work) => {
    const elsewhere = await startApp(routes)
    const backend = await newBackend(app, company, ['policy:check'])
    const there = async (): Promise<number> =>
      (await elsewhere.request('/test/backend', { headers: { authorization: backend.authorization } })).status
    expect([await statusOf(backend), await there()]).toEqual([200, 200])
    await change((t) => work(t, backend))
    expect(await statusOf(backend)).toBe(status)
    elsewhere.clock.advance(1)
    expect(await there()).toBe(status)
  })

  test('a suspended tenant', async () => {
    const own = await app.company()
    const backend = await newBackend(app, own, ['policy:check'])
    expect(await statusOf(backend)).toBe(200)
    await atomically(forTenant(app.db, own.tenantId), (t) => setTenantStatus(t, 'suspended', app.clock.now()))
    expect(await statusOf(backend)).toBe(401)
  })
})

test('the previous secret is valid until the end of its overlap, to the millisecond', async () => {
  const own = await startApp(routes)
  const theirs = await own.company()
  const backend = await newBackend(own, theirs, ['policy:check'])
  const until = new Date(own.clock.now().getTime() + 500)
  await atomically(forTenant(own.db, theirs.tenantId), (t) =>
    sql(
      t,
      'update authsec.client_directory set previous_secret_hash = secret_hash, secret_hash = $2, previous_valid_until = $3 where client_id = $1',
      backend.clientId,
      sha256('the new one'),
      until.toISOString(),
    ),
  )
  const both = async (): Promise<number[]> => {
    const responses = [backend.authorization, basic(backend.clientId, 'the new one')].map((authorization) =>
      own.request('/test/backend', { headers: { authorization } }),
    )
    return (await Promise.all(responses)).map(({ status }) => status)
  }
  expect(await both()).toEqual([200, 200])
  own.clock.advance(0.499)
  expect(await both()).toEqual([200, 200])
  own.clock.advance(0.001)
  expect(await both()).toEqual([401, 200])
})

test('failed authentication with a known client id uses no quota of its tenant', async () => {
  const limited = await startApp(routes, { env: { RATE_LIMIT: 'on' } })
  const theirs = await limited.company()
  await atomically(forTenant(limited.db, theirs.tenantId), (t) =>
    sql(t, `update authsec.tenants set settings = '{"quotas": {"requestsPerMinute": 3}}' where tenant_id = $1`, t.tenantId),
  )
  const backend = await newBackend(limited, theirs, ['policy:check'])
  limited.ctx.quotas.learn(theirs.tenantId, { requestsPerMinute: 3 })
  const status = async (authorization: string): Promise<number> => (await limited.request('/test/backend', { headers: { authorization } })).status
  expect(await status(backend.authorization)).toBe(200)
  for (let n = 0; n < 5; n++) expect(await status(basic(backend.clientId, 'guess'))).toBe(401)
  expect([await status(backend.authorization), await status(backend.authorization), await status(backend.authorization)]).toEqual([200, 200, 429])
})

test('an authenticated backend is exempt from the limit per address; wrong secrets are not', async () => {
  const limited = await startApp(routes, { env: { RATE_LIMIT: 'on' } })
  const backend = await newBackend(limited, await limited.company(), ['policy:check'])
  const status = async (authorization: string): Promise<number> => (await limited.request('/test/backend', { headers: { authorization } })).status
  const statuses = new Set<number>()
  for (let n = 0; n < 700; n++) statuses.add(await status(backend.authorization))
  expect([...statuses]).toEqual([200])
  const guesses: number[] = []
  for (let n = 0; n < 601; n++) guesses.push(await status(basic(backend.clientId, 'guess')))
  expect(guesses.filter((one) => one === 401).length).toBe(599)
  expect(guesses.at(-1)).toBe(429)
  expect(await status(backend.authorization)).toBe(200)
})

test('an agent with a disabled owner is refused', async () => {
  const backend = await newBackend(app, company, ['policy:check'])
  const owner = await app.person(company)
  const at = app.clock.now()
  await change((t) => insertAgent(t, { id: backend.clientId, ownerId: owner.id, agentType: 'assistant', createdAt: at, updatedAt: at }))
  expect(await statusOf(backend)).toBe(200)
  await change((t) => setUserActive(t, owner.id, false, at))
  expect(await statusOf(backend)).toBe(401)
})
