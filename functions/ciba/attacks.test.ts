// Attacks on backchannel requests. Each is refused without disclosing anything and changes no row.
import { describe, expect, test } from 'vitest'
import { atomically, forTenant, SYSTEM_TENANT } from '#db/engine/tenant'
import { setClientActive } from '#db/store/clients'
import { revokeSessions } from '#db/store/sessions'
import type { Company, Person, startApp, TestApp } from '#tests/support/app'
import { answerCibaRequest, CIBA, newCibaClient, newPhone, pollCiba, requestCiba, requestCibaFor, startCiba, TENANT_CIBA } from '#tests/support/ciba'
import { countedDb } from '#tests/support/counted'
import { testDb } from '#tests/support/database'
import { changeClient } from '#tests/support/oauth'
import { unchanged } from '#tests/support/rows'
import { bodyOf, change, enrol, eventsOf, outcomeOf, setStatus } from '#tests/support/sign-in'
import { cibaRoutes } from './routes.ts'

const errorOf = async (response: Response) => [response.status, (await bodyOf(response)).error]
const EXPIRED = [400, 'expired_token']
const REFUSED = { status: 200, body: { success: false, message: 'The request is unknown, expired or was answered already.' } }

const world = async (options: Parameters<typeof startApp>[1] = {}) => {
  const { app, push } = await startCiba(cibaRoutes, options)
  const company = await app.company()
  const person = await app.person(company)
  return { app, push, company, person, client: await newCibaClient(app, company), phone: await newPhone(app, person) }
}
describe('client authentication', () => {
  test('a request needs the client\u2019s secret: a plain id, a wrong or foreign secret, an inactive client and a user token are refused', async () => {
    const { app, push, company, person, client, phone } = await world()
    const globex = await app.company('globex')
    const theirs = await newCibaClient(app, globex)
    const off = await newCibaClient(app, company, 'Off')
    await atomically(forTenant(app.db, company.tenantId), (t) => setClientActive(t, off.clientId, false, app.clock.now()))
    const basic = (id: string, secret: string) => ({ authorization: `Basic ${Buffer.from(`${id}:${secret}`).toString('base64')}` })
    const tries: readonly [string | undefined, Readonly<Record<string, string>>][] = [
      [client.clientId, {}],
      [undefined, {}],
      [`${client.clientId}~${'0'.repeat(64)}`, {}],
      [`${client.clientId}~${theirs.sdkClientId.split('~')[1]}`, {}],
      [client.sdkClientId, basic(theirs.clientId, theirs.secret)],
      [client.clientId, basic(client.clientId, 'wrong')],
      [client.clientId, basic(client.clientId, theirs.secret)],
      [theirs.clientId, { authorization: client.authorization }],
      [off.sdkClientId, {}],
      [client.clientId, { authorization: `Bearer ${phone.session}` }],
      [client.sdkClientId, { 'x-client-id': theirs.clientId }],
    ]
    for (const [client_id, headers] of tries) {
      const named = client_id === undefined ? {} : { client_id }
      const hinted = () => app.request(`${CIBA}/initiate`, { headers, body: { ...named, login_hint: person.email } })
      expect(await unchanged(app, [company, globex], async () => errorOf(await hinted())), String(client_id)).toEqual([400, 'invalid_client'])
      if (client_id === undefined) continue
      const addressed = () => app.request(`${TENANT_CIBA}/initiate`, { headers, body: { client_id, email: person.email } })
      expect(await unchanged(app, [company, globex], async () => errorOf(await addressed())), client_id).toEqual([400, 'invalid_client'])
    }
    expect(push.outbox).toEqual([])
    expect(await eventsOf(app, SYSTEM_TENANT, 'ciba.initiate')).toContain('refused: client_unauthenticated')
  })

  test('a client may use only the authentication method that it is registered for', async () => {
    const { app, push, company, person, client } = await world()
    const initiate = async (named: string, headers: Readonly<Record<string, string>>) =>
      (await app.request(`${TENANT_CIBA}/initiate`, { headers, body: { client_id: named, email: person.email } })).status
    const answers: unknown[] = []
    for (const tokenEndpointAuthMethod of ['private_key_jwt', 'client_secret_post', 'client_secret_basic', null] as const) {
      await changeClient(app, company, client.clientId, { tokenEndpointAuthMethod })
      const basic = await initiate(client.clientId, { authorization: client.authorization })
      answers.push([tokenEndpointAuthMethod, basic, await initiate(client.sdkClientId, {})])
      app.clock.advance(600)
    }
    expect(answers).toEqual([
      ['private_key_jwt', 400, 400],
      ['client_secret_post', 400, 200],
      ['client_secret_basic', 200, 200],
      [null, 200, 200],
    ])
    await changeClient(app, company, client.clientId, { isPublic: true })
    expect([await initiate(client.clientId, { authorization: client.authorization }), await initiate(client.sdkClientId, {})]).toEqual([400, 400])
    expect(push.outbox).toHaveLength(5)
  })

  test('a client cannot send a request to the domain of another tenant', async () => {
    const { app, company, person, client } = await world()
    const globex = await app.company('globex')
    const answered = await unchanged(app, [company, globex], () => requestCiba(app, client, person.email, { tenant_domain: globex.domain }))
    expect(await errorOf(answered)).toEqual([400, 'invalid_client'])
    expect((await requestCiba(app, client, person.email, { tenant_domain: company.domain })).status).toBe(200)
  })
})

