// Rate limits of the guard: per address whatever is forwarded, per account whatever the address, and independent of spelling.
import { expect, test } from 'vitest'
import * as z from 'zod'
import type { RequestCtx } from '#shared/domains/context'
import { startApp } from '#tests/support/app'
import { LIMITS, open, scraper, user } from './access.ts'
import { deviceCookie, deviceCookieValue } from './guard.ts'
import { empty, routeFor } from './route.ts'

const route = routeFor<RequestCtx>()
const common = { reply: empty(204), errors: [], emits: 'nothing', summary: 'A test.', handle: async () => undefined } as const
const body = z.object({ email: z.string() })
const routes = [
  route({ ...common, id: 'g.login', on: 'POST /g/login', access: open('A test.', { class: 'credential', account: 'email' }), body }),
  route({ ...common, id: 'g.other', on: 'POST /g/other', access: open('A test.', { class: 'credential', account: 'email' }), body }),
  route({ ...common, id: 'g.me', on: 'GET /g/me', access: user() }),
  route({ ...common, id: 'g.metrics', on: 'GET /g/metrics', access: scraper() }),
]
const { perAddress, perAccount } = LIMITS.credential
const start = (env: Readonly<Record<string, string>> = {}) => startApp(routes, { env: { RATE_LIMIT: 'on', ...env } })

type App = Awaited<ReturnType<typeof start>>
type Call = Parameters<App['request']>[1]
let people = 0
/** A different account each time, unless the call names one. */
const attempt = async (app: App, call: Call = {}, path = '/g/login'): Promise<number> =>
  (await app.request(path, { body: { email: `p${++people}@acme.example` }, ...call })).status
const times = async (count: number, once: (n: number) => Promise<number>): Promise<readonly number[]> => {
  const all: number[] = []
  for (let n = 0; n < count; n++) all.push(await once(n))
  return all
}
const passing = (count: number): readonly number[] => Array<number>(count).fill(204)

test('an address has a number of attempts per minute, then Retry-After, then attempts again', async () => {
  const app = await start()
  expect(await times(perAddress, () => attempt(app))).toEqual(passing(perAddress))
  const refused = await app.request('/g/login', { body: { email: 'a@acme.example' } })
  expect([refused.status, ((await refused.json()) as { code: string }).code]).toEqual([429, 'rate_limited'])
  const wait = Number(refused.headers.get('retry-after'))
  expect(wait).toBeGreaterThan(0)
  expect(await attempt(app, { address: '192.0.2.99' })).toBe(204)
  app.clock.advance(wait)
  expect(await attempt(app)).toBe(204)
})

test.each([
  ['a forwarded address', (n: number) => ({ 'x-forwarded-for': `203.0.113.${n}` })],
  ['a malformed one', (n: number) => ({ 'x-forwarded-for': `,,${n}, ;` })],
  [
    'other headers of the kind',
    (n: number) => ({ 'x-real-ip': `203.0.113.${n}`, forwarded: `for=203.0.113.${n}`, 'cf-connecting-ip': `203.0.113.${n}` }),
  ],
  ['another browser', (n: number) => ({ 'user-agent': `browser ${n}`, 'x-request-id': `r-${n}` })],
  ['a made-up device', (n: number) => ({ cookie: `authsec_device=${'a'.repeat(43)}.${n}` })],
])('%s does not earn a separate budget', async (_, headers) => {
  const app = await start()
  const answers = await times(perAddress + 1, (n) => attempt(app, { headers: headers(n) }))
  expect(answers).toEqual([...passing(perAddress), 429])
})

test('behind a trusted proxy the last untrusted hop counts, and a malformed header counts as the proxy', async () => {
  const app = await start({ TRUSTED_PROXIES: '192.0.2.1' })
  const from = (address: string) => ({ headers: { 'x-forwarded-for': `10.0.0.${people}, ${address}` } })
  expect(await times(perAddress + 1, () => attempt(app, from('203.0.113.7')))).toEqual([...passing(perAddress), 429])
  expect(await attempt(app, from('203.0.113.8'))).toBe(204)
  expect(await times(perAddress + 1, (n) => attempt(app, { headers: { 'x-forwarded-for': `nonsense-${n}` } }))).toEqual([...passing(perAddress), 429])
})

