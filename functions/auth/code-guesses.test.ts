// The limit of wrong codes per mailbox, for all purposes together: an attacker gets at most a hundred guesses at six digits in a month, and cannot lock a person
// out of a known browser.
import { expect, test } from 'vitest'
import { cookieJar, type Person, startApp, type TestApp } from '#tests/support/app'
import { codeIn, wrongCode } from '#tests/support/sign-in'
import { signUpRoutes } from '../sign-up/routes.ts'
import { userSignInRoutes } from '../user-sign-in/routes.ts'
import { authRoutes } from './routes.ts'

const ADMIN = '/authsec/uflow/auth/admin/forgot-password'
const USER = '/authsec/uflow/user/forgot-password'
const HOUR = 3600

const start = async () => {
  const app = await startApp([...authRoutes, ...userSignInRoutes, ...signUpRoutes], { env: { RATE_LIMIT: 'on' } })
  const company = await app.company()
  return { app, company, admin: company.admin }
}

let callers = 0
/** Each call comes slowly and from another network address, so only the mailbox's own limit applies. */
const send = (app: TestApp, path: string, body: unknown, headers: Record<string, string> = {}): Promise<Response> => {
  app.clock.advance(61)
  callers += 1
  return app.request(path, { body, headers, address: `198.51.${callers >> 8}.${callers & 255}` })
}
const requestCode = async (app: TestApp, person: Person): Promise<string> => {
  expect((await send(app, ADMIN, { email: person.email })).status).toBe(200)
  return codeIn((await app.mailsTo(person.email)).filter((mail) => /code to reset/.test(mail.subject)))
}
const verify = async (app: TestApp, person: Person, otp: string, headers?: Record<string, string>): Promise<number> =>
  (await send(app, `${ADMIN}/verify-otp`, { email: person.email, otp }, headers)).status
/** Makes five wrong guesses at a new code and returns how many were compared. */
const guess = async (app: TestApp, person: Person): Promise<number> => {
  const code = await requestCode(app, person)
  let compared = 0
  for (let n = 1; n <= 5; n++) if ((await verify(app, person, wrongCode(code, n))) === 401) compared += 1
  return compared
}

test('After ten wrong codes in an hour even the right code is refused, except in a known browser', async () => {
  const { app, admin } = await start()
  const browser = cookieJar()
  browser.take(await app.request('/authsec/uflow/auth/admin/login', { body: { email: admin.email, password: admin.password } }))
  expect([await guess(app, admin), await guess(app, admin)]).toEqual([5, 5])
  const code = await requestCode(app, admin)
  const refused = await send(app, `${ADMIN}/verify-otp`, { email: admin.email, otp: code })
  expect([refused.status, Number(refused.headers.get('retry-after'))]).toEqual([429, expect.any(Number)])
  expect(await verify(app, admin, code, browser.header())).toBe(200)
  // Refused attempts are not counted, so the refusal ends by itself.
  for (let n = 0; n < 20; n++) expect(await verify(app, admin, code)).toBe(429)
  app.clock.advance(2 * HOUR)
  expect(await verify(app, admin, await requestCode(app, admin))).toBe(200)
})

test('Fewer than thirty wrong codes on any day and fifty in thirty days are compared', async () => {
  const { app, admin } = await start()
  let [all, most] = [0, 0]
  for (let day = 0; day < 6; day++) {
    let today = 0
    for (let round = 0; round < 6; round++) {
      today += await guess(app, admin)
      app.clock.advance(3.5 * HOUR)
    }
    all += today
    most = Math.max(most, today)
  }
  expect(most).toBeGreaterThanOrEqual(20)
  expect(most).toBeLessThan(30)
  expect(all).toBe(50)
})

test('Codes of all purposes share one limit', async () => {
  const { app, company, admin } = await start()
  expect([await guess(app, admin), await guess(app, admin)]).toEqual([5, 5])
  const person = { email: admin.email, client_id: company.clientId }
  expect((await send(app, USER, person)).status).toBe(200)
  const otp = codeIn((await app.mailsTo(admin.email)).filter((mail) => /code to reset/.test(mail.subject)))
  expect((await send(app, `${USER}/verify-otp`, { ...person, otp })).status).toBe(429)
})

test('Guesses without a sent code do not count, so the limit cannot be used up unnoticed', async () => {
  const { app, admin } = await start()
  for (let n = 0; n < 40; n++) expect(await verify(app, admin, '000000')).toBe(401)
  expect(await verify(app, admin, await requestCode(app, admin))).toBe(200)
})

test('A network address gets a hundred wrong codes a day for all mailboxes together', async () => {
  const { app, company } = await start()
  const from = (path: string, body: unknown) => app.request(path, { body, address: '203.0.113.9' })
  let compared = 0
  let refused = false
  for (let person = 0; person < 22 && !refused; person++) {
    const other = await app.person(company, 'admin')
    const code = await requestCode(app, other)
    for (let n = 1; n <= 5 && !refused; n++) {
      app.clock.advance(61)
      const { status } = await from(`${ADMIN}/verify-otp`, { email: other.email, otp: wrongCode(code, n) })
      if (status === 401) compared += 1
      else refused = status === 429
    }
  }
  expect([compared, refused]).toEqual([100, true])
})
