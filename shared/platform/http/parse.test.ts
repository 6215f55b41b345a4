// A malformed body gets a 4xx with a stable code and the failing field, and never reaches the handler.
import { describe, expect, test } from 'vitest'
import * as z from 'zod'
import type { RequestCtx } from '#shared/domains/context'
import { disclosedIn, JSON_HEADERS, rawRequests } from '#tests/support/raw-requests'
import { open } from './access.ts'
import { json, routeFor } from './route.ts'

const route = routeFor<RequestCtx>()
const Seen = z.object({ seen: z.unknown() })
const Body = z.object({ name: z.string(), nick: z.string().optional(), n: z.number().optional(), deep: z.unknown().optional() })
const access = open('A test.', { class: 'general' })
const common = { access, reply: json(200, Seen), errors: [], emits: 'nothing', summary: 'A test.' } as const

const { raw, post } = rawRequests([
  route({ ...common, id: 't.lenient', on: 'POST /authsec/t/lenient', body: Body, handle: async ({ body }) => ({ seen: body }) }),
  route({ ...common, id: 't.strict', on: 'POST /t/strict', body: z.strictObject(Body.shape), handle: async ({ body }) => ({ seen: body }) }),
  route({ ...common, id: 't.form', on: 'POST /t/form', form: z.strictObject({ name: z.string() }), handle: async ({ form }) => ({ seen: form }) }),
  route({ ...common, id: 't.plain', on: 'POST /t/plain', handle: async () => ({ seen: true }) }),
  route({ ...common, id: 't.small', on: 'POST /t/small', body: Body, maxBodyBytes: 64, handle: async ({ body }) => ({ seen: body }) }),
])

