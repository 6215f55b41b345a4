// A person's own factors, step-up and mailbox proof.
import { describe, expect, test } from 'vitest'
import { forTenant } from '#db/engine/tenant'
import { findFactors } from '#db/store/factors'
import { type Company, type Person, startApp, type TestApp } from '#tests/support/app'
import { CODES, factorState, loginTransactionFor, mintEndUser, setUpApp, whoIs } from '#tests/support/factors'
import { bodyOf, change, codeIn, configure, enrol, outcomeOf, textIn, wrongCode } from '#tests/support/sign-in'
import { appCode } from '#tests/support/totp'
import { authRoutes } from '../auth/routes.ts'
import { oneTimeCodeRoutes } from '../one-time-codes/routes.ts'
import { userSignInRoutes } from '../user-sign-in/routes.ts'
import { factorRoutes } from './routes.ts'

const start = async (): Promise<{ app: TestApp; company: Company; pat: Person }> => {
  const app = await startApp([...authRoutes, ...userSignInRoutes, ...oneTimeCodeRoutes, ...factorRoutes] as never)
  const company = await app.company()
  return { app, company, pat: await app.person(company) }
}
const codeOf = async (response: Response): Promise<unknown> => (await bodyOf(response)).code
const idsOf = async (app: TestApp, person: Person): Promise<string[]> =>
  (await findFactors(forTenant(app.db, person.tenantId), person.id)).map(({ id }) => id)
const remove = (app: TestApp, token: string, id: string, query = ''): Promise<Response> =>
  app.request(`/account/factors/${id}${query}`, { method: 'DELETE', token })
const STRONG = ['pwd', 'otp'] as const

test('a person sees the factors they have, renames one and makes it primary', async () => {
  const { app, pat } = await start()
  const token = await app.token(pat)
  await setUpApp(app, pat, { token })
  await enrol(app, pat, 'webauthn')
  const listed = await bodyOf(await app.request('/account/factors', { token }))
  expect(listed).toMatchObject({ backup_codes_left: 10, has_password: true, required: false })
  const passkey = (listed.factors as { id: string; kind: string }[]).find(({ kind }) => kind === 'webauthn')?.id ?? ''
  const changed = await app.request(`/account/factors/${passkey}`, { method: 'PATCH', token, body: { name: 'Laptop', is_primary: true } })
  expect((await bodyOf(changed)).factors).toMatchObject([
    { id: passkey, name: 'Laptop', is_primary: true },
    { kind: 'totp', is_primary: false },
  ])
  expect((await app.request(`/account/factors/${passkey}`, { method: 'PATCH', token, body: {} })).status).toBe(400)
  expect((await app.request(`/account/factors/${passkey}`, { method: 'PATCH', token, body: { name: 'x', kind: 'sms' } })).status).toBe(400)
})

