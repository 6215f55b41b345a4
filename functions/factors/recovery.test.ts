// Recovery of access after lost factors: an administrator's pass, and the waiting period.
import { describe, expect, test } from 'vitest'
import { openDb } from '#db/engine/client'
import { atomically, forTenant } from '#db/engine/tenant'
import { countBackupCodes } from '#db/store/backup-codes'
import { findFactors } from '#db/store/factors'
import { endLoginTransactions } from '#db/store/login-transactions'
import { type Company, type Person, startApp, type TestApp } from '#tests/support/app'
import { testDb } from '#tests/support/database'
import { factorState, loginTransactionFor, mintEndUser, setUpApp } from '#tests/support/factors'
import { letInForGood } from '#tests/support/oauth'
import { loginTicket } from '#tests/support/passkeys'
import { unchanged } from '#tests/support/rows'
import { bodyOf, change, codeIn, configure, countingDb, enrol, leaked, outcomeOf, textIn } from '#tests/support/sign-in'
import { authRoutes } from '../auth/routes.ts'
import { oneTimeCodeRoutes } from '../one-time-codes/routes.ts'
import { userSignInRoutes } from '../user-sign-in/routes.ts'
import { factorRoutes } from './routes.ts'

const DAY = 24 * 3600
const start = async (): Promise<{ app: TestApp; company: Company; pat: Person; admin: string }> => {
  const app = await startApp([...authRoutes, ...userSignInRoutes, ...oneTimeCodeRoutes, ...factorRoutes] as never)
  const company = await app.company()
  return { app, company, pat: await app.person(company), admin: await app.token(company.admin) }
}
const codeOf = async (response: Response): Promise<unknown> => (await bodyOf(response)).code
const factorsOf = async (app: TestApp, person: Person): Promise<number> => (await findFactors(forTenant(app.db, person.tenantId), person.id)).length
const issue = (app: TestApp, token: string, person: Person): Promise<Response> =>
  app.request(`/people/${person.id}/recovery-pass`, { method: 'POST', token })
const use = (app: TestApp, person: Person, pass: string, login_ticket?: string): Promise<Response> =>
  app.request('/account/recovery/pass', { body: { pass, email: person.email, ...(login_ticket === undefined ? {} : { login_ticket }) } })

