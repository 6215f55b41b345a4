import { describe, expect, test } from 'vitest'
import { atomically, forTenant, SYSTEM_TENANT } from '#db/engine/tenant'
import { findFactors } from '#db/store/factors'
import { updateTenantSettings } from '#db/store/tenants'
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

describe('what messages may cost', () => {
  const limited = async (env: Readonly<Record<string, string>> = {}, quotas: Readonly<Record<string, number>> = {}) => {
    const app = await startApp([...authRoutes, ...userSignInRoutes, ...oneTimeCodeRoutes] as never, {
      env: { RATE_LIMIT: 'on', ...env },
      cache: 'by-clock',
    })
    const company = await app.company()
    await atomically(forTenant(app.db, company.tenantId), (t) => updateTenantSettings(t, { quotas }, app.clock.now()))
    let next = 0
    /** Each time another person, another number and another address. */
    const begin = async (of = company, prefix = '+49170') => {
      const person = await app.person(of)
      const phone = `${prefix}${String(1_000_000 + next++)}`
      const token = await app.token(person)
      const address = `198.51.100.${next}`
      return app.request(`${SMS}/beginSetup`, { body: whoIs(person, { phone_number: phone }), token, address })
    }
    const answer = async (response: Response) => [response.status, await codeOf(response), response.headers.get('retry-after')]
    return { app, company, begin, answer }
  }
  const EXCEEDED = [429, 'too_many_sms', '900']

  test.each(['smsPerHour', 'smsPerDay'])(
    'a tenant has a quota (%s); past it nothing is sent or stored, and others are not affected',
    async (name) => {
      const { app, company, begin, answer } = await limited({}, { [name]: 2 })
      const other = await app.company('globex')
      expect([(await begin()).status, (await begin()).status]).toEqual([200, 200])
      const before = (await app.events(company.tenantId, { event: 'sms_code.sent' })).length
      expect([await answer(await begin()), await answer(await begin())]).toEqual([EXCEEDED, EXCEEDED])
      expect(app.sms.outbox).toHaveLength(2)
      expect(await app.events(company.tenantId, { event: 'sms_code.sent' })).toHaveLength(before)
      expect(await app.events(company.tenantId, { event: 'sms.quota_exceeded' })).toHaveLength(1)
      expect(app.log.lines.filter((line) => line.includes('"sms.quota_exceeded"'))).toHaveLength(2)
      expect((await begin(other)).status).toBe(200)
      // Refused messages do not count.
      app.clock.advance(name === 'smsPerHour' ? 2 * 3600 : 2 * 24 * 3600)
      expect((await begin()).status).toBe(200)
    },
  )

  test.each(['SMS_PER_HOUR', 'SMS_PER_DAY'])('the deployment has one (%s), over all tenants', async (name) => {
    const { app, company, begin, answer } = await limited({ [name]: '2' })
    const other = await app.company('globex')
    expect([(await begin()).status, (await begin(other)).status]).toEqual([200, 200])
    const before = (await app.events(SYSTEM_TENANT, { event: 'sms.quota_exceeded' })).length
    expect(await answer(await begin())).toEqual(EXCEEDED)
    expect(app.sms.outbox).toHaveLength(2)
    expect(await app.events(SYSTEM_TENANT, { event: 'sms.quota_exceeded' })).toHaveLength(before + 1)
    expect(await app.events(company.tenantId, { event: 'sms.quota_exceeded' })).toHaveLength(0)
  })

  test('a person whose own limit is reached uses up nothing of the tenant', async () => {
    const { app, company, begin } = await limited({}, { smsPerHour: 2 })
    const person = await app.person(company)
    const token = await app.token(person)
    const again = (n: number) => app.request(`${SMS}/beginSetup`, { body: whoIs(person, { phone_number: PHONE }), token, address: `203.0.113.${n}` })
    expect((await again(1)).status).toBe(200)
    for (let n = 2; n < 5; n++) expect((await again(n)).status).toBe(429)
    expect((await begin()).status).toBe(200)
  })

  test('numbers of other countries receive none, whether or not they are enrolled', async () => {
    const { app, company, begin, answer } = await limited({ SMS_COUNTRY_PREFIXES: '+49, +4366' })
    expect([(await begin()).status, (await begin(company, '+43664')).status]).toEqual([200, 200])
    for (const prefix of ['+43170', '+40170', '+88212'])
      expect((await answer(await begin(company, prefix))).slice(0, 2)).toEqual([400, 'sms_number_refused'])
    expect(app.sms.outbox).toHaveLength(2)
    const open = await start()
    await setUp(open.app, open.pat, {}, await open.app.token(open.pat), '+43170123456')
    open.app.clock.advance(61)
    const closed = await startApp([...oneTimeCodeRoutes] as never, { db: open.app.db, env: { SMS_COUNTRY_PREFIXES: '+49' } })
    closed.clock.advance(61)
    const refused = await closed.request(`${SMS}/requestCode`, { body: whoIs(open.pat, {}), token: await open.app.token(open.pat) })
    expect([refused.status, await codeOf(refused)]).toEqual([400, 'sms_number_refused'])
    expect(closed.sms.outbox).toHaveLength(0)
  })
})
