// Voice sign-in over HTTP, and the attacks that it must refuse.
import { describe, expect, test } from 'vitest'
import { forTenant } from '#db/engine/tenant'
import { findVoiceLinks } from '#db/store/voice'
import { argon2Wasm } from '#shared/platform/crypto/argon2-wasm'
import { type PasswordHash, passwordHash } from '#shared/platform/crypto/password-hash'
import { verifySessionToken } from '#shared/platform/tokens/session-token'
import { type Company, PASSWORD, type Person, startApp, type TestApp } from '#tests/support/app'
import { newCibaClient } from '#tests/support/ciba'
import { pollDevice } from '#tests/support/grants'
import { unchanged } from '#tests/support/rows'
import { type Body, bodyOf, change, configure, enrol, eventsOf, leaked, outcomeOf, setStatus, textIn } from '#tests/support/sign-in'
import { deviceRoutes } from '../device/routes.ts'
import { voiceRoutes } from './routes.ts'

const VOICE = '/authsec/uflow/auth/voice'
const SPEAKER = { voice_platform: 'alexa', voice_user_id: 'amzn1.ask.account.PAT' }

const world = async (options: Parameters<typeof startApp>[1] = {}) => {
  const app = await startApp([...voiceRoutes, ...deviceRoutes] as never, options)
  const company = await app.company()
  const person = await app.person(company)
  return { app, company, person, asker: await newCibaClient(app, company) }
}
type Begun = { readonly session_token: string; readonly voice_otp: string }
const begin = async (app: TestApp, client_id: string, more: Body = {}): Promise<Begun> => {
  const body = await bodyOf(await app.request(`${VOICE}/initiate`, { body: { client_id, ...more } }))
  return { session_token: textIn(body, 'session_token'), voice_otp: textIn(body, 'voice_otp') }
}
const verify = async (app: TestApp, body: Begun): Promise<Body> => bodyOf(await app.request(`${VOICE}/verify`, { body }))
const other = ({ session_token, voice_otp }: Begun): Begun => ({ session_token, voice_otp: voice_otp === '0000' ? '1111' : '0000' })
const link = async (app: TestApp, person: Person, body: Body = SPEAKER): Promise<Body> =>
  bodyOf(await app.request(`${VOICE}/link`, { token: await app.token(person), body }))
const byPassword = (app: TestApp, { session_token }: Begun, person: Person, more: Body = {}): Promise<Response> =>
  app.request(`${VOICE}/token`, { body: { session_token, email: person.email, password: PASSWORD, ...more } })
const errorOf = async (response: Response) => [response.status, (await bodyOf(response)).error]
const verified = async (app: TestApp, clientId: string): Promise<Begun> => {
  const begun = await begin(app, clientId)
  expect((await verify(app, begun)).success).toBe(true)
  return begun
}

