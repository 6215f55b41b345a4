// Finishing another caller's ceremony, and forged sign-ins with only a passkey: all get the same refusal and change nothing.
import { describe, expect, test } from 'vitest'
import type { Person } from '#tests/support/app'
import { authenticator, type Lies } from '#tests/support/authenticator'
import {
  ASSERTIONS,
  answerOfResponse,
  CALLERS,
  callerOf,
  NO_AUTHENTICATION,
  NO_REGISTRATION,
  type PasskeyWorld,
  passkeyWorldOf,
} from '#tests/support/passkey-attacks'
import {
  bodyOf,
  type Caller,
  givePasskey,
  loginTicket,
  named,
  type Options,
  optionsOf,
  PAGE,
  passkeyStateOf,
  postPasskey,
} from '#tests/support/passkeys'
import { webauthnRoutes } from './routes.ts'

const world = (): Promise<PasskeyWorld> => passkeyWorldOf(webauthnRoutes)

describe('a ceremony is bound to the caller that began it: refuses', () => {
  type Given = PasskeyWorld & { readonly mine: Caller; readonly options: Options }
  const begun = async (): Promise<Given> => {
    const here = await world()
    await givePasskey(here.app, here.person, here.device)
    const mine = await callerOf(here.app, here.person, 'ticket')
    return { ...here, mine, options: await optionsOf(await postPasskey(here.app, '/beginAuthentication', named(here.person), mine)) }
  }
  /** Finishing as another caller finds no ceremony, and the caller that began it can still finish. */
  const refused = async (given: Given, as: Person, caller: Caller, change: { readonly session_id?: string } = {}): Promise<void> => {
    const { app, person, device, mine, options } = given
    const before = [await passkeyStateOf(app, person), await passkeyStateOf(app, as)]
    const credential = device.get(options)
    const body = { session_id: options.session_id, credential, ...change }
    expect(await answerOfResponse(await postPasskey(app, '/finishAuthentication', { ...named(as), ...body }, caller))).toEqual(NO_AUTHENTICATION)
    expect([await passkeyStateOf(app, person), await passkeyStateOf(app, as)]).toEqual(before)
    const honest = { ...named(person), session_id: options.session_id, credential }
    expect((await postPasskey(app, '/finishAuthentication', honest, mine)).status).toBe(200)
  }

  test('another login transaction of the same person', async () => {
    const given = await begun()
    await refused(given, given.person, await callerOf(given.app, given.person, 'ticket'))
  })
  test('a session of the same person', async () => {
    const given = await begun()
    await refused(given, given.person, await callerOf(given.app, given.person, 'token'))
  })
  test.each(CALLERS)('another person of the tenant (%s)', async (kind) => {
    const given = await begun()
    const other = await given.app.person(given.company)
    await givePasskey(given.app, other, authenticator(PAGE))
    await refused(given, other, await callerOf(given.app, other, kind))
  })
  test.each(CALLERS)('a person of another tenant (%s)', async (kind) => {
    const given = await begun()
    const other = await given.app.person(await given.app.company('globex'))
    await refused(given, other, await callerOf(given.app, other, kind))
  })
  test('another origin', async () => {
    const given = await begun()
    await refused(given, given.person, { ...given.mine, origin: 'http://localhost:5173' })
  })
  test('a handle of another tenant, an unknown one and a malformed one', async () => {
    for (const session_id of ['', 'x', '00000000-0000-0000-0000-000000000000.', 'other']) {
      const given = await begun()
      const [, secret = ''] = given.options.session_id.split('.')
      const handle =
        session_id === 'other' ? `${given.person.tenantId}.${'A'.repeat(43)}` : session_id.endsWith('.') ? session_id + secret : session_id
      await refused(given, given.person, given.mine, { session_id: handle })
    }
  })
  test('an authentication to finish a registration, and vice versa', async () => {
    const { app, person, device, options, mine } = await begun()
    const token = await app.token(person, ['pwd', 'hwk'])
    const creation = await optionsOf(await postPasskey(app, '/beginRegistration', named(person), { token }))
    const request = { publicKey: { ...options.publicKey, challenge: creation.publicKey.challenge } }
    const asserted = { ...named(person), session_id: creation.session_id, credential: device.get(request) }
    expect(await answerOfResponse(await postPasskey(app, '/finishAuthentication', asserted, { token }))).toEqual(NO_AUTHENTICATION)
    const made = { publicKey: { ...creation.publicKey, challenge: options.publicKey.challenge } }
    const registered = { ...named(person), session_id: options.session_id, credential: device.create(made) }
    expect(await answerOfResponse(await postPasskey(app, '/finishRegistration', registered, { token }))).toEqual(NO_REGISTRATION)
    expect(mine.ticket).toBeDefined()
  })
  test('an expired ceremony', async () => {
    const { app, person, device, options } = await begun()
    app.clock.advance(601)
    const body = { ...named(person), session_id: options.session_id, credential: device.get(options) }
    const later = await callerOf(app, person, 'ticket')
    expect(await answerOfResponse(await postPasskey(app, '/finishAuthentication', body, later))).toEqual(NO_AUTHENTICATION)
  })
  test.each(['/finishAuthentication', '/finishRegistration'])('a ceremony that was already used: %s', async (path) => {
    const { app, person, device } = await world()
    const registers = path === '/finishRegistration'
    if (!registers) await givePasskey(app, person, device)
    const caller = await callerOf(app, person, registers ? 'token' : 'ticket')
    const options = await optionsOf(await postPasskey(app, path.replace('finish', 'begin'), named(person), caller))
    const body = { ...named(person), session_id: options.session_id, credential: registers ? device.create(options) : device.get(options) }
    expect((await postPasskey(app, path, body, caller)).status).toBe(200)
    const before = await passkeyStateOf(app, person)
    const again = await postPasskey(app, path, body, registers ? { token: await app.token(person, ['pwd', 'hwk']) } : caller)
    expect(await answerOfResponse(again)).toEqual(registers ? NO_REGISTRATION : NO_AUTHENTICATION)
    if (!registers) expect(await passkeyStateOf(app, person)).toEqual(before)
  })
  test('and beginning another ceremony does not invalidate a pending one', async () => {
    const given = await begun()
    const thief = await callerOf(given.app, given.person, 'ticket')
    for (let n = 0; n < 3; n++) await postPasskey(given.app, '/beginAuthentication', named(given.person), thief)
    await refused(given, given.person, thief)
  })
})

