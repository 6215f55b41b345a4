// Two tenants with the same ids: each only polls, decides, lists and removes its own.
import { randomBytes, randomUUID } from 'node:crypto'
import { expect, test } from 'vitest'
import { testDb } from '#tests/support/database'
import { asTenantId, atomically, directory, forTenant } from '../engine/tenant.ts'
import {
  countCibaRequests,
  decideCibaRequest,
  failCibaRequest,
  findCibaRequestFor,
  findCibaRequestsFor,
  insertCibaRequest,
  pollCibaRequest,
} from './ciba.ts'
import { decideDeviceGrant, findCodeEntry, findDeviceGrant, findWaitingFor, insertDeviceGrant, pollDeviceGrant } from './device-grants.ts'
import { endPushDevices, findPushDeviceOfSession, findPushDevices, putPushDevice, removePushDevice } from './push-devices.ts'
import { insertTenant } from './tenants.ts'
import { insertUser } from './users.ts'
import { deleteVoiceLinks, findVoiceLink, findVoiceSession, insertVoiceLink, insertVoiceSession, moveVoiceSession, spendVoiceGuess } from './voice.ts'

const now = new Date('2026-03-02T09:00:00Z')
const secondsAfter = (at: Date, seconds: number): Date => new Date(at.getTime() + seconds * 1000)
const expiresAt = secondsAfter(now, 300)

/** A person, a grant, a request, a phone, a voice session and a link, all with the same ids. */
const fill = async (ids: { readonly id: string; readonly hash: Uint8Array }) => {
  const { id, hash } = ids
  const tenantId = asTenantId(randomUUID())
  const t = forTenant(await testDb(), tenantId)
  await atomically(t, async (tx) => {
    await insertTenant(tx, { name: 'Acme', email: null, domain: `${tenantId}.test`, at: now })
    await insertUser(tx, { id, email: 'ana@example.com', validFrom: now, createdAt: now, updatedAt: now })
    const row = { intervalSeconds: 5, requestedFor: id, createdAt: now, expiresAt }
    await insertCibaRequest(tx, { ...row, id, clientId: id, handleHash: hash, hintHash: hash, bindingMessage: '' })
    await putPushDevice(tx, { id, userId: id, sessionId: id, platform: 'ios', tokenHash: hash, createdAt: now })
    await insertVoiceSession(tx, { id, tokenHash: hash, clientId: id, clientAuthenticated: true, otpHash: hash, createdAt: now, expiresAt })
    await insertVoiceLink(tx, { id, userId: id, voicePlatform: 'alexa', voiceUserId: 'pat', linkMethod: 'voice_otp', linkedAt: now })
  })
  return t
}
const decision = (id: string) => ({ status: 'approved', userId: id, sessionId: id, amr: ['pwd'], authTime: now, decidedAt: now }) as const

test('backchannel requests, phones, voice sessions and links of one tenant are not another\u2019s', async () => {
  const ids = { id: randomUUID(), hash: randomBytes(32) }
  const { id, hash } = ids
  const [acme, globex] = [await fill(ids), await fill(ids)]
  await atomically(acme, async (t) => {
    expect(await decideCibaRequest(t, id, { ...decision(id), deviceId: id, biometricVerified: false })).toBe(true)
    expect(await pollCibaRequest(t, hash, { clientId: id, forOauth: false }, now)).toMatchObject({ status: 'consumed' })
    await endPushDevices(t, [id])
    expect((await spendVoiceGuess(t, hash, 5, now))?.attempts).toBe(1)
    expect(await moveVoiceSession(t, id, 'initiated', 'verified', now)).toBe(true)
    expect(await deleteVoiceLinks(t, id, 'alexa', undefined)).toEqual([id])
  })
  expect(await findCibaRequestsFor(globex, id, now)).toMatchObject([{ id, status: 'pending', polledTooSoon: false }])
  expect(await findCibaRequestFor(globex, id, { handleHash: hash }, now)).toMatchObject({ id })
  expect(await countCibaRequests(globex, hash, secondsAfter(now, -1), now)).toEqual({ waiting: 1, recent: 1 })
  expect(await countCibaRequests(acme, hash, secondsAfter(now, -1), now)).toEqual({ waiting: 0, recent: 1 })
  expect(await findPushDevices(globex, id, true)).toHaveLength(1)
  expect(await findPushDeviceOfSession(globex, id, id)).toMatchObject({ id })
  expect(await findVoiceSession(globex, hash)).toMatchObject({ status: 'initiated', attempts: 0 })
  expect(await findVoiceLink(globex, 'alexa', 'pat')).toMatchObject({ id })
  await atomically(globex, async (t) => {
    expect(await failCibaRequest(t, id)).toBe(true)
    expect(await removePushDevice(t, id, id)).toBe(true)
    expect(await removePushDevice(t, id, id)).toBe(false)
  })
})

