// The spans and metrics of a request and its statements, and the data that they must not contain.
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect, test } from 'vitest'
import * as z from 'zod'
import { atomically, forTenant } from '#db/engine/tenant'
import { findTenant } from '#db/store/tenants'
import type { RequestCtx } from '#shared/domains/context'
import { open, user } from '#shared/platform/http/access'
import { empty, routeFor } from '#shared/platform/http/route'
import { startApp, type TestApp } from '#tests/support/app'
import { describeStatement as described } from './observed-engine.ts'
import { noTracer, traceOutbound } from './trace.ts'

const route = routeFor<RequestCtx>()
const common = { reply: empty(204), errors: [], emits: 'nothing', summary: 'A test.' } as const
const S = 'S3CRET-marker'
const routes = [
  route({
    ...common,
    id: 's.me',
    on: 'POST /s/:thing/me',
    access: user(),
    path: z.object({ thing: z.string() }),
    body: z.object({ secret: z.string() }),
    handle: async ({ ctx, principal }) => {
      await atomically(forTenant(ctx.db, principal.tenantId), (t) => findTenant(t))
      return undefined
    },
  }),
  route({
    ...common,
    id: 's.fails',
    on: 'GET /s/fails',
    access: open('A test.', { class: 'general' }),
    handle: async () => {
      throw new TypeError(S)
    },
  }),
]

type Span = {
  readonly traceId: string
  readonly spanId: string
  readonly parentSpanId?: string
  readonly name: string
  readonly kind: number
  readonly attributes: readonly { readonly key: string; readonly value: Readonly<Record<string, unknown>> }[]
  readonly status: { readonly code?: number }
}
type Export = { readonly resourceSpans: readonly { readonly scopeSpans: readonly { readonly spans: readonly Span[] }[] }[] }

