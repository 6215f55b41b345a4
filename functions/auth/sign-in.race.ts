// Twenty parallel requests on a real Postgres server: everything single-use or unique has one winner, and no request gets a 5xx.
import { EventEmitter, once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { atomically, forTenant } from '#db/engine/tenant'
import { insertFactor } from '#db/store/factors'
import { findUserByEmail, lockUser } from '#db/store/users'
import { PASSWORD, type Person, startApp, type TestApp } from '#tests/support/app'
import { ownDb } from '#tests/support/database'
import { bodyOf, codeIn, configure, rowOf, textIn, wrongCode } from '#tests/support/sign-in'
import { signUpRoutes } from '../sign-up/routes.ts'
import { userSignInRoutes } from '../user-sign-in/routes.ts'
import { authRoutes } from './routes.ts'

const ADMIN = '/authsec/uflow/auth/admin'
const USER = '/authsec/uflow/user'
const CALLBACK = '/authsec/uflow/login/webauthn-callback'
const NEW_PASSWORD = 'nine-silver-herons-wade'

const start = (options: Parameters<typeof startApp>[1] = {}): Promise<TestApp> =>
  startApp([...authRoutes, ...signUpRoutes, ...userSignInRoutes] as never, options)
const twenty = <T>(work: (n: number) => Promise<T>): Promise<T[]> => Promise.all(Array.from({ length: 20 }, (_, n) => work(n)))
/** How often each status was returned. */
const tally = (responses: readonly Response[]): Record<number, number> => {
  const counts: Record<number, number> = {}
  for (const { status } of responses) counts[status] = (counts[status] ?? 0) + 1
  return counts
}
const newAddress = (app: TestApp): string => `eve@${app.ctx.random.id()}.example`
const label = (app: TestApp): string => `co${app.ctx.random.id().slice(-12)}`
const register = async (app: TestApp, tenant_domain: string): Promise<{ email: string; otp: string }> => {
  const email = newAddress(app)
  await app.request(`${ADMIN}/register`, { body: { email, password: NEW_PASSWORD, name: 'Fay Founder', tenant_domain } })
  return { email, otp: codeIn(await app.mailsTo(email)) }
}
/** Sequential, because only one of several parallel senders finds a mail. */
const registerTwenty = async (app: TestApp, domain: () => string): Promise<{ email: string; otp: string }[]> => {
  const all: { email: string; otp: string }[] = []
  for (let n = 0; n < 20; n++) all.push(await register(app, domain()))
  return all
}
const ticketOf = async (app: TestApp, { email }: Person): Promise<string> =>
  textIn(await bodyOf(await app.request('/authsec/uflow/login', { body: { email, password: PASSWORD } })), 'login_ticket')
const mint = (app: TestApp, person: Person, login_ticket: string): Promise<Response> =>
  app.request(CALLBACK, { body: { email: person.email, tenant_id: person.tenantId, mfa_verified: true, login_ticket } })
const resetValue = async (app: TestApp, { email }: Person): Promise<string> => {
  await app.request(`${ADMIN}/forgot-password`, { body: { email } })
  const otp = codeIn(await app.mailsTo(email))
  return textIn(await bodyOf(await app.request(`${ADMIN}/forgot-password/verify-otp`, { body: { email, otp } })), 'reset_token')
}
const reset = (app: TestApp, { email }: Person, reset_token: string): Promise<Response> =>
  app.request(`${ADMIN}/forgot-password/reset`, { body: { email, new_password: NEW_PASSWORD, reset_token } })

test('One code creates one company', async () => {
  const app = await start()
  const body = await register(app, label(app))
  const counts = tally(await twenty(() => app.request(`${ADMIN}/complete-registration`, { body })))
  expect(counts[201]).toBe(1)
  expect((counts[401] ?? 0) + (counts[400] ?? 0)).toBe(19)
})

test('One domain goes to one company', async () => {
  const app = await start()
  const domain = label(app)
  const bodies = await registerTwenty(app, () => domain)
  const counts = tally(await twenty((n) => app.request(`${ADMIN}/complete-registration`, { body: bodies[n] })))
  expect(counts).toEqual({ 201: 1, 409: 19 })
})

test('With TENANCY=single only one company is created', async () => {
  const db = await ownDb()
  try {
    const app = await start({ db, env: { TENANCY: 'single' } })
    const bodies = await registerTwenty(app, () => label(app))
    const counts = tally(await twenty((n) => app.request(`${ADMIN}/complete-registration`, { body: bodies[n] })))
    expect(counts).toEqual({ 201: 1, 409: 19 })
  } finally {
    await db.engine.close()
  }
})

test('One address becomes one account, and the responses are alike', async () => {
  const app = await start()
  const company = await app.company()
  await configure(app, company, { directSignUp: true })
  const email = newAddress(app)
  const answers = await twenty((n) =>
    app.request(`${USER}/register`, { body: { client_id: company.clientId, email, password: `${NEW_PASSWORD}-${n}` } }),
  )
  expect(tally(answers)).toEqual({ 200: 20 })
  expect(await findUserByEmail(forTenant(app.db, company.tenantId), email)).toMatchObject({ active: true })
})

test('One code becomes one account; at most one mail a minute is sent', async () => {
  const app = await start()
  const company = await app.company()
  const email = newAddress(app)
  const started = await twenty(() =>
    app.request(`${USER}/register/initiate`, { body: { client_id: company.clientId, email, password: NEW_PASSWORD } }),
  )
  expect(tally(started)).toEqual({ 200: 1, 429: 19 })
  const mails = await app.mailsTo(email)
  expect(mails).toHaveLength(1)
  const otp = codeIn(mails)
  const accepted = started.find(({ status }) => status === 200) ?? new Response('{}')
  const body = { client_id: company.clientId, email, otp, registration_ticket: textIn(await bodyOf(accepted), 'registration_ticket') }
  const counts = tally(await twenty(() => app.request(`${USER}/register/complete`, { body })))
  expect(counts[200]).toBe(1)
  expect((counts[401] ?? 0) + (counts[400] ?? 0)).toBe(19)
})

test('One ticket gets one token', async () => {
  const app = await start()
  const { admin } = await app.company()
  const transactionToken = await ticketOf(app, admin)
  expect(tally(await twenty(() => mint(app, admin, transactionToken)))).toEqual({ 200: 1, 401: 19 })
})

test('One reset value resets the password once', async () => {
  const app = await start()
  const { admin } = await app.company()
  const value = await resetValue(app, admin)
  expect(tally(await twenty(() => reset(app, admin, value)))).toEqual({ 200: 1, 401: 19 })
})

test('No sign-in with the old password survives a parallel reset', async () => {
  const app = await start()
  const { admin } = await app.company()
  const value = await resetValue(app, admin)
  const tickets: string[] = []
  for (let i = 0; i < 10; i++) tickets.push(await ticketOf(app, admin))
  app.clock.advance(1)
  const [done, ...others] = await Promise.all([
    reset(app, admin, value),
    ...tickets.map((transactionToken) => mint(app, admin, transactionToken)),
    ...tickets.map(() => app.request(`${ADMIN}/login`, { body: { email: admin.email, password: PASSWORD } })),
  ])
  expect(done.status).toBe(200)
  for (const response of others) {
    expect([200, 401]).toContain(response.status)
    if (response.status !== 200) continue
    // A sign-in that finished before the reset has a token that the reset revoked.
    await expect(app.ctx.principals.resolve(textIn(await bodyOf(response), 'token'))).rejects.toMatchObject({ code: 'invalid_token' })
  }
})

test('A sign-in that finishes while a factor is being enrolled requires the factor', async () => {
  const app = await start()
  const { admin, tenantId } = await app.company()
  const tickets: string[] = []
  for (let i = 0; i < 10; i++) tickets.push(await ticketOf(app, admin))
  const gate = new EventEmitter()
  const enrolling = once(gate, 'enrolling')
  const minted = Promise.all(tickets.map((transactionToken) => enrolling.then(() => mint(app, admin, transactionToken))))
  await atomically(forTenant(app.db, tenantId), async (t) => {
    await lockUser(t, admin.id)
    await insertFactor(t, { id: app.ctx.random.id(), userId: admin.id, kind: 'totp', confirmedAt: app.clock.now(), createdAt: app.clock.now() })
    gate.emit('enrolling')
    // Long enough for the others to reach the row that is locked here.
    await sleep(200)
  })
  expect(tally(await minted)).toEqual({ 401: 10 })
})

test('A password that was checked while a factor was being enrolled gets no token', async () => {
  const app = await start()
  const { admin, tenantId } = await app.company()
  // The first sign-in creates the key of the audit log; after that a session begins in one round trip.
  const signIn = () => app.request(`${ADMIN}/login`, { body: { email: admin.email, password: PASSWORD } })
  expect(await bodyOf(await signIn())).toHaveProperty('token')
  const gate = new EventEmitter()
  const validated = once(gate, 'enrolling').then(signIn)
  await atomically(forTenant(app.db, tenantId), async (t) => {
    await lockUser(t, admin.id)
    gate.emit('enrolling')
    // Long enough for the sign-in to read the required factors and to wait for the row that is locked here.
    await sleep(1500)
    await insertFactor(t, { id: app.ctx.random.id(), userId: admin.id, kind: 'totp', confirmedAt: app.clock.now(), createdAt: app.clock.now() })
  })
  const body = await bodyOf(await validated)
  expect(body).toMatchObject({ mfa_required: true, methods: ['totp'] })
  expect(body).not.toHaveProperty('token')
})

test('Parallel guesses at a password all count, and the owner is notified of the lock once', async () => {
  const app = await start()
  const { admin } = await app.company()
  const guess = (n: number): Promise<Response> => app.request(`${ADMIN}/login`, { body: { email: admin.email, password: `guess ${n}` } })
  await Promise.all([1, 2, 3, 4].map(guess))
  expect((await rowOf(app, admin))?.failedAttempts).toBe(4)
  expect(tally(await twenty(guess))).toEqual({ 401: 20 })
  expect((await rowOf(app, admin))?.failedAttempts).toBeGreaterThan(4)
  expect(await app.mailsTo(admin.email)).toHaveLength(1)
  expect((await app.request(`${ADMIN}/login`, { body: { email: admin.email, password: PASSWORD } })).status).toBe(401)
})

test('Parallel guesses at a code all count', async () => {
  const app = await start()
  const { email, otp } = await register(app, label(app))
  const guesses = await twenty((n) => app.request(`${ADMIN}/complete-registration`, { body: { email, otp: wrongCode(otp, n + 1) } }))
  expect(tally(guesses)).toEqual({ 401: 20 })
  expect((await app.request(`${ADMIN}/complete-registration`, { body: { email, otp } })).status).toBe(401)
})