describe('a recovery pass', () => {
  test('a pass and the password recover access after a lost app; a required factor is enrolled before anything else', async () => {
    const { app, company, pat, admin } = await start()
    await setUpApp(app, pat, { token: await app.token(pat) })
    await configure(app, company, { requireSecondFactor: true })
    const issued = await bodyOf(await issue(app, admin, pat))
    expect(issued).toMatchObject({ expires_in: 1800, pass: expect.stringMatching(/^[0-9a-f-]{36}\.[\w-]{43}$/) })
    const pass = textIn(issued, 'pass')
    expect(await factorsOf(app, pat)).toBe(1)
    const back = await bodyOf(await use(app, pat, pass, await loginTransactionFor(app, company, pat)))
    expect(back.tenant_id).toBe(company.tenantId)
    expect(await factorsOf(app, pat)).toBe(0)
    // The backup codes of the lost app are void.
    expect(await countBackupCodes(forTenant(app.db, pat.tenantId), pat.id)).toBe(0)
    const ticket = textIn(back, 'login_ticket')
    expect((await mintEndUser(app, pat, ticket)).status).toBe(401)
    await setUpApp(app, pat, { ticket })
    expect((await mintEndUser(app, pat, ticket)).status).toBe(200)
    const events = (await app.events(company.tenantId)).map(({ event }) => event)
    for (const event of ['recovery_pass.issued', 'recovery_pass.used', 'factors.reset']) expect(events).toContain(event)
    expect((await app.mailsTo(pat.email)).map(({ subject }) => subject)).toEqual(
      expect.arrayContaining([`A one-time pass was issued at ${company.name}`, `Your account at ${company.name} was recovered`]),
    )
    expect((await app.mailsTo(company.admin.email)).map(({ subject }) => subject)).toContain(`A one-time pass was issued at ${company.name}`)
    expect(await leaked(app, [company.tenantId], [pass, pass.slice(37)])).toEqual([])
  })

  test('a pass works once within 30 minutes, and a newer pass voids it', async () => {
    const { app, company, pat, admin } = await start()
    await enrol(app, pat)
    const first = textIn(await bodyOf(await issue(app, admin, pat)), 'pass')
    const second = textIn(await bodyOf(await issue(app, admin, pat)), 'pass')
    expect(await codeOf(await use(app, pat, first, await loginTransactionFor(app, company, pat)))).toBe('invalid_recovery')
    expect((await use(app, pat, second, await loginTransactionFor(app, company, pat))).status).toBe(200)
    expect(await codeOf(await use(app, pat, second, await loginTransactionFor(app, company, pat)))).toBe('invalid_recovery')
    const third = textIn(await bodyOf(await issue(app, admin, pat)), 'pass')
    app.clock.advance(1801)
    expect(await codeOf(await use(app, pat, third, await loginTransactionFor(app, company, pat)))).toBe('invalid_recovery')
  })

  test.each([
    ['was disabled', { active: false }],
    ['was removed', { deletedAt: new Date('2026-03-02T08:00:00Z') }],
    ['must set a new password', { passwordResetRequired: true }],
  ] as const)('a pass is refused and removes no factor when the person %s since', async (_, set) => {
    const { app, company, pat, admin } = await start()
    await enrol(app, pat)
    const pass = textIn(await bodyOf(await issue(app, admin, pat)), 'pass')
    const transactionToken = await loginTransactionFor(app, company, pat)
    await change(app, pat, set)
    expect(await codeOf(await use(app, pat, pass, transactionToken))).toBe('invalid_recovery')
    expect(await factorsOf(app, pat)).toBe(1)
  })

  test('a pass is refused without the password, with the login ticket or name of another person, or when it is another kind of handle', async () => {
    const { app, company, pat, admin } = await start()
    await enrol(app, pat)
    const other = await app.person(company)
    const pass = textIn(await bodyOf(await issue(app, admin, pat)), 'pass')
    const [mine, theirs] = [await loginTransactionFor(app, company, pat), await loginTransactionFor(app, company, other)]
    const before = await factorState(app, company.tenantId)
    const answers = new Set<string>()
    for (const response of [
      await use(app, pat, pass),
      await use(app, pat, pass, theirs),
      await use(app, other, pass, theirs),
      await use(app, pat, mine, mine),
      await use(app, pat, `${company.tenantId}.${'D'.repeat(43)}`, mine),
      await use(app, pat, 'x', mine),
    ])
      answers.add(JSON.stringify(await outcomeOf(response)))
    expect(answers.size).toBe(1)
    expect([...answers][0]).toContain('invalid_recovery')
    expect(await factorState(app, company.tenantId)).toEqual(before)
  })

  test('one of five concurrent uses of a pass succeeds', async () => {
    const { app, company, pat, admin } = await start()
    await enrol(app, pat)
    const pass = textIn(await bodyOf(await issue(app, admin, pat)), 'pass')
    const transactionToken = await loginTransactionFor(app, company, pat)
    const responses = await Promise.all([...Array(5)].map(() => use(app, pat, pass, transactionToken)))
    expect(responses.map(({ status }) => status).toSorted()).toEqual([200, 401, 401, 401, 401])
  })

  test('issuing a pass or resetting factors needs every permission of the person, a recent sign-in, and a tenant that offers it', async () => {
    const { app, company, pat, admin } = await start()
    await enrol(app, company.admin)
    await enrol(app, pat)
    const helper = await app.person(company, ['admin:access', 'users:write'])
    const token = await app.token(helper)
    const reset = (bearer: string, person: Person): Promise<Response> =>
      app.request(`/people/${person.id}/factors`, { method: 'DELETE', token: bearer })
    const before = await factorState(app, company.tenantId)
    expect(await codeOf(await issue(app, token, company.admin))).toBe('cannot_grant')
    expect(await codeOf(await reset(token, company.admin))).toBe('cannot_grant')
    expect(await codeOf(await issue(app, token, helper))).toBe('forbidden')
    expect(await codeOf(await reset(token, helper))).toBe('forbidden')
    expect(await factorState(app, company.tenantId)).toEqual(before)
    await configure(app, company, { recovery: { administratorPass: false } })
    expect(await codeOf(await issue(app, admin, pat))).toBe('recovery_not_offered')
    const letIn = await letInForGood(app, company, pat.id)
    expect(await bodyOf(await reset(admin, pat))).toEqual({ removed: 1 })
    expect(await letIn()).toBe(false)
    expect(await factorsOf(app, pat)).toBe(0)
    expect((await app.mailsTo(pat.email)).map(({ text }) => text).join()).toContain('An administrator removed it')
    app.clock.advance(901)
    expect(await codeOf(await reset(admin, pat))).toBe('insufficient_user_authentication')
  })
})

