// Forged and malformed registrations: all refused with the same answer, recorded, and without any change.
import { describe, expect, test } from 'vitest'
import { authenticator, type Lies } from '#tests/support/authenticator'
import {
  answerOfResponse,
  CALLERS,
  COORDINATE,
  callerOf,
  EVERYWHERE,
  key,
  map,
  NO_REGISTRATION,
  type PasskeyWorld,
  passkeyWorldOf,
  REGISTRATION_FAILED,
  refusals,
} from '#tests/support/passkey-attacks'
import { type Caller, givePasskey, loginTicket, named, optionsOf, PAGE, passkeyStateOf, postPasskey, register } from '#tests/support/passkeys'
import { webauthnRoutes } from './routes.ts'

const world = (): Promise<PasskeyWorld> => passkeyWorldOf(webauthnRoutes)

const REGISTRATIONS: readonly (readonly [string, Lies])[] = [
  ...EVERYWHERE,
  ['an assertion in place of a registration', { type: 'webauthn.get' }],
  ['a valid self attestation with the wrong algorithm', { fmt: 'packed', attestedBy: -257 }],
  ['a self attestation with a broken signature', { fmt: 'packed', forged: true }],
  ['a forged attestation', { fmt: 'packed', statement: map([['alg', -7] as never, ['sig', Buffer.alloc(70, 1)] as never]), forged: true }],
  ['an attestation with a different algorithm', { fmt: 'packed', statement: map([['alg', -257] as never, ['sig', Buffer.alloc(70, 1)] as never]) }],
  ['an attestation without a signature', { fmt: 'packed', statement: map([['alg', -7] as never]) }],
  [
    'an attestation with a certificate, which names a URL to fetch',
    { fmt: 'packed', statement: map([['alg', -7] as never, ['sig', COORDINATE] as never, ['x5c', COORDINATE] as never]) },
  ],
  ['no attestation, but a statement', { fmt: 'none', statement: map([['alg', -7] as never]) }],
  ['a FIDO U2F attestation', { fmt: 'fido-u2f', statement: map([['sig', COORDINATE] as never, ['x5c', COORDINATE] as never]) }],
  ['a TPM attestation', { fmt: 'tpm', statement: map([['ver', '2.0'] as never]) }],
  ['a SafetyNet attestation', { fmt: 'android-safetynet', statement: map([['ver', '1'] as never, ['response', COORDINATE] as never]) }],
  ['an Apple attestation', { fmt: 'apple', statement: map([['x5c', COORDINATE] as never]) }],
  ['an attestation of an unknown format', { fmt: 'trust-me' }],
  [
    'an algorithm that is not offered (RS1)',
    {
      cose: key([
        [1, 3],
        [3, -65535],
        [-1, Buffer.alloc(256, 1)],
        [-2, Buffer.from([1, 0, 1])],
      ]),
    },
  ],
  [
    'an algorithm that is not offered (ES384)',
    {
      cose: key([
        [1, 2],
        [3, -35],
        [-1, 2],
        [-2, Buffer.alloc(48, 1)],
        [-3, Buffer.alloc(48, 1)],
      ]),
    },
  ],
  [
    'a symmetric key',
    {
      cose: key([
        [1, 4],
        [3, 5],
        [-1, COORDINATE],
      ]),
    },
  ],
  [
    'ES256 with an RSA key',
    {
      cose: key([
        [1, 3],
        [3, -7],
        [-1, Buffer.alloc(256, 1)],
        [-2, Buffer.from([1, 0, 1])],
      ]),
    },
  ],
  [
    'ES256 on another curve',
    {
      cose: key([
        [1, 2],
        [3, -7],
        [-1, 3],
        [-2, COORDINATE],
        [-3, COORDINATE],
      ]),
    },
  ],
  [
    'RS256 with an elliptic-curve key',
    {
      cose: key([
        [1, 2],
        [3, -257],
        [-1, 1],
        [-2, COORDINATE],
        [-3, COORDINATE],
      ]),
    },
  ],
  [
    'EdDSA with a key on P-256',
    {
      cose: key([
        [1, 2],
        [3, -8],
        [-1, 1],
        [-2, COORDINATE],
        [-3, COORDINATE],
      ]),
    },
  ],
  [
    'RS256 with a short key',
    {
      cose: key([
        [1, 3],
        [3, -257],
        [-1, Buffer.alloc(64, 1)],
        [-2, Buffer.from([1, 0, 1])],
      ]),
    },
  ],
  [
    'a key without an algorithm',
    {
      cose: key([
        [1, 2],
        [-1, 1],
        [-2, COORDINATE],
        [-3, COORDINATE],
      ]),
    },
  ],
]