describe('account enumeration', () => {
  test('responses, polls and limits are the same for an unknown, disabled or foreign account, one without a device, and one that does not respond', async () => {
    const { app, push, company, person, client } = await world()
    const globex = await app.company('globex')
    const stranger = await app.person(globex)
    await newPhone(app, stranger)
    const disabled = await app.person(company)
    await newPhone(app, disabled)
    await change(app, disabled, { active: false } as never)
    const story = async (email: string): Promise<unknown> => {
      const reported: unknown[] = []
      for (let n = 0; n < 4; n++) {
        const { status, body } = await outcomeOf(await requestCiba(app, client, email))
        const { auth_req_id, ...rest } = body as { auth_req_id?: string }
        reported.push(status, rest, auth_req_id?.length)
        if (auth_req_id !== undefined)
          reported.push(
            await outcomeOf(await pollCiba(app, client.clientId, auth_req_id)),
            await outcomeOf(await pollCiba(app, client.clientId, auth_req_id)),
          )
      }
      return reported
    }
    const known = await story(person.email)
    expect(push.outbox).toHaveLength(3)
    for (const email of ['unknown@nowhere.example', company.admin.email, disabled.email, stranger.email]) expect(await story(email)).toEqual(known)
    expect(push.outbox).toHaveLength(3)
  })

  test('a request that reached no device expires like one that gets no response', async () => {
    const { app, person, client } = await world()
    const [known, unknown] = [await requestCibaFor(app, client, person.email), await requestCibaFor(app, client, 'unknown@nowhere.example')]
    app.clock.advance(299)
    for (const id of [known, unknown]) expect(await errorOf(await pollCiba(app, client.clientId, id))).toEqual([202, 'authorization_pending'])
    app.clock.advance(1)
    for (const id of [known, unknown]) expect(await errorOf(await pollCiba(app, client.clientId, id))).toEqual(EXPIRED)
  })
})

describe('push fatigue', () => {
  test('100 requests cause three push messages', async () => {
    const { app, push, company, person, client } = await world()
    const other = await newCibaClient(app, company, 'Other')
    const statuses: number[] = []
    for (let n = 0; n < 100; n++) statuses.push((await requestCiba(app, n % 2 === 0 ? client : other, person.email)).status)
    expect(statuses.filter((status) => status === 200)).toHaveLength(3)
    expect(statuses.filter((status) => status === 429)).toHaveLength(97)
    expect(push.outbox).toHaveLength(3)
  })

  test('at most five requests in ten minutes, answered or not', async () => {
    const { app, push, person, client, phone } = await world()
    for (let n = 0; n < 5; n++) {
      const authReqId = await requestCibaFor(app, client, person.email)
      expect(await bodyOf(await answerCibaRequest(app, phone.session, authReqId, { approved: false }))).toMatchObject({ success: true })
    }
    const refused = await requestCiba(app, client, person.email)
    expect(refused.status).toBe(429)
    expect(refused.headers.get('retry-after')).toBe('600')
    app.clock.advance(601)
    expect((await requestCiba(app, client, person.email)).status).toBe(200)
    expect(push.outbox).toHaveLength(6)
  })

  test('20 concurrent requests cause three push messages', async () => {
    const { app, push, person, client } = await world()
    const answers = await Promise.all(Array.from({ length: 20 }, () => requestCiba(app, client, person.email)))
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(3)
    expect(push.outbox).toHaveLength(3)
  })
})

