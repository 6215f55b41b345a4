// One log line and one count per request, without text from the caller.
import { expect, test } from 'vitest'
import * as z from 'zod'
import { forTenant } from '#db/engine/tenant'
import type { RequestCtx } from '#shared/domains/context'
import { startApp } from '#tests/support/app'
import { open, user } from './access.ts'
import { empty, routeFor } from './route.ts'

const route = routeFor<RequestCtx>()
const common = { access: open('A test.', { class: 'general' }), errors: [], emits: 'nothing', summary: 'A test.' } as const
const ok = { reply: empty(204), handle: async () => undefined } as const
const routes = [
  route({ ...common, ...ok, id: 'f.get', on: 'GET /f/thing' }),
  route({ ...common, ...ok, id: 'f.me', on: 'POST /f/me', access: user(), body: z.object({ password: z.string() }) }),
]

test('one line per request has the caller, the route, the status and the duration', async () => {
  const app = await startApp(routes)
  const company = await app.company()
  const pat = await app.person(company)
  const token = await app.token(pat)
  app.log.lines.length = 0
  await app.request('/f/me', { token, body: { password: 'x' }, headers: { 'x-request-id': 'r-1' } })
  await app.request('/nowhere', { method: 'DELETE', headers: { 'x-request-id': 'r-2' } })
  const lines = app.log.lines.map((line) => JSON.parse(line) as Record<string, unknown>)
  expect(lines).toEqual([
    {
      at: app.clock.now().toISOString(),
      level: 'info',
      event: 'request',
      request_id: 'r-1',
      method: 'POST',
      route: 'f.me',
      status: 204,
      duration_ms: 0,
      tenant_id: company.tenantId,
      principal: pat.id,
      session_id: expect.any(String),
    },
    { at: expect.any(String), level: 'info', event: 'request', request_id: 'r-2', method: 'DELETE', route: 'unknown', status: 404, duration_ms: 0 },
  ])
})

test('no text from the caller is logged: no header, query, path or body', async () => {
  const app = await startApp(routes, { env: { METRICS_EMF: 'on' } })
  const pat = await app.person(await app.company())
  const token = await app.token(pat)
  app.log.lines.length = 0
  const S = 'S3CRET-marker'
  const headers = {
    cookie: `authsec_login=${S}; other=${S}`,
    'x-login-ticket': S,
    'x-client-id': S,
    tenant_id: S,
    dpop: S,
    'user-agent': S,
    referer: `https://${S}.example/?token=${S}`,
    origin: `https://${S}.example`,
    'x-forwarded-for': S,
    'x-custom': S,
    traceparent: S,
    baggage: S,
    'x-request-id': `${S}!`,
    host: S,
  }
  await app.request(`/f/me?password=${S}`, { token, body: { password: S }, headers })
  await app.request(`/f/me?token=${S}`, { token: `${S}.${S}.${S}`, body: { password: S }, headers })
  await app.request('/f/me', { token, body: `{"password":"${S}`, headers })
  await app.request('/f/me', { token, body: { password: { [S]: S } }, headers })
  await app.request('/f/me', { token, body: { password: `${S}\0` }, headers })
  await app.request(`/f/${S}/x?q=${S}`, { headers })
  await app.request('/f/thing', { method: `X-${S}`, headers })
  await app.request('/f/thing', { headers: { ...headers, authorization: `Basic ${S}` } })
  expect(app.log.lines.length).toBeGreaterThanOrEqual(16)
  const log = app.log.lines.join('\n')
  expect(log).not.toContain(S)
  expect(log).not.toContain(token)
  expect(log).not.toContain(token.split('.')[2])
  expect(log).not.toContain(pat.email)
})

test('a value that the database repeats in an error is not logged', async () => {
  const app = await startApp([
    route({
      ...common,
      id: 'f.data',
      on: 'GET /f/data',
      reply: empty(204),
      handle: async ({ ctx }) => {
        const run = forTenant(ctx.db, (await company).tenantId).run
        await run({ text: 'select $1::text::uuid', params: ['S3CRET-marker'], arrays: true })
        return undefined
      },
    }),
  ])
  const company = app.company()
  expect((await app.request('/f/data')).status).toBe(400)
  const log = app.log.lines.join('\n')
  expect(log).toContain('22P02')
  expect(log).not.toContain('S3CRET-marker')
})

test('unknown methods and paths create no metric series of their own', async () => {
  const app = await startApp(routes)
  for (const method of ['GET', 'MADE-UP', 'PURGE']) await app.request('/made/up', { method })
  const text = await app.ctx.metrics.render()
  expect(text).toContain('http_requests_total{method="other",endpoint="unknown",status_code="404",tenant_id="unknown"} 2')
  expect(text).not.toMatch(/MADE-UP|made\/up/)
})

test('with METRICS_EMF each request also writes an embedded metric line', async () => {
  const app = await startApp(routes, { env: { METRICS_EMF: 'on' } })
  app.log.lines.length = 0
  await app.request('/f/thing', { headers: { 'x-request-id': 'r-9' } })
  const [emf] = app.log.lines.map((line) => JSON.parse(line) as Record<string, unknown>)
  expect(app.log.lines).toHaveLength(2)
  expect(emf).toMatchObject({
    _aws: { CloudWatchMetrics: [{ Namespace: 'authsec-serverless' }] },
    endpoint: '/f/thing',
    method: 'GET',
    status_code: 204,
    request_id: 'r-9',
  })
})
