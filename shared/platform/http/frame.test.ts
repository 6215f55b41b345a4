// The frame around every request: methods, headers, request ids, time, host.
import { describe, expect, test } from 'vitest'
import * as z from 'zod'
import { atomically, forTenant } from '#db/engine/tenant'
import { claimDomain } from '#db/store/domains'
import type { RequestCtx } from '#shared/domains/context'
import { startApp } from '#tests/support/app'
import { PRODUCTION } from '#tests/support/production'
import { open, user } from './access.ts'
import { problem } from './problem.ts'
import { empty, HttpResult, json, routeFor } from './route.ts'

const route = routeFor<RequestCtx>()
const common = { access: open('A test.', { class: 'general' }), errors: [], emits: 'nothing', summary: 'A test.' } as const
const ok = { reply: empty(204), handle: async () => undefined } as const
const never = new Promise<never>(() => undefined)

const routes = [
  route({ ...common, ...ok, id: 'f.get', on: 'GET /f/thing' }),
  route({ ...common, ...ok, id: 'f.put', on: 'PUT /f/thing' }),
  route({ ...common, ...ok, id: 'f.post', on: 'POST /authsec/f/thing' }),
  route({ ...common, id: 'f.slow', on: 'GET /authsec/f/slow', reply: empty(204), handle: () => never }),
  route({ ...common, ...ok, id: 'f.me', on: 'POST /f/me', access: user(), body: z.object({ password: z.string() }) }),
  route({
    ...common,
    id: 'f.spelled',
    on: 'GET /f/spelled',
    reply: empty(204),
    handle: async () => new HttpResult(undefined, { headers: { 'cache-control': 'public', VARY: 'Accept-Language' } }),
  }),
  route({
    ...common,
    id: 'f.secure',
    on: 'GET /f/secure',
    reply: json(200, z.object({ secure: z.boolean(), address: z.string() })),
    handle: async ({ ctx }) => ({ secure: ctx.request.secure, address: ctx.request.address }),
  }),
]
const started = startApp(routes, { render: problem })
const production = startApp(routes, { render: problem, env: PRODUCTION })

describe('methods', () => {
  test('an unknown path is 404 as JSON, in the format of its prefix', async () => {
    const { request } = await started
    for (const [path, type] of [
      ['/nowhere', 'application/problem+json'],
      ['/authsec/nowhere', 'application/json'],
    ] as const) {
      const response = await request(path)
      expect([response.status, response.headers.get('content-type')]).toEqual([404, type])
      expect(await response.json()).toMatchObject({ code: 'not_found', request_id: response.headers.get('x-request-id') })
    }
  })

  test('an unsupported method of a known path is 405 with Allow', async () => {
    const { request } = await started
    for (const method of ['POST', 'DELETE', 'PATCH']) {
      const response = await request('/f/thing', { method })
      expect([response.status, response.headers.get('allow')]).toEqual([405, 'GET, HEAD, PUT, OPTIONS'])
      expect(await response.json()).toMatchObject({ code: 'method_not_allowed' })
    }
    expect((await request('/authsec/f/thing', { method: 'HEAD' })).headers.get('allow')).toBe('POST, OPTIONS')
  })

  test('HEAD is GET without a body', async () => {
    const { request } = await started
    const response = await request('/f/secure', { method: 'HEAD' })
    expect([response.status, await response.text()]).toEqual([200, ''])
    expect((await request('/nowhere', { method: 'HEAD' })).status).toBe(404)
  })

  test('OPTIONS of any path is 204 without CORS headers', async () => {
    const { request } = await started
    for (const path of ['/f/thing', '/authsec/f/slow', '/nowhere', '/f/me']) {
      const response = await request(path, { method: 'OPTIONS' })
      expect([response.status, await response.text(), response.headers.get('access-control-allow-origin')]).toEqual([204, '', null])
    }
  })

  test.each([['x-http-method-override'], ['x-http-method'], ['x-method-override']])('%s does not change the method', async (name) => {
    const { request } = await started
    expect((await request('/f/thing', { method: 'POST', headers: { [name]: 'PUT' } })).status).toBe(405)
    expect((await request('/authsec/f/thing?_method=GET', { method: 'POST', headers: { [name]: 'GET' } })).status).toBe(204)
  })

  test.each([['x-forwarded-uri'], ['x-original-url'], ['x-rewrite-url'], ['x-forwarded-path']])('%s does not change the path', async (name) => {
    const { request } = await started
    expect((await request('/f/me', { method: 'POST', body: {}, headers: { [name]: '/f/thing', 'user-agent': 'kube-probe/1.30' } })).status).toBe(401)
  })
})