describe('registration refuses', () => {
  test.each(REGISTRATIONS)('%s', async (_, lies) => {
    const { app, person, device } = await world()
    for (const kind of CALLERS) {
      const caller = await callerOf(app, person, kind)
      const options = await optionsOf(await postPasskey(app, '/beginRegistration', named(person), caller))
      const before = await passkeyStateOf(app, person)
      const seen = await refusals(app, person)
      const body = { ...named(person), session_id: options.session_id, credential: device.create(options, lies) }
      expect(await answerOfResponse(await postPasskey(app, '/finishRegistration', body, caller))).toEqual(REGISTRATION_FAILED)
      expect(await passkeyStateOf(app, person)).toEqual(before)
      expect(await refusals(app, person)).toBe(seen + 1)
      // The ceremony is consumed: a second, valid response is refused.
      expect(await answerOfResponse(await postPasskey(app, '/finishRegistration', { ...body, credential: device.create(options) }, caller))).toEqual(
        NO_REGISTRATION,
      )
      expect(await passkeyStateOf(app, person)).toEqual(before)
    }
  })

  test('a credential id that is already registered, by another person or by oneself, is refused; in another tenant it is accepted', async () => {
    const { app, company, person, device } = await world()
    const victim = await app.person(company)
    const { id: credentialId } = await givePasskey(app, victim, authenticator(PAGE))
    const ticket = await loginTicket(app, person)
    const before = [await passkeyStateOf(app, victim), await passkeyStateOf(app, person)]
    const taking = async (caller: Caller): Promise<Response> => {
      const options = await optionsOf(await postPasskey(app, '/beginRegistration', named(person), caller))
      const body = { ...named(person), session_id: options.session_id, credential: device.create(options, { credentialId }) }
      return postPasskey(app, '/finishRegistration', body, caller)
    }
    expect(await answerOfResponse(await taking({ ticket }))).toEqual(REGISTRATION_FAILED)
    expect([await passkeyStateOf(app, victim), await passkeyStateOf(app, person)]).toEqual(before)
    const outsider = await app.person(await app.company('globex'))
    const options = await optionsOf(await postPasskey(app, '/beginRegistration', named(outsider), { ticket: await loginTicket(app, outsider) }))
    const copied = { ...named(outsider), session_id: options.session_id, credential: authenticator(PAGE).create(options, { credentialId }) }
    expect((await postPasskey(app, '/finishRegistration', copied, { ticket: await loginTicket(app, outsider) })).status).toBe(400)
    const own = await loginTicket(app, outsider)
    expect((await register(app, outsider, { ...device, create: (o, l) => device.create(o, { ...l, credentialId }) }, { ticket: own })).status).toBe(
      200,
    )
    // The last value counts the rows in the tenant's directory.
    expect(await passkeyStateOf(app, victim)).toEqual(before[0])
  })

  test('refuses an id that differs from the one in the authenticator data', async () => {
    const { app, person, device } = await world()
    const ticket = await loginTicket(app, person)
    const options = await optionsOf(await postPasskey(app, '/beginRegistration', named(person), { ticket }))
    const id = Buffer.alloc(32, 5).toString('base64url')
    const before = await passkeyStateOf(app, person)
    for (const forged of [{ id, rawId: id }, { id }, { rawId: id }]) {
      const again = await optionsOf(await postPasskey(app, '/beginRegistration', named(person), { ticket }))
      const credential = { ...device.create(again), ...forged }
      const body = { ...named(person), session_id: again.session_id, credential }
      expect(await answerOfResponse(await postPasskey(app, '/finishRegistration', body, { ticket }))).toEqual(REGISTRATION_FAILED)
    }
    expect(options.session_id).not.toBe('')
    expect(await passkeyStateOf(app, person)).toEqual(before)
  })
})
