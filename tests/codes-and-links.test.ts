// Codes, links and tickets reach no further than where they began: not another person, tenant, step or origin, and not an account's creator once the owner of the
// address proved it.
import { expect, test } from 'vitest'
import { atomically, forTenant } from '#db/engine/tenant'
import { findFactors } from '#db/store/factors'
import { insertIdentity, listIdentities } from '#db/store/identities'
import { findUserByEmail } from '#db/store/users'
import type { Route } from '#shared/platform/http/route'
import { accountRoutes } from '../functions/account/routes.ts'
import { authRoutes } from '../functions/auth/routes.ts'
import { factorRoutes } from '../functions/factors/routes.ts'
import { oneTimeCodeRoutes } from '../functions/one-time-codes/routes.ts'
import { userSignInRoutes } from '../functions/user-sign-in/routes.ts'
import { type Company, cookieJar, PASSWORD, type Person, startApp, type TestApp } from './support/app.ts'
import { loginTransactionFor, mintEndUser, setUpApp } from './support/factors.ts'
import { bodyOf, change, codeIn, configure, enrol, eventsOf, outcomeOf, textIn } from './support/sign-in.ts'

const USER = '/authsec/uflow/user'
const NEW_PASSWORD = 'nine-silver-herons-wade'
const routes = [...userSignInRoutes, ...authRoutes, ...accountRoutes, ...factorRoutes, ...oneTimeCodeRoutes] as readonly Route<never>[]
const start = async () => {
  const app = await startApp(routes)
  return { app, company: await app.company() }
}

const resetTokenFor = async (app: TestApp, { clientId: client_id }: Company, email: string): Promise<string> => {
  await app.request(`${USER}/forgot-password`, { body: { client_id, email } })
  const otp = codeIn((await app.mailsTo(email)).filter(({ subject }) => /reset/.test(subject)))
  return textIn(await bodyOf(await app.request(`${USER}/forgot-password/verify-otp`, { body: { client_id, email, otp } })), 'reset_token')
}
const reset = (app: TestApp, { clientId: client_id }: Company, email: string, reset_token: string) =>
  app.request(`${USER}/forgot-password/reset`, { body: { client_id, email, new_password: NEW_PASSWORD, reset_token } })
const linkIdentity = async (app: TestApp, { tenantId }: Company, userId: string): Promise<void> => {
  const [id, at] = [app.ctx.random.id(), app.clock.now()]
  const row = { id, userId, provider: 'strangers', issuer: 'https://id.example', subject: id, isOwnProvider: true, createdAt: at, updatedAt: at }
  expect(await atomically(forTenant(app.db, tenantId), (t) => insertIdentity(t, row, undefined))).toBe(true)
}

test('who creates an account for another\u2019s address keeps nothing once its owner resets the password: no session, factor or identity', async () => {
  const { app, company } = await start()
  await configure(app, company, { directSignUp: true })
  const email = `owner@${app.ctx.random.id()}.example`
  const t = forTenant(app.db, company.tenantId)
  const creators = { client_id: company.clientId, email, password: 'seven-purple-otters-sing' }
  expect((await app.request(`${USER}/register`, { body: creators })).status).toBe(200)
  const row = await findUserByEmail(t, email)
  const account = { ...company.admin, id: row?.id ?? '', email, tenantId: company.tenantId } as Person
  const minted = await bodyOf(
    await mintEndUser(app, account, textIn(await bodyOf(await app.request(`${USER}/login`, { body: creators })), 'login_ticket')),
  )
  const token = textIn(minted, 'access_token')
  await setUpApp(app, account, { token })
  await linkIdentity(app, company, account.id)
  expect([(await findFactors(t, account.id)).length, (await listIdentities(t, account.id)).length]).toEqual([1, 1])
  expect((await reset(app, company, email, await resetTokenFor(app, company, email))).status).toBe(200)
  expect([await findFactors(t, account.id), await listIdentities(t, account.id)]).toEqual([[], []])
  await expect(app.ctx.principals.resolve(token)).rejects.toMatchObject({ code: 'invalid_token' })
  expect(await eventsOf(app, company.tenantId, 'user.resetPassword')).toEqual(['factors.reset', 'user.password_reset'])
  const own = await bodyOf(await app.request(`${USER}/login`, { body: { client_id: company.clientId, email, password: NEW_PASSWORD } }))
  expect(own).toMatchObject({ mfa_required: false, methods: [] })
  // From now on the factors are the owner's own, and a reset leaves them.
  await enrol(app, account)
  app.clock.advance(61)
  await reset(app, company, email, await resetTokenFor(app, company, email))
  expect(await findFactors(t, account.id)).toHaveLength(1)
})