describe('bodies', () => {
  const bytes = (...values: readonly number[]): Uint8Array<ArrayBuffer> =>
    Uint8Array.from([...Buffer.from('{"name":"'), ...values, ...Buffer.from('"}')])
  const nested = (depth: number): string => `{"name":"a","deep":${'['.repeat(depth)}${']'.repeat(depth)}}`

  test.each<[string, BodyInit, object]>([
    ['broken JSON', '{"name":', { status: 400, code: 'invalid_json', field: 'body' }],
    ['two values', '{"name":"a"}{"name":"b"}', { status: 400, code: 'invalid_json', field: 'body' }],
    ['a byte order mark', '\uFEFF\uFEFF{"name":"a"}', { status: 400, code: 'invalid_json', field: 'body' }],
    ['a raw null byte', '{"name":"a\0"}', { status: 400, code: 'invalid_json', field: 'body' }],
    ['an escaped null', '{"name":"a\\u0000"}', { status: 400, code: 'invalid_request', field: 'body.name' }],
    ['a null in a name', '{"na\\u0000me":"a"}', { status: 400, code: 'invalid_request', field: 'body' }],
    ['a lone high surrogate', '{"name":"\\ud800"}', { status: 400, code: 'invalid_request', field: 'body.name' }],
    ['a lone low surrogate', '{"name":"x\\udc00y"}', { status: 400, code: 'invalid_request', field: 'body.name' }],
    ['a lone surrogate as a name', '{"\\ud800":1}', { status: 400, code: 'invalid_request', field: 'body' }],
    ['invalid UTF-8', bytes(0xff), { status: 400, code: 'invalid_request', field: 'body' }],
    ['overlong UTF-8', bytes(0xc0, 0xae), { status: 400, code: 'invalid_request', field: 'body' }],
    ['a surrogate in UTF-8', bytes(0xed, 0xa0, 0x80), { status: 400, code: 'invalid_request', field: 'body' }],
    ['nesting', nested(40), { status: 400, code: 'invalid_request', field: 'body.deep.0.0' }],
    ['nesting without end', nested(200_000), { status: 400, code: 'invalid_request', field: 'body.deep.0.0' }],
    ['__proto__', '{"name":"a","__proto__":{"admin":true}}', { status: 400, code: 'invalid_request', field: 'body' }],
    ['__proto__ below', '{"name":"a","deep":{"__proto__":1}}', { status: 400, code: 'invalid_request', field: 'body.deep' }],
    ['a huge number', '{"name":"a","n":1e999}', { status: 400, code: 'invalid_request', field: 'body.n' }],
    ['a huge number below', '{"name":"a","deep":[-1e999]}', { status: 400, code: 'invalid_request', field: 'body.deep.0' }],
    ['an array', '[]', { status: 400, code: 'invalid_request', field: 'body' }],
    ['a text', '"name"', { status: 400, code: 'invalid_request', field: 'body' }],
    ['null', 'null', { status: 400, code: 'invalid_request', field: 'body' }],
    ['nothing', '', { status: 400, code: 'invalid_request', field: 'body.name' }],
    ['white space', ' \n', { status: 400, code: 'invalid_request', field: 'body.name' }],
    ['another type', '{"name":1}', { status: 400, code: 'invalid_request', field: 'body.name' }],
  ])('%s', async (_, body, expected) => {
    expect(await disclosedIn(await post('/t/strict', body))).toEqual(expected)
    expect(await disclosedIn(await post('/authsec/t/lenient', body))).toEqual(expected)
  })

  test('moderate nesting is accepted', async () => {
    expect((await post('/t/strict', nested(20))).status).toBe(200)
  })

  test.each([
    ['text/plain'],
    ['application/x-www-form-urlencoded'],
    ['multipart/form-data; boundary=x'],
    ['application/jsonp'],
    ['application/json, text/plain'],
    ['application/json; charset=latin1'],
    ['application/json; charset=utf-16'],
    ['application/json; charset=utf-7; charset=utf-8'],
    [''],
  ])('the content type %j is refused', async (type) => {
    const response = await post('/t/strict', '{"name":"a"}', { 'content-type': type })
    expect(await disclosedIn(response)).toEqual({ status: 400, code: 'unsupported_media_type', field: 'header.content-type' })
  })

  test.each([
    ['application/json'],
    ['application/json; charset=utf-8'],
    ['application/json;charset=UTF-8'],
    ['Application/JSON'],
    ['application/scim+json'],
  ])('the content type %j is accepted', async (type) => {
    expect((await post('/t/strict', '{"name":"a"}', { 'content-type': type })).status).toBe(200)
  })

  test.each([['gzip'], ['br'], ['deflate, gzip'], ['GZIP']])('a body in %s is refused before it is read', async (encoding) => {
    const response = await post('/t/strict', '{"name":"a"}', { ...JSON_HEADERS, 'content-encoding': encoding })
    expect(await disclosedIn(response)).toEqual({ status: 400, code: 'unsupported_media_type', field: 'header.content-encoding' })
  })

  const FIVE_MB = 5 * 1024 * 1024
  /** A stream without a declared length that counts the bytes read from it. */
  const chunked = () => {
    let taken = 0
    const body = new ReadableStream<Uint8Array>({
      pull: (controller) => {
        taken += 65_536
        if (taken > FIVE_MB) controller.close()
        else controller.enqueue(new Uint8Array(65_536).fill(32))
      },
    })
    return { body, taken: () => taken }
  }
  const TOO_LARGE = { status: 413, code: 'payload_too_large' }

  test.each([['/t/strict'], ['/authsec/t/lenient'], ['/t/form']])(
    'five megabytes to %s are refused, with or without a declared length',
    async (path) => {
      const headers = path === '/t/form' ? { 'content-type': 'application/x-www-form-urlencoded' } : JSON_HEADERS
      expect(await disclosedIn(await post(path, '{}', { ...headers, 'content-length': String(FIVE_MB) }))).toEqual(TOO_LARGE)
      expect(await disclosedIn(await post(path, ' '.repeat(FIVE_MB), headers))).toEqual(TOO_LARGE)
      const stream = chunked()
      expect(await disclosedIn(await post(path, stream.body as unknown as BodyInit, headers))).toEqual(TOO_LARGE)
      expect(stream.taken()).toBeLessThan(FIVE_MB / 2)
    },
  )

  const MANY = { status: 413, code: 'too_many_members' }

  test('more members than any request needs are refused before they are parsed, wherever they are; commas in texts are not members', async () => {
    const members = (count: number): string => Array.from({ length: count }, (_, n) => `"k${n}":1`).join(',')
    for (const body of [
      `{"name":"a",${members(60_000)}}`,
      `{"name":"a","deep":{${members(20_001)}}}`,
      `{"name":"a","deep":[${'0,'.repeat(20_001)}0]}`,
    ])
      for (const path of ['/t/strict', '/authsec/t/lenient']) expect(await disclosedIn(await post(path, body))).toEqual({ ...MANY, field: 'body' })
    // Not JSON at all, and still not parsed.
    expect(await disclosedIn(await post('/t/strict', ','.repeat(30_000)))).toEqual({ ...MANY, field: 'body' })
    for (const text of [','.repeat(100_000), '\\",'.repeat(50_000), '\\'.repeat(50_000)])
      expect((await post('/t/strict', JSON.stringify({ name: text }))).status).toBe(200)
    expect((await post('/t/strict', `{"name":"a","deep":{${members(19_000)}}}`)).status).toBe(200)
    const form = { 'content-type': 'application/x-www-form-urlencoded' }
    expect(await disclosedIn(await post('/t/form', Array.from({ length: 1001 }, (_, n) => `k${n}=1`).join('&'), form))).toEqual({
      ...MANY,
      field: 'form',
    })
    const query = Array.from({ length: 1001 }, (_, n) => `k${n}=`).join('&')
    expect(await disclosedIn(await post(`/t/strict?${query}`, '{"name":"a"}'))).toEqual({ ...MANY, field: 'query' })
  })

  test('a route without a declared body refuses a large Content-Length and reads no body', async () => {
    expect(await disclosedIn(await raw('/t/plain', { headers: { 'content-length': String(FIVE_MB) } }))).toEqual(TOO_LARGE)
    expect((await post('/t/plain', 'anything', { 'content-type': 'text/plain' })).status).toBe(200)
  })

  test('a false Content-Length does not bypass the limit', async () => {
    const response = await post('/t/small', JSON.stringify({ name: 'a'.repeat(100) }), { ...JSON_HEADERS, 'content-length': '3' })
    expect(await disclosedIn(response)).toEqual(TOO_LARGE)
    expect((await post('/t/small', '{"name":"a"}')).status).toBe(200)
  })

  test('names of prototype members are ordinary names and pollute nothing', async () => {
    const body = '{"name":"a","constructor":{"prototype":{"polluted":1}},"toString":"x","hasOwnProperty":1}'
    expect(await disclosedIn(await post('/t/strict', body))).toMatchObject({ status: 400, code: 'invalid_request' })
    expect(await (await post('/authsec/t/lenient', body)).json()).toEqual({ seen: { name: 'a' } })
    expect(({} as { polluted?: unknown }).polluted).toBeUndefined()
  })

  test('unknown members are refused by name on our own paths and ignored below /authsec', async () => {
    expect(await disclosedIn(await post('/t/strict', '{"name":"a","more":1}'))).toEqual({ status: 400, code: 'invalid_request', field: 'body.more' })
    expect(await (await post('/authsec/t/lenient', '{"name":"a","more":1}')).json()).toEqual({ seen: { name: 'a' } })
  })

  test('an error response repeats little of the input', async () => {
    const many = Object.fromEntries(Array.from({ length: 10_000 }, (_, n) => [`member-${n}`, n]))
    const response = await post('/t/strict', JSON.stringify({ name: 'a', ...many }))
    expect(response.status).toBe(400)
    expect((await response.text()).length).toBeLessThan(1000)
  })

  test('an empty optional member is absent only below /authsec; an empty required member stays empty', async () => {
    expect(await (await post('/authsec/t/lenient', '{"name":"a","nick":""}')).json()).toEqual({ seen: { name: 'a' } })
    expect(await (await post('/authsec/t/lenient', '{"name":"","nick":null}')).json()).toEqual({ seen: { name: '' } })
    expect(await (await post('/t/strict', '{"name":"a","nick":""}')).json()).toEqual({ seen: { name: 'a', nick: '' } })
    expect((await post('/t/strict', '{"name":"a","nick":null}')).status).toBe(400)
  })
})
