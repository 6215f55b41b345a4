import { expect, test } from 'vitest'
import { forTenant } from '#db/engine/tenant'
import { findFactors } from '#db/store/factors'
import { unconfiguredSms } from '#shared/platform/outbox/sms/configured'
import { type Company, type Person, startApp, type TestApp } from '#tests/support/app'
import { factorState, loginTransactionFor, mintEndUser, setUpApp, whoIs } from '#tests/support/factors'
import { bodyOf, eventsOf, leaked, wrongCode } from '#tests/support/sign-in'
import { appCode } from '#tests/support/totp'
import { authRoutes } from '../auth/routes.ts'
import { userSignInRoutes } from '../user-sign-in/routes.ts'
import { oneTimeCodeRoutes } from './routes.ts'

const SMS = '/authsec/webauthn/sms'
const PHONE = '+491701234567'

const start = async (extra: Record<string, unknown> = {}): Promise<{ app: TestApp; company: Company; pat: Person }> => {
  const app = await startApp([...authRoutes, ...userSignInRoutes, ...oneTimeCodeRoutes] as never, { extra })
  const company = await app.company()
  return { app, company, pat: await app.person(company) }
}
const codeOf = async (response: Response): Promise<unknown> => (await bodyOf(response)).code
const sentCode = (app: TestApp): string => /\d{6}/.exec(app.sms.outbox.at(-1)?.text ?? '')?.[0] ?? ''
const post = (app: TestApp, path: string, person: Person, more: Record<string, unknown>, token?: string): Promise<Response> =>
  app.request(`${SMS}/${path}`, { body: whoIs(person, more), ...(token === undefined ? {} : { token }) })
const setUp = async (app: TestApp, person: Person, more: Record<string, unknown>, token?: string, phone = PHONE): Promise<void> => {
  expect((await post(app, 'beginSetup', person, { ...more, phone_number: phone }, token)).status).toBe(200)
  expect((await post(app, 'confirmSetup', person, { ...more, phone_number: phone, code: sentCode(app) }, token)).status).toBe(200)
}

test('a phone is set up while signing in and completes that sign-in; later sign-ins need a new code', async () => {
  const { app, company, pat } = await start()
  const transactionToken = await loginTransactionFor(app, company, pat)
  const begun = await bodyOf(await post(app, 'beginSetup', pat, { login_ticket: transactionToken, phone_number: '+49 170 1234567' }))
  expect(begun).toEqual({
    success: true,
    message: 'We sent a code to your phone.',
    phone_display: '+491***4567',
    expires_in_minutes: 5,
    attempts_remaining: 3,
  })
  const first = sentCode(app)
  expect(app.sms.outbox).toMatchObject([{ to: PHONE }])
  const confirmed = await bodyOf(await post(app, 'confirmSetup', pat, { login_ticket: transactionToken, phone_number: PHONE, code: first }))
  expect(confirmed).toMatchObject({ success: true, phone_display: '+491***4567' })
  expect((await mintEndUser(app, pat, transactionToken)).status).toBe(200)
  app.clock.advance(61)
  const later = await loginTransactionFor(app, company, pat)
  expect((await post(app, 'requestCode', pat, { login_ticket: later })).status).toBe(200)
  const second = sentCode(app)
  const verified = await bodyOf(await post(app, 'verify', pat, { login_ticket: later, code: second }))
  expect(verified).toEqual({ success: true, message: 'SMS code valid', method: 'sms', tenant_id: pat.tenantId, email: pat.email })
  expect((await mintEndUser(app, pat, later)).status).toBe(200)
  expect(await eventsOf(app, company.tenantId, 'codes.sms.verify')).toEqual(['factor.verified'])
  expect(await leaked(app, [company.tenantId], [first, second, PHONE])).toEqual([])
})

test('a code renews a session', async () => {
  const { app, pat } = await start()
  const token = await app.token(pat)
  await setUp(app, pat, {}, token)
  app.clock.advance(61)
  expect((await post(app, 'requestCode', pat, {}, token)).status).toBe(200)
  const renewed = await bodyOf(await post(app, 'verify', pat, { code: sentCode(app) }, token))
  expect(renewed).toMatchObject({ method: 'sms', access_token: expect.any(String) })
  expect((await post(app, 'requestCode', pat, {}, token)).status).toBe(401)
})