describe('headers', () => {
  test('headers that are too large are refused with 431', async () => {
    const { request } = await started
    const large = { 'x-large': 'a'.repeat(64 * 1024) }
    for (const path of ['/f/thing', '/nowhere']) {
      const response = await request(path, { headers: large })
      expect(response.status).toBe(431)
      expect(await response.json()).toMatchObject({ code: 'headers_too_large' })
    }
    const many = Object.fromEntries(Array.from({ length: 4000 }, (_, n) => [`x-${n}`, 'aaaaaaaa']))
    expect((await request('/f/thing', { headers: many })).status).toBe(431)
    expect((await request('/f/thing', { headers: { 'x-large': 'a'.repeat(8 * 1024) } })).status).toBe(204)
  })

  test('the server’s raw headers are counted when it provides them', async () => {
    const { app } = await started
    const send = (rawHeaders: readonly string[]) => app.request('/f/thing', {}, { peer: { address: '192.0.2.1', secure: false, rawHeaders } })
    const many = (count: number): string[] => Array.from({ length: 2 * count }, (_, n) => (n % 2 === 0 ? `x-${n}` : 'a'.repeat(1024)))
    expect([(await send(many(31))).status, (await send(many(32))).status]).toEqual([204, 431])
  })

  test('header names are case-insensitive when merged', async () => {
    const { request } = await started
    const response = await request('/f/spelled')
    expect([response.headers.get('cache-control'), response.headers.get('vary')]).toEqual(['public', 'Accept-Language, Origin'])
  })

  test('every answer carries the security headers and is not stored', async () => {
    const { request } = await started
    for (const [path, method] of [
      ['/f/thing', 'GET'],
      ['/nowhere', 'GET'],
      ['/f/thing', 'OPTIONS'],
      ['/f/thing', 'DELETE'],
      ['/f/me', 'POST'],
    ] as const) {
      const { headers } = await request(path, { method })
      expect(Object.fromEntries(headers)).toMatchObject({
        'cache-control': 'no-store',
        'x-content-type-options': 'nosniff',
        'x-frame-options': 'DENY',
        'x-xss-protection': '0',
        'referrer-policy': 'strict-origin-when-cross-origin',
        'content-security-policy': expect.stringContaining("default-src 'self'"),
        'permissions-policy': expect.stringContaining('camera=()'),
        vary: expect.stringContaining('Origin'),
      })
      expect(headers.get('strict-transport-security')).toBeNull()
    }
  })

  test('HSTS lasts a year: over TLS, over TLS at a trusted proxy, and in production', async () => {
    const behind = await startApp(routes, { env: { TRUSTED_PROXIES: '192.0.2.1' } })
    const HSTS = 'max-age=31536000; includeSubDomains'
    const https = { 'x-forwarded-proto': 'https' }
    expect((await (await started).request('/f/thing', { secure: true })).headers.get('strict-transport-security')).toBe(HSTS)
    expect((await behind.request('/f/thing', { headers: https })).headers.get('strict-transport-security')).toBe(HSTS)
    expect((await behind.request('/f/thing', { headers: https, address: '198.51.100.1' })).headers.get('strict-transport-security')).toBeNull()
    expect((await (await production).request('/f/thing')).headers.get('strict-transport-security')).toBe(HSTS)
  })

  test('production with an https base URL counts as secure behind any proxy', async () => {
    expect(await (await (await production).request('/f/secure')).json()).toMatchObject({ secure: true })
    expect(await (await (await started).request('/f/secure', { headers: { 'x-forwarded-proto': 'https' } })).json()).toMatchObject({ secure: false })
  })

  test.each([
    ['abc-DEF_1.2:3', true],
    ['a'.repeat(64), true],
    ['a'.repeat(65), false],
    ['a b', false],
    ['<script>', false],
    ['a"b', false],
    ['', false],
    ['1{"level":"error"}', false],
  ])('the request id %j is echoed: %s', async (sent, echoed) => {
    const response = await (await started).request('/f/thing', { headers: { 'x-request-id': sent } })
    const id = response.headers.get('x-request-id')
    expect(id === sent).toBe(echoed)
    if (!echoed) expect(id).toMatch(/^[0-9a-f-]{36}$/)
  })
})

