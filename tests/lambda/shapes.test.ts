// Documented events of every kind of gateway, through the adapter to a route that reports what it received, and back.
import { expect, test } from 'vitest'
import * as z from 'zod'
import type { RequestCtx } from '#shared/domains/context'
import { open } from '#shared/platform/http/access'
import { lambda } from '#shared/platform/http/lambda'
import { problem } from '#shared/platform/http/problem'
import { HttpResult, json, routeFor, text } from '#shared/platform/http/route'
import { startApp } from '../support/app.ts'
import { PRODUCTION } from '../support/production.ts'
import { BALANCER, BALANCER_MULTI, FUNCTION_URL, HTTP_API, NOT_HTTP, REST_API } from './recorded.ts'

const Seen = z.object({ address: z.string(), secure: z.boolean(), cookie: z.string(), header: z.string(), name: z.string() })
const PICTURE = new Uint8Array([0x89, 0x50, 0x4e, 0x47, 0, 255, 254, 13, 10])
const streamed = () => new Blob([PICTURE]).stream() as ReadableStream<Uint8Array>
const route = routeFor<RequestCtx>()
const common = { access: open('A test.', { class: 'general' }), errors: [], emits: 'nothing', summary: 'A test.' } as const
const routes = [
  route({
    ...common,
    id: 'shapes.see',
    on: 'POST /shapes',
    body: z.strictObject({ name: z.string() }),
    reply: json(200, Seen),
    handle: async ({ ctx: { request }, body }) =>
      new HttpResult(
        {
          address: request.address,
          secure: request.secure,
          cookie: request.cookie('cookie2') ?? '',
          header: request.header('header2') ?? '',
          name: body.name,
        },
        { cookies: ['one', 'two', 'three'].map((name) => ({ name, value: '1', maxAgeSeconds: 60, sameSite: 'Lax' as const })) },
      ),
  }),
  route({
    ...common,
    id: 'shapes.query',
    on: 'GET /shapes',
    query: z.strictObject({ q: z.string() }),
    reply: json(200, z.object({ q: z.string() })),
    handle: async ({ query }) => query,
  }),
  route({
    ...common,
    id: 'shapes.named',
    on: 'GET /shapes/named/:name',
    path: z.object({ name: z.string() }),
    reply: json(200, z.object({ name: z.string() })),
    handle: async ({ path }) => path,
  }),
  route({
    ...common,
    id: 'shapes.long',
    on: 'GET /authsec/shapes/long',
    query: z.object({ bytes: z.coerce.number() }),
    reply: text(200, 'application/jsonl; charset=utf-8', { 'Content-Disposition': 'attachment; filename="long.jsonl"' }),
    handle: async ({ query: { bytes } }) =>
      new HttpResult(new Blob(['"'.repeat(bytes)]).stream() as ReadableStream<Uint8Array>, {
        cookies: [{ name: 'seen', value: '1', maxAgeSeconds: 60, sameSite: 'Lax' }],
      }),
  }),
  route({ ...common, id: 'shapes.picture', on: 'GET /shapes/picture', reply: text(200, 'image/png'), handle: async () => streamed() }),
]

const start = async (env: Readonly<Record<string, string>> = {}) => {
  const app = await startApp(routes, { render: problem, env: { ...PRODUCTION, RATE_LIMIT: 'on', ...env } })
  let settled = 0
  const handler = lambda(app.app, { settle: async () => void settled++, log: app.log })
  const call = async (event: unknown) => (await handler(event as Parameters<Handler>[0], {} as Parameters<Handler>[1])) as unknown as Result
  return { call, log: app.log, settled: () => settled }
}
type Handler = ReturnType<typeof lambda>
type Result = {
  readonly statusCode: number
  readonly body: string
  readonly isBase64Encoded: boolean
  readonly headers?: Readonly<Record<string, string>>
  readonly multiValueHeaders?: Readonly<Record<string, readonly string[]>>
  readonly cookies?: readonly string[]
}
const started = start()

const JSON_BODY = '{"name":"Zoë 名"}'
const TYPE = { 'content-type': 'application/json' }
const seen = (result: Result): unknown => JSON.parse(Buffer.from(result.body, result.isBase64Encoded ? 'base64' : 'utf8').toString('utf8'))