test('the addresses of an IPv6 /64 are one caller', async () => {
  const app = await start()
  expect(await times(perAddress + 1, (n) => attempt(app, { address: `2001:db8:1:2::${n + 1}` }))).toEqual([...passing(perAddress), 429])
  expect(await attempt(app, { address: '2001:db8:1:3::1' })).toBe(204)
})

test('another spelling of the path is the same route', async () => {
  const app = await start()
  const spellings = ['/g/login', '/g/%6cogin', '/g/./login', '/x/../g/login', '/g/login?a=1', '/g/login#x']
  const answers = await times(perAddress + 1, (n) => attempt(app, {}, spellings[n % spellings.length]))
  expect(answers).toEqual([...passing(perAddress), 429])
  for (const path of ['//g/login', '/G/login', '/g/login/']) expect(await attempt(app, { address: '192.0.2.50' }, path)).toBe(404)
})

test('malformed requests count, because limits come before parsing', async () => {
  const app = await start()
  expect(await times(perAddress + 1, () => attempt(app, { body: '{' }))).toEqual([...Array(perAddress).fill(400), 429])
})

test('an account has a number of attempts per minute across addresses, spellings of its name and routes of a class', async () => {
  const app = await start()
  const names = ['ana@acme.example', 'ANA@acme.example', ' ana@acme.example ']
  const at = (n: number, path?: string) => attempt(app, { address: `198.51.100.${n}`, body: { email: names[n % names.length] ?? '' } }, path)
  expect(await times(perAccount, (n) => at(n, n % 2 === 0 ? '/g/login' : '/g/other'))).toEqual(passing(perAccount))
  expect(await at(100)).toBe(429)
  expect(await at(101, '/g/other')).toBe(429)
  expect(await attempt(app, { address: '198.51.100.102' })).toBe(204)
})

test('attempts from elsewhere do not lock a person out of a known browser', async () => {
  const app = await start()
  const email = 'bob@acme.example'
  const guess = (n: number) => attempt(app, { address: `198.51.100.${n}`, body: { email } })
  await times(perAccount + 3, guess)
  expect(await guess(90)).toBe(429)
  const cookie = (account: string) => ({ cookie: `${deviceCookie(false)}=${deviceCookieValue(app.ctx, account, 'r'.repeat(43))}` })
  const own = (n: number, account = email) => attempt(app, { address: `203.0.113.${n}`, body: { email }, headers: cookie(account) })
  expect(await own(1, 'eve@acme.example')).toBe(429)
  expect(await times(perAccount + 1, (n) => own(n + 2))).toEqual([...passing(perAccount), 429])
})

test('limits apply before authentication', async () => {
  const app = await start()
  const many = LIMITS.general.perAddress
  expect(await times(many + 1, () => attempt(app, { method: 'GET', body: undefined, token: 'x.y.z' }, '/g/me'))).toEqual([
    ...Array(many).fill(401),
    429,
  ])
})

test('metrics require the token when one is set; without one they are open in development and hidden in production', async () => {
  const send = async (env: Readonly<Record<string, string>>, token?: string): Promise<number> =>
    (await (await startApp(routes, { env })).request('/g/metrics', token === undefined ? {} : { token })).status
  const guarded = { METRICS_TOKEN: 'a-token-of-sixteen-letters' }
  expect(await send({})).toBe(204)
  expect([await send(guarded), await send(guarded, 'wrong'), await send(guarded, guarded.METRICS_TOKEN)]).toEqual([401, 401, 204])
  const production = {
    ENVIRONMENT: 'production',
    RATE_LIMIT: 'on',
    BASE_URL: 'https://id.example.com',
    DATABASE_URL: 'postgres://unused',
    REDIS_URL: 'redis://unused',
    SMTP_URL: 'smtp://unused',
    SIGN_UP: 'open',
  }
  expect(await send(production)).toBe(404)
  expect(await send({ ...production, ...guarded }, guarded.METRICS_TOKEN)).toBe(204)
})
