import { expect, test } from 'vitest'
import { forTenant } from '#db/engine/tenant'
import { findFactors } from '#db/store/factors'
import { type Company, type Person, startApp, type TestApp } from '#tests/support/app'
import { CODES, factorState, loginTransactionFor, mintEndUser, setUpApp, whoIs } from '#tests/support/factors'
import { bodyOf, change, configure, eventsOf, leaked, outcomeOf, textIn } from '#tests/support/sign-in'
import { appCode, noCode } from '#tests/support/totp'
import { authRoutes } from '../auth/routes.ts'
import { userSignInRoutes } from '../user-sign-in/routes.ts'
import { oneTimeCodeRoutes } from './routes.ts'

const start = async (): Promise<{ app: TestApp; company: Company; pat: Person }> => {
  const app = await startApp([...authRoutes, ...userSignInRoutes, ...oneTimeCodeRoutes] as never)
  const company = await app.company()
  return { app, company, pat: await app.person(company) }
}
const verifyLogin = (app: TestApp, person: Person, transactionToken: string, code: string): Promise<Response> =>
  app.request(`${CODES}/verifyLogin`, { body: whoIs(person, { login_ticket: transactionToken, code }) })
const codeOf = async (response: Response): Promise<unknown> => (await bodyOf(response)).code

test('an app that is set up while signing in is a verified factor and completes that sign-in', async () => {
  const { app, company, pat } = await start()
  const transactionToken = await loginTransactionFor(app, company, pat)
  const begun = await bodyOf(await app.request(`${CODES}/beginLoginSetup`, { body: whoIs(pat, { login_ticket: transactionToken }) }))
  expect(begun).toMatchObject({ account: pat.email, issuer: company.name, secret: expect.stringMatching(/^[A-Z2-7]{52}$/) })
  expect(textIn(begun, 'otp_auth_url')).toContain(textIn(begun, 'secret'))
  expect(Buffer.from(textIn(begun, 'qr_code'), 'base64').subarray(1, 4).toString()).toBe('PNG')
  const seed = textIn(begun, 'secret')
  const confirmed = await app.request(`${CODES}/confirmLoginSetup`, {
    body: whoIs(pat, { login_ticket: transactionToken, secret: seed, code: appCode(seed, app.clock.now()) }),
  })
  expect(confirmed.headers.get('cache-control')).toBe('no-store')
  const { backup_codes: codes } = await bodyOf(confirmed)
  expect(codes).toHaveLength(10)
  for (const code of codes as string[]) expect(code).toMatch(/^\d{2}(-[0-9A-HJKMNP-TV-Z]{4}){4}$/)
  const minted = await bodyOf(await mintEndUser(app, pat, transactionToken))
  expect(minted).toMatchObject({ email: pat.email })
  const [factor] = await findFactors(forTenant(app.db, company.tenantId), pat.id)
  expect(factor).toMatchObject({ kind: 'totp', isPrimary: true })
  expect(await eventsOf(app, company.tenantId, 'codes.totp.confirmLoginSetup')).toEqual(['factor.added'])
  expect((await app.mailsTo(pat.email)).at(-1)?.subject).toBe(`An authenticator app was added to your account at ${company.name}`)
  expect(await leaked(app, [company.tenantId], [seed, ...(codes as string[])])).toEqual([])
})

test('once enrolled a factor is required: the password yields no token, the code does', async () => {
  const { app, company, pat } = await start()
  const { seed } = await setUpApp(app, pat, { token: await app.token(pat) })
  const transactionToken = await loginTransactionFor(app, company, pat)
  expect(await codeOf(await mintEndUser(app, pat, transactionToken))).toBe('mfa_verification_failed')
  const verified = await verifyLogin(app, pat, transactionToken, appCode(seed, app.clock.now()))
  expect(await bodyOf(verified)).toEqual({ success: true, message: 'TOTP code valid', method: 'totp', tenant_id: pat.tenantId, email: pat.email })
  expect((await mintEndUser(app, pat, transactionToken)).status).toBe(200)
  expect(await eventsOf(app, company.tenantId, 'codes.totp.verifyLogin')).toEqual(['factor.verified'])
})