/** An app that sends its spans to the test's collector. */
const tracedApp = async () => {
  const bodies: string[] = []
  const server = createServer((req, res) => {
    let body = ''
    req.on('data', (chunk) => {
      body += chunk
    })
    req.on('end', () => {
      bodies.push(body)
      res.end('{}')
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const app = await startApp(routes, { env: { OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${port}` } })
  /** The spans of `work`, in order of completion. */
  const during = async (work: () => Promise<unknown>): Promise<readonly Span[]> => {
    await app.ctx.tracer.flush()
    bodies.length = 0
    await work()
    await app.ctx.tracer.flush()
    return bodies.flatMap((body) => (JSON.parse(body) as Export).resourceSpans.flatMap(({ scopeSpans }) => scopeSpans.flatMap(({ spans }) => spans)))
  }
  return { app, bodies, during, close: () => new Promise((resolve) => server.close(resolve)) }
}
const attributesOf = (span: Span | undefined): Readonly<Record<string, unknown>> =>
  Object.fromEntries((span?.attributes ?? []).map(({ key, value }) => [key, Object.values(value)[0]]))

const signedIn = async (app: TestApp) => {
  const company = await app.company()
  const pat = await app.person(company)
  return { company, pat, token: await app.token(pat) }
}

test('a request is a span that continues the caller\u2019s trace, with its statements as children and without personal data', async () => {
  const { app, bodies, during, close } = await tracedApp()
  const { company, pat, token } = await signedIn(app)
  const traceparent = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01'
  const headers = { traceparent, 'user-agent': S, cookie: `a=${S}`, 'x-request-id': 'r-1' }
  const spans = await during(() => app.request(`/s/${S}/me?q=${S}`, { token, body: { secret: S }, headers }))
  const root = spans.at(-1)
  expect(root).toMatchObject({
    name: 'POST /s/:thing/me',
    kind: 2,
    traceId: traceparent.slice(3, 35),
    parentSpanId: traceparent.slice(36, 52),
    status: {},
  })
  expect(attributesOf(root)).toEqual({
    'http.request.method': 'POST',
    'http.route': '/s/:thing/me',
    'http.response.status_code': '204',
    'authsec.request_id': 'r-1',
    'authsec.tenant_id': company.tenantId,
    'authsec.principal_id': pat.id,
  })
  expect(new Set(spans.map(({ traceId }) => traceId))).toEqual(new Set([root?.traceId]))
  const load = spans.find(({ name }) => name === 'select sessions')
  expect(load).toMatchObject({ kind: 3, parentSpanId: root?.spanId })
  const transaction = spans.find(({ name }) => name === 'transaction none')
  expect(spans.find(({ name }) => name === 'select tenants')).toMatchObject({ parentSpanId: transaction?.spanId })
  expect(attributesOf(load)).toEqual({ 'db.system.name': 'postgresql', 'db.operation.name': 'select', 'db.collection.name': 'sessions' })
  for (const secret of [S, token, pat.email, '192.0.2.1']) expect(bodies.join()).not.toContain(secret)
  await close()
})

test('a server error marks its span as failed and is still answered', async () => {
  const { app, bodies, during, close } = await tracedApp()
  let status = 0
  const [span] = await during(async () => {
    status = (await app.request('/s/fails')).status
  })
  expect([status, span?.name, span?.status.code, attributesOf(span)['error.type']]).toEqual([500, 'GET /s/fails', 2, 'TypeError'])
  expect(bodies.join()).not.toContain(S)
  await close()
})

test('a refusal does not mark its span as failed', async () => {
  const { app, during, close } = await tracedApp()
  const span = (await during(() => app.request('/s/x/me', { method: 'POST' }))).at(-1)
  expect([span?.status.code, attributesOf(span)['http.response.status_code']]).toEqual([undefined, '401'])
  await close()
})

test('a call to another service is a span with the service\u2019s name; without tracing the call is unchanged', async () => {
  const { app, during, close } = await tracedApp()
  const call = async (secret: string): Promise<string> => secret
  const spans = await during(() => traceOutbound(app.ctx.tracer, 'mail', call)(S))
  expect(spans).toEqual([expect.objectContaining({ name: 'mail', kind: 3 })])
  expect(JSON.stringify(spans)).not.toContain(S)
  expect(traceOutbound(noTracer, 'mail', call)).toBe(call)
  await close()
})

test('without a tracing endpoint no step is added to a route', async () => {
  const app = await startApp(routes)
  const plain = app.app.routes.filter(({ path }) => path === '/s/fails').length
  const { app: traced, close } = await tracedApp()
  expect(traced.app.routes.filter(({ path }) => path === '/s/fails').length).toBe(plain + 1)
  expect(app.ctx.tracer).toBe(noTracer)
  await close()
})

test('statements are timed by verb and table only', async () => {
  const app = await startApp(routes)
  const { token } = await signedIn(app)
  await app.request(`/s/${S}/me`, { token, body: { secret: S } })
  const text = await app.ctx.metrics.render()
  expect(text).toContain('db_query_duration_seconds_count{operation="select",table="sessions",tenant_id="unknown"}')
  expect(text).toContain('db_query_duration_seconds_count{operation="insert",table="users",tenant_id="unknown"}')
  expect(text).not.toContain(S)
})

test.each([
  ['select 1', 'select', 'none'],
  ['select "a" from "authsec"."users" where "authsec"."users"."id" = $1', 'select', 'users'],
  ['insert into "authsec"."audit_events" ("id") values ($1)', 'insert', 'audit_events'],
  ['  UPDATE authsec.sessions set x = 1', 'update', 'sessions'],
  ['with x as (select 1) select * from authsec.roles', 'with', 'roles'],
  ['select a, (select (1) from authsec.users) from authsec.sessions s', 'select', 'sessions'],
  ['truncate authsec.users', 'other', 'users'],
  ['', 'other', 'none'],
])('%j is %s of %s', (text, operation, table) => {
  expect(described(text)).toEqual({ operation, table })
})
