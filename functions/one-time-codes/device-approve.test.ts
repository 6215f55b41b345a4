// Approving a device with an authenticator app and without a session.
import { expect, test } from 'vitest'
import { forTenant } from '#db/engine/tenant'
import { findSessions } from '#db/store/sessions'
import { verifySessionToken } from '#shared/platform/tokens/session-token'
import { addClient } from '#tests/support/administration'
import { startApp } from '#tests/support/app'
import { loginTransactionFor, setUpApp } from '#tests/support/factors'
import { beginDevice, beginDeviceOf, pollDevice } from '#tests/support/grants'
import { unchanged } from '#tests/support/rows'
import { bodyOf, configure, eventsOf, outcomeOf } from '#tests/support/sign-in'
import { appCode, noCode } from '#tests/support/totp'
import { deviceRoutes } from '../device/routes.ts'
import { userSignInRoutes } from '../user-sign-in/routes.ts'
import { oneTimeCodeRoutes } from './routes.ts'

const APPROVE = '/authsec/uflow/auth/totp/device-approve'

const world = async () => {
  const app = await startApp([...userSignInRoutes, ...oneTimeCodeRoutes, ...deviceRoutes] as never)
  const company = await app.company()
  const pat = await app.person(company)
  const { seed } = await setUpApp(app, pat, { token: await app.token(pat) })
  const approve = (body: Readonly<Record<string, unknown>>) =>
    app.request(APPROVE, { body: { email: pat.email, totp_code: appCode(seed, app.clock.now()), ...body } })
  return { app, company, pat, seed, approve }
}

test('after the first factor a code approves the device, and only the device gets the token', async () => {
  const { app, company, pat, approve } = await world()
  const before = (await findSessions(forTenant(app.db, company.tenantId), pat.id, app.clock.now())).length
  const codes = await beginDevice(app)
  const login_ticket = await loginTransactionFor(app, company, pat)
  const approved = await approve({ user_code: codes.userCode, login_ticket })
  expect(await bodyOf(approved)).toEqual({ success: true, message: expect.any(String), token: '' })
  expect(await findSessions(forTenant(app.db, company.tenantId), pat.id, app.clock.now())).toHaveLength(before)
  const { access_token } = await bodyOf(await pollDevice(app, codes))
  expect(await verifySessionToken(app.ctx, String(access_token))).toMatchObject({ userId: pat.id, amr: ['otp', 'pwd'], acr: 'aal2' })
  const events = await eventsOf(app, company.tenantId, 'codes.approveDevice')
  expect(events).toEqual(['device_grant.approved', 'factor.verified', 'session.created', 'user.signed_in', 'user.signed_out'])
})

test('without a first factor a code approves nothing, unless the tenant allows sign-in by code at an authenticated client', async () => {
  const { app, company, approve } = await world()
  const shop = await addClient(app, company, { name: 'Shop' })
  const codes = await beginDeviceOf(app, company)
  const tries = [{}, { client_id: company.clientId }, { client_id: shop.sdk_client_id }]
  for (const body of tries) expect((await unchanged(app, [company], () => approve({ user_code: codes.userCode, ...body }))).status).toBe(400)
  await configure(app, company, { passwordlessTotp: true })
  expect((await approve({ user_code: codes.userCode, client_id: company.clientId })).status).toBe(400)
  app.clock.advance(30)
  expect((await approve({ user_code: codes.userCode, client_id: shop.sdk_client_id })).status).toBe(200)
  expect((await pollDevice(app, codes, company.clientId)).status).toBe(200)
})

test('a wrong user code consumes neither the ticket nor the TOTP code; another tenant\u2019s user code is unknown', async () => {
  const { app, company, pat, seed, approve } = await world()
  const globex = await app.company('globex')
  const login_ticket = await loginTransactionFor(app, company, pat)
  const unknown = await outcomeOf(await approve({ user_code: 'ZZZZ-9999', login_ticket }))
  expect(unknown.status).toBe(404)
  const codes = await beginDeviceOf(app, company)
  expect((await approve({ user_code: codes.userCode, login_ticket, totp_code: noCode(seed, app.clock.now()) })).status).toBe(400)
  expect((await approve({ user_code: codes.userCode, login_ticket })).status).toBe(200)
  expect((await approve({ user_code: codes.userCode, login_ticket })).status).toBe(400)
  const theirs = await beginDeviceOf(app, globex)
  app.clock.advance(60)
  const again = await loginTransactionFor(app, company, pat)
  expect(await outcomeOf(await approve({ user_code: theirs.userCode, login_ticket: again }))).toEqual(unknown)
  expect((await bodyOf(await pollDevice(app, theirs, globex.clientId))).error).toBe('authorization_pending')
})
