import { expect, test } from 'vitest'
import { atomically, directory, forTenant } from '#db/engine/tenant'
import { findTicket } from '#db/store/tickets'
import { findAdministeredTenants, findUser, findUserByEmail, rememberDevice } from '#db/store/users'
import { openTicket } from '#shared/domains/login-transaction/login-transaction'
import { emailHash } from '#shared/platform/crypto/email-hash'
import { problem } from '#shared/platform/http/problem'
import { type Company, cookieJar, PASSWORD, type Person, startApp, type TestApp } from '#tests/support/app'
import { claimsOf, letInForGood } from '#tests/support/oauth'
import { authRoutes } from '../auth/routes.ts'
import { accountRoutes } from './routes.ts'

const NEW = 'seven purple lanterns over water'
const routes = [...accountRoutes, ...authRoutes]
const start = () => startApp(routes, { render: problem })

const status = async (app: TestApp, token: string): Promise<number> => (await app.request('/account/sessions', { token })).status
const change = (app: TestApp, token: string, current = PASSWORD, next = NEW) =>
  app.request('/account/password', { token, body: { current_password: current, new_password: next } })
const signIn = async (app: TestApp, company: Company, email: string, password: string, headers = {}): Promise<number> =>
  (await app.request('/authsec/uflow/auth/admin/login', { body: { email, password, tenant_domain: company.domain }, headers })).status
const said = async (response: Response): Promise<unknown> => {
  const { request_id: _, ...body } = response.status === 204 ? { request_id: '' } : await response.json()
  return { ...body, status: response.status }
}
const namesOf = async (app: TestApp, person: Person): Promise<string[]> => (await app.events(person.tenantId)).map(({ event }) => event)

test('a new password: this session goes on, the others, tickets and known browsers end, the owner is told', async () => {
  const app = await start()
  const acme = await app.company()
  const { admin } = acme
  const [mine, other] = [await app.token(admin), await app.token(admin)]
  const t = forTenant(app.db, acme.tenantId)
  const ticket = await atomically(t, (tx) =>
    openTicket(tx, app.ctx, { purpose: 'login', userId: admin.id, clientId: null, verified: ['pwd'], seconds: 600 }),
  )
  await atomically(t, (tx) => rememberDevice(tx, admin.id, new Uint8Array(32).fill(5), app.clock.now()))
  expect((await change(app, mine)).status).toBe(204)
  expect([await status(app, mine), await status(app, other)]).toEqual([200, 401])
  expect(await findTicket(t, app.ctx.hash('ticket', ticket), app.clock.now())).toBeUndefined()
  expect(await t.run({ text: 'select from authsec.known_devices where user_id = $1', params: [admin.id], arrays: true })).toEqual([])
  const [mail] = await app.mailsTo(admin.email)
  expect(mail?.subject).toBe(`Your password at ${acme.name} was changed`)
  const event = (await app.events(acme.tenantId)).find(({ event: name }) => name === 'user.password_changed')
  expect(event).toMatchObject({
    event: 'user.password_changed',
    actorId: admin.id,
    targetId: admin.id,
    outcome: 'success',
    route: 'account.changePassword',
  })
  expect([await signIn(app, acme, admin.email, PASSWORD), await signIn(app, acme, admin.email, NEW)]).toEqual([401, 200])
})

test('with a new password goes what clients were given for good, but for what was allowed in this session', async () => {
  const app = await start()
  const acme = await app.company()
  const mine = await app.token(acme.admin)
  const session = String(claimsOf(mine).sid)
  const [kept, gone] = [await letInForGood(app, acme, acme.admin.id, session), await letInForGood(app, acme, acme.admin.id)]
  const others = await letInForGood(app, acme, (await app.person(acme)).id)
  expect((await change(app, mine)).status).toBe(204)
  expect([await kept(), await gone(), await others()]).toEqual([true, false, true])
})