test('a code renews a session: new token, new time, both factors; the old token is revoked', async () => {
  const { app, pat } = await start()
  const token = await app.token(pat)
  const { seed } = await setUpApp(app, pat, { token })
  const renewed = await bodyOf(await app.request(`${CODES}/verify`, { token, body: whoIs(pat, { code: appCode(seed, app.clock.now()) }) }))
  expect(renewed).toMatchObject({ method: 'totp', token_type: 'Bearer' })
  const claims = JSON.parse(Buffer.from(textIn(renewed, 'access_token').split('.')[1] ?? '', 'base64url').toString())
  expect(claims).toMatchObject({ amr: ['otp', 'pwd'], acr: 'aal2', auth_time: Math.floor(app.clock.now().getTime() / 1000) })
  expect((await app.request(`${CODES}/verify`, { token, body: whoIs(pat, { code: '123456' }) })).status).toBe(401)
})

test('enrolling the first factor ends the person\u2019s other sessions', async () => {
  const { app, pat } = await start()
  const [token, other] = [await app.token(pat), await app.token(pat)]
  await setUpApp(app, pat, { token })
  const status = async (bearer: string): Promise<number> => (await app.request('/authsec/uflow/auth/totp/devices', { token: bearer })).status
  expect([await status(token), await status(other)]).toEqual([200, 401])
})

/** Enrolment attempts without proof of identity. */
const nobodies = (pat: Person, ticketOfOther: string): readonly (readonly [string, Record<string, unknown>])[] => [
  ['knows only the address', {}],
  ['invents a ticket', { login_ticket: `${pat.tenantId}.${'A'.repeat(43)}` }],
  ['presents another person\u2019s ticket', { login_ticket: ticketOfOther }],
  ['presents a malformed ticket', { login_ticket: 'x' }],
]

test('without proof, or with another person\u2019s, a caller neither enrols nor verifies: one answer, nothing changes', async () => {
  const { app, company, pat } = await start()
  const other = await app.person(company)
  const { seed } = await setUpApp(app, pat, { token: await app.token(pat) })
  const victim = await app.person(company)
  const ticketOfOther = await loginTransactionFor(app, company, other)
  const before = await factorState(app, company.tenantId)
  const answers = new Set<string>()
  for (const [, proof] of nobodies(pat, ticketOfOther)) {
    for (const path of ['beginSetup', 'beginLoginSetup'])
      answers.add(JSON.stringify(await outcomeOf(await app.request(`${CODES}/${path}`, { body: whoIs(victim, proof) }))))
    for (const path of ['confirmSetup', 'confirmLoginSetup'])
      answers.add(
        JSON.stringify(
          await outcomeOf(
            await app.request(`${CODES}/${path}`, { body: whoIs(victim, { ...proof, secret: seed, code: appCode(seed, app.clock.now()) }) }),
          ),
        ),
      )
    for (const path of ['verify', 'verifyLogin'])
      answers.add(
        JSON.stringify(
          await outcomeOf(await app.request(`${CODES}/${path}`, { body: whoIs(pat, { ...proof, code: appCode(seed, app.clock.now()) }) })),
        ),
      )
  }
  expect([...answers]).toEqual([
    JSON.stringify({
      status: 401,
      body: { error: 'Authentication required.', message: 'Authentication required.', code: 'authentication_required' },
    }),
  ])
  expect(await factorState(app, company.tenantId)).toEqual(before)
})

test('a bearer token enrols and verifies nothing for another person or in another tenant', async () => {
  const { app, company, pat } = await start()
  const other = await app.person(company)
  const globex = await app.company('globex')
  const token = await app.token(other)
  const before = [await factorState(app, company.tenantId), await factorState(app, globex.tenantId)]
  expect(await codeOf(await app.request(`${CODES}/beginSetup`, { token, body: whoIs(pat) }))).toBe('authentication_required')
  expect(await codeOf(await app.request(`${CODES}/beginSetup`, { token, body: whoIs(globex.admin) }))).toBe('tenant_mismatch')
  expect([await factorState(app, company.tenantId), await factorState(app, globex.tenantId)]).toEqual(before)
})

test('the ticket of a person with a factor enrols no other one: the password is not enough', async () => {
  const { app, company, pat } = await start()
  await setUpApp(app, pat, { token: await app.token(pat) })
  const transactionToken = await loginTransactionFor(app, company, pat)
  expect(await codeOf(await app.request(`${CODES}/beginLoginSetup`, { body: whoIs(pat, { login_ticket: transactionToken }) }))).toBe(
    'authentication_required',
  )
})

