import { expect, test } from 'vitest'
import { cookieJar, PASSWORD, type Person, startApp, type TestApp } from '#tests/support/app'
import { eventsOf, rowOf } from '#tests/support/sign-in'
import { signUpRoutes } from '../sign-up/routes.ts'
import { authRoutes } from './routes.ts'

const LOGIN = '/authsec/uflow/auth/admin/login'

const attempt = async (app: TestApp, { email }: Person, password: string, headers: Record<string, string> = {}): Promise<number> =>
  (await app.request(LOGIN, { body: { email, password }, headers })).status
const guess = async (app: TestApp, person: Person, times: number, headers: Record<string, string> = {}): Promise<void> => {
  for (let i = 0; i < times; i++) expect(await attempt(app, person, `guess ${i}`, headers)).toBe(401)
}

test('The fifth wrong password, not the fourth, locks the account for half a minute', async () => {
  const app = await startApp([...authRoutes, ...signUpRoutes])
  const { admin } = await app.company()
  await guess(app, admin, 4)
  expect(await attempt(app, admin, PASSWORD)).toBe(200)
  await guess(app, admin, 5)
  expect(await attempt(app, admin, PASSWORD)).toBe(401)
  expect((await rowOf(app, admin))?.passwordResetRequired).toBe(false)
  app.clock.advance(29)
  expect(await attempt(app, admin, PASSWORD)).toBe(401)
  app.clock.advance(1)
  expect(await attempt(app, admin, PASSWORD)).toBe(200)
  expect(await rowOf(app, admin)).toMatchObject({ failedAttempts: 0, lockedUntil: null })
})

test('The lock doubles with every further guess, up to half an hour; guesses during a lock do not prolong it', async () => {
  const app = await startApp([...authRoutes, ...signUpRoutes])
  const { admin } = await app.company()
  await guess(app, admin, 5)
  const delays: number[] = []
  for (let i = 0; i < 9; i++) {
    const until = (await rowOf(app, admin))?.lockedUntil ?? app.clock.now()
    delays.push((until.getTime() - app.clock.now().getTime()) / 1000)
    await guess(app, admin, 2)
    app.clock.set(until)
    await guess(app, admin, 1)
  }
  expect(delays).toEqual([30, 60, 120, 240, 480, 960, 1800, 1800, 1800])
})

test('A lock is mailed to the owner once and recorded in the audit log', async () => {
  const app = await startApp([...authRoutes, ...signUpRoutes])
  const { admin, tenantId } = await app.company()
  await guess(app, admin, 5)
  app.clock.advance(30)
  await guess(app, admin, 3)
  const mails = await app.mailsTo(admin.email)
  expect(mails).toHaveLength(1)
  expect(mails[0]?.text).toContain('192.0.2.1')
  expect((await eventsOf(app, tenantId, 'auth.admin.login')).filter((event) => event === 'user.locked')).toHaveLength(1)
})

test('Guesses from elsewhere cannot lock a person out of a known browser', async () => {
  const app = await startApp([...authRoutes, ...signUpRoutes])
  const { admin } = await app.company()
  const browser = cookieJar()
  browser.take(await app.request(LOGIN, { body: { email: admin.email, password: PASSWORD } }))
  await guess(app, admin, 12)
  expect(await attempt(app, admin, PASSWORD)).toBe(401)
  expect(await attempt(app, admin, PASSWORD, browser.header())).toBe(200)
})

test('Attempts from a known browser are limited too', async () => {
  const app = await startApp([...authRoutes, ...signUpRoutes])
  const { admin } = await app.company()
  const browser = cookieJar()
  browser.take(await app.request(LOGIN, { body: { email: admin.email, password: PASSWORD } }))
  await guess(app, admin, 5, browser.header())
  expect(await attempt(app, admin, PASSWORD, browser.header())).toBe(401)
  expect(await rowOf(app, admin)).toMatchObject({ failedAttempts: 0, lockedUntil: null })
  app.clock.advance(30)
  expect(await attempt(app, admin, PASSWORD, browser.header())).toBe(200)
})

test('A device cookie that belongs to another account, was altered or was replaced gives no separate limit', async () => {
  const app = await startApp([...authRoutes, ...signUpRoutes])
  const company = await app.company()
  const [admin, other] = [company.admin, await app.person(company, 'admin')]
  const browser = cookieJar()
  browser.take(await app.request(LOGIN, { body: { email: other.email, password: PASSWORD } }))
  await guess(app, admin, 5, browser.header())
  expect(await rowOf(app, admin)).toMatchObject({ failedAttempts: 5 })
  app.clock.advance(30)
  const knownBrowser = cookieJar()
  knownBrowser.take(await app.request(LOGIN, { body: { email: admin.email, password: PASSWORD } }))
  const replaced = knownBrowser.header()
  knownBrowser.take(await app.request(LOGIN, { body: { email: admin.email, password: PASSWORD }, headers: replaced }))
  await guess(app, admin, 1, replaced)
  expect(await rowOf(app, admin)).toMatchObject({ failedAttempts: 1 })
  const device = knownBrowser.kept.get('authsec_device') ?? ''
  await guess(app, admin, 1, { cookie: `authsec_device=${device.slice(0, -2)}AA` })
  expect(await rowOf(app, admin)).toMatchObject({ failedAttempts: 2 })
})

test('Guesses at one account are limited across all network addresses, except from a known browser', async () => {
  const app = await startApp([...authRoutes, ...signUpRoutes], { env: { RATE_LIMIT: 'on' } })
  const { admin } = await app.company()
  const browser = cookieJar()
  browser.take(await app.request(LOGIN, { body: { email: admin.email, password: PASSWORD }, address: '198.51.100.1' }))
  const from = (n: number, headers = {}) =>
    app.request(LOGIN, { body: { email: admin.email.toUpperCase(), password: PASSWORD }, address: `203.0.113.${n}`, headers })
  for (let n = 1; n <= 4; n++) expect((await from(n)).status).toBe(200)
  const refused = await from(5)
  expect(refused.status).toBe(429)
  expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0)
  expect((await from(6, browser.header())).status).toBe(200)
})

test('One network address gets ten attempts a minute across all accounts', async () => {
  const app = await startApp([...authRoutes, ...signUpRoutes], { env: { RATE_LIMIT: 'on' } })
  const tries = await Promise.all(
    Array.from({ length: 14 }, (_, n) => app.request(LOGIN, { body: { email: `user${n}@nowhere.example`, password: 'x' } })),
  )
  expect(tries.filter(({ status }) => status === 401)).toHaveLength(10)
  expect(tries.filter(({ status }) => status === 429)).toHaveLength(4)
})