test.each<[string, Parameters<typeof change>[2]]>([
  ['proved', { name: 'Proved' }],
  ['changed by an administrator', { emailVerifiedAt: null }],
])('a reset leaves the factors and identities of an account whose address was %s', async (_, set) => {
  const { app, company } = await start()
  const person = await app.person(company)
  await change(app, person, set)
  await enrol(app, person)
  await linkIdentity(app, company, person.id)
  await reset(app, company, person.email, await resetTokenFor(app, company, person.email))
  const t = forTenant(app.db, company.tenantId)
  expect([(await findFactors(t, person.id)).length, (await listIdentities(t, person.id)).length]).toEqual([1, 1])
})

test('a ticket opens only the step that it was made for, for the person and tenant that it was made for', async () => {
  const { app, company } = await start()
  const [person, colleague, other] = [await app.person(company), await app.person(company), await app.company('globex')]
  const token = await app.token(person)
  const started = await app.request('/account/email', {
    token,
    body: { new_email: `new@${app.ctx.random.id()}.example`, current_password: PASSWORD },
  })
  const begun = await app.request(`${USER}/register/initiate`, {
    body: { client_id: company.clientId, email: `eve@${app.ctx.random.id()}.example`, password: NEW_PASSWORD },
  })
  const tickets = {
    login: await loginTransactionFor(app, company, person),
    reset: await resetTokenFor(app, company, person.email),
    email: textIn(await bodyOf(started), 'change_ticket'),
    signUp: textIn(await bodyOf(begun), 'registration_ticket'),
  }
  const consumers: Readonly<Record<string, (ticket: string, by: Person, at: Company) => Promise<Response>>> = {
    login: (ticket, by, at) => mintEndUser(app, { ...by, tenantId: at.tenantId }, ticket),
    reset: (ticket, by, at) => reset(app, at, by.email, ticket),
    email: async (change_ticket, by) =>
      app.request('/account/email/confirm', { token: await app.token(by), body: { change_ticket, code_new: '123456', code_current: '123456' } }),
    link: (ticket) => app.request('/account/set-password', { body: { ticket, new_password: NEW_PASSWORD } }),
  }
  for (const [made, ticket] of Object.entries(tickets)) {
    for (const [step, consume] of Object.entries(consumers)) {
      const tries =
        step === made ? [await consume(ticket, colleague, company), await consume(ticket, person, other)] : [await consume(ticket, person, company)]
      for (const { status } of tries) expect([made, step, status >= 400 && status < 500]).toEqual([made, step, true])
    }
  }
  // None of that used a ticket up.
  expect((await reset(app, company, person.email, tickets.reset)).status).toBe(200)
})

test('a login ticket serves as a cookie only the origin that began the sign-in', async () => {
  const { app, company } = await start()
  const [person, jar] = [await app.person(company), cookieJar()]
  const at = { 'content-type': 'application/json', origin: 'http://localhost:7468' }
  const body = { client_id: company.clientId, email: person.email, password: PASSWORD }
  jar.take(await app.request(`${USER}/login`, { body, headers: at }))
  const mint = (headers: Readonly<Record<string, string>>) =>
    app.request('/authsec/uflow/auth/enduser/webauthn-callback', {
      body: { email: person.email, tenant_id: company.tenantId, mfa_verified: true },
      headers: { ...jar.header(), ...headers },
    })
  expect(await outcomeOf(await mint({ origin: 'https://elsewhere.example' }))).toMatchObject({ status: 401 })
  expect(await outcomeOf(await mint({}))).toMatchObject({ status: 401 })
  expect((await mint(at)).status).toBe(200)
})