describe('verify', () => {
  test('without a link it begins a device grant, which any person of the tenant can approve', async () => {
    const { app, company, person } = await world()
    const begun = await begin(app, company.clientId, SPEAKER)
    expect(begun.session_token).toMatch(/^[a-z2-7]{103}$/)
    expect(begun.voice_otp).toMatch(/^\d{4}$/)
    const answer = await verify(app, begun)
    expect(answer).toMatchObject({ success: true, status: 'verified', user_code: expect.any(String) })
    expect(answer.access_token).toBeUndefined()
    const approved = await app.request(`${VOICE}/device-approve`, {
      token: await app.token(person),
      body: { user_code: answer.user_code, approve: true },
    })
    expect(await bodyOf(approved)).toMatchObject({ success: true, status: 'authorized' })
    const token = await bodyOf(await pollDevice(app, { deviceCode: textIn(answer, 'device_code') }, company.clientId))
    expect(token).toMatchObject({ user_id: person.id, client_id: company.clientId })
    expect(await eventsOf(app, company.tenantId, 'voice.verify')).toEqual(['device_grant.requested', 'voice.verified'])
    expect(await leaked(app, [company.tenantId], [begun.session_token, textIn(answer, 'device_code')])).toEqual([])
  })

  test('a linked speaker of an authenticated client signs in', async () => {
    const { app, company, person, asker } = await world()
    const linked = await link(app, person)
    const begun = await begin(app, asker.sdkClientId, SPEAKER)
    const answer = await verify(app, begun)
    expect(answer).toMatchObject({ success: true, status: 'verified', token_type: 'Bearer', expires_in: 86_400 })
    const claims = await verifySessionToken(app.ctx, textIn(answer, 'access_token'))
    expect(claims).toMatchObject({ userId: person.id, tenantId: company.tenantId, clientId: asker.clientId, amr: ['ext'], acr: 'aal1' })
    const listed = await bodyOf(await app.request(`${VOICE}/links`, { token: await app.token(person) }))
    expect(listed.links).toMatchObject([{ id: linked.link_id, voice_platform: 'alexa', is_active: true, last_used_at: expect.any(String) }])
    expect((await verify(app, begun)).success).toBe(false)
    expect(await errorOf(await byPassword(app, begun, person))).toEqual([401, 'expired_token'])
  })

  test.each<[string, (app: TestApp, company: Company, person: Person) => Promise<unknown>, boolean]>([
    ['a second factor is enrolled', (app, _, person) => enrol(app, person), true],
    ['the tenant requires one', (app, company) => configure(app, company, { requireSecondFactor: true }), true],
    ['the person is disabled', (app, _, person) => change(app, person, { active: false } as never), false],
    ['the person was removed', (app, _, person) => change(app, person, { deletedAt: app.clock.now() }), false],
    ['the person must choose a new password', (app, _, person) => change(app, person, { passwordResetRequired: true }), false],
    ['the company is suspended', (app, company) => setStatus(app, company, 'suspended'), false],
    ['the password was reset after linking', (app, _, person) => change(app, person, { validFrom: new Date(app.clock.now().getTime() + 1) }), false],
  ])('a linked speaker, but %s: begins a device grant and issues no token', async (_, happen, named) => {
    const { app, company, person, asker } = await world()
    await link(app, person)
    const begun = await begin(app, asker.sdkClientId, SPEAKER)
    await happen(app, company, person)
    const answer = await verify(app, begun)
    expect(answer).toMatchObject({ success: true, status: 'verified', user_code: expect.any(String) })
    expect(answer.access_token).toBeUndefined()
    if (!named) return
    const token = await app.token(person)
    const pending = await bodyOf(await app.request(`${VOICE}/device-pending?client_id=${asker.clientId}`, { token }))
    expect(pending).toMatchObject({
      count: 1,
      requests: [{ user_code: answer.user_code, device_code: '', status: 'pending', client_id: asker.clientId }],
    })
    const colleague = await app.token(company.admin)
    expect(await bodyOf(await app.request(`${VOICE}/device-pending`, { token: colleague }))).toEqual({ requests: [], count: 0 })
    const approve = (by: string) => app.request(`${VOICE}/device-approve`, { token: by, body: { user_code: answer.user_code, approve: true } })
    expect((await unchanged(app, [company], () => approve(colleague))).status).toBe(400)
    expect((await approve(token)).status).toBe(200)
  })

  test('at most three requests wait for one person', async () => {
    const { app, person, asker } = await world()
    await link(app, person)
    await enrol(app, person)
    for (let n = 0; n < 5; n++) await verify(app, await begin(app, asker.sdkClientId, SPEAKER))
    expect((await bodyOf(await app.request(`${VOICE}/device-pending`, { token: await app.token(person) }))).count).toBe(3)
  })
})

describe('a speaker claimed without proof', () => {
  test('an unauthenticated client with a linked speaker gets a device grant for no particular person', async () => {
    const { app, company, person } = await world()
    await link(app, person)
    const answer = await verify(app, await begin(app, company.clientId, SPEAKER))
    expect(answer).toMatchObject({ success: true, user_code: expect.any(String) })
    expect(answer.access_token).toBeUndefined()
    expect((await bodyOf(await app.request(`${VOICE}/device-pending`, { token: await app.token(person) }))).count).toBe(0)
  })

  test('invalid client credentials, or another client\u2019s, begin no session', async () => {
    const { app, company, asker } = await world()
    const globex = await app.company('globex')
    const theirs = await newCibaClient(app, globex)
    const tries: readonly [string, Readonly<Record<string, string>>][] = [
      [`${asker.clientId}~${'0'.repeat(64)}`, {}],
      [`${asker.clientId}~${theirs.sdkClientId.split('~')[1]}`, {}],
      [asker.clientId, { authorization: theirs.authorization }],
      [asker.clientId, { 'x-client-id': theirs.sdkClientId }],
    ]
    for (const [client_id, headers] of tries) {
      const attempt = () => app.request(`${VOICE}/initiate`, { headers, body: { client_id, ...SPEAKER } })
      expect((await unchanged(app, [company, globex], attempt)).status).toBe(400)
    }
  })

  test('a speaker that only another tenant has linked is unknown', async () => {
    const { app, person } = await world()
    await link(app, person)
    const globex = await newCibaClient(app, await app.company('globex'))
    const answer = await verify(app, await begin(app, globex.sdkClientId, SPEAKER))
    expect(answer.access_token).toBeUndefined()
  })
})