test('a password-only session adds no second factor, and an old session adds none at all', async () => {
  const { app, pat } = await start()
  const token = await app.token(pat)
  const { seed } = await setUpApp(app, pat, { token })
  const weak = await app.request(`${CODES}/beginSetup`, { token, body: whoIs(pat) })
  expect(weak.status).toBe(401)
  expect(weak.headers.get('www-authenticate')).toContain('error="insufficient_user_authentication"')
  expect(weak.headers.get('www-authenticate')).toContain('acr_values="aal2"')
  const strong = textIn(
    await bodyOf(await app.request(`${CODES}/verify`, { token, body: whoIs(pat, { code: appCode(seed, app.clock.now()) }) })),
    'access_token',
  )
  expect((await app.request(`${CODES}/beginSetup`, { token: strong, body: whoIs(pat) })).status).toBe(200)
  app.clock.advance(901)
  const old = await app.request(`${CODES}/beginSetup`, { token: strong, body: whoIs(pat) })
  expect(old.headers.get('www-authenticate')).toContain('max_age="900"')
})

test('where a factor is required, the first one can be enrolled only after a mailbox proof', async () => {
  const { app, company, pat } = await start()
  await configure(app, company, { requireSecondFactor: true })
  app.clock.advance(3601)
  const transactionToken = await loginTransactionFor(app, company, pat)
  const refused = await bodyOf(await app.request(`${CODES}/beginLoginSetup`, { body: whoIs(pat, { login_ticket: transactionToken }) }))
  expect(refused).toMatchObject({ code: 'mailbox_proof_required', next_step: 'prove_mailbox', next: '/account/mailbox-proof' })
  const token = await app.token(pat)
  expect(await codeOf(await app.request(`${CODES}/beginSetup`, { token, body: whoIs(pat) }))).toBe('mailbox_proof_required')
  expect(await findFactors(forTenant(app.db, company.tenantId), pat.id)).toEqual([])
})

test('the seed is the server\u2019s: a seed from the client confirms nothing', async () => {
  const { app, pat } = await start()
  const token = await app.token(pat)
  const own = 'JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP'
  const confirm = (secret: string, code: string): Promise<Response> =>
    app.request(`${CODES}/confirmSetup`, { token, body: whoIs(pat, { secret, code }) })
  expect(await codeOf(await confirm(own, appCode(own, app.clock.now())))).toBe('setup_not_initiated')
  const seed = textIn(await bodyOf(await app.request(`${CODES}/beginSetup`, { token, body: whoIs(pat) })), 'secret')
  expect(await codeOf(await confirm(own, appCode(own, app.clock.now())))).toBe('setup_not_initiated')
  expect(await codeOf(await confirm(seed, noCode(seed, app.clock.now())))).toBe('invalid_totp_code')
  app.clock.advance(601)
  expect(await codeOf(await confirm(seed, appCode(seed, app.clock.now())))).toBe('setup_not_initiated')
})

test('another session of the person cannot finish a setup, and five wrong codes end it', async () => {
  const { app, pat } = await start()
  const [token, other] = [await app.token(pat), await app.token(pat)]
  const seed = textIn(await bodyOf(await app.request(`${CODES}/beginSetup`, { token, body: whoIs(pat) })), 'secret')
  const confirm = (bearer: string, code: string): Promise<Response> =>
    app.request(`${CODES}/confirmSetup`, { token: bearer, body: whoIs(pat, { secret: seed, code }) })
  expect(await codeOf(await confirm(other, appCode(seed, app.clock.now())))).toBe('setup_not_initiated')
  for (let n = 0; n < 5; n++) expect(await codeOf(await confirm(token, noCode(seed, app.clock.now(), n)))).toBe('invalid_totp_code')
  expect(await codeOf(await confirm(token, appCode(seed, app.clock.now())))).toBe('setup_not_initiated')
})