test('a grant is decided once, not again by a later request nor after it was consumed', async () => {
  const ids = { id: randomUUID(), hash: randomBytes(32) }
  const { id, hash } = ids
  const acme = await fill(ids)
  const row = { intervalSeconds: 5, clientId: id, createdAt: now, expiresAt }
  await atomically(acme, (t) => insertDeviceGrant(t, { ...row, id }, { deviceCodeHash: hash, userCodeHash: randomBytes(32) }))
  const [yes, other] = [decision(id), { ...decision(id), status: 'denied', sessionId: randomUUID() } as const]
  const [byPhone, poller] = [
    { deviceId: id, biometricVerified: true },
    { clientId: id, forOauth: false },
  ]
  const decide = (of: typeof yes | typeof other) =>
    atomically(acme, async (t) => [(await decideDeviceGrant(t, id, of)) !== undefined, await decideCibaRequest(t, id, { ...of, ...byPhone })])
  expect(await decide(yes)).toEqual([true, true])
  for (const again of [yes, other]) expect(await decide(again)).toEqual([false, false])
  const consumed = { status: 'consumed', sessionId: id }
  await atomically(acme, async (t) => {
    expect(await pollDeviceGrant(t, id, poller, now)).toMatchObject(consumed)
    expect(await pollCibaRequest(t, hash, poller, now)).toMatchObject(consumed)
  })
  for (const again of [yes, other]) expect(await decide(again)).toEqual([false, false])
})

test('device grants belong to one tenant, and codes are unique', async () => {
  const ids = { id: randomUUID(), hash: randomBytes(32) }
  const { id, hash } = ids
  const [acme, globex] = [await fill(ids), await fill(ids)]
  const row = { intervalSeconds: 5, requestedFor: id, createdAt: now, expiresAt }
  const codes = { deviceCodeHash: hash, userCodeHash: randomBytes(32) }
  expect(await atomically(acme, (t) => insertDeviceGrant(t, { ...row, id }, codes))).toBe(true)
  for (const same of [codes, { ...codes, deviceCodeHash: randomBytes(32) }, { ...codes, userCodeHash: randomBytes(32) }]) {
    expect(await atomically(globex, (t) => insertDeviceGrant(t, { ...row, id: randomUUID() }, same))).toBe(false)
  }
  expect(await findWaitingFor(globex, id, undefined, now)).toEqual([])
  expect(await findDeviceGrant(globex, id)).toBeUndefined()
  await atomically(globex, async (t) => {
    expect(await decideDeviceGrant(t, id, decision(id))).toBeUndefined()
    expect(await pollDeviceGrant(t, id, { clientId: undefined, forOauth: false }, now)).toBeUndefined()
  })
  expect(await findDeviceGrant(acme, id)).toMatchObject({ status: 'pending', lastPolledAt: null })
  expect((await findCodeEntry(directory(await testDb()), { deviceCodeHash: hash }, now))?.tenantId).toBe(acme.tenantId)
  expect(await findCodeEntry(directory(await testDb()), { deviceCodeHash: hash }, expiresAt)).toBeUndefined()
})
