// The device authorization grant (RFC 8628) over HTTP, as seen by a device and a person.
import { describe, expect, test } from 'vitest'
import { directory, SYSTEM_TENANT } from '#db/engine/tenant'
import { findCodeEntry } from '#db/store/device-grants'
import { verifySessionToken } from '#shared/platform/tokens/session-token'
import { changePolicy } from '#tests/support/access-world'
import { startApp } from '#tests/support/app'
import { countedDb } from '#tests/support/counted'
import { testDb } from '#tests/support/database'
import { beginDevice, beginDeviceOf, DEVICE, DISGUISED, pollDevice, verifyDevice } from '#tests/support/grants'
import { putPermissionScope } from '#tests/support/scopes'
import { bodyOf, eventsOf, leaked, textIn } from '#tests/support/sign-in'
import { deviceRoutes } from './routes.ts'

const start = (options: Parameters<typeof startApp>[1] = {}) => startApp(deviceRoutes, options)

test('the token of an approved device has the person, tenant and client of the approval, and the amr and auth_time of the approving session', async () => {
  const app = await start()
  const company = await app.company()
  const person = await app.person(company)
  const approving = await app.token(person, ['pwd', 'otp', 'mfa'])
  const authTime = app.clock.now()
  app.clock.advance(60)
  const begun = await bodyOf(await app.request(`${DEVICE}/code`, { body: { client_id: company.clientId } }))
  expect(begun).toMatchObject({ expires_in: 300, interval: 5, verification_uri: 'http://localhost:7468/authsec/uflow/activate' })
  expect(begun.device_code).toMatch(/^[0-9a-f]{64}$/)
  expect(begun.user_code).toMatch(/^[A-HJKMNP-Z2-9]{4}-[A-HJKMNP-Z2-9]{4}$/)
  expect(begun.verification_uri_complete).toBe(`${begun.verification_uri}?user_code=${begun.user_code}`)
  const codes = { deviceCode: textIn(begun, 'device_code'), userCode: textIn(begun, 'user_code') }
  const pending = await pollDevice(app, codes, company.clientId)
  expect([pending.status, (await bodyOf(pending)).error]).toEqual([200, 'authorization_pending'])
  expect((await app.request(`${DEVICE}/verify`, { token: approving, body: { user_code: codes.userCode, approve: true } })).status).toBe(200)
  app.clock.advance(5)
  const answered = await pollDevice(app, codes, company.clientId)
  expect(answered.headers.get('cache-control')).toBe('no-store')
  expect(answered.headers.getSetCookie()).toEqual([])
  const token = await bodyOf(answered)
  expect(token).toMatchObject({
    token_type: 'Bearer',
    // The absolute lifetime counts from the authentication of the approving session.
    expires_in: 86_400 - 65,
    scope: 'openid email profile',
    email: person.email,
    user_id: person.id,
    tenant_id: company.tenantId,
    tenant_domain: company.domain,
    client_id: company.clientId,
  })
  const claims = await verifySessionToken(app.ctx, textIn(token, 'access_token'))
  expect(claims).toMatchObject({
    userId: person.id,
    tenantId: company.tenantId,
    amr: ['pwd', 'otp', 'mfa'],
    acr: 'aal2',
    authTime,
    scopes: ['openid', 'email', 'profile'],
  })
  expect(await eventsOf(app, company.tenantId, 'device.token')).toEqual(['device_grant.redeemed', 'session.created', 'user.signed_in'])
  expect(await eventsOf(app, company.tenantId, 'device.code')).toEqual(['device_grant.requested'])
  expect(await eventsOf(app, company.tenantId, 'device.verify')).toEqual(['device_grant.approved'])
  expect(await leaked(app, [company.tenantId], [codes.deviceCode, codes.userCode, textIn(token, 'access_token')])).toEqual([])
})

test('without a client the grant belongs to the tenant of the person who approves it', async () => {
  const app = await start()
  const company = await app.company()
  const codes = await beginDevice(app)
  const hash = app.ctx.hash('device-code', codes.deviceCode)
  expect((await findCodeEntry(directory(app.db), { deviceCodeHash: hash }, app.clock.now()))?.tenantId).toBe(SYSTEM_TENANT)
  expect((await bodyOf(await pollDevice(app, codes))).error).toBe('authorization_pending')
  expect((await verifyDevice(app, company.admin, codes.userCode)).status).toBe(200)
  expect((await findCodeEntry(directory(app.db), { deviceCodeHash: hash }, app.clock.now()))?.tenantId).toBe(company.tenantId)
  expect(await bodyOf(await pollDevice(app, codes))).toMatchObject({
    tenant_id: company.tenantId,
    user_id: company.admin.id,
    client_id: company.clientId,
  })
  expect(await eventsOf(app, company.tenantId, 'device.verify')).toEqual(['device_grant.approved'])
})

