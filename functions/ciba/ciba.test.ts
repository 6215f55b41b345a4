// OpenID CIBA in poll mode over HTTP, as seen by a client, a person and a phone.
import { describe, expect, test } from 'vitest'
import { verifySessionToken } from '#shared/platform/tokens/session-token'
import type { startApp, TestApp } from '#tests/support/app'
import { answerCibaRequest, CIBA, newCibaClient, newPhone, pollCiba, requestCiba, requestCibaFor, startCiba, TENANT_CIBA } from '#tests/support/ciba'
import { countedDb } from '#tests/support/counted'
import { testDb } from '#tests/support/database'
import { DISGUISED } from '#tests/support/grants'
import { type Body, bodyOf, configure, eventsOf, leaked, textIn } from '#tests/support/sign-in'
import { cibaRoutes } from './routes.ts'

const start = (options: Parameters<typeof startApp>[1] = {}) => startCiba(cibaRoutes, options)
const errorOf = async (response: Response) => [response.status, (await bodyOf(response)).error]
const world = async (options: Parameters<typeof startApp>[1] = {}) => {
  const { app, push } = await start(options)
  const company = await app.company()
  const person = await app.person(company)
  return { app, push, company, person, client: await newCibaClient(app, company), phone: await newPhone(app, person) }
}
const requestsOf = async (app: TestApp, token: string): Promise<readonly Body[]> =>
  (await bodyOf(await app.request(`${TENANT_CIBA}/requests`, { token }))).requests as readonly Body[]

describe('requests and polls (OpenID CIBA Core 1.0, sections 7 and 10)', () => {
  test('a request reaches the phone; after approval the client gets one token', async () => {
    const { app, push, company, person, client, phone } = await world()
    const requested = await bodyOf(await requestCiba(app, client, person.email, { binding_message: 'Order 4711' }))
    expect(requested).toMatchObject({ expires_in: 300, interval: 5, message: expect.any(String) })
    const authReqId = textIn(requested, 'auth_req_id')
    expect(authReqId).toMatch(/^[\w-]{64}$/)
    expect(push.outbox).toHaveLength(1)
    const [message] = push.outbox
    expect(message).toMatchObject({
      platform: 'android',
      token: phone.pushToken,
      body: 'Shop asks you to approve a sign-in: \u201cOrder 4711\u201d',
      ttlSeconds: 300,
    })
    expect(await errorOf(await pollCiba(app, client.clientId, authReqId))).toEqual([202, 'authorization_pending'])
    const [pending] = await requestsOf(app, phone.session)
    expect(pending).toMatchObject({
      auth_req_id: message?.data.auth_req_id,
      user_email: person.email,
      client_id: client.clientId,
      client_name: 'Shop',
      binding_message: 'Order 4711',
      device_token_id: phone.deviceId,
      status: 'pending',
      number_required: false,
    })
    expect(
      await bodyOf(await answerCibaRequest(app, phone.session, message?.data.auth_req_id ?? '', { approved: true, biometric_verified: true })),
    ).toMatchObject({ success: true })
    expect(await requestsOf(app, phone.session)).toEqual([])
    const token = await bodyOf(await pollCiba(app, client.clientId, authReqId))
    expect(token).toMatchObject({ token_type: 'Bearer', expires_in: 86_400, scope: 'openid email profile' })
    expect(await verifySessionToken(app.ctx, textIn(token, 'access_token'))).toMatchObject({
      userId: person.id,
      tenantId: company.tenantId,
      clientId: client.clientId,
      amr: ['pwd', 'mca'],
      acr: 'aal1',
    })
    expect(await errorOf(await pollCiba(app, client.clientId, authReqId))).toEqual([400, 'expired_token'])
    expect(await eventsOf(app, company.tenantId, 'ciba.tenant.initiate')).toEqual(['ciba.requested'])
    expect(await eventsOf(app, company.tenantId, 'ciba.tenant.respond')).toEqual(['ciba.approved'])
    expect(await eventsOf(app, company.tenantId, 'ciba.tenant.token')).toEqual(['ciba.redeemed', 'session.created', 'user.signed_in'])
    const secrets = [authReqId, phone.pushToken, client.secret, client.sdkClientId, textIn(token, 'access_token')]
    expect(await leaked(app, [company.tenantId], secrets)).toEqual([])
  })

  test('the platform endpoints do the same, with every method of client authentication', async () => {
    const { app, company, person, client } = await world()
    const { clientId } = client
    const methods = [
      { headers: { authorization: client.authorization }, body: {} },
      { headers: { authorization: client.authorization }, body: { client_id: clientId } },
      { headers: { 'x-client-id': `${client.sdkClientId}-main-client` }, body: { client_id: clientId } },
      { headers: {}, body: { client_id: client.sdkClientId } },
    ]
    for (const { headers, body } of methods) {
      const phone = await newPhone(app, person)
      const initiated = await app.request(`${CIBA}/initiate`, { headers, body: { ...body, login_hint: person.email.toUpperCase() } })
      const auth_req_id = textIn(await bodyOf(initiated), 'auth_req_id')
      const poll = () => app.request(`${CIBA}/token`, { headers, body: { auth_req_id, ...body } })
      expect(await errorOf(await poll())).toEqual([200, 'authorization_pending'])
      expect(
        (await app.request(`${CIBA}/respond`, { token: phone.session, body: { auth_req_id, approved: true, biometric_verified: false } })).status,
      ).toBe(200)
      app.clock.advance(5)
      expect((await verifySessionToken(app.ctx, textIn(await bodyOf(await poll()), 'access_token'))).userId).toBe(person.id)
      app.clock.advance(600)
    }
    expect(await eventsOf(app, company.tenantId, 'ciba.token')).toHaveLength(12)
  })

  test('a denial is access_denied: 400 at the tenant endpoint, 403 at the platform endpoint', async () => {
    const { app, person, client, phone } = await world()
    const authReqId = await requestCibaFor(app, client, person.email)
    await answerCibaRequest(app, phone.session, authReqId, { approved: false })
    expect(await errorOf(await pollCiba(app, client.clientId, authReqId))).toEqual([400, 'access_denied'])
    const atPlatform = await app.request(`${CIBA}/token`, { body: { auth_req_id: authReqId, client_id: client.clientId } })
    expect(await errorOf(atPlatform)).toEqual([403, 'access_denied'])
  })

  test('a poll before the interval is slow_down and adds five seconds to it (CIBA section 11)', async () => {
    const { app, person, client } = await world()
    const authReqId = await requestCibaFor(app, client, person.email)
    const poll = async () => {
      const response = await pollCiba(app, client.clientId, authReqId)
      const { error, interval } = await bodyOf(response)
      return [response.status, error, interval]
    }
    expect(await poll()).toEqual([202, 'authorization_pending', undefined])
    app.clock.advance(4)
    expect(await poll()).toEqual([400, 'slow_down', 10])
    app.clock.advance(10)
    expect(await poll()).toEqual([202, 'authorization_pending', undefined])
  })
})