const posts: Readonly<Record<string, (body: string, isBase64Encoded: boolean, more?: Readonly<Record<string, string>>) => unknown>> = {
  'API Gateway, payload 2.0': (body, isBase64Encoded, more) => ({
    ...HTTP_API,
    rawPath: '/shapes',
    rawQueryString: '',
    body,
    isBase64Encoded,
    headers: { ...HTTP_API.headers, ...TYPE, ...more },
  }),
  'a function URL': (body, isBase64Encoded, more) => ({
    ...FUNCTION_URL,
    rawPath: '/shapes',
    rawQueryString: '',
    body,
    isBase64Encoded,
    headers: { ...FUNCTION_URL.headers, ...TYPE, ...more },
  }),
  'API Gateway, payload 1.0': (body, isBase64Encoded, more) => {
    const headers = { host: 'id.example.com', cookie: 'cookie1=one; cookie2=two', ...TYPE, ...more }
    const many = { ...Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, [value]])), header2: ['value1', 'value2'] }
    return {
      ...REST_API,
      httpMethod: 'POST',
      path: '/shapes',
      body,
      isBase64Encoded,
      headers,
      multiValueHeaders: many,
      multiValueQueryStringParameters: null,
    }
  },
  'a load balancer': (body, isBase64Encoded, more) => ({
    ...BALANCER,
    httpMethod: 'POST',
    path: '/shapes',
    body,
    isBase64Encoded,
    queryStringParameters: {},
    headers: { ...BALANCER.headers, cookie: 'cookie1=one; cookie2=two', header2: 'value1,value2', ...TYPE, ...more },
  }),
  'a load balancer with multi-value headers': (body, isBase64Encoded, more) => ({
    ...BALANCER_MULTI,
    httpMethod: 'POST',
    path: '/shapes',
    body,
    isBase64Encoded,
    multiValueQueryStringParameters: {},
    multiValueHeaders: {
      ...BALANCER_MULTI.multiValueHeaders,
      cookie: ['cookie1=one', 'cookie2=two'],
      header2: ['value1', 'value2'],
      'content-type': ['application/json'],
      ...Object.fromEntries(Object.entries(more ?? {}).map(([name, value]) => [name, [value]])),
    },
  }),
}
const kinds = Object.entries(posts)

test.each(kinds)('%s: body, headers, cookies, address and TLS are received; every cookie is sent', async (_, post) => {
  const { call } = await started
  for (const isBase64Encoded of [false, true]) {
    const result = await call(post(isBase64Encoded ? Buffer.from(JSON_BODY).toString('base64') : JSON_BODY, isBase64Encoded))
    expect(result.statusCode, result.body).toBe(200)
    expect(seen(result)).toEqual({
      address: '192.0.2.1',
      secure: true,
      cookie: 'two',
      header: expect.stringMatching(/^value1, ?value2$/),
      name: 'Zoë 名',
    })
    const headers = [
      ...Object.entries(result.headers ?? {}),
      ...Object.entries(result.multiValueHeaders ?? {}).flatMap(([name, values]) => values.map((value) => [name, value] as const)),
    ]
    const cookies = result.cookies ?? headers.flatMap(([name, value]) => (name.toLowerCase() === 'set-cookie' ? [value] : []))
    expect(cookies.map((cookie) => cookie.split('=')[0]).toSorted()).toEqual(['one', 'three', 'two'])
  }
})

test.each(kinds)('%s: a forwarded address that the caller wrote is ignored', async (_, post) => {
  const { call } = await started
  const isBalancer = _.includes('balancer')
  // A balancer appends the address it saw to the caller's header; a gateway sends it separately.
  const written = isBalancer ? '198.51.100.66, 192.0.2.1' : '198.51.100.66'
  const result = await call(post(JSON_BODY, false, { 'x-forwarded-for': written, forwarded: 'for=198.51.100.66', 'x-real-ip': '198.51.100.66' }))
  expect(seen(result)).toMatchObject({ address: '192.0.2.1' })
})

test('behind a balancer the entry of a trusted proxy is skipped, and no other', async () => {
  const { call } = await start({ TRUSTED_PROXIES: '192.0.2.0/24' })
  const post = posts['a load balancer']
  const by = async (header: string) => seen(await call(post?.(JSON_BODY, false, { 'x-forwarded-for': header })))
  expect(await by('198.51.100.66, 203.0.113.9, 192.0.2.1')).toMatchObject({ address: '203.0.113.9' })
  expect(await by('198.51.100.66, nonsense, 192.0.2.1')).toMatchObject({ address: '192.0.2.1' })
})

