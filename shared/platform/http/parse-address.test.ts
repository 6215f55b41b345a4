// Malformed queries, paths and forms are refused, and access is checked before any of them is read.
import { describe, expect, test } from 'vitest'
import * as z from 'zod'
import type { RequestCtx } from '#shared/domains/context'
import { disclosedIn, JSON_HEADERS, type Raw, rawRequests } from '#tests/support/raw-requests'
import { open, user } from './access.ts'
import { json, routeFor } from './route.ts'

const route = routeFor<RequestCtx>()
const Seen = z.object({ seen: z.unknown() })
const Body = z.object({ name: z.string() })
const access = open('A test.', { class: 'general' })
const common = { access, reply: json(200, Seen), errors: [], emits: 'nothing', summary: 'A test.' } as const

const { raw, post } = rawRequests([
  route({ ...common, id: 't.form', on: 'POST /t/form', form: z.strictObject({ name: z.string() }), handle: async ({ form }) => ({ seen: form }) }),
  route({
    ...common,
    id: 't.query',
    on: 'GET /t/query',
    query: z.strictObject({ q: z.string().optional() }),
    handle: async ({ query }) => ({ seen: query }),
  }),
  route({ ...common, id: 't.path', on: 'GET /t/path/:id', path: z.strictObject({ id: z.string() }), handle: async ({ path }) => ({ seen: path }) }),
  route({ ...common, id: 't.closed', on: 'POST /t/closed', access: user(), body: Body, handle: async ({ body }) => ({ seen: body }) }),
])

describe('forms', () => {
  const FORM = { 'content-type': 'application/x-www-form-urlencoded' }
  test('a form is parsed', async () => {
    expect(await (await post('/t/form', 'name=Zo%C3%AB+B', FORM)).json()).toEqual({ seen: { name: 'Zoë B' } })
  })
  test.each([
    ['a repeated parameter', 'name=a&name=b', 'form.name'],
    ['a repeated parameter in other escapes', 'name=a&n%61me=b', 'form.name'],
    ['a null', 'name=%00', 'form.name'],
    ['invalid UTF-8', 'name=%ff', 'form.name'],
    ['half an escape', 'name=%4', 'form.name'],
    ['__proto__', '__proto__=1&name=a', 'form'],
    ['an unknown parameter', 'name=a&more=b', 'form.more'],
    ['a list', 'name[]=a', 'form.name'],
    ['nothing', '', 'form.name'],
  ])('%s is refused', async (_, body, field) => {
    expect(await disclosedIn(await post('/t/form', body, FORM))).toEqual({ status: 400, code: 'invalid_request', field })
  })
  test('JSON and multipart are refused where a form is expected', async () => {
    const multipart = new FormData()
    multipart.append('name', 'a')
    const expected = { status: 400, code: 'unsupported_media_type', field: 'header.content-type' }
    expect(await disclosedIn(await post('/t/form', '{"name":"a"}'))).toEqual(expected)
    expect(await disclosedIn(await raw('/t/form', { body: multipart }))).toEqual(expected)
  })
})

describe('queries and paths', () => {
  test.each([
    ['?q=a&q=b', 'query.q'],
    ['?q=a&%71=b', 'query.q'],
    ['?q=%00', 'query.q'],
    ['?q=%ff', 'query.q'],
    ['?q=%ed%a0%80', 'query.q'],
    ['?q=%', 'query.q'],
    ['?%ff=1', 'query'],
    ['?__proto__=1', 'query'],
    ['?more=1', 'query.more'],
    ['?q[]=1', 'query.q[]'],
  ])('%s is refused', async (query, field) => {
    expect(await disclosedIn(await raw(`/t/query${query}`, { method: 'GET' }))).toEqual({ status: 400, code: 'invalid_request', field })
  })

  test.each([
    ['?q=a%20b', { q: 'a b' }],
    ['?q=a+b', { q: 'a b' }],
    ['?q=%F0%9F%A6%89', { q: '🦉' }],
    ['?q', { q: '' }],
    ['?&&', {}],
    ['', {}],
  ])('%s is parsed', async (query, seen) => {
    expect(await (await raw(`/t/query${query}`, { method: 'GET' })).json()).toEqual({ seen })
  })

  test.each([['/t/path/%00'], ['/t/path/%ff'], ['/t/path/%'], ['/t/path/a%c0%ae']])('%s is refused', async (path) => {
    expect(await disclosedIn(await raw(path, { method: 'GET' }))).toMatchObject({ status: 400, code: 'invalid_request' })
  })

  test.each([
    ['//t/query'],
    ['/t//query'],
    ['/t/query/'],
    ['/T/query'],
    ['/t/Query'],
    ['/t%2Fquery'],
    ['/t/query;x=1'],
    ['/t/query%20'],
    ['/t/../x/t/query'],
    ['/t\\query\\'],
  ])('%s is a different path and not found', async (path) => {
    expect(await disclosedIn(await raw(`http://localhost${path}`, { method: 'GET' }))).toMatchObject({ status: 404, code: 'not_found' })
  })

  test('spellings of the same path are the same route', async () => {
    for (const path of ['/t/%71uery', '/x/../t/query', '/t/./query', '/t/%2e/query']) {
      expect((await raw(`http://localhost${path}`, { method: 'GET' })).status, path).toBe(200)
    }
  })

  test('a path parameter stays within its segment', async () => {
    expect(await (await raw('/t/path/a%2Fb', { method: 'GET' })).json()).toEqual({ seen: { id: 'a/b' } })
    expect((await raw('/t/path/a/b', { method: 'GET' })).status).toBe(404)
  })
})

describe('access comes before parsing', () => {
  test.each<[string, Raw]>([
    ['a good body', { body: '{"name":"a"}', headers: JSON_HEADERS }],
    ['a broken body', { body: '{', headers: JSON_HEADERS }],
    ['another type', { body: 'x', headers: { 'content-type': 'text/plain' } }],
    ['five megabytes', { headers: { ...JSON_HEADERS, 'content-length': '5242880' } }],
    ['nothing', {}],
  ])('an unauthenticated caller with %s gets the same 401', async (_, sent) => {
    const response = await raw('/t/closed', sent)
    expect(await disclosedIn(response)).toEqual({ status: 401, code: 'unauthorized' })
    expect(response.headers.get('www-authenticate')).toContain('Bearer')
  })

  test('the body of an unauthenticated caller is not read', async () => {
    let wasRead = false
    const body = new ReadableStream<Uint8Array>(
      {
        pull: (controller) => {
          wasRead = true
          controller.close()
        },
      },
      { highWaterMark: 0 },
    )
    expect((await post('/t/closed', body as unknown as BodyInit)).status).toBe(401)
    expect(wasRead).toBe(false)
  })
})
