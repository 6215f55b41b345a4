import { expect, test } from 'vitest'
import { addClient } from '#tests/support/administration'
import { type Company, type Person, startApp, type TestApp } from '#tests/support/app'
import { basic, newBackend } from '#tests/support/backend'
import { CODES, factorState, loginTransactionFor, setUpApp, whoIs } from '#tests/support/factors'
import { bodyOf, change, configure, outcomeOf, setStatus, textIn } from '#tests/support/sign-in'
import { appCode, noCode } from '#tests/support/totp'
import { authRoutes } from '../auth/routes.ts'
import { userSignInRoutes } from '../user-sign-in/routes.ts'
import { oneTimeCodeRoutes } from './routes.ts'

const PLATFORM = '/authsec/uflow/auth/totp'
const TENANT = '/authsec/uflow/auth/tenant/totp'

const start = async (): Promise<{ app: TestApp; company: Company; pat: Person }> => {
  const app = await startApp([...authRoutes, ...userSignInRoutes, ...oneTimeCodeRoutes] as never)
  const company = await app.company()
  return { app, company, pat: await app.person(company) }
}
const codeOf = async (response: Response): Promise<unknown> => (await bodyOf(response)).code

type Device = { readonly id: string; readonly seed: string }
const add = async (app: TestApp, token: string, name: string, base = PLATFORM): Promise<Device> => {
  const registered = await bodyOf(await app.request(`${base}/register`, { token, body: { device_name: name, device_type: 'authy' } }))
  expect(registered).toMatchObject({ success: true, backup_codes: [], secret: expect.stringMatching(/^[A-Z2-7]{32}$/) })
  expect(textIn(registered, 'qr_code_url')).toMatch(/^otpauth:\/\/totp\//)
  const [id, seed] = [textIn(registered, 'device_id'), textIn(registered, 'secret')]
  const confirmed = await bodyOf(await app.request(`${base}/confirm`, { token, body: { device_id: id, totp_code: appCode(seed, app.clock.now()) } }))
  expect(confirmed).toMatchObject({ success: true, device_id: id, device_name: name })
  expect(confirmed.backup_codes).toHaveLength(10)
  app.clock.advance(60)
  return { id, seed }
}
const stepUp = async (app: TestApp, token: string, { seed }: Device): Promise<string> => {
  const body = await bodyOf(await app.request(`${PLATFORM}/verify`, { token, body: { totp_code: appCode(seed, app.clock.now()) } }))
  expect(body).toMatchObject({ success: true, require_otp: false })
  app.clock.advance(60)
  return textIn(body, 'token')
}

test.each([
  [PLATFORM, 'device'],
  [TENANT, 'devices'],
])('%s: devices are registered, confirmed, listed, made primary and removed, without disclosing their seed', async (base, word) => {
  const { app, pat } = await start()
  let token = await app.token(pat)
  const first = await add(app, token, 'Phone', base)
  token = await stepUp(app, token, first)
  const second = await add(app, token, 'Tablet', base)
  const list = await bodyOf(await app.request(`${base}/devices`, { token }))
  expect(list.devices).toMatchObject([
    { id: first.id, device_name: 'Phone', device_type: 'authy', is_active: true, is_primary: true, user_id: pat.id, tenant_id: pat.tenantId },
    { id: second.id, device_name: 'Tablet', is_primary: false, last_used: null },
  ])
  for (const { seed } of [first, second]) expect(JSON.stringify(list)).not.toContain(seed)
  expect((await app.request(`${base}/${word}/primary`, { token, body: { device_id: second.id } })).status).toBe(200)
  expect((await app.request(`${base}/${word}/delete`, { token, body: { device_id: first.id } })).status).toBe(200)
  expect((await bodyOf(await app.request(`${base}/devices`, { token }))).devices).toMatchObject([{ id: second.id, is_primary: true }])
  expect(await codeOf(await app.request(`${base}/${word}/delete`, { token, body: { device_id: second.id } }))).toBe('last_device')
  const removed = await app.request(`${PLATFORM}/verify`, { token, body: { totp_code: appCode(first.seed, app.clock.now()) } })
  expect(await codeOf(removed)).toBe('invalid_totp_code')
})

test('a device is confirmed once, by its own id and in the session that began it', async () => {
  const { app, pat } = await start()
  const [token, other] = [await app.token(pat), await app.token(pat)]
  const registered = await bodyOf(await app.request(`${PLATFORM}/register`, { token, body: { device_name: 'Phone' } }))
  const [id, seed] = [textIn(registered, 'device_id'), textIn(registered, 'secret')]
  const confirm = (bearer: string, device_id: string, totp_code = appCode(seed, app.clock.now())): Promise<Response> =>
    app.request(`${PLATFORM}/confirm`, { token: bearer, body: { device_id, totp_code } })
  expect(await codeOf(await confirm(token, app.ctx.random.id()))).toBe('setup_not_initiated')
  expect(await codeOf(await confirm(other, id))).toBe('setup_not_initiated')
  expect(await codeOf(await confirm(token, id, noCode(seed, app.clock.now())))).toBe('invalid_totp_code')
  expect((await confirm(token, id)).status).toBe(200)
})

test('another person\u2019s device is unknown and does not change', async () => {
  const { app, company, pat } = await start()
  const mine = await add(app, await app.token(pat), 'Phone')
  const eve = await app.person(company)
  const evesToken = await app.token(eve)
  const evesApp = await add(app, evesToken, 'Hers')
  const strong = await stepUp(app, evesToken, evesApp)
  const before = await factorState(app, company.tenantId)
  for (const path of ['device/delete', 'device/primary']) {
    const theirs = await outcomeOf(await app.request(`${PLATFORM}/${path}`, { token: strong, body: { device_id: mine.id } }))
    const nobodys = await outcomeOf(await app.request(`${PLATFORM}/${path}`, { token: strong, body: { device_id: app.ctx.random.id() } }))
    expect(theirs).toEqual(nobodys)
    expect(theirs.status).toBe(400)
  }
  expect(await factorState(app, company.tenantId)).toEqual(before)
})

test('removing a device and creating backup codes need a recent sign-in with a factor', async () => {
  const { app, pat } = await start()
  const token = await app.token(pat)
  const device = await add(app, token, 'Phone')
  for (const [path, body] of [
    ['device/delete', { device_id: device.id }],
    ['backup/regenerate', {}],
  ] as const) {
    const weak = await app.request(`${PLATFORM}/${path}`, { token, body })
    expect([weak.status, weak.headers.get('www-authenticate')]).toEqual([401, expect.stringContaining('acr_values="aal2"')])
  }
  const strong = await stepUp(app, token, device)
  const made = await bodyOf(await app.request(`${PLATFORM}/backup/regenerate`, { token: strong, body: {} }))
  expect(made.backup_codes).toHaveLength(10)
  app.clock.advance(900)
  expect((await app.request(`${PLATFORM}/backup/regenerate`, { token: strong, body: {} })).status).toBe(401)
})

test('new backup codes invalidate the old ones', async () => {
  const { app, company, pat } = await start()
  const { seed, backupCodes } = await setUpApp(app, pat, { token: await app.token(pat) })
  const token = await app.token(pat, ['pwd', 'otp'])
  const made = (await bodyOf(await app.request(`${PLATFORM}/backup/regenerate`, { token, body: {} }))).backup_codes as string[]
  expect(seed).not.toBe('')
  const verify = async (code = ''): Promise<number> =>
    (await app.request(`${CODES}/verifyLogin`, { body: whoIs(pat, { login_ticket: await loginTransactionFor(app, company, pat), code }) })).status
  expect([await verify(backupCodes[0]), await verify(made[0])]).toEqual([400, 200])
})

test('after the first factor a code signs in: administrators on the platform\u2019s path, all people on the tenant\u2019s', async () => {
  const { app, company, pat } = await start()
  const { seed } = await setUpApp(app, pat, { token: await app.token(pat) })
  const transactionToken = await loginTransactionFor(app, company, pat)
  const login = { client_id: company.clientId, email: pat.email, totp_code: appCode(seed, app.clock.now()), login_ticket: transactionToken }
  const done = await bodyOf(await app.request(`${TENANT}/login`, { body: login }))
  expect(done).toMatchObject({ success: true, message: 'Authentication successful' })
  expect((await app.request(`${TENANT}/devices`, { token: textIn(done, 'token') })).status).toBe(200)
  expect((await app.request(`${TENANT}/login`, { body: login })).status).toBe(401)
  const { admin } = company
  const adminApp = await setUpApp(app, admin, { token: await app.token(admin) })
  const first = textIn(
    await bodyOf(await app.request('/authsec/uflow/login', { body: { email: admin.email, password: admin.password } })),
    'login_ticket',
  )
  const platform = await app.request(`${PLATFORM}/login`, {
    body: { email: admin.email, totp_code: appCode(adminApp.seed, app.clock.now()), login_ticket: first },
  })
  expect(platform.status).toBe(200)
  app.clock.advance(60)
  const later = await loginTransactionFor(app, company, pat)
  const notHis = await app.request(`${PLATFORM}/login`, {
    body: { email: pat.email, totp_code: appCode(seed, app.clock.now()), login_ticket: later },
  })
  expect([notHis.status, await codeOf(notHis)]).toEqual([401, 'mfa_verification_failed'])
})

test('without a first factor a code is refused: without a client, with an unauthenticated client, and where the tenant does not allow it', async () => {
  const { app, company, pat } = await start()
  const { seed } = await setUpApp(app, pat, { token: await app.token(pat) })
  const client = await addClient(app, company, { name: 'App' })
  const before = await factorState(app, company.tenantId)
  const bodies = [
    { client_id: company.clientId, email: pat.email, totp_code: appCode(seed, app.clock.now()) },
    { client_id: client.sdk_client_id, email: pat.email, totp_code: appCode(seed, app.clock.now()) },
    { client_id: client.sdk_client_id, email: 'stranger@acme.example', totp_code: '123456' },
    { client_id: app.ctx.random.id(), email: pat.email, totp_code: '123456' },
  ]
  const answers = new Set<string>()
  for (const body of bodies) answers.add(JSON.stringify(await outcomeOf(await app.request(`${TENANT}/login`, { body }))))
  expect([...answers]).toEqual([
    JSON.stringify({
      status: 401,
      body: { success: false, error: 'Invalid credentials', message: 'Invalid credentials', code: 'invalid_credentials' },
    }),
  ])
  expect(await factorState(app, company.tenantId)).toEqual(before)
})

test('where the tenant allows it, an authenticated client signs in an end user with a code; five wrong codes block this for a day', async () => {
  const { app, company, pat } = await start()
  await configure(app, company, { passwordlessTotp: true })
  const { seed } = await setUpApp(app, pat, { token: await app.token(pat) })
  const client = await addClient(app, company, { name: 'App' })
  const login = (code: string, email = pat.email): Promise<Response> =>
    app.request(`${TENANT}/login`, { body: { client_id: client.sdk_client_id, email, totp_code: code } })
  expect((await login(appCode(seed, app.clock.now()))).status).toBe(200)
  expect((await login(appCode(seed, app.clock.now()))).status).toBe(401)
  app.clock.advance(60)
  for (let n = 0; n < 5; n++) expect((await login(noCode(seed, app.clock.now(), n))).status).toBe(401)
  expect((await login(appCode(seed, app.clock.now()))).status).toBe(401)
  expect((await app.mailsTo(pat.email)).at(-1)?.subject).toContain('Wrong codes')
  app.clock.advance(24 * 3600 - 120)
  expect((await login(appCode(seed, app.clock.now()))).status).toBe(401)
  app.clock.advance(180)
  expect((await login(appCode(seed, app.clock.now()))).status).toBe(200)
})

test('COMPATIBILITY=authsec: a code alone signs in at a client that proves nothing, where the tenant allows it, and never an administrator', async () => {
  const app = await startApp([...authRoutes, ...oneTimeCodeRoutes] as never, { env: { COMPATIBILITY: 'authsec' } })
  const company = await app.company()
  const pat = await app.person(company)
  const { seed } = await setUpApp(app, pat, { token: await app.token(pat) })
  const adminApp = await setUpApp(app, company.admin, { token: await app.token(company.admin) })
  const login = (path: string, email: string, from: string) => {
    app.clock.advance(60)
    return app.request(`${path}/login`, { body: { client_id: company.clientId, email, totp_code: appCode(from, app.clock.now()) } })
  }
  expect(await codeOf(await login(TENANT, pat.email, seed))).toBe('invalid_credentials')
  await configure(app, company, { passwordlessTotp: true })
  for (const path of [TENANT, PLATFORM]) {
    const answer = await bodyOf(await login(path, pat.email, seed))
    expect(await app.ctx.principals.resolve(textIn(answer, 'token'))).toMatchObject({ userId: pat.id, amr: ['otp'] })
    expect(await codeOf(await login(path, company.admin.email, adminApp.seed))).toBe('invalid_credentials')
  }
  const before = await factorState(app, company.tenantId)
  const wrong = { client_id: `${company.clientId}~${'0'.repeat(64)}`, email: pat.email, totp_code: appCode(seed, app.clock.now()) }
  expect(await codeOf(await app.request(`${TENANT}/login`, { body: wrong }))).toBe('invalid_credentials')
  expect(await factorState(app, company.tenantId)).toEqual(before)
})

test('without a first factor a code never signs in an administrator, or anyone where a second factor is required', async () => {
  const { app, company, pat } = await start()
  await configure(app, company, { passwordlessTotp: true })
  const { admin } = company
  const adminApp = await setUpApp(app, admin, { token: await app.token(admin) })
  const { seed } = await setUpApp(app, pat, { token: await app.token(pat) })
  const client = await addClient(app, company, { name: 'App' })
  const login = async (email: string, code: string): Promise<unknown> =>
    codeOf(await app.request(`${TENANT}/login`, { body: { client_id: client.sdk_client_id, email, totp_code: code } }))
  expect(await login(admin.email, appCode(adminApp.seed, app.clock.now()))).toBe('invalid_credentials')
  await configure(app, company, { requireSecondFactor: true })
  expect(await login(pat.email, appCode(seed, app.clock.now()))).toBe('invalid_credentials')
})

test.each([
  ['a person who is disabled', { active: false }],
  ['a person who was removed', { deletedAt: new Date('2026-03-02T08:00:00Z') }],
  ['a person who must choose a new password', { passwordResetRequired: true }],
] as const)('without a first factor a code never signs in %s', async (_, set) => {
  const { app, company, pat } = await start()
  await configure(app, company, { passwordlessTotp: true })
  const { seed } = await setUpApp(app, pat, { token: await app.token(pat) })
  const client = await addClient(app, company, { name: 'App' })
  await change(app, pat, set)
  const before = await factorState(app, company.tenantId)
  const body = { client_id: client.sdk_client_id, email: pat.email, totp_code: appCode(seed, app.clock.now()) }
  expect(await codeOf(await app.request(`${TENANT}/login`, { body }))).toBe('invalid_credentials')
  expect(await factorState(app, company.tenantId)).toEqual(before)
})

test('a client may authenticate by HTTP Basic; a wrong secret and a suspended company get the usual refusal', async () => {
  const { app, company, pat } = await start()
  await configure(app, company, { passwordlessTotp: true })
  const { seed } = await setUpApp(app, pat, { token: await app.token(pat) })
  const { clientId, secret } = await newBackend(app, company, [])
  const login = (by: string): Promise<Response> => {
    app.clock.advance(60)
    const body = { client_id: clientId, email: pat.email, totp_code: appCode(seed, app.clock.now()) }
    return app.request(`${TENANT}/login`, { body, headers: { authorization: by } })
  }
  const before = await factorState(app, company.tenantId)
  for (const by of [basic(clientId, 'wrong'), basic(app.ctx.random.id(), secret), 'Basic !', `Basic ${'x'.repeat(9)}`])
    expect([by, await codeOf(await login(by))]).toEqual([by, 'invalid_credentials'])
  await setStatus(app, company, 'suspended')
  expect(await codeOf(await login(basic(clientId, secret)))).toBe('invalid_credentials')
  expect(await factorState(app, company.tenantId)).toEqual(before)
  await setStatus(app, company, 'active')
  expect((await login(basic(clientId, secret))).status).toBe(200)
})
