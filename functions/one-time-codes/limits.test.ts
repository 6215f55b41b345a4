// Guessing from many addresses and with forged headers, and the database cost of a sign-in.
import { expect, test } from 'vitest'
import { type Company, type Person, startApp, type TestApp } from '#tests/support/app'
import { countedDb } from '#tests/support/counted'
import { testDb } from '#tests/support/database'
import { CODES, loginTransactionFor, mintEndUser, setUpApp, whoIs } from '#tests/support/factors'
import { bodyOf } from '#tests/support/sign-in'
import { appCode, noCode } from '#tests/support/totp'
import { authRoutes } from '../auth/routes.ts'
import { userSignInRoutes } from '../user-sign-in/routes.ts'
import { oneTimeCodeRoutes } from './routes.ts'

type World = { readonly app: TestApp; readonly company: Company; readonly pat: Person }
const routes = [...authRoutes, ...userSignInRoutes, ...oneTimeCodeRoutes] as never
const start = async (options: Parameters<typeof startApp>[1] = {}): Promise<World> => {
  const app = await startApp(routes, options)
  const company = await app.company()
  return { app, company, pat: await app.person(company) }
}
const limited = { env: { RATE_LIMIT: 'on' } }
const guess = (app: TestApp, person: Person, login_ticket: string, code: string, more: Parameters<TestApp['request']>[1] = {}): Promise<Response> =>
  app.request(`${CODES}/verifyLogin`, { ...more, body: whoIs(person, { login_ticket, code }) })

test('one address gets ten attempts a minute, whatever headers it sends', async () => {
  const { app, company } = await start(limited)
  const statuses: number[] = []
  for (let n = 0; n < 12; n++) {
    const headers = { 'x-forwarded-for': `198.51.100.${n}`, forwarded: `for=203.0.113.${n}`, 'x-real-ip': `192.0.2.${n + 7}` }
    const someone = { id: '', email: `person-${n}@acme.example`, password: '', tenantId: company.tenantId }
    statuses.push((await guess(app, someone, 'x', '123456', { headers })).status)
  }
  expect(statuses).toEqual([...Array(10).fill(401), 429, 429])
})

test('a network of IPv6 addresses counts as one address', async () => {
  const { app, company } = await start(limited)
  let last = 0
  for (let n = 0; n < 11; n++) {
    const someone = { id: '', email: `person-${n}@acme.example`, password: '', tenantId: company.tenantId }
    last = (await guess(app, someone, 'x', '123456', { address: `2001:db8:0:1::${n + 1}` })).status
  }
  expect(last).toBe(429)
})

test('an account gets five guesses a minute over all addresses, however its email is spelled', async () => {
  const { app, pat } = await start(limited)
  const statuses: number[] = []
  for (let n = 0; n < 7; n++) {
    const spelled = { ...pat, email: n % 2 === 0 ? pat.email.toUpperCase() : ` ${pat.email} ` }
    statuses.push((await guess(app, spelled, 'x', '123456', { address: `198.51.100.${n + 1}` })).status)
  }
  expect(statuses).toEqual([401, 401, 401, 401, 401, 429, 429])
})

test('with the rate limits removed, the app\u2019s own count still holds across tickets and addresses', async () => {
  const { app, company, pat } = await start()
  const { seed } = await setUpApp(app, pat, { token: await app.token(pat) })
  const answers: unknown[] = []
  for (let n = 0; n < 7; n++) {
    const response = await guess(app, pat, await loginTransactionFor(app, company, pat), noCode(seed, app.clock.now(), n), {
      address: `203.0.113.${n + 1}`,
    })
    answers.push((await bodyOf(response)).code)
  }
  expect(answers).toEqual([...Array(5).fill('invalid_totp_code'), 'factor_paused', 'factor_paused'])
})

test.each([
  '//authsec/webauthn/totp/verifyLogin',
  '/authsec/webauthn/totp/verifyLogin/',
  '/authsec/webauthn/TOTP/verifyLogin',
  '/authsec/webauthn/totp/%76erifyLogin/x',
])('no other spelling of the path reaches the endpoint: %s', async (path) => {
  const { app, company, pat } = await start()
  const { seed } = await setUpApp(app, pat, { token: await app.token(pat) })
  const login_ticket = await loginTransactionFor(app, company, pat)
  expect((await app.request(path, { body: whoIs(pat, { login_ticket, code: appCode(seed, app.clock.now()) }) })).status).toBe(404)
  expect((await mintEndUser(app, pat, login_ticket)).status).toBe(401)
})

test('the database cost of a sign-in with password and code', async () => {
  const counted = countedDb((await testDb()).engine)
  const { app, company, pat } = await start({ db: counted.db })
  const { seed } = await setUpApp(app, pat, { token: await app.token(pat) })
  let transactionToken = ''
  const password = await counted.during(async () => {
    transactionToken = await loginTransactionFor(app, company, pat)
  })
  const code = await counted.during(() => guess(app, pat, transactionToken, appCode(seed, app.clock.now())))
  const mint = await counted.during(() => mintEndUser(app, pat, transactionToken))
  // Password: the client, the person, the ticket, the record. Code: ticket and person; the person locked, the attempt counted, the seed, the step, the count, the ticket, the
  // record. Token: everything that a session needs.
  expect(password).toEqual({ statements: 6, roundTrips: 6 })
  expect(code).toEqual({ statements: 9, roundTrips: 10 })
  expect(mint.statements).toBeLessThanOrEqual(16)
  expect(mint.roundTrips).toBeLessThanOrEqual(18)
})
