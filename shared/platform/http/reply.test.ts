// Replies contain only declared members and statuses, with correct cookies and headers; failures have their group's format.
import { describe, expect, test } from 'vitest'
import * as z from 'zod'
import type { RequestCtx } from '#shared/domains/context'
import { AppError } from '#shared/kernel/errors'
import { startApp } from '#tests/support/app'
import { may, open, user } from './access.ts'
import { problem } from './problem.ts'
import { empty, HttpResult, html, json, oneOfStatuses, routeFor, text, withStatus } from './route.ts'

const route = routeFor<RequestCtx>()
const Inner = z.object({ id: z.string() })
const Out = z.object({ id: z.string(), inner: Inner.optional(), list: z.array(Inner).optional() })
const common = { access: open('A test.', { class: 'general' }), errors: [], emits: 'nothing', summary: 'A test.' } as const
const SECRET = 'hunter2-secret-hash'
const result = { id: 'x', password_hash: SECRET, inner: { id: 'y', secret: SECRET }, list: [{ id: 'z', secret: SECRET }] }
const etag = new HttpResult('same', { headers: { ETag: '"v1"' } })

const routes = [
  route({ ...common, id: 'r.json', on: 'GET /r/json', reply: json(200, Out), handle: async () => result }),
  route({ ...common, id: 'r.bad', on: 'GET /r/bad', reply: json(200, Out), handle: async () => ({ id: 7, secret: SECRET }) as never }),
  route({
    ...common,
    id: 'r.one',
    on: 'GET /r/one/:status',
    path: z.object({ status: z.coerce.number() }),
    reply: oneOfStatuses({ 200: Out, 201: Inner }),
    handle: async ({ path }) => withStatus(path.status as 200, { id: 'x' }),
  }),
  route({ ...common, id: 'r.empty', on: 'DELETE /r/json', reply: empty(204), handle: async () => undefined }),
  route({
    ...common,
    id: 'r.page',
    on: 'GET /r/page',
    reply: html(200),
    handle: async () => new HttpResult('<p>ü</p>', { headers: { 'Content-Security-Policy': "default-src 'none'" } }),
  }),
  route({ ...common, id: 'r.etag', on: 'GET /r/etag', reply: text(200, 'text/plain'), cache: 'public, max-age=60', handle: async () => etag }),
  route({ ...common, id: 'r.posted', on: 'POST /r/etag', reply: text(200, 'text/plain'), handle: async () => etag }),
  route({
    ...common,
    id: 'r.cookie',
    on: 'GET /r/cookie',
    reply: empty(204),
    handle: async ({ ctx }) =>
      new HttpResult(undefined, {
        cookies: [
          { name: ctx.request.secure ? '__Host-a' : 'a', value: '1', maxAgeSeconds: 60, sameSite: 'Lax' },
          { name: 'b', value: '2', maxAgeSeconds: 0, sameSite: 'Strict', path: '/b' },
        ],
      }),
  }),
  route({
    ...common,
    id: 'r.throws',
    on: 'GET /r/throws/:what',
    path: z.object({ what: z.string() }),
    reply: empty(204),
    handle: async ({ path }) => {
      if (path.what === 'conflict')
        throw new AppError('conflict', 'It is there.', { field: 'body.name', extra: { hint: 'Look.' } }, new Error(SECRET))
      if (path.what === 'away') throw new AppError('unavailable')
      if (path.what === 'later') throw new AppError('rate_limited', undefined, { retryAfterSeconds: 17 })
      throw new Error(SECRET)
    },
  }),
  route({ ...common, id: 'r.user', on: 'GET /r/user', access: user({ withinSeconds: 60 }), reply: empty(204), handle: async () => undefined }),
  route({ ...common, id: 'r.may', on: 'GET /r/may', access: may('roles:write'), reply: empty(204), handle: async () => undefined }),
]
const contract = startApp(routes)
const ours = startApp(routes, { render: problem })

describe('replies', () => {
  test('members that the schema does not list never leave', async () => {
    const response = await (await contract).request('/r/json')
    expect(await response.json()).toEqual({ id: 'x', inner: { id: 'y' }, list: [{ id: 'z' }] })
    expect(response.headers.get('content-type')).toBe('application/json')
    expect(response.headers.get('content-length')).toBe('49')
  })

  test('a result that its schema refuses is a 500 that reveals nothing, with a line in the log', async () => {
    const app = await contract
    const response = await app.request('/r/bad')
    const body = await response.text()
    expect(response.status).toBe(500)
    expect(JSON.parse(body)).toEqual({
      error: 'Internal server error',
      message: 'An unexpected error occurred',
      code: 'internal',
      request_id: response.headers.get('x-request-id'),
    })
    const line = app.log.lines.find((each) => each.includes('request_failed') && each.includes('r.bad'))
    expect(line).toBeDefined()
    expect(`${body}${app.log.lines.join()}`).not.toContain('hunter2-secret-hash')
  })

  test('the handler can only answer a declared status', async () => {
    const { request } = await contract
    expect((await request('/r/one/200')).status).toBe(200)
    expect((await request('/r/one/201')).status).toBe(201)
    expect((await request('/r/one/202')).status).toBe(500)
  })

  test('an empty reply has no body and no type', async () => {
    const response = await (await contract).request('/r/json', { method: 'DELETE' })
    expect([response.status, await response.text(), response.headers.get('content-type')]).toEqual([204, '', null])
  })

  test('a page has its own content security policy and its length in bytes', async () => {
    const { headers } = await (await contract).request('/r/page')
    expect(headers.get('content-security-policy')).toBe("default-src 'none'")
    expect(headers.get('content-length')).toBe('9')
  })

  test('cookies are HttpOnly, and Secure over TLS', async () => {
    const { request } = await contract
    expect((await request('/r/cookie')).headers.getSetCookie()).toEqual([
      'a=1; Path=/; Max-Age=60; HttpOnly; SameSite=Lax',
      'b=2; Path=/b; Max-Age=0; HttpOnly; SameSite=Strict',
    ])
    expect((await request('/r/cookie', { secure: true })).headers.getSetCookie()).toEqual([
      '__Host-a=1; Path=/; Max-Age=60; HttpOnly; SameSite=Lax; Secure',
      'b=2; Path=/b; Max-Age=0; HttpOnly; SameSite=Strict; Secure',
    ])
  })
})