test('with number matching, the person enters the number that the client displays; a wrong number denies', async () => {
  const { app, company, person, client, phone } = await world()
  await configure(app, company, { cibaNumberMatching: true })
  const requested = async () => {
    const body = await bodyOf(await requestCiba(app, client, person.email))
    return { authReqId: textIn(body, 'auth_req_id'), number: textIn(body, 'match_number') }
  }
  const first = await requested()
  expect(first.number).toMatch(/^\d\d$/)
  expect((await requestsOf(app, phone.session))[0]).toMatchObject({ number_required: true })
  const wrong = first.number === '42' ? '43' : '42'
  expect(await bodyOf(await answerCibaRequest(app, phone.session, first.authReqId, { approved: true, match_number: wrong }))).toMatchObject({
    success: false,
  })
  expect(await bodyOf(await answerCibaRequest(app, phone.session, first.authReqId, { approved: true, match_number: first.number }))).toMatchObject({
    success: false,
  })
  expect(await errorOf(await pollCiba(app, client.clientId, first.authReqId))).toEqual([400, 'access_denied'])
  const second = await requested()
  expect(await bodyOf(await answerCibaRequest(app, phone.session, second.authReqId))).toMatchObject({ success: false })
  const third = await requested()
  expect(await bodyOf(await answerCibaRequest(app, phone.session, third.authReqId, { approved: true, match_number: third.number }))).toMatchObject({
    success: true,
  })
  expect((await pollCiba(app, client.clientId, third.authReqId)).status).toBe(200)
  expect(await leaked(app, [company.tenantId], [`"${first.number}"`])).toEqual([])
})