test('an ignored forwarded header is noted in the log without its content', async () => {
  const { call, log } = await start({ TRUSTED_PROXIES: '192.0.2.0/24' })
  const post = posts['a load balancer']
  const lineOf = async (header: string) => {
    log.lines.length = 0
    await call(post?.(JSON_BODY, false, { 'x-forwarded-for': header }))
    return log.lines.map((line) => (JSON.parse(line) as { readonly forwarded?: string }).forwarded)
  }
  expect(await lineOf('203.0.113.9, 192.0.2.1')).toEqual([undefined])
  expect(await lineOf('198.51.100.66, 203.0.113.9, 192.0.2.1')).toEqual(['ignored'])
  expect(await lineOf('198.51.100.66, 203.0.113.9')).toEqual(['ignored'])
  expect(log.lines.join()).not.toContain('198.51.100.66')
})

test('a header that a multi-value balancer received twice is a list, so the address before it is still used', async () => {
  const { call } = await start({ TRUSTED_PROXIES: '192.0.2.0/24' })
  const event = posts['a load balancer with multi-value headers']?.(JSON_BODY, false) as { multiValueHeaders: Record<string, string[]> }
  event.multiValueHeaders['x-forwarded-for'] = ['198.51.100.66', '203.0.113.9, 192.0.2.1']
  expect(seen(await call(event))).toMatchObject({ address: '203.0.113.9' })
})

test.each(kinds)('%s: a body that is not UTF-8, too large or compressed is refused and logged', async (_, post) => {
  const { call, log } = await started
  const bytes = Buffer.from([0x7b, 0xff, 0xfe, 0x7d]).toString('base64')
  expect((await call(post(bytes, true))).statusCode).toBe(400)
  const large = await call(post(JSON.stringify({ name: 'x'.repeat(1024 * 1024) }), false))
  expect([large.statusCode, seen(large)]).toEqual([413, expect.objectContaining({ code: 'payload_too_large' })])
  expect((await call(post(JSON_BODY, false, { 'content-encoding': 'gzip' }))).statusCode).toBe(400)
  const { request_id: id } = seen(large) as { readonly request_id: string }
  expect(log.lines.filter((line) => line.includes(id)).map((line) => JSON.parse(line))).toEqual([
    expect.objectContaining({ event: 'request', route: 'shapes.see', status: 413 }),
  ])
})

test.each(kinds)('%s: an unknown host is refused and logged without its name', async (_, post) => {
  const { call, log } = await start()
  for (const host of ['evil.example', 'id.example.com.evil.example', 'id.example.com:8443', 'evil.example\\@id.example.com', '169.254.169.254']) {
    const result = await call(post(JSON_BODY, false, { host }))
    expect([result.statusCode, seen(result)], host).toEqual([421, expect.objectContaining({ code: 'unknown_host' })])
  }
  expect(log.lines.filter((line) => line.includes('request.unknown_host'))).toHaveLength(5)
  expect(log.lines.join()).not.toMatch(/evil|169\.254/)
})

test.each([
  [
    'API Gateway, payload 2.0',
    {
      ...HTTP_API,
      rawPath: '/shapes',
      rawQueryString: 'q=a%20b%26c',
      requestContext: { ...HTTP_API.requestContext, http: { ...HTTP_API.requestContext.http, method: 'GET' } },
      body: undefined,
    },
  ],
  ['API Gateway, payload 1.0', { ...REST_API, path: '/shapes', multiValueQueryStringParameters: { q: ['a b&c'] } }],
  ['a load balancer', { ...BALANCER, path: '/shapes', queryStringParameters: { q: 'a%20b%26c' } }],
  ['a load balancer with multi-value headers', { ...BALANCER_MULTI, path: '/shapes', multiValueQueryStringParameters: { q: ['a%20b%26c'] } }],
])('%s: the query is received unchanged', async (_, event) => {
  const { call } = await started
  expect(seen(await call(event))).toEqual({ q: 'a b&c' })
})