describe('the code', () => {
  test('five wrong codes end the session, also for the right code', async () => {
    const { app, company } = await world()
    const begun = await begin(app, company.clientId)
    for (let left = 4; left > 0; left--) {
      expect(await verify(app, other(begun))).toEqual({ success: false, status: 'initiated', message: `Wrong code; ${left} attempts left.` })
    }
    expect(await verify(app, other(begun))).toMatchObject({ success: false, status: 'failed' })
    expect(await unchanged(app, [company], () => verify(app, begun))).toMatchObject({ success: false, status: 'failed' })
    const events = await eventsOf(app, company.tenantId, 'voice.verify')
    expect(events).toEqual([...Array(5).fill('refused: voice_code'), 'voice.failed'])
  })

  test('of twenty concurrent guesses five are counted', async () => {
    const { app, company } = await world()
    const begun = await begin(app, company.clientId)
    await Promise.all(Array.from({ length: 20 }, () => verify(app, other(begun))))
    expect(await verify(app, begun)).toMatchObject({ success: false, status: 'failed' })
    const events = await eventsOf(app, company.tenantId, 'voice.verify')
    expect(events.filter((event) => event === 'refused: voice_code')).toHaveLength(5)
  })

  test('of twenty concurrent right codes one succeeds', async () => {
    const { app, person, asker } = await world()
    await link(app, person)
    const begun = await begin(app, asker.sdkClientId, SPEAKER)
    const answers = await Promise.all(Array.from({ length: 20 }, () => verify(app, begun)))
    expect(answers.filter(({ access_token }) => access_token !== undefined)).toHaveLength(1)
  })

  test('refuses a code after three minutes', async () => {
    const { app, company } = await world()
    const begun = await begin(app, company.clientId)
    app.clock.advance(180)
    expect(await unchanged(app, [company], () => verify(app, begun))).toMatchObject({ success: false, status: 'expired' })
  })

  test('fails for an unknown session and for a token of another tenant', async () => {
    const { app, company } = await world()
    const begun = await begin(app, company.clientId)
    for (const session_token of ['nonsense', 'a'.repeat(103), `b${begun.session_token.slice(1)}`]) {
      expect(await unchanged(app, [company], () => verify(app, { ...begun, session_token }))).toMatchObject({ success: false, status: 'failed' })
    }
  })
})

describe('token', () => {
  test('accepts a password in a verified session once', async () => {
    const { app, company, person } = await world()
    const begun = await verified(app, company.clientId)
    const token = await bodyOf(await byPassword(app, begun, person, { tenant_domain: company.domain }))
    expect(await verifySessionToken(app.ctx, textIn(token, 'access_token'))).toMatchObject({
      userId: person.id,
      amr: ['pwd'],
      scopes: ['openid', 'email', 'profile'],
    })
    expect(await unchanged(app, [company], async () => errorOf(await byPassword(app, begun, person)))).toEqual([401, 'expired_token'])
  })

  test('before verification, after use and for an unknown session: 401 without checking the password', async () => {
    const { app, company, person } = await world()
    const [fresh, late] = [await begin(app, company.clientId), await verified(app, company.clientId)]
    expect(await unchanged(app, [company], async () => errorOf(await byPassword(app, fresh, person)))).toEqual([401, 'invalid_request'])
    expect(await unchanged(app, [company], async () => errorOf(await byPassword(app, { ...fresh, session_token: 'x' }, person)))).toEqual([
      401,
      'invalid_request',
    ])
    app.clock.advance(180)
    expect(await unchanged(app, [company], async () => errorOf(await byPassword(app, late, person)))).toEqual([401, 'expired_token'])
  })

  test('a person who needs a second factor, is disabled or of another tenant, a wrong password, a foreign domain: 401, and the session stays usable', async () => {
    const { app, company, person } = await world()
    const globex = await app.company('globex')
    const begun = await verified(app, company.clientId)
    const [strong, disabled] = [await app.person(company), await app.person(company)]
    await enrol(app, strong)
    await change(app, disabled, { active: false } as never)
    for (const who of [strong, disabled, globex.admin]) {
      expect(await unchanged(app, [company, globex], async () => errorOf(await byPassword(app, begun, who)))).toEqual([401, 'invalid_grant'])
    }
    expect(await errorOf(await byPassword(app, begun, person, { password: 'wrong' }))).toEqual([401, 'invalid_grant'])
    expect(await errorOf(await byPassword(app, begun, person, { tenant_domain: globex.domain }))).toEqual([401, 'invalid_grant'])
    expect((await byPassword(app, begun, person)).status).toBe(200)
  })

  test('refuses an unverified email address', async () => {
    const { app, company, person } = await world()
    await change(app, person, { emailVerifiedAt: null, provider: 'custom' })
    const begun = await verified(app, company.clientId)
    expect((await unchanged(app, [company], () => byPassword(app, begun, person))).status).toBe(401)
  })

  test.each([
    ['the password is changed', { passwordHash: 'another' }],
    ['the account is disabled', { active: false }],
    ['all sign-ins are ended', { validFrom: new Date('2026-03-03T00:00:00Z') }],
  ] as const)('if %s during the check, the old password yields no token', async (_, set) => {
    const real = passwordHash({ engine: argon2Wasm })
    let happen = async (): Promise<unknown> => undefined
    const passwords: PasswordHash = {
      ...real,
      verify: async (password, hash) => {
        const verdict = await real.verify(password, hash)
        await happen()
        return verdict
      },
    }
    const { app, company, person } = await world({ extra: { passwords } })
    const begun = await verified(app, company.clientId)
    happen = () => change(app, person, set as Parameters<typeof change>[2])
    expect(await errorOf(await byPassword(app, begun, person))).toEqual([401, 'invalid_grant'])
  })

  test('wrong passwords lock the account, as in every password sign-in', async () => {
    const { app, company, person } = await world()
    const begun = await verified(app, company.clientId)
    for (let n = 0; n < 5; n++) await byPassword(app, begun, person, { password: 'wrong' })
    expect(await errorOf(await byPassword(app, begun, person))).toEqual([401, 'invalid_grant'])
    expect(await eventsOf(app, company.tenantId, 'voice.token')).toContain('user.locked')
  })
})

