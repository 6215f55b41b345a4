import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, expect, test } from 'vitest'
import * as z from 'zod'
import { fixedClock } from '#shared/kernel/clock'
import { AppError } from '#shared/kernel/errors'
import { memoryLog } from '#shared/kernel/log'
import { systemRandom } from '#shared/kernel/random'
import { otlpTracer } from './otlp-tracer.ts'
import { noTracer } from './trace.ts'
import { parseTraceparent } from './traceparent.ts'

// The JSON required by the OTLP specification: hexadecimal ids, 64-bit integers as strings, enums as numbers, no unknown member.
const Value = z.union([
  z.strictObject({ stringValue: z.string() }),
  z.strictObject({ boolValue: z.boolean() }),
  z.strictObject({ intValue: z.string().regex(/^-?\d+$/) }),
  z.strictObject({ doubleValue: z.number() }),
])
const Attributes = z.array(z.strictObject({ key: z.string().min(1), value: Value }))
const Nanoseconds = z.string().regex(/^[1-9]\d{18}$/)
const Span = z.strictObject({
  traceId: z.string().regex(/^[0-9a-f]{32}$/),
  spanId: z.string().regex(/^[0-9a-f]{16}$/),
  parentSpanId: z
    .string()
    .regex(/^[0-9a-f]{16}$/)
    .optional(),
  name: z.string().min(1),
  kind: z.union([z.literal(1), z.literal(2), z.literal(3)]),
  startTimeUnixNano: Nanoseconds,
  endTimeUnixNano: Nanoseconds,
  attributes: Attributes,
  status: z.strictObject({ code: z.literal(2).optional() }),
})
const Scope = z.strictObject({ name: z.string(), version: z.string() })
const Export = z.strictObject({
  resourceSpans: z.tuple([
    z.strictObject({
      resource: z.strictObject({ attributes: Attributes }),
      scopeSpans: z.tuple([z.strictObject({ scope: Scope, spans: z.array(Span).min(1) })]),
    }),
  ]),
})

type Answer = { status: number } | 'never'
const open: Server[] = []
const collector = async (answer: { now: Answer } = { now: { status: 200 } }) => {
  const requests: { path: string | undefined; type: string | undefined; body: string }[] = []
  const server = createServer((req, res) => {
    let body = ''
    req.on('data', (chunk) => {
      body += chunk
    })
    req.on('end', () => {
      requests.push({ path: req.url, type: req.headers['content-type'], body })
      if (answer.now !== 'never') res.writeHead(answer.now.status, { 'Content-Type': 'application/json' }).end('{"partialSuccess":{}}')
    })
  })
  open.push(server)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const spans = () => requests.flatMap(({ body }) => Export.parse(JSON.parse(body)).resourceSpans[0].scopeSpans[0].spans)
  return { endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, requests, spans }
}
afterEach(() => {
  for (const server of open.splice(0)) {
    server.closeAllConnections()
    server.close()
  }
})

const tracing = (endpoint: string) => {
  const clock = fixedClock('2026-03-01T12:00:00Z')
  const log = memoryLog(clock.now)
  return { clock, log, tracer: otlpTracer({ endpoint, clock, random: systemRandom(clock), log }) }
}

test('spans reach the collector in OTLP form, children below their parents', async () => {
  const { endpoint, requests, spans } = await collector()
  const { tracer, clock } = tracing(endpoint)
  const result = await tracer.span('GET /a', { 'http.request.method': 'GET', 'http.route': '/a' }, async (set) => {
    await Promise.all([
      tracer.span('select', { 'db.operation.name': 'select' }, async () => clock.advance(1)),
      tracer.span('cache', {}, async () => undefined),
    ])
    set({ 'http.response.status_code': 200, 'authsec.tenant_id': 't-1' })
    return 'answer'
  })
  await tracer.flush()
  expect(result).toBe('answer')
  expect(requests.map(({ path, type }) => `${path} ${type}`)).toEqual(['/v1/traces application/json'])
  const root = spans().find(({ name }) => name === 'GET /a')
  const children = spans().filter(({ name }) => name !== 'GET /a')
  expect(children.map(({ parentSpanId }) => parentSpanId)).toEqual([root?.spanId, root?.spanId])
  expect(new Set(spans().map(({ traceId }) => traceId)).size).toBe(1)
  expect(root).toMatchObject({ startTimeUnixNano: '1772366400000000000', endTimeUnixNano: '1772366401000000000', status: {} })
  expect(root?.parentSpanId).toBeUndefined()
  expect(root?.attributes).toContainEqual({ key: 'http.response.status_code', value: { intValue: '200' } })
  expect(root?.attributes).toContainEqual({ key: 'authsec.tenant_id', value: { stringValue: 't-1' } })
})

