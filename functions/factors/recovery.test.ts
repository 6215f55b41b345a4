import { expect, test } from 'vitest'
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

test('a pass and the password bring back who lost the app; a factor is enrolled before anything else where one is required', async () => {
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
  // What stood for the lost app stands for nothing.
  expect(await countBackupCodes(forTenant(app.db, pat.tenantId), pat.id)).toBe(0)
  const ticket = textIn(back, 'login_ticket')
  expect((await mintEndUser(app, pat, ticket)).status).toBe(401)
  await setUpApp(app, pat, { ticket })
  expect((await mintEndUser(app, pat, ticket)).status).toBe(200)
  const events = (await app.events(company.tenantId)).map(({ event }) => event)
  for (const event of ['recovery_pass.issued', 'recovery_pass.used', 'factors.reset']) expect(events).toContain(event)
  expect((await app.mailsTo(pat.email)).map(({ subject }) => subject)).toEqual(
    expect.arrayContaining([`A way back in was issued at ${company.name}`, `Your account at ${company.name} was recovered`]),
  )
  expect((await app.mailsTo(company.admin.email)).map(({ subject }) => subject)).toContain(`A way back in was issued at ${company.name}`)
  expect(await leaked(app, [company.tenantId], [pass, pass.slice(37)])).toEqual([])
})

test('a pass is good once, for half an hour, and a newer one voids it', async () => {
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
  ['owes a new password', { passwordResetRequired: true }],
] as const)('a pass brings back nobody who %s since, and takes no factor away', async (_, set) => {
  const { app, company, pat, admin } = await start()
  await enrol(app, pat)
  const pass = textIn(await bodyOf(await issue(app, admin, pat)), 'pass')
  const transactionToken = await loginTransactionFor(app, company, pat)
  await change(app, pat, set)
  expect(await codeOf(await use(app, pat, pass, transactionToken))).toBe('invalid_recovery')
  expect(await factorsOf(app, pat)).toBe(1)
})