/** A pending request to the phone of `person`. */
const withRequest = async () => {
  const w = await world()
  return { ...w, authReqId: await requestCibaFor(w.app, w.client, w.person.email) }
}

describe('decisions by others', () => {
  test.each<[string, (app: TestApp, company: Company, person: Person) => Promise<string>]>([
    ['a colleague with a phone', async (app, company) => (await newPhone(app, await app.person(company))).session],
    ['an administrator with a phone', async (app, company) => (await newPhone(app, company.admin)).session],
    ['a person of another tenant with a phone', async (app) => (await newPhone(app, (await app.company('globex')).admin)).session],
    ['the person in a session without a device', (app, _, person) => app.token(person)],
    ['the person on a device that was registered after the request', async (app, _, person) => (await newPhone(app, person)).session],
  ])('%s gets the response for an unknown request; the phone can still decide', async (_, sessionOf) => {
    const { app, company, person, client, phone, authReqId } = await withRequest()
    const session = await sessionOf(app, company, person)
    const answered = await unchanged(app, [company], async () => outcomeOf(await answerCibaRequest(app, session, authReqId)))
    expect(answered).toEqual(REFUSED)
    expect(answered).toEqual(await outcomeOf(await answerCibaRequest(app, session, app.ctx.random.id())))
    const respondAtPlatform = (auth_req_id: string) => app.request(`${CIBA}/respond`, { token: session, body: { auth_req_id, approved: true } })
    const platform = await unchanged(app, [company], async () => outcomeOf(await respondAtPlatform(authReqId)))
    expect(platform).toMatchObject({ status: 400, body: { error: 'Failed to respond' } })
    expect(platform).toEqual(await outcomeOf(await respondAtPlatform(app.ctx.random.id())))
    expect(await bodyOf(await answerCibaRequest(app, phone.session, authReqId))).toMatchObject({ success: true })
    expect((await pollCiba(app, client.clientId, authReqId)).status).toBe(200)
  })

  test('a decision without a session is 401', async () => {
    const { app, company, authReqId } = await withRequest()
    const body = { auth_req_id: authReqId, approved: true }
    for (const path of [CIBA, TENANT_CIBA]) expect((await unchanged(app, [company], () => app.request(`${path}/respond`, { body }))).status).toBe(401)
  })

  test('an attempt is in the audit log', async () => {
    const { app, company, authReqId } = await withRequest()
    await answerCibaRequest(app, await app.token(company.admin), authReqId)
    expect(await eventsOf(app, company.tenantId, 'ciba.tenant.respond')).toEqual(['refused: ciba_not_answered'])
  })
})

describe('the decision', () => {
  test('a decided request cannot be decided again', async () => {
    const { app, company, client, phone, authReqId } = await withRequest()
    await answerCibaRequest(app, phone.session, authReqId, { approved: false })
    expect(await unchanged(app, [company], async () => outcomeOf(await answerCibaRequest(app, phone.session, authReqId)))).toEqual(REFUSED)
    expect(await errorOf(await pollCiba(app, client.clientId, authReqId))).toEqual([400, 'access_denied'])
  })

  test('a decision after five minutes is refused', async () => {
    const { app, company, client, phone, authReqId } = await withRequest()
    app.clock.advance(300)
    expect(await unchanged(app, [company], async () => outcomeOf(await answerCibaRequest(app, phone.session, authReqId)))).toEqual(REFUSED)
    expect(await errorOf(await pollCiba(app, client.clientId, authReqId))).toEqual(EXPIRED)
  })

  test('a decision without `approved` denies', async () => {
    const { app, client, phone, authReqId } = await withRequest()
    await answerCibaRequest(app, phone.session, authReqId, {})
    expect(await errorOf(await pollCiba(app, client.clientId, authReqId))).toEqual([400, 'access_denied'])
  })

  test('a removed device cannot decide', async () => {
    const { app, company, phone, authReqId } = await withRequest()
    await app.request(`${CIBA}/devices/${phone.deviceId}`, { method: 'DELETE', token: phone.session })
    expect(await unchanged(app, [company], async () => outcomeOf(await answerCibaRequest(app, phone.session, authReqId)))).toEqual(REFUSED)
  })
})