describe('links', () => {
  test('only the owner lists, removes or replaces their links', async () => {
    const { app, company, person } = await world()
    const globex = await app.company('globex')
    const mine = await link(app, person)
    expect(mine).toMatchObject({ success: true, link_id: expect.any(String) })
    expect(await link(app, person)).toMatchObject({ success: false, link_id: mine.link_id })
    const colleague = await unchanged(app, [], () => link(app, company.admin))
    expect(colleague).toEqual({ success: false, message: expect.any(String) })
    expect(await link(app, globex.admin)).toMatchObject({ success: true })
    const unlink = async (who: Person, body: Body) => bodyOf(await app.request(`${VOICE}/unlink`, { token: await app.token(who), body }))
    for (const body of [SPEAKER, { voice_platform: 'alexa' }, { voice_platform: 'alexa', voice_user_id: '' }]) {
      expect(await unlink(company.admin, body)).toMatchObject({ success: false })
    }
    expect(await findVoiceLinks(forTenant(app.db, company.tenantId), person.id)).toHaveLength(1)
    await link(app, person, { voice_platform: 'siri', voice_user_id: 'a' })
    await link(app, person, { voice_platform: 'siri', voice_user_id: 'b' })
    expect(await unlink(person, { voice_platform: 'siri' })).toMatchObject({ success: true })
    const left = await findVoiceLinks(forTenant(app.db, company.tenantId), person.id)
    expect(left.map(({ voicePlatform }) => voicePlatform)).toEqual(['alexa'])
    const subjects = (await app.mailsTo(person.email)).map(({ subject }) => subject.replace(/ (to|from) your account.*/, ''))
    expect(subjects.toSorted()).toEqual([...Array(3).fill('A voice account was added'), 'A voice account was removed'])
    expect(await findVoiceLinks(forTenant(app.db, globex.tenantId), globex.admin.id)).toHaveLength(1)
  })

  test('linking needs a recent sign-in (RFC 9470), and a person cannot make an administrator\u2019s link', async () => {
    const { app, company, person } = await world()
    const token = await app.token(person)
    const attempt = (body: Body) => app.request(`${VOICE}/link`, { token, body })
    expect((await unchanged(app, [company], () => attempt({ ...SPEAKER, link_method: 'admin_linked' }))).status).toBe(403)
    app.clock.advance(15 * 60 + 1)
    const refused = await unchanged(app, [company], () => attempt(SPEAKER))
    expect(refused.status).toBe(401)
    expect(refused.headers.get('www-authenticate')).toContain('max_age="900"')
  })

  test('a password reset ends a link, and the person can link again', async () => {
    const { app, person } = await world()
    await link(app, person)
    app.clock.advance(5)
    await change(app, person, { validFrom: app.clock.now() })
    const links = async () => (await bodyOf(await app.request(`${VOICE}/links`, { token: await app.token(person) }))).links
    expect(await links()).toMatchObject([{ is_active: false }])
    expect(await link(app, person)).toMatchObject({ success: true })
    expect(await links()).toMatchObject([{ is_active: true }])
  })
})

test('a code of another tenant\u2019s client is unknown to people outside that tenant', async () => {
  const { app, company } = await world()
  const globex = await app.company('globex')
  const answer = await verify(app, await begin(app, company.clientId))
  const token = await app.token(globex.admin)
  const approve = (user_code: unknown) => app.request(`${VOICE}/device-approve`, { token, body: { user_code, approve: true } })
  const theirs = await unchanged(app, [company, globex], async () => outcomeOf(await approve(answer.user_code)))
  expect(theirs).toEqual(await outcomeOf(await approve('ZZZZ-9999')))
  expect(theirs).toMatchObject({ status: 400, body: { success: false, status: 'failed' } })
})