test('a code is valid once: not again, not at another endpoint, not an earlier one after a later one', async () => {
  const { app, company, pat } = await start()
  const token = await app.token(pat)
  const { seed } = await setUpApp(app, pat, { token })
  const [first, second] = [await loginTransactionFor(app, company, pat), await loginTransactionFor(app, company, pat)]
  const now = app.clock.now()
  expect((await verifyLogin(app, pat, first, appCode(seed, now))).status).toBe(200)
  expect(await codeOf(await verifyLogin(app, pat, second, appCode(seed, now)))).toBe('invalid_totp_code')
  expect(await codeOf(await verifyLogin(app, pat, second, appCode(seed, now, -1)))).toBe('invalid_totp_code')
  expect(await codeOf(await app.request(`${CODES}/verify`, { token, body: whoIs(pat, { code: appCode(seed, now) }) }))).toBe('invalid_totp_code')
  expect(await codeOf(await mintEndUser(app, pat, second))).toBe('mfa_verification_failed')
  expect((await verifyLogin(app, pat, second, appCode(seed, now, 1))).status).toBe(200)
})

test('five wrong codes over all endpoints pause the app for 15 minutes, also for the right code, and the owner is notified', async () => {
  const { app, company, pat } = await start()
  const token = await app.token(pat)
  const { seed } = await setUpApp(app, pat, { token })
  const transactionToken = await loginTransactionFor(app, company, pat)
  const tries = [
    (code: string) => verifyLogin(app, pat, transactionToken, code),
    (code: string) => app.request(`${CODES}/verify`, { token, body: whoIs(pat, { code }) }),
    (code: string) => app.request('/authsec/uflow/auth/totp/verify', { token, body: { totp_code: code } }),
    (code: string) =>
      app.request('/authsec/uflow/auth/tenant/totp/login', {
        body: { client_id: company.clientId, email: pat.email, totp_code: code, login_ticket: transactionToken },
      }),
    (code: string) => verifyLogin(app, pat, transactionToken, code),
  ]
  for (const [n, attempt] of tries.entries())
    expect((await attempt(noCode(seed, app.clock.now(), n))).status).toSatisfy((status) => status === 400 || status === 401)
  const paused = await verifyLogin(app, pat, transactionToken, appCode(seed, app.clock.now()))
  expect([paused.status, await codeOf(paused)]).toEqual([429, 'factor_paused'])
  expect(Number(paused.headers.get('retry-after'))).toBe(900)
  expect((await app.mailsTo(pat.email)).at(-1)?.subject).toBe(`Wrong codes for your account at ${company.name}`)
  expect((await app.events(company.tenantId, { event: 'factor.paused' })).length).toBe(1)
  expect(await codeOf(await mintEndUser(app, pat, transactionToken))).toBe('mfa_verification_failed')
  app.clock.advance(901)
  const later = await loginTransactionFor(app, company, pat)
  expect((await verifyLogin(app, pat, later, appCode(seed, app.clock.now()))).status).toBe(200)
})

test('each pause is twice as long as the previous one, up to a day, until a right code', async () => {
  const { app, company, pat } = await start()
  const { seed } = await setUpApp(app, pat, { token: await app.token(pat) })
  const pauseAfterFive = async (): Promise<number> => {
    const transactionToken = await loginTransactionFor(app, company, pat)
    for (let n = 0; n < 5; n++) await verifyLogin(app, pat, transactionToken, noCode(seed, app.clock.now(), n))
    const seconds = Number((await verifyLogin(app, pat, transactionToken, appCode(seed, app.clock.now()))).headers.get('retry-after'))
    app.clock.advance(seconds + 1)
    return seconds
  }
  const pauses: number[] = []
  for (let n = 0; n < 9; n++) pauses.push(await pauseAfterFive())
  expect(pauses).toEqual([900, 1800, 3600, 7200, 14_400, 28_800, 57_600, 86_400, 86_400])
  expect((await verifyLogin(app, pat, await loginTransactionFor(app, company, pat), appCode(seed, app.clock.now()))).status).toBe(200)
  expect(await pauseAfterFive()).toBe(900)
})

test('a right code resets the count', async () => {
  const { app, company, pat } = await start()
  const { seed } = await setUpApp(app, pat, { token: await app.token(pat) })
  const transactionToken = await loginTransactionFor(app, company, pat)
  for (let round = 0; round < 2; round++) {
    for (let n = 0; n < 4; n++)
      expect(await codeOf(await verifyLogin(app, pat, transactionToken, noCode(seed, app.clock.now(), n)))).toBe('invalid_totp_code')
    expect((await verifyLogin(app, pat, transactionToken, appCode(seed, app.clock.now()))).status).toBe(200)
    app.clock.advance(60)
  }
})