test('a code is valid once, for five minutes and three attempts', async () => {
  const { app, company, pat } = await start()
  await setUp(app, pat, {}, await app.token(pat))
  app.clock.advance(61)
  const transactionToken = await loginTransactionFor(app, company, pat)
  await post(app, 'requestCode', pat, { login_ticket: transactionToken })
  const code = sentCode(app)
  expect((await post(app, 'verify', pat, { login_ticket: transactionToken, code })).status).toBe(200)
  const again = await loginTransactionFor(app, company, pat)
  expect(await codeOf(await post(app, 'verify', pat, { login_ticket: again, code }))).toBe('sms_code_expired')
  app.clock.advance(61)
  await post(app, 'requestCode', pat, { login_ticket: again })
  const fresh = sentCode(app)
  for (const left of [2, 1, 0]) {
    expect(await bodyOf(await post(app, 'verify', pat, { login_ticket: again, code: wrongCode(fresh, left + 1) }))).toMatchObject({
      code: 'invalid_sms_code',
      attempts_remaining: left,
    })
  }
  expect(await codeOf(await post(app, 'verify', pat, { login_ticket: again, code: fresh }))).toBe('sms_attempts_used')
  expect(await codeOf(await mintEndUser(app, pat, again))).toBe('mfa_verification_failed')
})

test('an expired code and one replaced by a newer code are refused', async () => {
  const { app, company, pat } = await start()
  await setUp(app, pat, {}, await app.token(pat))
  app.clock.advance(61)
  const transactionToken = await loginTransactionFor(app, company, pat)
  await post(app, 'requestCode', pat, { login_ticket: transactionToken })
  const old = sentCode(app)
  app.clock.advance(61)
  await post(app, 'requestCode', pat, { login_ticket: transactionToken })
  if (old !== sentCode(app))
    expect(await codeOf(await post(app, 'verify', pat, { login_ticket: transactionToken, code: old }))).toBe('invalid_sms_code')
  app.clock.advance(301)
  const later = await loginTransactionFor(app, company, pat)
  expect(await codeOf(await post(app, 'verify', pat, { login_ticket: later, code: sentCode(app) }))).toBe('sms_code_expired')
})

test('new codes do not reset the phone\u2019s count: five wrong ones pause it, for whichever purpose', async () => {
  const { app, company, pat } = await start()
  await setUp(app, pat, {}, await app.token(pat))
  const ticketAt = async (): Promise<string> => {
    app.clock.advance(61)
    const transactionToken = await loginTransactionFor(app, company, pat)
    await post(app, 'requestCode', pat, { login_ticket: transactionToken })
    return transactionToken
  }
  const first = await ticketAt()
  for (let n = 1; n <= 3; n++) await post(app, 'verify', pat, { login_ticket: first, code: wrongCode(sentCode(app), n) })
  const other = await ticketAt()
  for (let n = 1; n <= 2; n++) await post(app, 'verify', pat, { login_ticket: other, code: wrongCode(sentCode(app), n) })
  expect(await codeOf(await post(app, 'verify', pat, { login_ticket: other, code: sentCode(app) }))).toBe('factor_paused')
  expect(await codeOf(await post(app, 'requestCode', pat, { login_ticket: other }))).toBe('factor_paused')
  expect((await app.mailsTo(pat.email)).at(-1)?.subject).toContain('Wrong codes')
  app.clock.advance(15 * 60 + 1)
  const later = await ticketAt()
  expect((await post(app, 'verify', pat, { login_ticket: later, code: sentCode(app) })).status).toBe(200)
})

test('limits messages to one a minute and five a day, per person and per number', async () => {
  const { app, company, pat } = await start()
  const token = await app.token(pat)
  const begin = (person: Person, bearer: string): Promise<Response> => post(app, 'beginSetup', person, { phone_number: PHONE }, bearer)
  expect((await begin(pat, token)).status).toBe(200)
  const soon = await begin(pat, token)
  expect([soon.status, soon.headers.get('retry-after'), await codeOf(soon)]).toEqual([429, '60', 'too_many_sms'])
  const other = await app.person(company)
  expect(await codeOf(await begin(other, await app.token(other)))).toBe('too_many_sms')
  for (let n = 0; n < 4; n++) {
    app.clock.advance(61)
    expect((await begin(pat, token)).status).toBe(200)
  }
  app.clock.advance(61)
  const many = await begin(pat, token)
  expect([many.status, await codeOf(many)]).toEqual([429, 'too_many_sms'])
  expect(Number(many.headers.get('retry-after'))).toBeGreaterThan(80_000)
  expect(app.sms.outbox).toHaveLength(5)
})