describe('time', () => {
  test('a request that takes too long is answered with 408 in AuthSec\u2019s format', async () => {
    const app = await startApp(routes, { mount: { requestSeconds: 0.02 } })
    const response = await app.request('/authsec/f/slow')
    expect(response.status).toBe(408)
    expect(await response.json()).toEqual({
      error: 'Request timeout',
      message: 'Request timeout',
      code: 'timeout',
      request_id: response.headers.get('x-request-id'),
    })
    expect(response.headers.get('x-frame-options')).toBe('DENY')
    expect(app.log.lines.some((line) => line.includes('"event":"request"') && line.includes('f.slow') && line.includes('408'))).toBe(true)
  })
})

describe('the host', () => {
  const own = ['id.example.com', 'ID.example.com', 'app.example.com', 'acme.tenants.example', 'health.internal:8080']
  const foreign = [
    'evil.example',
    'id.example.com:444',
    'tenants.example.evil.example',
    'eviltenants.example',
    '127.0.0.1',
    'localhost',
    'a b',
    `${'a'.repeat(300)}.example`,
  ]
  const env = { ...PRODUCTION, TENANT_DOMAIN_SUFFIX: 'tenants.example', HOSTS: 'health.internal:8080' }

  test('production serves its own names, tenants’ names and HOSTS', async () => {
    const app = await startApp(routes, { render: problem, env })
    for (const host of own) expect((await app.request('/f/thing', { headers: { host } })).status, host).toBe(204)
    const company = await app.company('hosts')
    const domain = `login.${company.name}.example`
    expect((await app.request('/f/thing', { headers: { host: domain }, address: '192.0.2.77' })).status).toBe(421)
    await atomically(forTenant(app.db, company.tenantId), (t) =>
      claimDomain(t, { domain, kind: 'custom', isVerified: true, createdAt: app.clock.now() }),
    )
    app.clock.advance(31)
    expect((await app.request('/f/thing', { headers: { host: domain }, address: '192.0.2.77' })).status).toBe(204)
  })

  test('any other host is refused for every method and path', async () => {
    const app = await startApp(routes, { render: problem, env })
    for (const host of foreign) {
      for (const [path, method] of [
        ['/f/thing', 'GET'],
        ['/nowhere', 'GET'],
        ['/f/thing', 'OPTIONS'],
      ] as const) {
        const response = await app.request(path, { method, headers: { host } })
        expect([response.status, await response.json()], `${method} ${host}`).toEqual([421, expect.objectContaining({ code: 'unknown_host' })])
      }
    }
  })

  test('look-ups of unknown hosts are rate limited per address', async () => {
    const app = await startApp(routes, { render: problem, env })
    const statuses = []
    for (let tried = 0; tried < 40; tried++) {
      const response = await app.request('/f/thing', { headers: { host: `h${tried}.names.example` }, address: '192.0.2.78' })
      statuses.push(response.status)
    }
    expect([statuses.slice(0, 30).every((status) => status === 421), statuses.at(-1)]).toEqual([true, 429])
  })

  test('outside production every host is served', async () => {
    const { request } = await started
    expect((await request('/f/thing', { headers: { host: '192.168.1.7:7468' } })).status).toBe(204)
  })
})
