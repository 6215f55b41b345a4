import { createHash } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeEach, expect, test } from 'vitest'
import { fixedClock } from '#shared/kernel/clock'
import { memoryLog } from '#shared/kernel/log'
import { breachedContract } from './breached.contract.ts'
import { bundledBreachedPasswords } from './bundled-list.ts'
import { rangeService } from './range-service.ts'

const LEAKED = 'Zugspitze liegt in Bayern'
const sha1 = (text: string): string => createHash('sha1').update(text).digest('hex').toUpperCase()
const PADDING = `${'0'.repeat(34)}A:0\r\n${'F'.repeat(35)}:0`
type Responder = (res: ServerResponse, req: IncomingMessage) => void
const counted =
  (count: number): Responder =>
  (res) =>
    res.end(`${PADDING}\r\n${sha1(LEAKED).slice(5)}:${count}\r\n`)

// A service of the documented format on its own socket; each test sets the response.
let answer: Responder = counted(3)
const request: { url: string | undefined; padding: unknown; agent: unknown; method: string | undefined }[] = []
const server = createServer((req, res) => {
  request.push({ url: req.url, padding: req.headers['add-padding'], agent: req.headers['user-agent'], method: req.method })
  answer(res, req)
})
await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
const { port } = server.address() as AddressInfo
afterAll(() => {
  server.closeAllConnections()
  server.close()
})
beforeEach(() => {
  request.length = 0
  answer = counted(3)
})

const log = memoryLog(fixedClock('2026-01-01').now)
const service = (url = `http://127.0.0.1:${port}`) => rangeService({ url, shipped: bundledBreachedPasswords(), log, timeoutMs: 300 })

breachedContract('range service', async () => service())
breachedContract('unavailable range service', async () => service('http://127.0.0.1:1'))

test('a password that only the service lists is breached, and the service learns five digits', async () => {
  expect(await service().has(LEAKED)).toBe(true)
  expect(request).toEqual([{ url: `/range/${sha1(LEAKED).slice(0, 5)}`, padding: 'true', agent: 'authsec-serverless', method: 'GET' }])
})

test('a password is looked up in NFC', async () => {
  await service().has('Gru\u0308ne Wiesen am See')
  expect(request[0]?.url).toBe(`/range/${sha1('Gr\u00fcne Wiesen am See').slice(0, 5)}`)
})

test('a password on the bundled list is not looked up', async () => {
  expect(await service().has('passwordpassword')).toBe(true)
  expect(request).toEqual([])
})

test('padding with the count 0 does not match; lower case and bare line feeds are accepted', async () => {
  answer = counted(0)
  expect(await service().has(LEAKED)).toBe(false)
  answer = (res) => res.end(`${sha1(LEAKED).slice(5).toLowerCase()}:1\n`)
  expect(await service().has(LEAKED)).toBe(true)
  answer = (res) => res.end('')
  expect(await service().has(LEAKED)).toBe(false)
})

const broken: readonly (readonly [string, Responder])[] = [
  ['no response', () => undefined],
  ['a slow body', (res) => void res.write(`${PADDING}\r\n`)],
  ['500', (res) => void res.writeHead(500).end(`${sha1(LEAKED).slice(5)}:3`)],
  ['429', (res) => void res.writeHead(429, { 'retry-after': '2' }).end()],
  ['a redirect', (res, req) => (req.url === '/elsewhere' ? counted(3)(res, req) : void res.writeHead(302, { location: '/elsewhere' }).end())],
  ['a page', (res) => void res.end('<html><body>Please sign in</body></html>')],
  ['garbage after a match', (res) => void res.end(`${sha1(LEAKED).slice(5)}:3\r\n\0\ufffdgarbage`)],
  [
    'a body without end',
    (res) => {
      const more = (): void => {
        if (!res.destroyed) res.write(`${'A'.repeat(35)}:1\r\n`.repeat(2000), () => setImmediate(more))
      }
      more()
    },
  ],
  ['a cut connection', (res) => void res.destroy()],
]

test.each(broken)('%s does not block a sign-up, and is logged without the password or its digest', async (_, given) => {
  answer = given
  const before = log.lines.length
  expect(await service().has(LEAKED)).toBe(false)
  expect(log.lines).toHaveLength(before + 1)
  const line = log.lines.at(-1) ?? ''
  expect(JSON.parse(line)).toMatchObject({ level: 'warn', event: 'breached_passwords.unavailable' })
  expect(line).not.toContain(sha1(LEAKED).slice(0, 5))
  expect(await service().has('passwordpassword')).toBe(true)
})