const begin = (app: TestApp, company: Company, email: string, login_ticket?: string): Promise<Response> =>
  app.request('/account/recovery/start', { body: { client_id: company.clientId, email, ...(login_ticket === undefined ? {} : { login_ticket }) } })
const requestCode = (app: TestApp, recovery: string): Promise<Response> => app.request('/account/recovery/finish', { body: { recovery } })
const finish = (app: TestApp, recovery: string, code: string): Promise<Response> =>
  app.request('/account/recovery/confirm', { body: { recovery, code } })

describe('the waiting period', () => {
  test('a person with only a passkey recovers access after the waiting period and a mailed code', async () => {
    const { app, company, pat } = await start()
    await configure(app, company, { recovery: { waitingDays: 3 } })
    await change(app, pat, { passwordHash: null })
    await enrol(app, pat, 'webauthn')
    const begun = await bodyOf(await begin(app, company, pat.email))
    const recovery = textIn(begun, 'recovery')
    expect(begun.ready_at).toBe(new Date(app.clock.now().getTime() + 3 * DAY * 1000).toISOString())
    expect((await app.mailsTo(pat.email)).at(-1)?.subject).toBe(`A recovery of your account at ${company.name} was requested`)
    expect(await bodyOf(await requestCode(app, recovery))).toMatchObject({ code: 'recovery_waiting', ready_at: begun.ready_at })
    expect(await codeOf(await finish(app, recovery, '123456'))).toBe('recovery_waiting')
    app.clock.advance(3 * DAY)
    expect((await requestCode(app, recovery)).status).toBe(202)
    const code = codeIn(await app.mailsTo(pat.email))
    const back = await bodyOf(await finish(app, recovery, code))
    expect(await factorsOf(app, pat)).toBe(0)
    expect((await mintEndUser(app, pat, textIn(back, 'login_ticket'))).status).toBe(200)
    expect(await codeOf(await finish(app, recovery, code))).toBe('invalid_recovery')
  })

  test('the owner stops a recovery with the mailed link; only opening the link changes nothing', async () => {
    const { app, company, pat } = await start()
    await configure(app, company, { recovery: { waitingDays: 1 } })
    await change(app, pat, { passwordHash: null })
    await enrol(app, pat, 'webauthn')
    const recovery = textIn(await bodyOf(await begin(app, company, pat.email)), 'recovery')
    const link = /\/account\/recovery\/cancel\?ticket=(\S+)/.exec((await app.mailsTo(pat.email)).at(-1)?.text ?? '')?.[1] ?? ''
    const page = await app.request(`/account/recovery/cancel?ticket=${link}`)
    expect([page.status, page.headers.get('content-security-policy')]).toEqual([200, expect.stringContaining("form-action 'self'")])
    expect(await codeOf(await requestCode(app, recovery))).toBe('recovery_waiting')
    const headers = { 'content-type': 'application/x-www-form-urlencoded' }
    const stop = (transactionToken: string): Promise<Response> =>
      app.request('/account/recovery/cancel', { method: 'POST', headers, body: `ticket=${transactionToken}` })
    expect((await stop(recovery)).status).toBe(200)
    expect(await codeOf(await requestCode(app, recovery))).toBe('recovery_waiting')
    expect((await stop(link)).status).toBe(200)
    expect(await codeOf(await requestCode(app, recovery))).toBe('invalid_recovery')
    expect((await app.events(company.tenantId, { event: 'recovery.cancelled' })).length).toBe(1)
  })

  test('signing in ends a waiting recovery', async () => {
    const { app, company, pat } = await start()
    await configure(app, company, { recovery: { waitingDays: 1 } })
    await change(app, pat, { passwordHash: null })
    await enrol(app, pat, 'webauthn')
    const recovery = textIn(await bodyOf(await begin(app, company, pat.email)), 'recovery')
    app.clock.advance(3600)
    await app.token(pat)
    app.clock.advance(DAY)
    expect((await requestCode(app, recovery)).status).toBe(202)
    expect((await app.mailsTo(pat.email)).map(({ subject }) => subject)).not.toContain(`Your code to recover your account at ${company.name}`)
    expect(await codeOf(await finish(app, recovery, '123456'))).toBe('invalid_recovery')
    expect(await factorsOf(app, pat)).toBe(1)
  })

  test('the response is the same for every address; an account with a password needs the password', async () => {
    const { app, company, pat } = await start()
    await configure(app, company, { recovery: { waitingDays: 1 } })
    await enrol(app, pat)
    const masked = async (response: Response): Promise<string> =>
      JSON.stringify(await outcomeOf(response)).replace(/[0-9a-f-]{36}\.[\w-]{43}/, 'RECOVERY')
    const [unproved, unknown] = [await begin(app, company, pat.email), await begin(app, company, 'stranger@acme.example')]
    const recovery = textIn((await unproved.clone().json()) as Record<string, unknown>, 'recovery')
    const unknownHandle = textIn((await unknown.clone().json()) as Record<string, unknown>, 'recovery')
    const proved = await begin(app, company, pat.email, await loginTransactionFor(app, company, pat))
    const withPassword = textIn((await proved.clone().json()) as Record<string, unknown>, 'recovery')
    expect(new Set([await masked(unproved), await masked(unknown), await masked(proved)]).size).toBe(1)
    expect(await app.mailsTo(pat.email)).toHaveLength(1)
    app.clock.advance(DAY)
    expect(await outcomeOf(await requestCode(app, recovery))).toEqual(await outcomeOf(await requestCode(app, unknownHandle)))
    expect(await outcomeOf(await finish(app, recovery, '123456'))).toEqual(await outcomeOf(await finish(app, unknownHandle, '123456')))
    expect(await factorsOf(app, pat)).toBe(1)
    await requestCode(app, withPassword)
    const code = codeIn(await app.mailsTo(pat.email))
    expect(await codeOf(await finish(app, recovery, code))).toBe('invalid_recovery')
    expect((await finish(app, withPassword, code)).status).toBe(200)
  })

  test('a tenant without the waiting period refuses, and an unknown client is invalid_client', async () => {
    const { app, company, pat } = await start()
    expect(await codeOf(await begin(app, company, pat.email))).toBe('recovery_not_offered')
    expect(await codeOf(await begin(app, { ...company, clientId: app.ctx.random.id() }, pat.email))).toBe('invalid_client')
  })

  test('a recovery started before the tenant stopped offering it is refused', async () => {
    const { app, company, pat, admin } = await start()
    await configure(app, company, { recovery: { waitingDays: 1 } })
    await enrol(app, pat)
    const pass = textIn(await bodyOf(await issue(app, admin, pat)), 'pass')
    const recovery = textIn(await bodyOf(await begin(app, company, pat.email, await loginTransactionFor(app, company, pat))), 'recovery')
    await configure(app, company, { recovery: { administratorPass: false } })
    const transactionToken = await loginTransactionFor(app, company, pat)
    expect(await codeOf(await unchanged(app, [company], () => use(app, pat, pass, transactionToken)))).toBe('invalid_recovery')
    app.clock.advance(DAY)
    const mails = (await app.mailsTo(pat.email)).length
    expect((await requestCode(app, recovery)).status).toBe(202)
    expect(await app.mailsTo(pat.email)).toHaveLength(mails)
    expect(await codeOf(await finish(app, recovery, '123456'))).toBe('invalid_recovery')
    expect(await factorsOf(app, pat)).toBe(1)
  })

  test('starting and requesting the code cost the same number of statements for a recoverable, a refused and an unknown account', async () => {
    const counting = countingDb(openDb((await testDb()).engine))
    const app = await startApp(factorRoutes as never, { db: counting.db })
    const company = await app.company()
    await configure(app, company, { recovery: { waitingDays: 4 } })
    const [keyless, pat] = [await app.person(company), await app.person(company)]
    await change(app, keyless, { passwordHash: null })
    const counted = async (work: () => Promise<Response>): Promise<readonly [number, Response]> => {
      const before = counting.statements()
      const response = await work()
      return [counting.statements() - before, response]
    }
    const addresses = [keyless.email, pat.email, 'stranger@acme.example']
    const keys: string[] = []
    const starts = new Set<number>()
    // The first round fills the tenant cache.
    for (const email of [...addresses, ...addresses]) {
      const [statements, response] = await counted(() => begin(app, company, email))
      keys.push(textIn(await bodyOf(response), 'recovery'))
      if (keys.length > addresses.length) starts.add(statements)
    }
    expect([...starts]).toHaveLength(1)
    app.clock.advance(4 * DAY)
    // An unknown account first, to fill the tenant cache again.
    await requestCode(app, keys[addresses.length - 1] ?? '')
    const asks = new Set<number>()
    for (const key of keys.slice(addresses.length)) {
      const [statements, response] = await counted(() => requestCode(app, key))
      expect(response.status).toBe(202)
      asks.add(statements)
    }
    expect([...asks]).toHaveLength(1)
    expect((await app.mailsTo(keyless.email)).at(-1)?.subject).toBe(`Your code to recover your account at ${company.name}`)
    expect(await app.mailsTo(pat.email)).toEqual([])
  })

  test('recoveries started without the password do not use up the limit of one with the password', async () => {
    const app = await startApp([...authRoutes, ...userSignInRoutes, ...factorRoutes] as never, { env: { RATE_LIMIT: 'on' } })
    const company = await app.company()
    const pat = await app.person(company)
    await configure(app, company, { recovery: { waitingDays: 1 } })
    const statuses: number[] = []
    for (let n = 0; n < 4; n++) {
      app.clock.advance(120)
      statuses.push((await begin(app, company, pat.email)).status)
    }
    expect(statuses).toEqual([202, 202, 202, 429])
    app.clock.advance(120)
    expect((await begin(app, company, pat.email, await loginTransactionFor(app, company, pat))).status).toBe(202)
    expect((await app.events(company.tenantId, { event: 'recovery.started' })).length).toBe(1)
  })

  test('ending the login transactions of a person cancels the scheduled mails of a recovery', async () => {
    const { app, company, pat } = await start()
    await configure(app, company, { recovery: { waitingDays: 3 } })
    await change(app, pat, { passwordHash: null })
    await begin(app, company, pat.email)
    expect(await app.mailsTo(pat.email)).toHaveLength(1)
    await atomically(forTenant(app.db, company.tenantId), (t) => endLoginTransactions(t, pat.id, app.clock.now()))
    app.clock.advance(3 * DAY)
    expect(await app.mailsTo(pat.email)).toHaveLength(1)
  })

  test('a ready recovery sends at most 20 codes in all', async () => {
    const app = await startApp(factorRoutes as never, { env: { RATE_LIMIT: 'on' } })
    const company = await app.company()
    const pat = await app.person(company)
    await configure(app, company, { recovery: { waitingDays: 1 } })
    await change(app, pat, { passwordHash: null })
    const keys = [textIn(await bodyOf(await begin(app, company, pat.email)), 'recovery')]
    keys.push(textIn(await bodyOf(await begin(app, company, pat.email)), 'recovery'))
    app.clock.advance(DAY)
    const statuses: number[] = []
    for (let n = 0; n < 22; n++) {
      app.clock.advance(900)
      // Starting more recoveries permits no more codes.
      statuses.push((await requestCode(app, keys[n % 2] ?? '')).status)
    }
    expect(statuses).toEqual([...Array(20).fill(202), 429, 429])
  })
})