describe('sign-in with only a passkey', () => {
  test.each([...ASSERTIONS, ['no user verification', { uv: false }], ['no user handle', { userHandle: 'AA' }]] as readonly (readonly [
    string,
    Lies,
  ])[])('%s', async (_, lies) => {
    const { app, person, device } = await world()
    await givePasskey(app, person, device)
    const options = await optionsOf(await postPasskey(app, '/passkey/begin', {}))
    const before = await passkeyStateOf(app, person)
    const response = await postPasskey(app, '/passkey/finish', { session_id: options.session_id, credential: device.get(options, lies) })
    expect([response.status, (await bodyOf(response)).code]).toEqual([401, 'passkey_refused'])
    expect(await passkeyStateOf(app, person)).toEqual(before)
  })

  test('without a handle, with the handle of a factor\u2019s ceremony, or a second time, there is no ceremony', async () => {
    const { app, person, device } = await world()
    await givePasskey(app, person, device)
    const options = await optionsOf(await postPasskey(app, '/passkey/begin', {}))
    const credential = device.get(options)
    expect(await answerOfResponse(await postPasskey(app, '/passkey/finish', { credential }))).toEqual(NO_AUTHENTICATION)
    const factor = await optionsOf(await postPasskey(app, '/beginAuthentication', named(person), await callerOf(app, person, 'ticket')))
    const borrowed = { session_id: factor.session_id, credential: device.get(factor) }
    expect(await answerOfResponse(await postPasskey(app, '/passkey/finish', borrowed))).toEqual(NO_AUTHENTICATION)
    const body = { session_id: options.session_id, credential }
    expect(await answerOfResponse(await postPasskey(app, '/passkey/finish', body, { origin: 'http://localhost:5173' }))).toEqual(NO_AUTHENTICATION)
    expect((await postPasskey(app, '/passkey/finish', body)).status).toBe(200)
    const before = await passkeyStateOf(app, person)
    expect(await answerOfResponse(await postPasskey(app, '/passkey/finish', body))).toEqual(NO_AUTHENTICATION)
    expect(await passkeyStateOf(app, person)).toEqual(before)
  })

  test('the ceremony of a passkey sign-in verifies no factor: a stolen password still needs the owner\u2019s passkey', async () => {
    const { app, company, person, device } = await world()
    await givePasskey(app, person, device)
    const thief = await app.person(company)
    const theirs = authenticator(PAGE)
    await givePasskey(app, thief, theirs)
    const options = await optionsOf(await postPasskey(app, '/passkey/begin', {}))
    const ticket = await loginTicket(app, person)
    const before = await passkeyStateOf(app, person)
    const body = { ...named(person), session_id: options.session_id, credential: theirs.get(options) }
    expect(await answerOfResponse(await postPasskey(app, '/finishAuthentication', body, { ticket }))).toEqual(NO_AUTHENTICATION)
    expect(await passkeyStateOf(app, person)).toEqual(before)
  })
})