test('limits a number to ten messages a day over all companies, for setup and sign-in', async () => {
  const app = await startApp([...authRoutes, ...userSignInRoutes, ...oneTimeCodeRoutes] as never, { env: { RATE_LIMIT: 'on' }, cache: 'by-clock' })
  const people = await Promise.all(['acme', 'globex', 'initech'].map(async (label) => app.person(await app.company(label))))
  const [first, ...others] = await Promise.all(people.map(async (person) => ({ person, token: await app.token(person) })))
  if (first === undefined) throw new Error('no person was created')
  await setUp(app, first.person, {}, first.token)
  const begin = ({ person, token }: typeof first) => post(app, 'beginSetup', person, { phone_number: PHONE }, token)
  for (const [one, sends] of others.map((other, n) => [other, n === 0 ? 5 : 4] as const)) {
    for (let n = 0; n < sends; n++) {
      app.clock.advance(61)
      expect((await begin(one)).status).toBe(200)
    }
  }
  app.clock.advance(61)
  for (const refused of [await begin(others[1] ?? first), await post(app, 'requestCode', first.person, {}, first.token)])
    expect([refused.status, await codeOf(refused)]).toEqual([429, 'rate_limited'])
  expect(app.sms.outbox).toHaveLength(10)
})

test('a code for another number or another session, or without a setup, confirms nothing', async () => {
  const { app, company, pat } = await start()
  const [token, other] = [await app.token(pat), await app.token(pat)]
  expect(await codeOf(await post(app, 'confirmSetup', pat, { phone_number: PHONE, code: '123456' }, token))).toBe('sms_not_initiated')
  await post(app, 'beginSetup', pat, { phone_number: PHONE }, token)
  const code = sentCode(app)
  expect(await codeOf(await post(app, 'confirmSetup', pat, { phone_number: '+491709999999', code }, token))).toBe('sms_not_initiated')
  expect(await codeOf(await post(app, 'confirmSetup', pat, { phone_number: PHONE, code }, other))).toBe('sms_not_initiated')
  expect(await codeOf(await post(app, 'confirmSetup', pat, { phone_number: PHONE, code: wrongCode(code) }, token))).toBe('invalid_sms_code')
  expect(await findFactors(forTenant(app.db, company.tenantId), pat.id)).toEqual([])
})

test('without authentication there is one answer, no message is sent and nothing changes', async () => {
  const { app, company, pat } = await start()
  await setUp(app, pat, {}, await app.token(pat))
  const other = await loginTransactionFor(app, company, await app.person(company))
  const before = await factorState(app, company.tenantId)
  for (const proof of [{}, { login_ticket: other }, { login_ticket: `${pat.tenantId}.${'B'.repeat(43)}` }]) {
    for (const [path, more] of [
      ['beginSetup', { phone_number: '+491700000001' }],
      ['confirmSetup', { phone_number: PHONE, code: '123456' }],
      ['requestCode', {}],
      ['verify', { code: '123456' }],
    ] as const) {
      const response = await post(app, path, pat, { ...proof, ...more })
      expect([response.status, await codeOf(response)]).toEqual([401, 'authentication_required'])
    }
  }
  expect(app.sms.outbox).toHaveLength(1)
  expect(await factorState(app, company.tenantId)).toEqual(before)
})

test('a confirmed phone cannot be replaced with only the password', async () => {
  const { app, company, pat } = await start()
  const token = await app.token(pat)
  await setUp(app, pat, {}, token)
  app.clock.advance(61)
  const transactionToken = await loginTransactionFor(app, company, pat)
  expect(await codeOf(await post(app, 'beginSetup', pat, { login_ticket: transactionToken, phone_number: '+491700000001' }))).toBe(
    'authentication_required',
  )
  expect(await codeOf(await post(app, 'beginSetup', pat, { phone_number: '+491700000001' }, token))).toBe('insufficient_user_authentication')
})

test('without an SMS provider the error is stable and no code is stored', async () => {
  const { app, company, pat } = await start({ sms: unconfiguredSms })
  const response = await post(app, 'beginSetup', pat, { phone_number: PHONE }, await app.token(pat))
  expect([response.status, await codeOf(response)]).toEqual([500, 'sms_not_configured'])
  expect(app.log.lines.join('\n')).not.toMatch(/\b\d{6}\b is your code/)
  expect(await leaked(app, [company.tenantId], [PHONE])).toEqual([])
})

test('without a phone no code can be sent', async () => {
  const { app, company, pat } = await start()
  const { seed } = await setUpApp(app, pat, { token: await app.token(pat) })
  const transactionToken = await loginTransactionFor(app, company, pat)
  expect(await codeOf(await post(app, 'requestCode', pat, { login_ticket: transactionToken }))).toBe('sms_not_enabled')
  expect(await codeOf(await post(app, 'verify', pat, { login_ticket: transactionToken, code: appCode(seed, app.clock.now()) }))).toBe(
    'sms_not_enabled',
  )
})