describe('removing a factor', () => {
  test('removing a factor needs a recent sign-in with a factor, ends other sessions and notifies the owner', async () => {
    const { app, company, pat } = await start()
    const weak = await app.token(pat)
    await setUpApp(app, pat, { token: weak })
    const [id = ''] = await idsOf(app, pat)
    const refused = await remove(app, weak, id, '?accept_weaker=true')
    expect([refused.status, refused.headers.get('www-authenticate')]).toEqual([401, expect.stringContaining('acr_values="aal2"')])
    const [strong, other] = [await app.token(pat, STRONG), await app.token(pat, STRONG)]
    expect(await bodyOf(await remove(app, strong, id))).toMatchObject({ code: 'weaker_factors_remain', remaining: [] })
    expect(await idsOf(app, pat)).toEqual([id])
    const pending = await loginTransactionFor(app, company, pat)
    expect(await bodyOf(await remove(app, strong, id, '?accept_weaker=true'))).toEqual({ factors_left: 0 })
    expect((await app.request('/account/factors', { token: other })).status).toBe(401)
    expect((await mintEndUser(app, pat, pending)).status).toBe(401)
    expect(await bodyOf(await app.request('/account/factors', { token: strong }))).toMatchObject({ factors: [], backup_codes_left: 0 })
    expect((await app.mailsTo(pat.email)).map(({ text }) => text).join()).toContain(
      'You have no second factor any more: only the password protects your account.',
    )
    expect((await app.events(company.tenantId, { event: 'factor.removed' })).length).toBe(1)
    app.clock.advance(901)
  })

  test('removing the strongest factor needs accept_weaker', async () => {
    const { app, pat } = await start()
    await enrol(app, pat, 'webauthn')
    await enrol(app, pat, 'sms')
    const token = await app.token(pat, STRONG)
    const factors = await findFactors(forTenant(app.db, pat.tenantId), pat.id)
    const of = (kind: string): string => factors.find((factor) => factor.kind === kind)?.id ?? ''
    expect(await bodyOf(await remove(app, token, of('webauthn')))).toMatchObject({ code: 'weaker_factors_remain', remaining: ['sms'] })
    expect((await remove(app, token, of('sms'))).status).toBe(200)
    expect((await remove(app, token, of('webauthn'), '?accept_weaker=false')).status).toBe(409)
  })

  test('a required last factor cannot be removed, nor the last passkey of a person without a password', async () => {
    const { app, company, pat } = await start()
    await configure(app, company, { requireSecondFactor: true })
    await enrol(app, pat, 'totp')
    const [id = ''] = await idsOf(app, pat)
    const token = await app.token(pat, STRONG)
    expect(await codeOf(await remove(app, token, id, '?accept_weaker=true'))).toBe('last_factor')
    await configure(app, company, { requireSecondFactor: false })
    const passwordless = await app.person(company)
    await change(app, passwordless, { passwordHash: null })
    await enrol(app, passwordless, 'webauthn')
    await enrol(app, passwordless, 'totp')
    const factors = await findFactors(forTenant(app.db, company.tenantId), passwordless.id)
    const passkey = factors.find(({ kind }) => kind === 'webauthn')?.id ?? ''
    expect(await codeOf(await remove(app, await app.token(passwordless, STRONG), passkey, '?accept_weaker=true'))).toBe('last_factor')
    expect(await idsOf(app, passwordless)).toHaveLength(2)
  })

  test('an administrator cannot remove the last factor when adminAcr requires one', async () => {
    const { app, company } = await start()
    await configure(app, company, { adminAcr: 'aal2' })
    await enrol(app, company.admin, 'totp')
    const [id = ''] = await idsOf(app, company.admin)
    expect(await codeOf(await remove(app, await app.token(company.admin, STRONG), id, '?accept_weaker=true'))).toBe('last_factor')
  })
})

test('a factor of another person is unknown', async () => {
  const { app, company, pat } = await start()
  await enrol(app, pat, 'totp')
  const [id = ''] = await idsOf(app, pat)
  const eve = await app.person(company)
  await enrol(app, eve, 'totp')
  const token = await app.token(eve, STRONG)
  const before = await factorState(app, company.tenantId)
  expect(await outcomeOf(await remove(app, token, id))).toEqual(await outcomeOf(await remove(app, token, app.ctx.random.id())))
  const patch = (of: string): Promise<Response> => app.request(`/account/factors/${of}`, { method: 'PATCH', token, body: { name: 'mine' } })
  expect(await outcomeOf(await patch(id))).toEqual(await outcomeOf(await patch(app.ctx.random.id())))
  expect(await factorState(app, company.tenantId)).toEqual(before)
})

describe('step-up (RFC 9470)', () => {
  test('a step-up by password works only for a person without a factor', async () => {
    const { app, pat } = await start()
    const token = await app.token(pat)
    app.clock.advance(1000)
    expect(await bodyOf(await app.request('/account/step-up', { token }))).toMatchObject({ acr: 'aal1', ways: ['password'] })
    expect(await codeOf(await app.request('/account/step-up/password', { token, body: { password: 'not this one at all' } }))).toBe(
      'invalid_credentials',
    )
    const renewed = await bodyOf(await app.request('/account/step-up/password', { token, body: { password: pat.password } }))
    expect(renewed).toMatchObject({ acr: 'aal1', amr: ['pwd'], token_type: 'Bearer' })
    const renewedToken = textIn(renewed, 'access_token')
    expect((await app.request('/account/step-up', { token })).status).toBe(401)
    expect(await bodyOf(await app.request('/account/step-up', { token: renewedToken }))).toMatchObject({ auth_time: app.clock.now().toISOString() })
    await enrol(app, pat, 'totp')
    expect(await codeOf(await app.request('/account/step-up/password', { token: renewedToken, body: { password: pat.password } }))).toBe(
      'insufficient_user_authentication',
    )
  })

  test('a step-up by code renews the session and raises its acr; the refusal before names what is required (RFC 9470)', async () => {
    const { app, pat } = await start()
    const token = await app.token(pat)
    const { seed, backupCodes } = await setUpApp(app, pat, { token })
    const refused = await bodyOf(await app.request('/account/factors/backup-codes', { method: 'POST', token }))
    expect(refused).toMatchObject({ code: 'insufficient_user_authentication', acr_values: 'aal2', max_age: 900, step_up: '/account/step-up' })
    expect(await bodyOf(await app.request('/account/step-up', { token }))).toMatchObject({ ways: ['totp', 'backup_code'] })
    const renewed = await bodyOf(await app.request('/account/step-up/totp', { token, body: { code: appCode(seed, app.clock.now()) } }))
    expect(renewed).toMatchObject({ acr: 'aal2', amr: ['otp', 'pwd'] })
    const strong = textIn(renewed, 'access_token')
    const again = await bodyOf(await app.request('/account/step-up/totp', { token: strong, body: { code: backupCodes[2] } }))
    const last = textIn(again, 'access_token')
    expect((await app.request('/account/factors/backup-codes', { method: 'POST', token: last })).status).toBe(201)
  })
})