describe('decisions (RFC 8628 section 3.3)', () => {
  test('the activation info has client, scopes and device; texts of the device lose markup and invisible characters', async () => {
    const app = await start()
    const company = await app.company()
    const { userCode } = await beginDevice(app, {
      client_id: company.clientId,
      scopes: ['openid', 'invoices:read'],
      device_info: { device_name: DISGUISED, nested: { a: 1 }, cores: 4, 'bad name': 'x' },
    })
    const typed = userCode.toLowerCase().replace('-', '')
    const info = await bodyOf(await app.request(`${DEVICE}/activate/info?user_code=${typed}`))
    expect(info).toEqual({
      success: true,
      user_code: userCode,
      tenant_domain: company.domain,
      client_name: expect.stringMatching(/\w+/),
      device_info: { device_name: 'Pay ruoy now 1000 &amp; alert(1)', cores: '4' },
      scopes: ['openid', 'invoices:read'],
      expires_at: '2026-03-02T09:05:00.000Z',
    })
  })

  test('the granted scopes are the requested scopes that the person may use; an empty list stays empty', async () => {
    const app = await start()
    const company = await app.company()
    const person = await app.person(company, ['invoices:read', 'reports:read'])
    await changePolicy(app, company, (t) => putPermissionScope(t, app, 'billing', ['invoices:read', 'reports:read']))
    await changePolicy(app, company, (t) => putPermissionScope(t, app, 'payroll', ['invoices:read', 'salaries:write']))
    const redeemed = async (scopes: readonly string[]): Promise<unknown> => {
      const codes = await beginDevice(app, { client_id: company.clientId, scopes })
      await verifyDevice(app, person, codes.userCode)
      return (await bodyOf(await pollDevice(app, codes, company.clientId))).scope
    }
    expect(await redeemed(['email', 'billing', 'payroll', 'invoices:read', 'salaries:write', 'admin:access', 'nonsense', 'email'])).toBe(
      'email billing invoices:read',
    )
    expect(await redeemed([])).toBe('')
  })

  test('a denial is final and is reported as access_denied', async () => {
    const app = await start()
    const company = await app.company()
    const codes = await beginDeviceOf(app, company)
    expect(await bodyOf(await verifyDevice(app, company.admin, codes.userCode, false))).toEqual({ success: true, message: expect.any(String) })
    const refused = await pollDevice(app, codes, company.clientId)
    expect([refused.status, (await bodyOf(refused)).error]).toEqual([403, 'access_denied'])
    expect((await verifyDevice(app, company.admin, codes.userCode)).status).toBe(400)
    expect(await eventsOf(app, company.tenantId, 'device.verify')).toEqual(['device_grant.denied', 'refused: invalid_user_code'])
  })

  test('authorize works like verify: an unknown code is 404, a decided one 400', async () => {
    const app = await start()
    const company = await app.company()
    const token = await app.token(company.admin)
    const authorize = async (user_code: string, approved: boolean) => {
      const response = await app.request(`${DEVICE}/authorize`, { token, body: { user_code, approved } })
      return [response.status, (await bodyOf(response)).status]
    }
    const [first, second] = [await beginDeviceOf(app, company), await beginDevice(app)]
    expect(await authorize(first.userCode, true)).toEqual([200, 'authorized'])
    expect(await authorize(second.userCode, false)).toEqual([200, 'denied'])
    expect(await authorize(second.userCode, true)).toEqual([400, undefined])
    expect(await authorize('AAAA-AAAA', true)).toEqual([404, undefined])
  })
})

describe('polls (RFC 8628 sections 3.4 and 3.5)', () => {
  test('a poll before the interval is slow_down and adds five seconds to it (RFC 8628 section 3.5)', async () => {
    const app = await start()
    const company = await app.company()
    const codes = await beginDeviceOf(app, company)
    const poll = async () => {
      const response = await pollDevice(app, codes, company.clientId)
      const { error, interval } = await bodyOf(response)
      return [response.status, error, interval]
    }
    const pending = [200, 'authorization_pending', undefined]
    expect(await poll()).toEqual(pending)
    app.clock.advance(4)
    expect(await poll()).toEqual([400, 'slow_down', 10])
    app.clock.advance(9)
    expect(await poll()).toEqual([400, 'slow_down', 15])
    app.clock.advance(15)
    expect(await poll()).toEqual(pending)
  })

  test('with RFC_POLL_STATUSES every response without a token is 400', async () => {
    const app = await start({ env: { RFC_POLL_STATUSES: 'on' } })
    const company = await app.company()
    const codes = await beginDeviceOf(app, company)
    const poll = async () => {
      const response = await pollDevice(app, codes, company.clientId)
      return [response.status, (await bodyOf(response)).error]
    }
    expect(await poll()).toEqual([400, 'authorization_pending'])
    expect(await poll()).toEqual([400, 'slow_down'])
    await verifyDevice(app, company.admin, codes.userCode, false)
    expect(await poll()).toEqual([400, 'access_denied'])
  })

  test('a poll of a pending grant costs two statements', async () => {
    const counted = countedDb((await testDb()).engine)
    const app = await start({ db: counted.db })
    const company = await app.company()
    const codes = await beginDeviceOf(app, company)
    await pollDevice(app, codes, company.clientId)
    expect(await counted.during(() => pollDevice(app, codes, company.clientId))).toEqual({ statements: 2, roundTrips: 3 })
  })
})

describe('codes (RFC 8628 section 3.2)', () => {
  test('lifetime and verification page of a code are configurable', async () => {
    const app = await start({ env: { DEVICE_CODE_SECONDS: '900', DEVICE_VERIFICATION_URI: 'https://id.acme.com/go?from=tv' } })
    const begun = await bodyOf(await app.request(`${DEVICE}/code`, { body: {} }))
    expect(begun).toMatchObject({ expires_in: 900, verification_uri: 'https://id.acme.com/go?from=tv' })
    expect(begun.verification_uri_complete).toBe(`https://id.acme.com/go?from=tv&user_code=${begun.user_code}`)
  })

  test('a user code that is already in use is replaced by another', async () => {
    const app = await start()
    const company = await app.company()
    const bytes = app.ctx.random.bytes
    let generated = 0
    // The first four user codes get the same sixteen bytes.
    app.ctx.random.bytes = (count) => (count === 16 && generated++ < 4 ? new Uint8Array(16).fill(7) : bytes(count))
    const codes = [await beginDeviceOf(app, company), await beginDeviceOf(app, company)]
    expect(codes[0]?.userCode).toBe('HHHH-HHHH')
    expect(codes[1]?.userCode).not.toBe('HHHH-HHHH')
  })
})
