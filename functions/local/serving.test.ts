// What a server says to what no URL can be made of: over a socket, since no client sends it.
import { connect } from 'node:net'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startApp } from '#shared/testing/app'
import { listen, type Serving } from './serving.ts'

let server: Serving
beforeAll(async () => {
  const { app, ctx } = await startApp([], { env: { PORT: '0' } })
  server = await listen(app, ctx)
})
afterAll(() => server.close(0))

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

test.each([[['GET /metrics HTTP/1.1', 'host: [bad']], [['GET /metrics HTTP/1.1', 'host: a b']]])('%j is refused with a code', async (lines) => {
  const [head = '', body = ''] = (await send(lines)).split('\r\n\r\n')
  expect(head).toMatch(/^HTTP\/1\.1 400 /)
  expect(JSON.parse(body)).toMatchObject({ status: 400, code: 'invalid_request', field: 'header.host' })
})

test('what can be read is answered by the app', async () => {
  expect(await send(['GET /nowhere HTTP/1.1', 'host: localhost'])).toContain('"code":"not_found"')
  expect(await send(['GET /health/live HTTP/1.1', 'host: localhost'])).toContain('alive')
})