test('every wrong code is recorded with the person it is about', async () => {
  const { app, company, pat } = await start()
  const { seed } = await setUpApp(app, pat, { token: await app.token(pat) })
  const transactionToken = await loginTransactionFor(app, company, pat)
  await verifyLogin(app, pat, transactionToken, noCode(seed, app.clock.now()))
  const [refusal] = await app.events(company.tenantId, { event: 'request.refused' })
  expect(refusal).toMatchObject({ outcome: 'refused', reason: 'invalid_totp_code', subjectId: pat.id, route: 'codes.totp.verifyLogin' })
})

test('a backup code replaces the app once, however it is written; the owner is notified how many are left', async () => {
  const { app, company, pat } = await start()
  const { backupCodes } = await setUpApp(app, pat, { token: await app.token(pat) })
  const [first = '', second = ''] = backupCodes
  const transactionToken = await loginTransactionFor(app, company, pat)
  const used = await bodyOf(await verifyLogin(app, pat, transactionToken, first.replaceAll('-', '').toLowerCase()))
  expect(used).toMatchObject({ method: 'backup_code' })
  expect((await mintEndUser(app, pat, transactionToken)).status).toBe(200)
  const again = await loginTransactionFor(app, company, pat)
  expect(await codeOf(await verifyLogin(app, pat, again, first))).toBe('invalid_totp_code')
  expect((await app.request(`${CODES}/verifyLogin`, { body: whoIs(pat, { login_ticket: again, backup_code: second }) })).status).toBe(200)
  expect((await app.mailsTo(pat.email)).map(({ text }) => text).join()).toContain('8 codes are left')
  expect((await app.events(company.tenantId, { event: 'backup_code.used' })).length).toBe(2)
})

test('an attempt with a backup code costs one hash, for any person and input; five wrong ones pause the set', async () => {
  const { app, company, pat } = await start()
  const { backupCodes } = await setUpApp(app, pat, { token: await app.token(pat) })
  const other = await app.person(company)
  const transactionToken = await loginTransactionFor(app, company, pat)
  const ofOther = await loginTransactionFor(app, company, other)
  const [real = ''] = backupCodes
  const cost = async (person: Person, proof: string, code: string): Promise<number> => {
    const before = app.ctx.passwords.computed()
    expect(await codeOf(await verifyLogin(app, person, proof, code))).toBe('invalid_totp_code')
    return app.ctx.passwords.computed() - before
  }
  expect(await cost(pat, transactionToken, `${real.slice(0, -1)}${real.endsWith('7') ? '8' : '7'}`)).toBe(1)
  expect(await cost(pat, transactionToken, '99-0000-0000-0000-0000')).toBe(1)
  expect(await cost(pat, transactionToken, 'not a code at all')).toBe(1)
  expect(await cost(other, ofOther, real)).toBe(1)
  for (let n = 0; n < 2; n++) expect(await codeOf(await verifyLogin(app, pat, transactionToken, '01-0000-0000-0000-0000'))).toBe('invalid_totp_code')
  expect(await codeOf(await verifyLogin(app, pat, transactionToken, real))).toBe('factor_paused')
  app.clock.advance(901)
  expect((await verifyLogin(app, pat, await loginTransactionFor(app, company, pat), real)).status).toBe(200)
})

test('a person without an app gets that error only after the first factor', async () => {
  const { app, company, pat } = await start()
  const transactionToken = await loginTransactionFor(app, company, pat)
  expect(await codeOf(await verifyLogin(app, pat, transactionToken, '123456'))).toBe('totp_not_enabled')
  expect(await codeOf(await app.request(`${CODES}/verifyLogin`, { body: whoIs(pat, { login_ticket: transactionToken }) }))).toBe('invalid_request')
})

test('a person who must reset the password is not authenticated', async () => {
  const { app, company, pat } = await start()
  const { seed } = await setUpApp(app, pat, { token: await app.token(pat) })
  const transactionToken = await loginTransactionFor(app, company, pat)
  await change(app, pat, { passwordResetRequired: true })
  expect(await codeOf(await verifyLogin(app, pat, transactionToken, appCode(seed, app.clock.now())))).toBe('authentication_required')
})