test('a pass alone opens nothing of who has a password; nor with another\u2019s, in another\u2019s name, or of another kind', async () => {
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

test('one pass used many times at once brings back once', async () => {
  const { app, company, pat, admin } = await start()
  await enrol(app, pat)
  const pass = textIn(await bodyOf(await issue(app, admin, pat)), 'pass')
  const transactionToken = await loginTransactionFor(app, company, pat)
  const responses = await Promise.all([...Array(5)].map(() => use(app, pat, pass, transactionToken)))
  expect(responses.map(({ status }) => status).toSorted()).toEqual([200, 401, 401, 401, 401])
})

test('who issues a pass or resets factors needs every right of the person, a fresh sign-in, and a tenant that offers it', async () => {
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

const begin = (app: TestApp, company: Company, email: string, login_ticket?: string): Promise<Response> =>
  app.request('/account/recovery/start', { body: { client_id: company.clientId, email, ...(login_ticket === undefined ? {} : { login_ticket }) } })
const ask = (app: TestApp, recovery: string): Promise<Response> => app.request('/account/recovery/finish', { body: { recovery } })
const finish = (app: TestApp, recovery: string, code: string): Promise<Response> =>
  app.request('/account/recovery/confirm', { body: { recovery, code } })

test('a passkey-only person waits, proves the mailbox, and comes back', async () => {
  const { app, company, pat } = await start()
  await configure(app, company, { recovery: { waitingDays: 3 } })
  await change(app, pat, { passwordHash: null })
  await enrol(app, pat, 'webauthn')
  const begun = await bodyOf(await begin(app, company, pat.email))
  const recovery = textIn(begun, 'recovery')
  expect(begun.ready_at).toBe(new Date(app.clock.now().getTime() + 3 * DAY * 1000).toISOString())
  expect((await app.mailsTo(pat.email)).at(-1)?.subject).toBe(`Somebody wants back into your account at ${company.name}`)
  expect(await bodyOf(await ask(app, recovery))).toMatchObject({ code: 'recovery_waiting', ready_at: begun.ready_at })
  expect(await codeOf(await finish(app, recovery, '123456'))).toBe('recovery_waiting')
  app.clock.advance(3 * DAY)
  expect((await ask(app, recovery)).status).toBe(202)
  const code = codeIn(await app.mailsTo(pat.email))
  const back = await bodyOf(await finish(app, recovery, code))
  expect(await factorsOf(app, pat)).toBe(0)
  expect((await mintEndUser(app, pat, textIn(back, 'login_ticket'))).status).toBe(200)
  expect(await codeOf(await finish(app, recovery, code))).toBe('invalid_recovery')
})

test('the owner stops it with the mailed link; opening the link alone stops nothing', async () => {
  const { app, company, pat } = await start()
  await configure(app, company, { recovery: { waitingDays: 1 } })
  await change(app, pat, { passwordHash: null })
  await enrol(app, pat, 'webauthn')
  const recovery = textIn(await bodyOf(await begin(app, company, pat.email)), 'recovery')
  const link = /\/account\/recovery\/cancel\?ticket=(\S+)/.exec((await app.mailsTo(pat.email)).at(-1)?.text ?? '')?.[1] ?? ''
  const page = await app.request(`/account/recovery/cancel?ticket=${link}`)
  expect([page.status, page.headers.get('content-security-policy')]).toEqual([200, expect.stringContaining("form-action 'self'")])
  expect(await codeOf(await ask(app, recovery))).toBe('recovery_waiting')
  const headers = { 'content-type': 'application/x-www-form-urlencoded' }
  const stop = (transactionToken: string): Promise<Response> =>
    app.request('/account/recovery/cancel', { method: 'POST', headers, body: `ticket=${transactionToken}` })
  expect((await stop(recovery)).status).toBe(200)
  expect(await codeOf(await ask(app, recovery))).toBe('recovery_waiting')
  expect((await stop(link)).status).toBe(200)
  expect(await codeOf(await ask(app, recovery))).toBe('invalid_recovery')
  expect((await app.events(company.tenantId, { event: 'recovery.cancelled' })).length).toBe(1)
})

test('signing in ends it, and so does whatever ends the person\u2019s sessions', async () => {
  const { app, company, pat } = await start()
  await configure(app, company, { recovery: { waitingDays: 1 } })
  await change(app, pat, { passwordHash: null })
  await enrol(app, pat, 'webauthn')
  const recovery = textIn(await bodyOf(await begin(app, company, pat.email)), 'recovery')
  app.clock.advance(3600)
  await app.token(pat)
  app.clock.advance(DAY)
  expect((await ask(app, recovery)).status).toBe(202)
  expect((await app.mailsTo(pat.email)).map(({ subject }) => subject)).not.toContain(`Your code to get back into your account at ${company.name}`)
  expect(await codeOf(await finish(app, recovery, '123456'))).toBe('invalid_recovery')
  expect(await factorsOf(app, pat)).toBe(1)
})

test('it answers alike for every address; of who has a password it needs the password', async () => {
  const { app, company, pat } = await start()
  await configure(app, company, { recovery: { waitingDays: 1 } })
  await enrol(app, pat)
  const masked = async (response: Response): Promise<string> =>
    JSON.stringify(await outcomeOf(response)).replace(/[0-9a-f-]{36}\.[\w-]{43}/, 'RECOVERY')
  const [unproved, nobody] = [await begin(app, company, pat.email), await begin(app, company, 'nobody@acme.example')]
  const recovery = textIn((await unproved.clone().json()) as Record<string, unknown>, 'recovery')
  const ofNobody = textIn((await nobody.clone().json()) as Record<string, unknown>, 'recovery')
  const proved = await begin(app, company, pat.email, await loginTransactionFor(app, company, pat))
  const withPassword = textIn((await proved.clone().json()) as Record<string, unknown>, 'recovery')
  expect(new Set([await masked(unproved), await masked(nobody), await masked(proved)]).size).toBe(1)
  expect(await app.mailsTo(pat.email)).toHaveLength(1)
  app.clock.advance(DAY)
  expect(await outcomeOf(await ask(app, recovery))).toEqual(await outcomeOf(await ask(app, ofNobody)))
  expect(await outcomeOf(await finish(app, recovery, '123456'))).toEqual(await outcomeOf(await finish(app, ofNobody, '123456')))
  expect(await factorsOf(app, pat)).toBe(1)
  await ask(app, withPassword)
  const code = codeIn(await app.mailsTo(pat.email))
  expect(await codeOf(await finish(app, recovery, code))).toBe('invalid_recovery')
  expect((await finish(app, withPassword, code)).status).toBe(200)
})

test('a tenant that does not offer waiting says so, and a flood is refused', async () => {
  const { app, company, pat } = await start()
  expect(await codeOf(await begin(app, company, pat.email))).toBe('recovery_not_offered')
  expect(await codeOf(await begin(app, { ...company, clientId: app.ctx.random.id() }, pat.email))).toBe('invalid_client')
})

test('what the tenant offers no more brings nobody back, whatever was begun before', async () => {
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
  expect((await ask(app, recovery)).status).toBe(202)
  expect(await app.mailsTo(pat.email)).toHaveLength(mails)
  expect(await codeOf(await finish(app, recovery, '123456'))).toBe('invalid_recovery')
  expect(await factorsOf(app, pat)).toBe(1)
})

test('a start, and asking for the code, cost the same statements for who may come back, who may not, and nobody', async () => {
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
  const addresses = [keyless.email, pat.email, 'nobody@acme.example']
  const keys: string[] = []
  const starts = new Set<number>()
  // Once before: what is learned of the tenant is known from then on.
  for (const email of [...addresses, ...addresses]) {
    const [statements, response] = await counted(() => begin(app, company, email))
    keys.push(textIn(await bodyOf(response), 'recovery'))
    if (keys.length > addresses.length) starts.add(statements)
  }
  expect([...starts]).toHaveLength(1)
  app.clock.advance(4 * DAY)
  // Nobody's, once before: what is learned of the tenant was long ago.
  await ask(app, keys[addresses.length - 1] ?? '')
  const asks = new Set<number>()
  for (const key of keys.slice(addresses.length)) {
    const [statements, response] = await counted(() => ask(app, key))
    expect(response.status).toBe(202)
    asks.add(statements)
  }
  expect([...asks]).toHaveLength(1)
  expect((await app.mailsTo(keyless.email)).at(-1)?.subject).toBe(`Your code to get back into your account at ${company.name}`)
  expect(await app.mailsTo(pat.email)).toEqual([])
})

test('strangers who begin recoveries of an address use up none of who proved the password', async () => {
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

test('what ends all tickets of a person takes back the mails that wait with a recovery', async () => {
  const { app, company, pat } = await start()
  await configure(app, company, { recovery: { waitingDays: 3 } })
  await change(app, pat, { passwordHash: null })
  await begin(app, company, pat.email)
  expect(await app.mailsTo(pat.email)).toHaveLength(1)
  await atomically(forTenant(app.db, company.tenantId), (t) => endLoginTransactions(t, pat.id, app.clock.now()))
  app.clock.advance(3 * DAY)
  expect(await app.mailsTo(pat.email)).toHaveLength(1)
})

test('a recovery that is ready takes twenty codes in all, and no more guesses than these', async () => {
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
    // Beginning more than one recovery gives no more codes.
    statuses.push((await ask(app, keys[n % 2] ?? '')).status)
  }
  expect(statuses).toEqual([...Array(20).fill(202), 429, 429])
})

test.each([
  ['of before the sessions were ended', (app: TestApp, pat: Person) => change(app, pat, { validFrom: new Date(app.clock.now().getTime() + 1) })],
  ['without a password in it', undefined],
] as const)('a sign-in %s is no password: neither a pass nor a wait goes by it', async (_, end) => {
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

test('the sign-in of somebody else is no password: no wait begins by it', async () => {
  const { app, company, pat } = await start()
  await configure(app, company, { recovery: { waitingDays: 1 } })
  await begin(app, company, pat.email, await loginTransactionFor(app, company, await app.person(company)))
  expect(await app.events(company.tenantId, { event: 'recovery.started' })).toEqual([])
  expect(await app.mailsTo(pat.email)).toEqual([])
})

test.each([
  ['whose sessions were all ended since', (app: TestApp) => ({ validFrom: new Date(app.clock.now().getTime() + 1) })],
  ['who was disabled', () => ({ active: false })],
  ['who was removed', (app: TestApp) => ({ deletedAt: app.clock.now() })],
  ['who owes a new password', () => ({ passwordResetRequired: true })],
] as const)('the wait of somebody %s ends nowhere', async (_, set) => {
  const { app, company, pat } = await start()
  await configure(app, company, { recovery: { waitingDays: 1 } })
  await change(app, pat, { passwordHash: null })
  await enrol(app, pat, 'webauthn')
  const recovery = textIn(await bodyOf(await begin(app, company, pat.email)), 'recovery')
  await change(app, pat, set(app) as Parameters<typeof change>[2])
  app.clock.advance(DAY)
  const mails = (await app.mailsTo(pat.email)).filter(({ subject }) => subject.startsWith('Your code'))
  expect((await ask(app, recovery)).status).toBe(202)
  expect((await app.mailsTo(pat.email)).filter(({ subject }) => subject.startsWith('Your code'))).toEqual(mails)
  expect(await codeOf(await finish(app, recovery, '123456'))).toBe('invalid_recovery')
  expect(await factorsOf(app, pat)).toBe(1)
})

test('a pass is issued to nobody who could not use it', async () => {
  const { app, company, admin } = await start()
  for (const set of [{ active: false }, { deletedAt: app.clock.now() }, { passwordResetRequired: true }]) {
    const gone = await app.person(company)
    await change(app, gone, set as Parameters<typeof change>[2])
    expect(await codeOf(await unchanged(app, [company], () => issue(app, admin, gone)))).toBe('not_found')
  }
})

test('a wait is at most thirty days, can be finished for a week, and finishing one ends the others', async () => {
  const { app, company, pat } = await start()
  await configure(app, company, { recovery: { waitingDays: 90 } })
  await change(app, pat, { passwordHash: null })
  const first = await bodyOf(await begin(app, company, pat.email))
  expect(first.ready_at).toBe(new Date(app.clock.now().getTime() + 30 * DAY * 1000).toISOString())
  app.clock.advance(DAY)
  const second = textIn(await bodyOf(await begin(app, company, pat.email)), 'recovery')
  const third = textIn(await bodyOf(await begin(app, company, pat.email)), 'recovery')
  app.clock.advance(37 * DAY - DAY)
  expect(await codeOf(await ask(app, textIn(first, 'recovery')))).toBe('invalid_recovery')
  expect((await ask(app, second)).status).toBe(202)
  expect((await finish(app, second, codeIn(await app.mailsTo(pat.email)))).status).toBe(200)
  expect(await codeOf(await ask(app, third))).toBe('invalid_recovery')
})

test('what was begun with the lost factors is over: sessions, and sign-ins that were half way', async () => {
  const { app, company, pat, admin } = await start()
  await enrol(app, pat)
  const [session, half] = [await app.token(pat, ['pwd', 'otp']), await loginTicket(app, pat, ['pwd', 'otp'])]
  const pass = textIn(await bodyOf(await issue(app, admin, pat)), 'pass')
  expect((await app.request('/account/factors', { token: session })).status).toBe(200)
  expect((await use(app, pat, pass, await loginTransactionFor(app, company, pat))).status).toBe(200)
  expect((await app.request('/account/factors', { token: session })).status).toBe(401)
  expect((await mintEndUser(app, pat, half)).status).toBe(401)
})

test('a pass names its person: without a password too it opens nothing in another\u2019s name', async () => {
  const { app, company, pat, admin } = await start()
  await change(app, pat, { passwordHash: null })
  await enrol(app, pat)
  const pass = textIn(await bodyOf(await issue(app, admin, pat)), 'pass')
  const other = await app.person(company)
  expect(await codeOf(await unchanged(app, [company], () => use(app, other, pass)))).toBe('invalid_recovery')
  expect((await use(app, pat, pass)).status).toBe(200)
})
