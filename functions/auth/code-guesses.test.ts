// How many wrong codes a mailbox has, whatever they are for: six digits stand a million to a hundred against whoever guesses for a month, and strangers shut nobody
// out of the browser that he is known from.
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
/** From an address of its own each time, and slowly: what is left is the mailbox's own budget. */
const send = (app: TestApp, path: string, body: unknown, headers: Record<string, string> = {}): Promise<Response> => {
  app.clock.advance(61)
  callers += 1
  return app.request(path, { body, headers, address: `198.51.${callers >> 8}.${callers & 255}` })
}
const ask = async (app: TestApp, person: Person): Promise<string> => {
  expect((await send(app, ADMIN, { email: person.email })).status).toBe(200)
  return codeIn((await app.mailsTo(person.email)).filter((mail) => /code to reset/.test(mail.subject)))
}
const verify = async (app: TestApp, person: Person, otp: string, headers?: Record<string, string>): Promise<number> =>
  (await send(app, `${ADMIN}/verify-otp`, { email: person.email, otp }, headers)).status
/** Five wrong guesses at a new code, as often as there may be; how many were compared. */
const guess = async (app: TestApp, person: Person): Promise<number> => {
  const code = await ask(app, person)
  let compared = 0
  for (let n = 1; n <= 5; n++) if ((await verify(app, person, wrongCode(code, n))) === 401) compared += 1
  return compared
}

test('ten wrong codes an hour; then not even a right one is told, but in a browser that the person is known from', async () => {
  const { app, admin } = await start()
  const browser = cookieJar()
  browser.take(await app.request('/authsec/uflow/auth/admin/login', { body: { email: admin.email, password: admin.password } }))
  expect([await guess(app, admin), await guess(app, admin)]).toEqual([5, 5])
  const code = await ask(app, admin)
  const refused = await send(app, `${ADMIN}/verify-otp`, { email: admin.email, otp: code })
  expect([refused.status, Number(refused.headers.get('retry-after'))]).toEqual([429, expect.any(Number)])
  expect(await verify(app, admin, code, browser.header())).toBe(200)
  // What was refused was not counted, so it ends by itself.
  for (let n = 0; n < 20; n++) expect(await verify(app, admin, code)).toBe(429)
  app.clock.advance(2 * HOUR)
  expect(await verify(app, admin, await ask(app, admin))).toBe(200)
})

test('twenty a day, and no hundred and first in any month', async () => {
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

test('one budget for whatever the codes are for', async () => {
  const { app, company, admin } = await start()
  expect([await guess(app, admin), await guess(app, admin)]).toEqual([5, 5])
  const given = { email: admin.email, client_id: company.clientId }
  expect((await send(app, USER, given)).status).toBe(200)
  const otp = codeIn((await app.mailsTo(admin.email)).filter((mail) => /code to reset/.test(mail.subject)))
  expect((await send(app, `${USER}/verify-otp`, { ...given, otp })).status).toBe(429)
})

test('where no code was sent none is guessed, so nobody uses the budget up in silence', async () => {
  const { app, admin } = await start()
  for (let n = 0; n < 40; n++) expect(await verify(app, admin, '000000')).toBe(401)
  expect(await verify(app, admin, await ask(app, admin))).toBe(200)
})

test('an address of the network has a hundred wrong codes a day for all mailboxes together', async () => {
  const { app, company } = await start()
  const from = (path: string, body: unknown) => app.request(path, { body, address: '203.0.113.9' })
  let compared = 0
  let refused = false
  for (let person = 0; person < 22 && !refused; person++) {
    const other = await app.person(company, 'admin')
    const code = await ask(app, other)
    for (let n = 1; n <= 5 && !refused; n++) {
      app.clock.advance(61)
      const { status } = await from(`${ADMIN}/verify-otp`, { email: other.email, otp: wrongCode(code, n) })
      if (status === 401) compared += 1
      else refused = status === 429
    }
  }
  expect([compared, refused]).toEqual([100, true])
})