test.each([
  ['the old one', PASSWORD, 'password_unchanged'],
  ['a short one', 'too short', 'password_too_short'],
  ['a long one', 'long '.repeat(30), 'password_too_long'],
  ['one of many leaks', 'passwordpassword', 'password_breached'],
])('%s is no new password, and nothing changes', async (_, next, code) => {
  const app = await start()
  const ana = await app.person(await app.company())
  const [mine, other] = [await app.token(ana), await app.token(ana)]
  const before = await findUser(forTenant(app.db, ana.tenantId), ana.id)
  expect(await said(await change(app, mine, PASSWORD, next))).toMatchObject({ status: 400, code, field: 'body.new_password' })
  expect(await findUser(forTenant(app.db, ana.tenantId), ana.id)).toEqual(before)
  expect(await status(app, other)).toBe(200)
})

test('one\u2019s own name and address are no password', async () => {
  const app = await start()
  const ana = await app.person(await app.company())
  expect(await said(await change(app, await app.token(ana), PASSWORD, ana.email))).toMatchObject({ status: 400, code: 'password_guessable' })
})

test('a wrong current password counts toward the lock, and locked, wrong and right then look alike', async () => {
  const app = await start()
  const acme = await app.company()
  const token = await app.token(acme.admin)
  const answers = []
  for (let n = 0; n < 6; n++) answers.push(await said(await change(app, token, 'not this one at all')))
  answers.push(await said(await change(app, token)))
  for (const answer of answers)
    expect(answer).toEqual({ type: 'about:blank', title: 'Invalid credentials', status: 401, code: 'invalid_credentials' })
  const user = await findUser(forTenant(app.db, acme.tenantId), acme.admin.id)
  expect(user).toMatchObject({ failedAttempts: 5, passwordHash: user?.passwordHash })
  expect(await signIn(app, acme, acme.admin.email, PASSWORD)).toBe(401)
  expect(await namesOf(app, acme.admin)).toContain('user.locked')
  const [mail] = await app.mailsTo(acme.admin.email)
  expect(mail?.subject).toContain('locked for a while')
  app.clock.advance(31)
  expect((await change(app, token)).status).toBe(204)
  expect(await findUser(forTenant(app.db, acme.tenantId), acme.admin.id)).toMatchObject({ failedAttempts: 0, lockedUntil: null })
})

test('refusals of a signed-in person are in the record of the tenant, each by itself', async () => {
  const app = await start()
  const ana = await app.person(await app.company())
  const token = await app.token(ana)
  for (let n = 0; n < 2; n++) await change(app, token, 'not this one at all')
  const refused = (await app.events(ana.tenantId)).filter(({ event }) => event === 'request.refused')
  expect(refused).toHaveLength(2)
  expect(refused[0]).toMatchObject({ actorType: 'user', actorId: ana.id, reason: 'invalid_credentials', route: 'account.changePassword', count: 1 })
})

test('a password that was reset meanwhile is not overwritten by a change that began before', async () => {
  const app = await start()
  const ana = await app.person(await app.company())
  const token = await app.token(ana)
  const t = forTenant(app.db, ana.tenantId)
  const reset = await app.ctx.passwords.hash('the owner chose this one instead')
  const verify = app.ctx.passwords.verify
  // Between the check and the change somebody else's reset commits.
  const racing = await startApp(routes, {
    render: problem,
    extra: {
      passwords: {
        ...app.ctx.passwords,
        verify: async (password: string, hash: string | undefined) => {
          const outcome = await verify(password, hash)
          await t.run({ text: 'update authsec.users set password_hash = $1 where id = $2', params: [reset, ana.id], arrays: true })
          return outcome
        },
      },
    },
  })
  expect(await said(await change(racing, token))).toMatchObject({ status: 401, code: 'invalid_credentials' })
  expect((await findUser(t, ana.id))?.passwordHash).toBe(reset)
})