test("a request's trace is continued and passed to other services", async () => {
  const { endpoint, spans } = await collector()
  const { tracer } = tracing(endpoint)
  const traceparent = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01'
  const outgoing = await tracer.span('GET /a', {}, async () => tracer.traceparent(), { traceparent })
  await tracer.flush()
  const [span] = spans()
  expect(span).toMatchObject({ traceId: '4bf92f3577b34da6a3ce929d0e0e4736', parentSpanId: '00f067aa0ba902b7', kind: 2 })
  expect(outgoing).toBe(`00-${span?.traceId}-${span?.spanId}-01`)
  expect(tracer.traceparent()).toBeUndefined()
})

test('an unsampled trace is passed on, and neither it nor its children are sent', async () => {
  const { endpoint, requests } = await collector()
  const { tracer } = tracing(endpoint)
  const from = { traceparent: '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00' }
  const outgoing = await tracer.span('GET /a', {}, () => tracer.span('inner', {}, async () => tracer.traceparent()), from)
  await tracer.flush()
  expect(requests).toEqual([])
  expect(outgoing).toMatch(/^00-4bf92f3577b34da6a3ce929d0e0e4736-[0-9a-f]{16}-00$/)
})

test.each([
  undefined,
  '',
  '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7',
  'ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01',
  '00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01',
  '00-00000000000000000000000000000000-00f067aa0ba902b7-01',
  '00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01',
  '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-more',
])('the traceparent %s is ignored', (header) => {
  expect(parseTraceparent(header)).toBeUndefined()
})

test('the known part of a later traceparent version is used', () => {
  expect(parseTraceparent('01-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-03-more')).toMatchObject({ sampled: true })
})

test('an error is rethrown unchanged, and its code is reported without its text', async () => {
  const { endpoint, requests, spans } = await collector()
  const { tracer } = tracing(endpoint)
  const error = new AppError('invalid_credentials', 'ana@example.com is unknown')
  await expect(tracer.span('POST /login', {}, () => Promise.reject(error))).rejects.toBe(error)
  await tracer.flush()
  expect(spans()[0]).toMatchObject({ status: { code: 2 }, attributes: [{ key: 'error.type', value: { stringValue: 'invalid_credentials' } }] })
  expect(requests[0]?.body).not.toContain('ana@example.com')
})

test('many spans are sent in batches', async () => {
  const { endpoint, requests, spans } = await collector()
  const { tracer } = tracing(endpoint)
  for (let n = 0; n < 1200; n++) await tracer.span('x', {}, async () => undefined)
  await tracer.flush()
  await tracer.flush()
  expect(requests.length).toBeGreaterThanOrEqual(3)
  expect(new Set(spans().map(({ spanId }) => spanId)).size).toBe(1200)
})

test('a failing collector is logged once and not called for a while; the work continues', async () => {
  const answer: { now: Answer } = { now: { status: 503 } }
  const { endpoint, requests } = await collector(answer)
  const { tracer, log, clock } = tracing(endpoint)
  const span = () => tracer.span('x', {}, async () => 'fine')
  for (let n = 0; n < 3; n++) {
    expect(await span()).toBe('fine')
    await tracer.flush()
  }
  expect(requests).toHaveLength(1)
  expect(log.lines).toHaveLength(1)
  expect(JSON.parse(log.lines[0] ?? '')).toMatchObject({ event: 'trace.export_failed', spans_lost: 1 })
  answer.now = { status: 200 }
  clock.advance(31)
  await tracer.flush()
  expect(requests).toHaveLength(2)
})

test('a collector that never answers times out after two seconds', async () => {
  const { endpoint } = await collector({ now: 'never' })
  const { tracer, log } = tracing(endpoint)
  await tracer.span('x', {}, async () => undefined)
  await tracer.flush()
  expect(JSON.parse(log.lines[0] ?? '')).toMatchObject({ event: 'trace.export_failed' })
})

test('without a collector the work runs unchanged', async () => {
  expect(await noTracer.span('x', {}, async (set) => set({ 'http.route': '/a' }))).toBeUndefined()
  expect(noTracer.traceparent()).toBeUndefined()
  await noTracer.flush()
})