describe('mailbox proof', () => {
  test('a code to the address of the account proves the mailbox and permits enrolling a first factor', async () => {
    const { app, company, pat } = await start()
    await configure(app, company, { requireSecondFactor: true })
    app.clock.advance(3601)
    const login_ticket = await loginTransactionFor(app, company, pat)
    expect((await app.request('/account/mailbox-proof', { body: { login_ticket, email: pat.email } })).status).toBe(202)
    expect(await codeOf(await app.request('/account/mailbox-proof', { body: { login_ticket } }))).toBe('too_many_codes')
    const code = codeIn(await app.mailsTo(pat.email))
    const confirm = (otp: string, transactionToken = login_ticket): Promise<Response> =>
      app.request('/account/mailbox-proof/confirm', { body: { login_ticket: transactionToken, code: otp } })
    expect(await codeOf(await confirm(wrongCode(code)))).toBe('invalid_code')
    const other = await loginTransactionFor(app, company, await app.person(company))
    expect(await codeOf(await confirm(code, other))).toBe('invalid_code')
    expect((await confirm(code)).status).toBe(204)
    expect(await codeOf(await confirm(code))).toBe('invalid_code')
    await setUpApp(app, pat, { ticket: login_ticket })
    expect((await mintEndUser(app, pat, login_ticket)).status).toBe(200)
  })

  test('a mailbox proof cannot be requested for another person', async () => {
    const { app, company, pat } = await start()
    const other = await loginTransactionFor(app, company, await app.person(company))
    for (const proof of [{}, { login_ticket: other }, { login_ticket: 'x' }]) {
      const response = await app.request('/account/mailbox-proof', { body: { ...proof, email: pat.email } })
      expect([response.status, await codeOf(response)]).toEqual([401, 'authentication_required'])
    }
    expect(await app.mailsTo(pat.email)).toEqual([])
  })

  test('five wrong attempts void the mailbox code', async () => {
    const { app, company, pat } = await start()
    const login_ticket = await loginTransactionFor(app, company, pat)
    await app.request('/account/mailbox-proof', { body: { login_ticket } })
    const code = codeIn(await app.mailsTo(pat.email))
    const confirm = (otp: string): Promise<Response> => app.request('/account/mailbox-proof/confirm', { body: { login_ticket, code: otp } })
    for (let n = 1; n <= 5; n++) expect(await codeOf(await confirm(wrongCode(code, n)))).toBe('invalid_code')
    expect(await codeOf(await confirm(code))).toBe('invalid_code')
  })
})

test('with adminAcr aal2, administration needs a session with a second factor', async () => {
  const { app, company } = await start()
  const { admin } = company
  const token = await app.token(admin)
  const { seed } = await setUpApp(app, admin, { token })
  await configure(app, company, { adminAcr: 'aal2' })
  const target = await app.person(company)
  const reset = (bearer: string): Promise<Response> => app.request(`/people/${target.id}/factors`, { method: 'DELETE', token: bearer })
  expect(await codeOf(await reset(token))).toBe('insufficient_scope')
  const strong = textIn(
    await bodyOf(await app.request(`${CODES}/verify`, { token, body: whoIs(admin, { code: appCode(seed, app.clock.now()) }) })),
    'access_token',
  )
  expect((await reset(strong)).status).toBe(200)
})
