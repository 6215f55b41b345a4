// Forged and malformed assertions: all refused with the same answer, recorded, and without any change.
import { describe, expect, test } from 'vitest'
import type { Person, TestApp } from '#tests/support/app'
import { authenticator } from '#tests/support/authenticator'
import {
  ASSERTIONS,
  AUTHENTICATION_FAILED,
  answerOfResponse,
  CALLERS,
  callerOf,
  NO_AUTHENTICATION,
  type PasskeyWorld,
  passkeyWorldOf,
  refusals,
} from '#tests/support/passkey-attacks'
import { type Caller, givePasskey, loginTicket, named, type Options, optionsOf, PAGE, passkeyStateOf, postPasskey } from '#tests/support/passkeys'
import { webauthnRoutes } from './routes.ts'

const world = (): Promise<PasskeyWorld> => passkeyWorldOf(webauthnRoutes)

const GARBAGE = [
  'AAAA',
  Buffer.from('{}').toString('base64url'),
  Buffer.from('null').toString('base64url'),
  Buffer.alloc(4000, 255).toString('base64url'),
]

describe('authentication refuses', () => {
  const toResponse = async (app: TestApp, person: Person, caller: Caller) =>
    optionsOf(await postPasskey(app, '/beginAuthentication', named(person), caller))
  const finish = (app: TestApp, person: Person, options: Options, credential: unknown, caller: Caller): Promise<Response> =>
    postPasskey(app, '/finishAuthentication', { ...named(person), session_id: options.session_id, credential }, caller)

  test.each(ASSERTIONS)('%s', async (_, lies) => {
    const { app, person, device } = await world()
    await givePasskey(app, person, device)
    for (const kind of CALLERS) {
      const caller = await callerOf(app, person, kind)
      const options = await toResponse(app, person, caller)
      const before = await passkeyStateOf(app, person)
      const seen = await refusals(app, person)
      expect(await answerOfResponse(await finish(app, person, options, device.get(options, lies), caller))).toEqual(AUTHENTICATION_FAILED)
      expect(await passkeyStateOf(app, person)).toEqual(before)
      expect(await refusals(app, person)).toBe(seen + 1)
      expect(await answerOfResponse(await finish(app, person, options, device.get(options), caller))).toEqual(NO_AUTHENTICATION)
    }
  })

  test.each(['clientDataJSON', 'authenticatorData', 'signature'] as const)('garbage in %s, without an internal error', async (part) => {
    const { app, person, device } = await world()
    await givePasskey(app, person, device)
    const ticket = await loginTicket(app, person)
    const before = await passkeyStateOf(app, person)
    for (const garbage of GARBAGE) {
      const options = await toResponse(app, person, { ticket })
      const honest = device.get(options)
      const credential = { ...honest, response: { ...honest.response, [part]: garbage } }
      expect(await answerOfResponse(await finish(app, person, options, credential, { ticket }))).toEqual(AUTHENTICATION_FAILED)
    }
    expect(await passkeyStateOf(app, person)).toEqual(before)
  })

  test.each(['same tenant', 'another tenant'])(
    'the passkey of another person (%s), also under the caller\u2019s own credential id',
    async (where) => {
      const { app, company, person, device } = await world()
      const own = await givePasskey(app, person, device)
      const other = await app.person(where === 'same tenant' ? company : await app.company('globex'))
      const theirs = authenticator(PAGE)
      await givePasskey(app, other, theirs)
      const ticket = await loginTicket(app, person)
      const before = [await passkeyStateOf(app, person), await passkeyStateOf(app, other)]
      for (const lies of [{}, { credentialId: own.id }, { credentialId: own.id, userHandle: own.userHandle }]) {
        const options = await toResponse(app, person, { ticket })
        expect(await answerOfResponse(await finish(app, person, options, theirs.get(options, lies), { ticket }))).toEqual(AUTHENTICATION_FAILED)
      }
      expect([await passkeyStateOf(app, person), await passkeyStateOf(app, other)]).toEqual(before)
    },
  )

  test('a signature made with a key of another algorithm', async () => {
    const { app, person, device } = await world()
    await givePasskey(app, person, device)
    const ticket = await loginTicket(app, person)
    const before = await passkeyStateOf(app, person)
    for (const algorithm of [-8, -257] as const) {
      const liar = authenticator(PAGE, { algorithm })
      liar.create({ publicKey: { challenge: '', rp: { id: 'localhost' }, user: { id: device.held[0]?.userHandle ?? '' } } })
      const options = await toResponse(app, person, { ticket })
      const lies = { credentialId: device.held[0]?.id ?? '' }
      expect(await answerOfResponse(await finish(app, person, options, liar.get(options, lies), { ticket }))).toEqual(AUTHENTICATION_FAILED)
    }
    expect(await passkeyStateOf(app, person)).toEqual(before)
  })
})