test.each([
  ['from before all sessions were ended', (app: TestApp, pat: Person) => change(app, pat, { validFrom: new Date(app.clock.now().getTime() + 1) })],
  ['without a password', undefined],
] as const)('a login ticket %s does not count as the password', async (_, end) => {
  const { app, company, pat, admin } = await start()
  await configure(app, company, { recovery: { waitingDays: 1 } })
  await enrol(app, pat)
  const pass = textIn(await bodyOf(await issue(app, admin, pat)), 'pass')
  const transactionToken = await loginTicket(app, pat, end === undefined ? ['fed'] : ['pwd'])
  await end?.(app, pat)
  expect(await codeOf(await unchanged(app, [company], () => use(app, pat, pass, transactionToken)))).toBe('invalid_recovery')
  expect((await begin(app, company, pat.email, transactionToken)).status).toBe(202)
  expect(await app.events(company.tenantId, { event: 'recovery.started' })).toEqual([])
})

test('the login ticket of another person does not count as the password', async () => {
  const { app, company, pat } = await start()
  await configure(app, company, { recovery: { waitingDays: 1 } })
  await begin(app, company, pat.email, await loginTransactionFor(app, company, await app.person(company)))
  expect(await app.events(company.tenantId, { event: 'recovery.started' })).toEqual([])
  expect(await app.mailsTo(pat.email)).toEqual([])
})

