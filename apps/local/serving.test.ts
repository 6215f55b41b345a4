// Responses to requests whose URL cannot be parsed, sent over a raw socket because no HTTP client sends them.
import { connect } from 'node:net'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startApp } from '#tests/support/app'
import { listen, type Serving } from './serving.ts'

let server: Serving
let lines: string[]
beforeAll(async () => {
  const { app, ctx, log } = await startApp([], { env: { PORT: '0' } })
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
