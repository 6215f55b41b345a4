// Responses to requests whose URL cannot be parsed, sent over a raw socket because no HTTP client sends them.
import { connect } from 'node:net'
import { setTimeout as wait } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import * as z from 'zod'
import type { RequestCtx } from '#shared/domains/context'
import { CacheUnavailable } from '#shared/platform/cache/cache'
import { open } from '#shared/platform/http/access'
import { empty, routeFor } from '#shared/platform/http/route'
import { startApp, type TestApp } from '#tests/support/app'
import { listen, type Serving } from './serving.ts'

const upload = routeFor<RequestCtx>()({
  id: 't.upload',
  on: 'POST /t/upload',
  summary: 'A test.',
  access: open('A test.', { class: 'general' }),
  body: z.object({}),
  reply: empty(204),
  errors: [],
  emits: 'nothing',
  handle: async () => undefined,
})

let server: Serving
let lines: string[]
let started: TestApp
beforeAll(async () => {
  started = await startApp([upload] as never, { env: { PORT: '0' } })
  const { app, ctx, log } = started
  lines = log.lines
  server = await listen(app, ctx)
})
afterAll(() => server.close(0))

const unread = (): unknown[] => lines.map((line) => JSON.parse(line)).filter(({ event }) => event === 'request.unreadable')
const send = (lines: readonly string[]): Promise<string> =>
  new Promise((resolve, reject) => {
    let answered = ''
    const socket = connect(server.port, '127.0.0.1', () => socket.write(`${[...lines, 'connection: close'].join('\r\n')}\r\n\r\n`))
    socket.setEncoding('utf8')
    socket.on('data', (text: string) => {
      answered += text
    })
    socket.on('close', () => resolve(answered))
    socket.on('error', reject)
  })

test.each([[['GET /metrics HTTP/1.1', 'host: [bad']], [['GET /metrics HTTP/1.1', 'host: a b']]])(
  '%j is refused with a code, and logged',
  async (sent) => {
    lines.length = 0
    const [head = '', body = ''] = (await send(sent)).split('\r\n\r\n')
    expect(unread()).toMatchObject([{ status: 400 }])
    expect(head).toMatch(/^HTTP\/1\.1 400 /)
    expect(JSON.parse(body)).toMatchObject({ status: 400, code: 'invalid_request', field: 'header.host' })
  },
)

test('a request with a valid address reaches the app', async () => {
  expect(await send(['GET /nowhere HTTP/1.1', 'host: localhost'])).toContain('"code":"not_found"')
  expect(await send(['GET /health/live HTTP/1.1', 'host: localhost'])).toContain('alive')
})

test('malformed requests and endless headers are refused and logged without their content', async () => {
  const S = 'S3CRET-marker'
  for (const [sent, status] of [
    [[S], 400],
    [['POST / HTTP/1.1', 'host: localhost', 'content-length: 1', 'content-length: 2'], 400],
    [['POST / HTTP/1.1', 'host: localhost', 'content-length: 1', 'transfer-encoding: chunked'], 400],
    [['GET / HTTP/1.1', 'host: localhost', `x-large: ${S}${'x'.repeat(200_000)}`], 431],
  ] as const) {
    lines.length = 0
    expect(await send(sent)).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `))
    expect(unread(), sent.join()).toMatchObject([{ level: 'warn', status }])
    expect(lines.join()).not.toContain(S)
  }
})

test.each(['content-length: 100000', 'transfer-encoding: chunked'])(
  'an upload that its client aborts (%s) is the client\u2019s: 499 at info, no error',
  async (length) => {
    lines.length = 0
    const socket = connect(server.port, '127.0.0.1')
    const head = ['POST /t/upload HTTP/1.1', 'host: localhost', 'content-type: application/json', length]
    await new Promise<void>((resolve) =>
      socket.write(`${head.join('\r\n')}\r\n\r\n${length.includes('chunked') ? '5\r\n{"a":\r\n' : '{"a":'}`, () => resolve()),
    )
    await wait(100)
    socket.resetAndDestroy()
    const logged = () => lines.map((line) => JSON.parse(line) as { event: string; level: string; status?: number })
    await expect.poll(() => logged().filter(({ event }) => event === 'request'), { timeout: 5000 }).toMatchObject([{ level: 'info', status: 499 }])
    expect(logged().filter(({ level }) => level !== 'info')).toEqual([])
  },
)

test('headers that never end are cut after ten seconds', async () => {
  const began = performance.now()
  const answered = await new Promise<string>((resolve) => {
    let text = ''
    const socket = connect(server.port, '127.0.0.1', () => socket.write('GET /health/live HTTP/1.1\r\nhost: localhost\r\n'))
    const drip = setInterval(() => socket.write('x-more: x\r\n'), 500)
    socket.setEncoding('utf8')
    socket.on('data', (part: string) => {
      text += part
    })
    socket.on('error', () => undefined)
    socket.on('close', () => {
      clearInterval(drip)
      resolve(text)
    })
  })
  expect(answered).toMatch(/^HTTP\/1\.1 408 /)
  expect(performance.now() - began).toBeGreaterThan(9000)
  expect(performance.now() - began).toBeLessThan(13_000)
})

test('without the cache the process is ready, and says that it is degraded', async () => {
  const answer = async () => {
    // The result is remembered for a second.
    started.clock.advance(2)
    const [head = '', body = ''] = (await send(['GET /health/ready HTTP/1.1', 'host: localhost'])).split('\r\n\r\n')
    return [head.split(' ')[1], body.trim()]
  }
  expect(await answer()).toEqual(['200', 'ready'])
  const { ping } = started.cache
  started.cache.ping = () => Promise.reject(new CacheUnavailable(undefined))
  expect(await answer()).toEqual(['200', 'degraded: the cache is unavailable'])
  started.cache.ping = ping
  expect(await answer()).toEqual(['200', 'ready'])
})