test.each([
  ['had all sessions ended', (app: TestApp) => ({ validFrom: new Date(app.clock.now().getTime() + 1) })],
  ['was disabled', () => ({ active: false })],
  ['was deleted', (app: TestApp) => ({ deletedAt: app.clock.now() })],
  ['must set a new password', () => ({ passwordResetRequired: true })],
] as const)('a waiting recovery is refused when the person %s', async (_, set) => {
  const { app, company, pat } = await start()
  await configure(app, company, { recovery: { waitingDays: 1 } })
  await change(app, pat, { passwordHash: null })
  await enrol(app, pat, 'webauthn')
  const recovery = textIn(await bodyOf(await begin(app, company, pat.email)), 'recovery')
  await change(app, pat, set(app) as Parameters<typeof change>[2])
  app.clock.advance(DAY)
  const mails = (await app.mailsTo(pat.email)).filter(({ subject }) => subject.startsWith('Your code'))
  expect((await requestCode(app, recovery)).status).toBe(202)
  expect((await app.mailsTo(pat.email)).filter(({ subject }) => subject.startsWith('Your code'))).toEqual(mails)
  expect(await codeOf(await finish(app, recovery, '123456'))).toBe('invalid_recovery')
  expect(await factorsOf(app, pat)).toBe(1)
})