const codeIn = async (app: TestApp, address: string): Promise<string> => {
  const mails = await app.mailsTo(address)
  return /^\d{6}$/m.exec(mails.at(-1)?.text ?? '')?.[0] ?? `no code for ${address}`
}
const begin = (app: TestApp, token: string, email: string, password = PASSWORD) =>
  app.request('/account/email', { token, body: { new_email: email, current_password: password } })
const confirm = (app: TestApp, token: string, ticket: string, code_new: string, code_current: string) =>
  app.request('/account/email/confirm', { token, body: { change_ticket: ticket, code_new, code_current } })
const begun = async (app: TestApp, token: string, email: string): Promise<string> => {
  const response = await begin(app, token, email)
  expect(response.status).toBe(202)
  return (await response.json()).change_ticket
}
const fresh = (app: TestApp): string => `new-${app.ctx.random.id().slice(-8)}@elsewhere.example`
const other = (code: string): string => String((Number(code) + 1) % 1_000_000).padStart(6, '0')

test('an address changes with both codes: others end, the old address is told, the new one signs in where the person administers', async () => {
  const app = await start()
  const acme = await app.company()
  const { admin } = acme
  const [mine, elsewhere] = [await app.token(admin), await app.token(admin)]
  const email = fresh(app)
  const ticket = await begun(app, mine, email)
  const notice = (await app.mailsTo(admin.email)).at(-1)
  expect(notice?.text).toContain(email)
  const codes = [await codeIn(app, email), await codeIn(app, admin.email)] as const
  expect(codes[0]).not.toBe(codes[1])
  const response = await confirm(app, mine, ticket, ...codes)
  expect(await said(response)).toEqual({ status: 200, email })
  expect([await status(app, mine), await status(app, elsewhere)]).toEqual([200, 401])
  const t = forTenant(app.db, acme.tenantId)
  expect(await findUser(t, admin.id)).toMatchObject({ email, username: email, emailVerifiedAt: app.clock.now() })
  const found = (address: string) => findAdministeredTenants(directory(app.db), emailHash(app.ctx, address))
  expect([await found(email), await found(admin.email)]).toEqual([[acme.tenantId], []])
  expect((await app.mailsTo(admin.email)).at(-1)?.subject).toBe(`Your e-mail address at ${acme.name} was changed`)
  expect((await app.mailsTo(admin.email)).at(-1)?.text).not.toMatch(/^\d{6}$/m)
  expect([await signIn(app, acme, admin.email, PASSWORD), await signIn(app, acme, email, PASSWORD)]).toEqual([401, 200])
  expect(await said(await confirm(app, mine, ticket, ...codes))).toMatchObject({ status: 400, code: 'invalid_code' })
})

test('who does not administer is in no directory afterwards', async () => {
  const app = await start()
  const ana = await app.person(await app.company())
  const token = await app.token(ana)
  const email = fresh(app)
  const ticket = await begun(app, token, email)
  expect((await confirm(app, token, ticket, await codeIn(app, email), await codeIn(app, ana.email))).status).toBe(200)
  expect(await findAdministeredTenants(directory(app.db), emailHash(app.ctx, email))).toEqual([])
})

test('one code alone, the codes swapped, or another change\u2019s: nothing changes', async () => {
  const app = await start()
  const ana = await app.person(await app.company())
  const token = await app.token(ana)
  const email = fresh(app)
  const ticket = await begun(app, token, email)
  const [toNew, toOld] = [await codeIn(app, email), await codeIn(app, ana.email)]
  for (const [a, b] of [
    [toNew, other(toOld)],
    [other(toNew), toOld],
    [toOld, toNew],
  ] as const) {
    expect(await said(await confirm(app, token, ticket, a, b))).toMatchObject({ status: 400, code: 'invalid_code' })
  }
  expect((await findUser(forTenant(app.db, ana.tenantId), ana.id))?.email).toBe(ana.email)
  expect((await confirm(app, token, ticket, toNew, toOld)).status).toBe(200)
})