const GET_V2 = { rawQueryString: '', body: undefined }
const NAMED = 'a b%41c?#é%'
const SENT = `/shapes/named/${encodeURIComponent(NAMED)}`
test.each([
  // Only this gateway passes on a decoded path.
  [
    'API Gateway, payload 2.0',
    {
      ...HTTP_API,
      ...GET_V2,
      rawPath: `/shapes/named/${NAMED}`,
      requestContext: { ...HTTP_API.requestContext, http: { ...HTTP_API.requestContext.http, method: 'GET' } },
    },
  ],
  [
    'a function URL',
    {
      ...FUNCTION_URL,
      ...GET_V2,
      rawPath: SENT,
      headers: { ...FUNCTION_URL.headers },
      requestContext: {
        ...FUNCTION_URL.requestContext,
        domainName: '<url-id>.lambda-url.us-west-2.on.aws'.replace(/[<>]/g, ''),
        http: { ...HTTP_API.requestContext.http, method: 'GET' },
      },
    },
  ],
  ['API Gateway, payload 1.0', { ...REST_API, path: SENT, multiValueQueryStringParameters: null }],
  ['a load balancer', { ...BALANCER, path: SENT, queryStringParameters: {} }],
  ['a load balancer with multi-value headers', { ...BALANCER_MULTI, path: SENT, multiValueQueryStringParameters: {} }],
])('%s: the path is received unchanged, encoded or decoded on the way', async (_, event) => {
  const { call } = await started
  expect(seen(await call(event))).toEqual({ name: NAMED })
})

test('a path that cannot be encoded does not escape the routes', async () => {
  const { call } = await started
  const event = { ...HTTP_API, ...GET_V2, requestContext: { ...HTTP_API.requestContext, http: { ...HTTP_API.requestContext.http, method: 'GET' } } }
  for (const rawPath of ['/shapes/named/\ud800', '/shapes/named/\0', '/shapes/named/x\\..\\y'])
    expect((await call({ ...event, rawPath })).statusCode, rawPath).toBeLessThan(500)
})

test('binary responses are sent as bytes', async () => {
  const { call } = await started
  const result = await call({ ...BALANCER, path: '/shapes/picture', queryStringParameters: {} })
  expect([result.statusCode, result.isBase64Encoded]).toEqual([200, true])
  expect(new Uint8Array(Buffer.from(result.body, 'base64'))).toEqual(PICTURE)
})

const gets: Readonly<Record<string, (path: string, bytes: number) => unknown>> = {
  'API Gateway, payload 2.0': (path, bytes) => ({
    ...HTTP_API,
    ...GET_V2,
    rawPath: path,
    rawQueryString: `bytes=${bytes}`,
    requestContext: { ...HTTP_API.requestContext, http: { ...HTTP_API.requestContext.http, method: 'GET' } },
  }),
  'a load balancer': (path, bytes) => ({ ...BALANCER, path, queryStringParameters: { bytes: String(bytes) } }),
  'a load balancer with multi-value headers': (path, bytes) => ({
    ...BALANCER_MULTI,
    path,
    multiValueQueryStringParameters: { bytes: [String(bytes)] },
  }),
}
test.each(Object.entries(gets))('%s: a response that exceeds the limit of a function is replaced by an error and logged', async (_, get) => {
  const { call, log } = await started
  // Of a type that the adapter does not treat as text: base64 needs four characters for three bytes.
  const whole = await call(get('/authsec/shapes/long', 4_650_000))
  expect([whole.statusCode, whole.body.length]).toEqual([200, 6_200_000])
  const cut = await call(get('/authsec/shapes/long', 4_750_000))
  expect([cut.statusCode, seen(cut)]).toEqual([413, expect.objectContaining({ code: 'answer_too_large', request_id: expect.any(String) })])
  const { request_id: id } = seen(cut) as { readonly request_id: string }
  expect(log.lines.filter((line) => line.includes(id)).map((line) => (JSON.parse(line) as { readonly event: string }).event)).toEqual([
    'request',
    'request.answer_too_large',
  ])
  const headers = JSON.stringify([cut.headers, cut.multiValueHeaders, cut.cookies])
  expect(headers).toContain('application/json')
  expect(headers).toContain('nosniff')
  expect(headers).not.toMatch(/attachment|seen=1|jsonl/)
})

test.each(Object.entries(NOT_HTTP))('%s is not an HTTP event and is refused', async (_, event) => {
  const { call, settled } = await started
  const before = settled()
  await expect(call(event)).rejects.toThrow('This function only accepts HTTP events.')
  expect(settled()).toBe(before)
})