describe('devices', () => {
  test('every device gets the request; an unregistered token is removed; a request that reaches no device stays pending and cannot be decided', async () => {
    const { app, push, company, person, client, phone } = await world()
    const other = await newPhone(app, person)
    await requestCibaFor(app, client, person.email)
    expect(push.outbox.map(({ token }) => token).toSorted()).toEqual([phone.pushToken, other.pushToken].toSorted())
    push.unregister(phone.pushToken)
    push.fail(other.pushToken)
    const authReqId = await requestCibaFor(app, client, person.email)
    const { devices } = await bodyOf(await app.request(`${CIBA}/devices`, { token: phone.session }))
    expect(devices).toMatchObject([
      { id: other.deviceId, is_active: true, last_used: expect.any(String) },
      { id: phone.deviceId, is_active: false },
    ])
    expect(await eventsOf(app, company.tenantId, 'ciba.tenant.initiate')).toEqual(['ciba.failed', 'ciba.requested', 'ciba.requested'])
    expect(await bodyOf(await answerCibaRequest(app, other.session, authReqId))).toMatchObject({ success: false })
    expect(await errorOf(await pollCiba(app, client.clientId, authReqId))).toEqual([202, 'authorization_pending'])
  })

  test('a device is registered, listed, registered again and removed', async () => {
    const { app, company, person, phone } = await world()
    const body = {
      device_token: 'a-new-token',
      platform: 'ios',
      device_name: 'Pat\u202e\u2019s phone',
      device_model: 'iPhone',
      app_version: '1.2',
      os_version: '19',
    }
    const again = await bodyOf(await app.request(`${TENANT_CIBA}/register-device`, { token: phone.session, body }))
    // A session belongs to one device, so the new token replaces the token of that device.
    expect(again.device_id).toBe(phone.deviceId)
    const listed = await bodyOf(await app.request(`${TENANT_CIBA}/devices`, { token: phone.session }))
    expect(listed.devices).toEqual([
      {
        id: phone.deviceId,
        device_name: 'Pat\u2019s phone',
        platform: 'ios',
        device_model: 'iPhone',
        app_version: '1.2',
        os_version: '19',
        is_active: true,
        created_at: expect.any(String),
      },
    ])
    const remove = () => app.request(`${TENANT_CIBA}/devices/${phone.deviceId}`, { method: 'DELETE', token: phone.session })
    expect((await remove()).status).toBe(200)
    expect((await remove()).status).toBe(400)
    expect(await eventsOf(app, company.tenantId, 'ciba.tenant.removeDevice')).toEqual(['push_device.removed'])
    expect((await app.mailsTo(person.email)).map(({ subject }) => subject)).toEqual([
      expect.stringMatching(/^A device that approves sign-ins was added/),
      expect.stringMatching(/^A device that approves sign-ins was removed/),
    ])
    expect(await leaked(app, [person.tenantId], ['a-new-token', phone.pushToken])).toEqual([])
  })

  test('a browser registers its push subscription', async () => {
    const { app, company } = await world()
    const token = await app.token(await app.person(company))
    const subscription = { endpoint: 'https://push.example.net/send/abc', keys: { p256dh: 'B'.repeat(87), auth: 'a'.repeat(22) } }
    const register = (device_token: string) => app.request(`${CIBA}/register-device`, { token, body: { device_token, platform: 'web' } })
    expect((await register(JSON.stringify(subscription))).status).toBe(200)
    for (const not of ['token', '{}', JSON.stringify({ ...subscription, keys: {} })]) expect((await register(not)).status).toBe(400)
  })
})

test('a tenant with account disclosure reports unknown accounts and accounts without a device', async () => {
  const { app, company, client } = await world()
  await configure(app, company, { cibaDisclosesAccounts: true })
  const bare = await app.person(company)
  expect(await errorOf(await requestCiba(app, client, 'unknown@nowhere.example'))).toEqual([400, 'user_not_found'])
  expect(await errorOf(await requestCiba(app, client, bare.email))).toEqual([400, 'no_device_registered'])
  const hinted = (login_hint: string) => app.request(`${CIBA}/initiate`, { body: { client_id: client.sdkClientId, login_hint } })
  const unknown = await hinted('unknown@nowhere.example')
  expect(unknown.status).toBe(400)
  expect(await bodyOf(unknown)).toMatchObject({ auth_req_id: '', expires_in: 0, interval: 0, error: 'user_not_found' })
  const none = await hinted(bare.email)
  expect(none.status).toBe(200)
  expect(await bodyOf(none)).toMatchObject({ auth_req_id: '', expires_in: 0, interval: 0, error: 'no_device_registered' })
})

test('the binding message becomes one plain, quoted line', async () => {
  const { app, push, person, client, phone } = await world()
  await requestCibaFor(app, client, person.email, { binding_message: DISGUISED })
  const plain = 'Pay ruoy now 1000 &amp; alert(1)'
  expect(push.outbox[0]?.body).toBe(`Shop asks you to approve a sign-in: \u201c${plain}\u201d`)
  expect((await requestsOf(app, phone.session))[0]?.binding_message).toBe(plain)
})

test('COMPATIBILITY=authsec accepts a plain client id and no wrong secret', async () => {
  const { app, company, person, client, phone } = await world({ env: { COMPATIBILITY: 'authsec' } })
  const initiated = await app.request(`${TENANT_CIBA}/initiate`, { body: { client_id: company.clientId, email: person.email } })
  const authReqId = textIn(await bodyOf(initiated), 'auth_req_id')
  await answerCibaRequest(app, phone.session, authReqId)
  expect(await errorOf(await pollCiba(app, client.clientId, authReqId))).toEqual([400, 'expired_token'])
  expect((await pollCiba(app, company.clientId, authReqId)).status).toBe(200)
  for (const client_id of [`${company.clientId}~${'0'.repeat(64)}`, app.ctx.random.id()]) {
    expect(await errorOf(await app.request(`${TENANT_CIBA}/initiate`, { body: { client_id, email: person.email } }))).toEqual([400, 'invalid_client'])
  }
})

test('a poll of a pending request costs one statement', async () => {
  const counted = countedDb((await testDb()).engine)
  const { app, person, client } = await world({ db: counted.db })
  const authReqId = await requestCibaFor(app, client, person.email)
  await pollCiba(app, client.clientId, authReqId)
  expect(await counted.during(() => pollCiba(app, client.clientId, authReqId))).toEqual({ statements: 1, roundTrips: 2 })
})