test('five wrong guesses void the codes, the right ones too', async () => {
  const app = await start()
  const ana = await app.person(await app.company())
  const token = await app.token(ana)
  const email = fresh(app)
  const ticket = await begun(app, token, email)
  const [toNew, toOld] = [await codeIn(app, email), await codeIn(app, ana.email)]
  for (let n = 0; n < 5; n++) expect((await confirm(app, token, ticket, other(toNew), toOld)).status).toBe(400)
  expect(await said(await confirm(app, token, ticket, toNew, toOld))).toMatchObject({ status: 400, code: 'invalid_code' })
  expect((await findUser(forTenant(app.db, ana.tenantId), ana.id))?.email).toBe(ana.email)
})

test('codes run out after half an hour', async () => {
  const app = await start()
  const ana = await app.person(await app.company())
  const token = await app.token(ana)
  const email = fresh(app)
  const ticket = await begun(app, token, email)
  const codes = [await codeIn(app, email), await codeIn(app, ana.email)] as const
  app.clock.advance(1800)
  expect(await said(await confirm(app, token, ticket, ...codes))).toMatchObject({ status: 400, code: 'invalid_code' })
})

test('a change belongs to who began it: nobody else of the tenant or of another one finishes it', async () => {
  const app = await start()
  const [acme, globex] = [await app.company('acme'), await app.company('globex')]
  const [ana, bo, gil] = [await app.person(acme), await app.person(acme), await app.person(globex)]
  const token = await app.token(ana)
  const email = fresh(app)
  const ticket = await begun(app, token, email)
  const codes = [await codeIn(app, email), await codeIn(app, ana.email)] as const
  for (const stranger of [bo, gil]) {
    const refused = await said(await confirm(app, await app.token(stranger), ticket, ...codes))
    expect(refused).toEqual(await said(await confirm(app, token, `${acme.tenantId}.${'a'.repeat(43)}`, ...codes)))
    expect((await findUser(forTenant(app.db, stranger.tenantId), stranger.id))?.email).toBe(stranger.email)
  }
  expect((await confirm(app, token, ticket, ...codes)).status).toBe(200)
})

test('a consent of one\u2019s own does not open somebody else\u2019s change', async () => {
  const app = await start()
  const acme = await app.company()
  const [ana, bo] = [await app.person(acme), await app.person(acme)]
  const [anas, bos] = [await app.token(ana), await app.token(bo)]
  const email = fresh(app)
  const ticket = await begun(app, anas, email)
  await begun(app, bos, fresh(app))
  const refused = await said(await confirm(app, bos, ticket, await codeIn(app, email), await codeIn(app, bo.email)))
  expect(refused).toMatchObject({ status: 400, code: 'invalid_code' })
  expect((await findUser(forTenant(app.db, acme.tenantId), bo.id))?.email).toBe(bo.email)
})

test('an address that somebody has: the same answer, no code to it, and no way through', async () => {
  const app = await start()
  const acme = await app.company()
  const [ana, bo] = [await app.person(acme), await app.person(acme)]
  const token = await app.token(ana)
  const taken = await begin(app, token, bo.email)
  const body = await taken.json()
  app.clock.advance(61)
  const free = await (await begin(app, token, fresh(app))).json()
  expect(taken.status).toBe(202)
  expect({ ...body, change_ticket: '' }).toEqual({ ...free, change_ticket: '' })
  expect(body.change_ticket).toHaveLength(free.change_ticket.length)
  expect(await app.mailsTo(bo.email)).toEqual([])
  expect((await app.mailsTo(ana.email)).length).toBe(2)
})

