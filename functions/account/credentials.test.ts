// A person changes their own password and address.
import { describe, expect, test } from 'vitest'
import { atomically, directory, forTenant } from '#db/engine/tenant'
import { findLoginTransaction } from '#db/store/login-transactions'
import { findAdministeredTenants, findUser, findUserByEmail, rememberDevice } from '#db/store/users'
import { startLoginTransaction } from '#shared/domains/login-transaction/login-transaction'
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
const reported = async (response: Response): Promise<unknown> => {
  const { request_id: _, ...body } = response.status === 204 ? { request_id: '' } : await response.json()
  return { ...body, status: response.status }
}
const namesOf = async (app: TestApp, person: Person): Promise<string[]> => (await app.events(person.tenantId)).map(({ event }) => event)

describe('changing the password', () => {
  test('a password change keeps this session, ends other sessions, login transactions and known browsers, and notifies the owner', async () => {
    const app = await start()
    const acme = await app.company()
    const { admin } = acme
    const [mine, other] = [await app.token(admin), await app.token(admin)]
    const t = forTenant(app.db, acme.tenantId)
    const transactionToken = await atomically(t, (tx) =>
      startLoginTransaction(tx, app.ctx, { purpose: 'login', userId: admin.id, clientId: null, verified: ['pwd'], seconds: 600 }),
    )
    await atomically(t, (tx) => rememberDevice(tx, admin.id, new Uint8Array(32).fill(5), app.clock.now()))
    expect((await change(app, mine)).status).toBe(204)
    expect([await status(app, mine), await status(app, other)]).toEqual([200, 401])
    expect(await findLoginTransaction(t, app.ctx.hash('ticket', transactionToken), app.clock.now())).toBeUndefined()
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

  test('a password change revokes offline access, except what was granted in this session', async () => {
    const app = await start()
    const acme = await app.company()
    const mine = await app.token(acme.admin)
    const session = String(claimsOf(mine).sid)
    const [kept, revoked] = [await letInForGood(app, acme, acme.admin.id, session), await letInForGood(app, acme, acme.admin.id)]
    const others = await letInForGood(app, acme, (await app.person(acme)).id)
    expect((await change(app, mine)).status).toBe(204)
    expect([await kept(), await revoked(), await others()]).toEqual([true, false, true])
  })

  test.each([
    ['the old password', PASSWORD, 'password_unchanged'],
    ['a short password', 'too short', 'password_too_short'],
    ['a long password', 'long '.repeat(30), 'password_too_long'],
    ['a breached password', 'passwordpassword', 'password_breached'],
  ])('%s is refused as a new password, and nothing changes', async (_, next, code) => {
    const app = await start()
    const ana = await app.person(await app.company())
    const [mine, other] = [await app.token(ana), await app.token(ana)]
    const before = await findUser(forTenant(app.db, ana.tenantId), ana.id)
    expect(await reported(await change(app, mine, PASSWORD, next))).toMatchObject({ status: 400, code, field: 'body.new_password' })
    expect(await findUser(forTenant(app.db, ana.tenantId), ana.id)).toEqual(before)
    expect(await status(app, other)).toBe(200)
  })

  test('a password made of the own name or address is refused', async () => {
    const app = await start()
    const ana = await app.person(await app.company())
    expect(await reported(await change(app, await app.token(ana), PASSWORD, ana.email))).toMatchObject({ status: 400, code: 'password_guessable' })
  })

  test('a wrong current password counts toward the lock; while locked, right and wrong passwords get the same response', async () => {
    const app = await start()
    const acme = await app.company()
    const token = await app.token(acme.admin)
    const answers = []
    for (let n = 0; n < 6; n++) answers.push(await reported(await change(app, token, 'not this one at all')))
    answers.push(await reported(await change(app, token)))
    for (const answer of answers)
      expect(answer).toEqual({
        type: 'http://localhost:7468/errors/invalid_credentials',
        title: 'Invalid credentials',
        status: 401,
        code: 'invalid_credentials',
      })
    const user = await findUser(forTenant(app.db, acme.tenantId), acme.admin.id)
    expect(user).toMatchObject({ failedAttempts: 5, passwordHash: user?.passwordHash })
    expect(await signIn(app, acme, acme.admin.email, PASSWORD)).toBe(401)
    expect(await namesOf(app, acme.admin)).toContain('user.locked')
    const [mail] = await app.mailsTo(acme.admin.email)
    expect(mail?.subject).toContain('is temporarily locked')
    app.clock.advance(31)
    expect((await change(app, token)).status).toBe(204)
    expect(await findUser(forTenant(app.db, acme.tenantId), acme.admin.id)).toMatchObject({ failedAttempts: 0, lockedUntil: null })
  })

  test('each refusal of a signed-in person is in the audit log of the tenant', async () => {
    const app = await start()
    const ana = await app.person(await app.company())
    const token = await app.token(ana)
    for (let n = 0; n < 2; n++) await change(app, token, 'not this one at all')
    const refused = (await app.events(ana.tenantId)).filter(({ event }) => event === 'request.refused')
    expect(refused).toHaveLength(2)
    expect(refused[0]).toMatchObject({ actorType: 'user', actorId: ana.id, reason: 'invalid_credentials', route: 'account.changePassword', count: 1 })
  })

  test('a password change does not overwrite a concurrent reset', async () => {
    const app = await start()
    const ana = await app.person(await app.company())
    const token = await app.token(ana)
    const t = forTenant(app.db, ana.tenantId)
    const reset = await app.ctx.passwords.hash('the owner chose this one instead')
    const verify = app.ctx.passwords.verify
    // A reset commits between the check of the current password and the change.
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
    expect(await reported(await change(racing, token))).toMatchObject({ status: 401, code: 'invalid_credentials' })
    expect((await findUser(t, ana.id))?.passwordHash).toBe(reset)
  })
})

const codeIn = async (app: TestApp, address: string): Promise<string> => {
  const mails = await app.mailsTo(address)
  return /^\d{6}$/m.exec(mails.at(-1)?.text ?? '')?.[0] ?? `no code for ${address}`
}
const begin = (app: TestApp, token: string, email: string, password = PASSWORD) =>
  app.request('/account/email', { token, body: { new_email: email, current_password: password } })
const confirm = (app: TestApp, token: string, transactionToken: string, code_new: string, code_current: string) =>
  app.request('/account/email/confirm', { token, body: { change_ticket: transactionToken, code_new, code_current } })
const begun = async (app: TestApp, token: string, email: string): Promise<string> => {
  const response = await begin(app, token, email)
  expect(response.status).toBe(202)
  return (await response.json()).change_ticket
}
const newAddress = (app: TestApp): string => `new-${app.ctx.random.id().slice(-8)}@elsewhere.example`
const other = (code: string): string => String((Number(code) + 1) % 1_000_000).padStart(6, '0')

describe('changing the address', () => {
  test('both codes change the address: other sessions end, the old address is notified, the new one signs in as administrator', async () => {
    const app = await start()
    const acme = await app.company()
    const { admin } = acme
    const [mine, elsewhere] = [await app.token(admin), await app.token(admin)]
    const email = newAddress(app)
    const transactionToken = await begun(app, mine, email)
    const notice = (await app.mailsTo(admin.email)).at(-1)
    expect(notice?.text).toContain(email)
    const codes = [await codeIn(app, email), await codeIn(app, admin.email)] as const
    expect(codes[0]).not.toBe(codes[1])
    const response = await confirm(app, mine, transactionToken, ...codes)
    expect(await reported(response)).toEqual({ status: 200, email })
    expect([await status(app, mine), await status(app, elsewhere)]).toEqual([200, 401])
    const t = forTenant(app.db, acme.tenantId)
    expect(await findUser(t, admin.id)).toMatchObject({ email, username: email, emailVerifiedAt: app.clock.now() })
    const found = (address: string) => findAdministeredTenants(directory(app.db), emailHash(app.ctx, address))
    expect([await found(email), await found(admin.email)]).toEqual([[acme.tenantId], []])
    expect((await app.mailsTo(admin.email)).at(-1)?.subject).toBe(`Your email address at ${acme.name} was changed`)
    expect((await app.mailsTo(admin.email)).at(-1)?.text).not.toMatch(/^\d{6}$/m)
    expect([await signIn(app, acme, admin.email, PASSWORD), await signIn(app, acme, email, PASSWORD)]).toEqual([401, 200])
    expect(await reported(await confirm(app, mine, transactionToken, ...codes))).toMatchObject({ status: 400, code: 'invalid_code' })
  })

  test('a person without admin access is in no directory after the change', async () => {
    const app = await start()
    const ana = await app.person(await app.company())
    const token = await app.token(ana)
    const email = newAddress(app)
    const transactionToken = await begun(app, token, email)
    expect((await confirm(app, token, transactionToken, await codeIn(app, email), await codeIn(app, ana.email))).status).toBe(200)
    expect(await findAdministeredTenants(directory(app.db), emailHash(app.ctx, email))).toEqual([])
  })

  test('one right code or swapped codes change nothing', async () => {
    const app = await start()
    const ana = await app.person(await app.company())
    const token = await app.token(ana)
    const email = newAddress(app)
    const transactionToken = await begun(app, token, email)
    const [toNew, toOld] = [await codeIn(app, email), await codeIn(app, ana.email)]
    for (const [a, b] of [
      [toNew, other(toOld)],
      [other(toNew), toOld],
      [toOld, toNew],
    ] as const) {
      expect(await reported(await confirm(app, token, transactionToken, a, b))).toMatchObject({ status: 400, code: 'invalid_code' })
    }
    expect((await findUser(forTenant(app.db, ana.tenantId), ana.id))?.email).toBe(ana.email)
    expect((await confirm(app, token, transactionToken, toNew, toOld)).status).toBe(200)
  })

  test('five wrong attempts void the codes', async () => {
    const app = await start()
    const ana = await app.person(await app.company())
    const token = await app.token(ana)
    const email = newAddress(app)
    const transactionToken = await begun(app, token, email)
    const [toNew, toOld] = [await codeIn(app, email), await codeIn(app, ana.email)]
    for (let n = 0; n < 5; n++) expect((await confirm(app, token, transactionToken, other(toNew), toOld)).status).toBe(400)
    expect(await reported(await confirm(app, token, transactionToken, toNew, toOld))).toMatchObject({ status: 400, code: 'invalid_code' })
    expect((await findUser(forTenant(app.db, ana.tenantId), ana.id))?.email).toBe(ana.email)
  })

  test('codes expire after 30 minutes', async () => {
    const app = await start()
    const ana = await app.person(await app.company())
    const token = await app.token(ana)
    const email = newAddress(app)
    const transactionToken = await begun(app, token, email)
    const codes = [await codeIn(app, email), await codeIn(app, ana.email)] as const
    app.clock.advance(1800)
    expect(await reported(await confirm(app, token, transactionToken, ...codes))).toMatchObject({ status: 400, code: 'invalid_code' })
  })

  test('only the person who started a change can finish it', async () => {
    const app = await start()
    const [acme, globex] = [await app.company('acme'), await app.company('globex')]
    const [ana, bo, gil] = [await app.person(acme), await app.person(acme), await app.person(globex)]
    const token = await app.token(ana)
    const email = newAddress(app)
    const transactionToken = await begun(app, token, email)
    const codes = [await codeIn(app, email), await codeIn(app, ana.email)] as const
    for (const stranger of [bo, gil]) {
      const refused = await reported(await confirm(app, await app.token(stranger), transactionToken, ...codes))
      expect(refused).toEqual(await reported(await confirm(app, token, `${acme.tenantId}.${'a'.repeat(43)}`, ...codes)))
      expect((await findUser(forTenant(app.db, stranger.tenantId), stranger.id))?.email).toBe(stranger.email)
    }
    expect((await confirm(app, token, transactionToken, ...codes)).status).toBe(200)
  })

  test('the consent code of one person does not confirm the change of another', async () => {
    const app = await start()
    const acme = await app.company()
    const [ana, bo] = [await app.person(acme), await app.person(acme)]
    const [anas, bos] = [await app.token(ana), await app.token(bo)]
    const email = newAddress(app)
    const transactionToken = await begun(app, anas, email)
    await begun(app, bos, newAddress(app))
    const refused = await reported(await confirm(app, bos, transactionToken, await codeIn(app, email), await codeIn(app, bo.email)))
    expect(refused).toMatchObject({ status: 400, code: 'invalid_code' })
    expect((await findUser(forTenant(app.db, acme.tenantId), bo.id))?.email).toBe(bo.email)
  })

  test('a taken address gets the same response and no code', async () => {
    const app = await start()
    const acme = await app.company()
    const [ana, bo] = [await app.person(acme), await app.person(acme)]
    const token = await app.token(ana)
    const taken = await begin(app, token, bo.email)
    const body = await taken.json()
    app.clock.advance(61)
    const free = await (await begin(app, token, newAddress(app))).json()
    expect(taken.status).toBe(202)
    expect({ ...body, change_ticket: '' }).toEqual({ ...free, change_ticket: '' })
    expect(body.change_ticket).toHaveLength(free.change_ticket.length)
    expect(await app.mailsTo(bo.email)).toEqual([])
    expect((await app.mailsTo(ana.email)).length).toBe(2)
  })

  test('an address taken after the codes were sent stays with its new owner', async () => {
    const app = await start()
    const acme = await app.company()
    const [ana, bo] = [await app.person(acme), await app.person(acme)]
    const [anas, bos] = [await app.token(ana), await app.token(bo)]
    const email = newAddress(app)
    const first = await begun(app, anas, email)
    const codes = [await codeIn(app, email), await codeIn(app, ana.email)] as const
    await forTenant(app.db, acme.tenantId).run({ text: 'update authsec.users set email = $1 where id = $2', params: [email, bo.id], arrays: true })
    expect(await reported(await confirm(app, anas, first, ...codes))).toMatchObject({ status: 409, code: 'email_taken' })
    expect((await findUserByEmail(forTenant(app.db, acme.tenantId), email))?.id).toBe(bo.id)
    expect([await status(app, anas), await status(app, bos)]).toEqual([200, 200])
    // The change rolled back, so the codes are still valid.
    expect(await namesOf(app, ana)).not.toContain('user.email_changed')
  })

  test('a new change voids the earlier one, so that a consent code never confirms another address', async () => {
    const app = await start()
    const ana = await app.person(await app.company())
    const token = await app.token(ana)
    const [thief, wanted] = [newAddress(app), newAddress(app)]
    const stale = await begun(app, token, thief)
    const thiefsCode = await codeIn(app, thief)
    app.clock.advance(61)
    const transactionToken = await begun(app, token, wanted)
    const consent = await codeIn(app, ana.email)
    expect(await reported(await confirm(app, token, stale, thiefsCode, consent))).toMatchObject({ status: 400, code: 'invalid_code' })
    expect((await confirm(app, token, transactionToken, await codeIn(app, wanted), consent)).status).toBe(200)
  })

  test('an attempt by another person to take an address does not void the codes of its owner', async () => {
    const app = await start()
    const acme = await app.company()
    const [ana, bo] = [await app.person(acme), await app.person(acme)]
    const [anas, bos] = [await app.token(ana), await app.token(bo)]
    const email = newAddress(app)
    const transactionToken = await begun(app, anas, email)
    await begun(app, bos, ana.email)
    expect((await confirm(app, anas, transactionToken, await codeIn(app, email), await codeIn(app, ana.email))).status).toBe(200)
  })

  test('codes are sent once a minute; the current address or a wrong password sends none', async () => {
    const app = await start()
    const ana = await app.person(await app.company())
    const token = await app.token(ana)
    const email = newAddress(app)
    expect(await reported(await begin(app, token, ana.email))).toMatchObject({ status: 409, code: 'conflict', field: 'body.new_email' })
    expect(await reported(await begin(app, token, email, 'not this one at all'))).toMatchObject({ status: 401, code: 'invalid_credentials' })
    expect(await app.mailsTo(email)).toEqual([])
    await begun(app, token, email)
    const again = await begin(app, token, newAddress(app))
    expect(again.headers.get('retry-after')).toBe('60')
    expect(await reported(again)).toMatchObject({ status: 429, code: 'too_many_codes' })
  })

  test('a browser known under the old address is unknown under the new one', async () => {
    const app = await start()
    const acme = await app.company()
    const jar = cookieJar()
    const body = { email: acme.admin.email, password: PASSWORD, tenant_domain: acme.domain }
    const response = await app.request('/authsec/uflow/auth/admin/login', { body })
    jar.take(response)
    const { token } = await response.json()
    const email = newAddress(app)
    const transactionToken = await begun(app, token, email)
    expect((await confirm(app, token, transactionToken, await codeIn(app, email), await codeIn(app, acme.admin.email))).status).toBe(200)
    for (let n = 0; n < 5; n++) await signIn(app, acme, email, 'not this one at all')
    expect(await signIn(app, acme, email, PASSWORD, jar.header())).toBe(401)
  })
})

test('credential routes have a tighter rate limit per address than reads', async () => {
  const app = await startApp(routes, { render: problem, env: { RATE_LIMIT: 'on' } })
  const ana = await app.person(await app.company())
  const token = await app.token(ana)
  const codes = []
  for (let n = 0; n < 11; n++) codes.push((await change(app, token, 'not this one at all')).status)
  expect(codes.at(9)).toBe(401)
  expect(codes.at(10)).toBe(429)
  expect(await status(app, token)).toBe(200)
})