test('a pass cannot be issued for a person who could not use it', async () => {
  const { app, company, admin } = await start()
  for (const set of [{ active: false }, { deletedAt: app.clock.now() }, { passwordResetRequired: true }]) {
    const unusable = await app.person(company)
    await change(app, unusable, set as Parameters<typeof change>[2])
    expect(await codeOf(await unchanged(app, [company], () => issue(app, admin, unusable)))).toBe('not_found')
  }
})

test('the waiting period is at most 30 days, can be finished for a week, and finishing one ends the others', async () => {
  const { app, company, pat } = await start()
  await configure(app, company, { recovery: { waitingDays: 90 } })
  await change(app, pat, { passwordHash: null })
  const first = await bodyOf(await begin(app, company, pat.email))
  expect(first.ready_at).toBe(new Date(app.clock.now().getTime() + 30 * DAY * 1000).toISOString())
  app.clock.advance(DAY)
  const second = textIn(await bodyOf(await begin(app, company, pat.email)), 'recovery')
  const third = textIn(await bodyOf(await begin(app, company, pat.email)), 'recovery')
  app.clock.advance(37 * DAY - DAY)
  expect(await codeOf(await requestCode(app, textIn(first, 'recovery')))).toBe('invalid_recovery')
  expect((await requestCode(app, second)).status).toBe(202)
  expect((await finish(app, second, codeIn(await app.mailsTo(pat.email)))).status).toBe(200)
  expect(await codeOf(await requestCode(app, third))).toBe('invalid_recovery')
})

test('recovery ends sessions and login transactions that used the lost factors', async () => {
  const { app, company, pat, admin } = await start()
  await enrol(app, pat)
  const [session, half] = [await app.token(pat, ['pwd', 'otp']), await loginTicket(app, pat, ['pwd', 'otp'])]
  const pass = textIn(await bodyOf(await issue(app, admin, pat)), 'pass')
  expect((await app.request('/account/factors', { token: session })).status).toBe(200)
  expect((await use(app, pat, pass, await loginTransactionFor(app, company, pat))).status).toBe(200)
  expect((await app.request('/account/factors', { token: session })).status).toBe(401)
  expect((await mintEndUser(app, pat, half)).status).toBe(401)
})

test('a pass works only for its own person, also without a password', async () => {
  const { app, company, pat, admin } = await start()
  await change(app, pat, { passwordHash: null })
  await enrol(app, pat)
  const pass = textIn(await bodyOf(await issue(app, admin, pat)), 'pass')
  const other = await app.person(company)
  expect(await codeOf(await unchanged(app, [company], () => use(app, other, pass)))).toBe('invalid_recovery')
  expect((await use(app, pat, pass)).status).toBe(200)
})