describe('the poll', () => {
  test('a poll by another client, another tenant or no client is that of an unknown request, and does not consume the request', async () => {
    const { app, company, client, phone, authReqId } = await withRequest()
    const globex = await app.company('globex')
    await answerCibaRequest(app, phone.session, authReqId)
    const [other, theirs] = [await newCibaClient(app, company, 'Other'), await newCibaClient(app, globex)]
    for (const id of [other.clientId, other.sdkClientId, theirs.clientId, `${client.clientId}~${'0'.repeat(64)}`, 'nonsense']) {
      expect(await unchanged(app, [company, globex], async () => errorOf(await pollCiba(app, id, authReqId))), id).toEqual(EXPIRED)
    }
    const unnamed = () => app.request(`${CIBA}/token`, { body: { auth_req_id: authReqId } })
    expect(await unchanged(app, [company], async () => errorOf(await unnamed()))).toEqual(EXPIRED)
    expect((await pollCiba(app, client.clientId, authReqId)).status).toBe(200)
  })

  test('the id that the phone gets cannot poll', async () => {
    const { app, push, company, client } = await withRequest()
    const pushedId = push.outbox[0]?.data.auth_req_id ?? ''
    expect(await unchanged(app, [company], async () => errorOf(await pollCiba(app, client.clientId, pushedId)))).toEqual(EXPIRED)
  })

  test('the same handle under another tenant is unknown', async () => {
    const { app, company, client, authReqId } = await withRequest()
    const globex = await app.company('globex')
    const bytes = Buffer.from(authReqId, 'base64url')
    Buffer.from(globex.tenantId.replaceAll('-', ''), 'hex').copy(bytes)
    expect(await unchanged(app, [company, globex], async () => errorOf(await pollCiba(app, client.clientId, bytes.toString('base64url'))))).toEqual(
      EXPIRED,
    )
  })

  test.each<[string, (app: TestApp, company: Company, person: Person, clientId: string) => Promise<unknown>]>([
    ['the person was disabled', (app, _, person) => change(app, person, { active: false } as never)],
    ['the password was reset', (app, _, person) => change(app, person, { validFrom: app.clock.now() })],
    ['a factor was enrolled', (app, _, person) => enrol(app, person)],
    ['the tenant was suspended', (app, company) => setStatus(app, company, 'suspended')],
    [
      'the client was deactivated',
      (app, { tenantId }, _, id) => atomically(forTenant(app.db, tenantId), (t) => setClientActive(t, id, false, app.clock.now())),
    ],
    [
      'the phone\u2019s session was ended',
      (app, { tenantId }, { id }) => atomically(forTenant(app.db, tenantId), (t) => revokeSessions(t, id, app.clock.now(), 'ended_by_owner')),
    ],
  ])('an approval gives no token when %s afterwards', async (_, revoke) => {
    const { app, company, person, client, phone, authReqId } = await withRequest()
    await answerCibaRequest(app, phone.session, authReqId)
    app.clock.advance(2)
    await revoke(app, company, person, client.clientId)
    for (let n = 0; n < 2; n++) expect(await errorOf(await pollCiba(app, client.clientId, authReqId))).toEqual([400, 'access_denied'])
    expect(await eventsOf(app, company.tenantId, 'ciba.tenant.token')).toContain('ciba.denied')
  })
})

