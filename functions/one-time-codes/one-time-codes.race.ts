// Concurrent requests: a code succeeds once, and every guess counts.
import { expect, test } from 'vitest'
import { forTenant } from '#db/engine/tenant'
import { findFactors } from '#db/store/factors'
import { type Company, type Person, startApp, type TestApp } from '#tests/support/app'
import { CODES, loginTransactionFor, setUpApp, whoIs } from '#tests/support/factors'
import { bodyOf, textIn } from '#tests/support/sign-in'
import { appCode, noCode } from '#tests/support/totp'
import { authRoutes } from '../auth/routes.ts'
import { userSignInRoutes } from '../user-sign-in/routes.ts'
import { oneTimeCodeRoutes } from './routes.ts'

const start = async (): Promise<{ app: TestApp; company: Company; pat: Person }> => {
  const app = await startApp([...authRoutes, ...userSignInRoutes, ...oneTimeCodeRoutes] as never)
  const company = await app.company()
  return { app, company, pat: await app.person(company) }
}
const tally = async (responses: readonly Response[]): Promise<Record<string, number>> => {
  const counts: Record<string, number> = {}
  for (const response of responses) {
    const key = response.status === 200 ? '200' : String((await bodyOf(response)).code)
    counts[key] = (counts[key] ?? 0) + 1
  }
  return counts
}

test('one TOTP code verifies one of many login transactions', async () => {
  const { app, company, pat } = await start()
  const { seed } = await setUpApp(app, pat, { token: await app.token(pat) })
  const tickets: string[] = []
  for (let n = 0; n < 4; n++) tickets.push(await loginTransactionFor(app, company, pat))
  const code = appCode(seed, app.clock.now())
  const responses = await Promise.all(
    tickets.map((login_ticket) => app.request(`${CODES}/verifyLogin`, { body: whoIs(pat, { login_ticket, code }) })),
  )
  expect(await tally(responses)).toEqual({ 200: 1, invalid_totp_code: 3 })
})

test('one backup code is used once', async () => {
  const { app, company, pat } = await start()
  const { backupCodes } = await setUpApp(app, pat, { token: await app.token(pat) })
  const tickets: string[] = []
  for (let n = 0; n < 4; n++) tickets.push(await loginTransactionFor(app, company, pat))
  const responses = await Promise.all(
    tickets.map((login_ticket) => app.request(`${CODES}/verifyLogin`, { body: whoIs(pat, { login_ticket, code: backupCodes[0] }) })),
  )
  expect((await tally(responses))['200']).toBe(1)
  expect((await app.events(company.tenantId, { event: 'backup_code.used' })).length).toBe(1)
})

test('of twenty concurrent guesses five are counted, then the app is paused', async () => {
  const { app, company, pat } = await start()
  const { seed } = await setUpApp(app, pat, { token: await app.token(pat) })
  const login_ticket = await loginTransactionFor(app, company, pat)
  const wrong = [...Array(20).keys()].map((n) => noCode(seed, app.clock.now(), n))
  const responses = await Promise.all(wrong.map((code) => app.request(`${CODES}/verifyLogin`, { body: whoIs(pat, { login_ticket, code }) })))
  expect(await tally(responses)).toEqual({ invalid_totp_code: 5, factor_paused: 15 })
  expect((await app.events(company.tenantId, { event: 'factor.paused' })).length).toBe(1)
})

test('one ticket enrols one first factor', async () => {
  const { app, company, pat } = await start()
  const login_ticket = await loginTransactionFor(app, company, pat)
  const secret = textIn(await bodyOf(await app.request(`${CODES}/beginLoginSetup`, { body: whoIs(pat, { login_ticket }) })), 'secret')
  const body = whoIs(pat, { login_ticket, secret, code: appCode(secret, app.clock.now()) })
  const responses = await Promise.all([...Array(4)].map(() => app.request(`${CODES}/confirmLoginSetup`, { body })))
  expect(responses.filter(({ status }) => status === 200)).toHaveLength(1)
  expect(await findFactors(forTenant(app.db, company.tenantId), pat.id)).toHaveLength(1)
})