test('an address that was taken while the codes were under way stays with who took it', async () => {
  const app = await start()
  const acme = await app.company()
  const [ana, bo] = [await app.person(acme), await app.person(acme)]
  const [anas, bos] = [await app.token(ana), await app.token(bo)]
  const email = fresh(app)
  const first = await begun(app, anas, email)
  const codes = [await codeIn(app, email), await codeIn(app, ana.email)] as const
  await forTenant(app.db, acme.tenantId).run({ text: 'update authsec.users set email = $1 where id = $2', params: [email, bo.id], arrays: true })
  expect(await said(await confirm(app, anas, first, ...codes))).toMatchObject({ status: 409, code: 'email_taken' })
  expect((await findUserByEmail(forTenant(app.db, acme.tenantId), email))?.id).toBe(bo.id)
  expect([await status(app, anas), await status(app, bos)]).toEqual([200, 200])
  // Nothing of it happened, so the codes are good still.
  expect(await namesOf(app, ana)).not.toContain('user.email_changed')
})

test('a later change voids an earlier one, so that no consent serves an address that it did not name', async () => {
  const app = await start()
  const ana = await app.person(await app.company())
  const token = await app.token(ana)
  const [thief, wanted] = [fresh(app), fresh(app)]
  const stale = await begun(app, token, thief)
  const thiefsCode = await codeIn(app, thief)
  app.clock.advance(61)
  const ticket = await begun(app, token, wanted)
  const consent = await codeIn(app, ana.email)
  expect(await said(await confirm(app, token, stale, thiefsCode, consent))).toMatchObject({ status: 400, code: 'invalid_code' })
  expect((await confirm(app, token, ticket, await codeIn(app, wanted), consent)).status).toBe(200)
})

test('another person\u2019s try for my address does not touch the consent that I was sent', async () => {
  const app = await start()
  const acme = await app.company()
  const [ana, bo] = [await app.person(acme), await app.person(acme)]
  const [anas, bos] = [await app.token(ana), await app.token(bo)]
  const email = fresh(app)
  const ticket = await begun(app, anas, email)
  await begun(app, bos, ana.email)
  expect((await confirm(app, anas, ticket, await codeIn(app, email), await codeIn(app, ana.email))).status).toBe(200)
})

test('codes are sent once a minute; one\u2019s own address and a wrong password send none', async () => {
  const app = await start()
  const ana = await app.person(await app.company())
  const token = await app.token(ana)
  const email = fresh(app)
  expect(await said(await begin(app, token, ana.email))).toMatchObject({ status: 409, code: 'conflict', field: 'body.new_email' })
  expect(await said(await begin(app, token, email, 'not this one at all'))).toMatchObject({ status: 401, code: 'invalid_credentials' })
  expect(await app.mailsTo(email)).toEqual([])
  await begun(app, token, email)
  const again = await begin(app, token, fresh(app))
  expect(again.headers.get('retry-after')).toBe('60')
  expect(await said(again)).toMatchObject({ status: 429, code: 'too_many_codes' })
})

test('a browser that was known under the old address is a stranger under the new one', async () => {
  const app = await start()
  const acme = await app.company()
  const jar = cookieJar()
  const body = { email: acme.admin.email, password: PASSWORD, tenant_domain: acme.domain }
  const response = await app.request('/authsec/uflow/auth/admin/login', { body })
  jar.take(response)
  const { token } = await response.json()
  const email = fresh(app)
  const ticket = await begun(app, token, email)
  expect((await confirm(app, token, ticket, await codeIn(app, email), await codeIn(app, acme.admin.email))).status).toBe(200)
  for (let n = 0; n < 5; n++) await signIn(app, acme, email, 'not this one at all')
  expect(await signIn(app, acme, email, PASSWORD, jar.header())).toBe(401)
})

test('credential routes are limited by address more tightly than reading is', async () => {
  const app = await startApp(routes, { render: problem, env: { RATE_LIMIT: 'on' } })
  const ana = await app.person(await app.company())
  const token = await app.token(ana)
  const codes = []
  for (let n = 0; n < 11; n++) codes.push((await change(app, token, 'not this one at all')).status)
  expect(codes.at(9)).toBe(401)
  expect(codes.at(10)).toBe(429)
  expect(await status(app, token)).toBe(200)
})