describe('devices', () => {
  test('a push token moves to the person who registered it last', async () => {
    const { app, push, company, person, client, phone } = await world()
    const newOwner = await app.person(company)
    await newPhone(app, newOwner, phone.pushToken)
    await requestCibaFor(app, client, person.email)
    expect(push.outbox).toEqual([])
    await requestCibaFor(app, client, newOwner.email)
    expect(push.outbox).toHaveLength(1)
    const { devices } = await bodyOf(await app.request(`${CIBA}/devices`, { token: phone.session }))
    expect(devices).toMatchObject([{ id: phone.deviceId, is_active: false }])
    // The previous owner is notified, and the removal is in the audit log.
    expect((await app.mailsTo(person.email)).at(-1)?.text).toContain('Another person signed in on this device')
    const [taken] = await app.events(company.tenantId, { event: 'push_device.removed' })
    expect(taken).toMatchObject({ targetId: phone.deviceId, reason: 'registered_by_another', subjectId: person.id })
  })

  test('the same push token in another tenant is another device', async () => {
    const { app, phone } = await world()
    await newPhone(app, (await app.company('globex')).admin, phone.pushToken)
    const { devices } = await bodyOf(await app.request(`${CIBA}/devices`, { token: phone.session }))
    expect(devices).toMatchObject([{ id: phone.deviceId, is_active: true }])
  })

  test.each([CIBA, TENANT_CIBA])('%s refuses an unknown platform', async (path) => {
    const { app, company, person } = await world()
    const token = await app.token(person)
    for (const platform of ['windows', 'IOS', 'android ', 'web']) {
      const register = () => app.request(`${path}/register-device`, { token, body: { device_token: 'x', platform } })
      expect((await unchanged(app, [company], register)).status).toBe(400)
    }
  })

  test('a device of another person is unknown', async () => {
    const { app, company, phone } = await world()
    const globex = await app.company('globex')
    for (const token of [await app.token(company.admin), await app.token(globex.admin)]) {
      for (const path of [CIBA, TENANT_CIBA]) {
        const remove = (id: string) => app.request(`${path}/devices/${id}`, { method: 'DELETE', token })
        const theirs = await unchanged(app, [company, globex], async () => outcomeOf(await remove(phone.deviceId)))
        expect(theirs).toEqual(await outcomeOf(await remove(app.ctx.random.id())))
        expect(theirs.status).toBe(400)
      }
    }
  })

  test('adding a device needs a sign-in of the last 15 minutes (RFC 9470)', async () => {
    const { app, company, person } = await world()
    const token = await app.token(person)
    app.clock.advance(15 * 60 + 1)
    const register = () => app.request(`${CIBA}/register-device`, { token, body: { device_token: 'later', platform: 'ios' } })
    const refused = await unchanged(app, [company], register)
    expect(refused.status).toBe(401)
    expect(refused.headers.get('www-authenticate')).toContain('error="insufficient_user_authentication"')
  })

  test('at most ten devices per person', async () => {
    const { app, person } = await world()
    for (let n = 0; n < 9; n++) await newPhone(app, person)
    const token = await app.token(person)
    expect((await app.request(`${CIBA}/register-device`, { token, body: { device_token: 'one too many', platform: 'ios' } })).status).toBe(409)
  })
})

test('20 concurrent polls return one token', async () => {
  const { app, client, phone, authReqId } = await withRequest()
  await answerCibaRequest(app, phone.session, authReqId)
  const statuses = await Promise.all(Array.from({ length: 20 }, async () => (await pollCiba(app, client.clientId, authReqId)).status))
  expect(statuses.toSorted()).toEqual([200, ...Array(19).fill(400)])
})

test('a request costs the same number of statements for a known and an unknown account', async () => {
  const counted = countedDb((await testDb()).engine)
  const { app, company, client } = await world({ db: counted.db })
  const bare = await app.person(company)
  await requestCiba(app, client, 'first@nowhere.example')
  const cost = async (email: string) => (await counted.during(() => requestCiba(app, client, email))).statements
  expect(await cost(bare.email)).toBe(await cost('unknown@nowhere.example'))
})