describe('entity tags (RFC 9110 section 13.1.2)', () => {
  test.each([['"v1"'], ['W/"v1"'], ['"v0", "v1"'], ['*']])(
    'If-None-Match %s gets 304 with the headers that caches need and no body',
    async (tags) => {
      const response = await (await contract).request('/r/etag', { headers: { 'if-none-match': tags } })
      expect([response.status, await response.text()]).toEqual([304, ''])
      expect(response.headers.get('etag')).toBe('"v1"')
      expect(response.headers.get('cache-control')).toBe('public, max-age=60')
      expect(response.headers.get('vary')).toContain('Origin')
      expect(response.headers.get('content-length')).toBeNull()
    },
  )
  test.each([['"v2"'], ['""']])('If-None-Match %s gets the body', async (tags) => {
    const response = await (await contract).request('/r/etag', { headers: { 'if-none-match': tags } })
    expect([response.status, await response.text()]).toEqual([200, 'same'])
  })
  test('the condition applies to HEAD and not to POST', async () => {
    const { request } = await contract
    const headers = { 'if-none-match': '"v1"' }
    expect((await request('/r/etag', { method: 'HEAD', headers })).status).toBe(304)
    expect((await request('/r/etag', { method: 'POST', headers })).status).toBe(200)
  })
})

describe('failures', () => {
  test('below /authsec: a sentence, a code, the field, AuthSec’s further members, the request id', async () => {
    const response = await (await contract).request('/r/throws/conflict', { headers: { 'x-request-id': 'mine-1' } })
    expect(response.status).toBe(409)
    expect(response.headers.get('content-type')).toBe('application/json')
    expect(await response.json()).toEqual({
      error: 'It is there.',
      message: 'It is there.',
      code: 'conflict',
      field: 'body.name',
      request_id: 'mine-1',
      hint: 'Look.',
    })
  })

  test('on our own paths: problem details (RFC 9457)', async () => {
    const response = await (await ours).request('/r/throws/conflict', { headers: { 'x-request-id': 'mine-2' } })
    expect(response.headers.get('content-type')).toBe('application/problem+json')
    expect(await response.json()).toEqual({
      type: 'http://localhost:7468/errors/conflict',
      title: 'The request conflicts with the current state.',
      status: 409,
      detail: 'It is there.',
      code: 'conflict',
      field: 'body.name',
      request_id: 'mine-2',
      hint: 'Look.',
    })
  })

  test('an error that is not an AppError is a 500 that reveals nothing', async () => {
    for (const app of [await contract, await ours]) {
      const response = await app.request('/r/throws/anything')
      const body = await response.text()
      expect(response.status).toBe(500)
      expect(JSON.parse(body)).toMatchObject({ code: 'internal' })
      expect(body).not.toContain('hunter2')
    }
  })

  test('Retry-After has the error’s delay, and a short default for unavailable dependencies', async () => {
    const { request } = await contract
    expect((await request('/r/throws/later')).headers.get('retry-after')).toBe('17')
    const away = await request('/r/throws/away')
    expect([away.status, away.headers.get('retry-after')]).toEqual([503, '2'])
  })

  test('WWW-Authenticate distinguishes a missing token, an invalid one, a missing permission and a sign-in that is too old (RFC 6750, RFC 9470)', async () => {
    const app = await contract
    const company = await app.company()
    const pat = await app.person(company)
    const token = await app.token(pat)
    const challenge = async (path: string, call: Parameters<typeof app.request>[1]): Promise<readonly [number, string | null]> => {
      const response = await app.request(path, call)
      return [response.status, response.headers.get('www-authenticate')]
    }
    expect(await challenge('/r/user', {})).toEqual([401, 'Bearer realm="authsec", error="invalid_request"'])
    for (const authorization of ['', 'Basic YTpi', 'Bearer', 'Bearer ', 'Bearer a b', `Bearer  ${token}`]) {
      expect(await challenge('/r/user', { headers: { authorization } }), authorization).toEqual([
        401,
        'Bearer realm="authsec", error="invalid_request"',
      ])
    }
    expect(await challenge('/r/user', { token: 'x.y.z' })).toEqual([401, 'Bearer realm="authsec", error="invalid_token"'])
    expect(await challenge('/r/may', { token })).toEqual([403, 'Bearer realm="authsec", error="insufficient_scope"'])
    expect((await challenge('/r/user', { token }))[0]).toBe(204)
    app.clock.advance(61)
    const [status, header] = await challenge('/r/user', { token })
    expect(status).toBe(401)
    expect(header).toMatch(/error="insufficient_user_authentication".*max_age="60"/)
  })

  test('a refusal of an authenticated caller is in the tenant’s audit log with the caller’s id', async () => {
    const app = await contract
    const company = await app.company()
    const pat = await app.person(company)
    await app.request('/r/may', { token: await app.token(pat) })
    const refused = (await app.events(company.tenantId)).filter(({ event }) => event === 'request.refused')
    expect(refused).toEqual([expect.objectContaining({ actorId: pat.id, reason: 'insufficient_scope', route: 'r.may', outcome: 'refused' })])
  })
})
