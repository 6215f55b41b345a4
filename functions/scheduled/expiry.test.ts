import { expect, test } from 'vitest'
import { acrossTenants, asTenantId, atomically, directory, forTenant, type TenantId } from '#db/engine/tenant'
import { insertCibaRequest } from '#db/store/ciba'
import { findCodeTimes, findPendingRegistrationByCode, insertCode, insertPendingRegistration } from '#db/store/codes'
import { findDeviceGrant, insertDeviceGrant } from '#db/store/device-grants'
import { deleteExpiredOfAllTenants } from '#db/store/expired'
import { findFederationState, insertFederationState } from '#db/store/federation-states'
import { countAttempts } from '#db/store/limit-counters'
import { findLoginTransaction, insertLoginTransaction } from '#db/store/login-transactions'
import { findSessions, insertSession, revokeToken } from '#db/store/sessions'
import { insertTenant } from '#db/store/tenants'
import { insertUser } from '#db/store/users'
import { findVoiceSession, insertVoiceSession } from '#db/store/voice'
import { fixedClock, secondsAfter, systemClock } from '#shared/kernel/clock'
import { systemRandom } from '#shared/kernel/random'
import { testDb } from '#tests/support/database'
import { deleteExpired } from './expiry.ts'

const db = await testDb()
const random = systemRandom(systemClock)
const HOUR = 3600
const DAY = 24 * HOUR

/** The database also compares with its own clock, so these rows expired in real time. */
const now = new Date('2026-03-01T12:00:00Z')
const never = new Date('2099-01-01T00:00:00Z')
const long = secondsAfter(now, -30 * DAY)
const clock = fixedClock(now)
const stopBy = secondsAfter(now, 60)

const newTenant = async (): Promise<{ tenantId: TenantId; userId: string }> => {
  const tenantId = asTenantId(random.id())
  const userId = random.id()
  await atomically(forTenant(db, tenantId), async (t) => {
    await insertTenant(t, { name: 'Acme', email: null, domain: `${tenantId}.test`, at: long })
    await insertUser(t, { id: userId, email: 'ana@example.com', validFrom: long, createdAt: long, updatedAt: long })
  })
  return { tenantId, userId }
}

/** Inserts one row of each kind that expires now; returns a function that reports which still exist. */
const seed = async ({ tenantId, userId }: Awaited<ReturnType<typeof newTenant>>, expiresAt: Date) => {
  const [id, jti] = [random.id(), random.id()]
  const hash = random.bytes(32)
  const lock = { purpose: 'user_reset', addressHash: hash } as const
  await atomically(forTenant(db, tenantId), async (t) => {
    const session = { userId, tokenId: jti, amr: ['pwd'], acr: 'aal1', authTime: long, lastSeenAt: long, idleSeconds: 60 }
    await insertSession(t, { ...session, id, createdAt: long, expiresAt })
    await insertLoginTransaction(t, { id, handleHash: hash, purpose: 'login', userId, createdAt: long, expiresAt })
    await insertCode(t, { ...lock, id, codeHash: hash, createdAt: long, expiresAt })
    await insertPendingRegistration(t, { id, kind: 'end_user', codeId: id, email: 'bo@example.com', passwordHash: '', createdAt: long, expiresAt })
    await revokeToken(t, jti, expiresAt, long)
    const request = { action: 'login', provider: 'x', issuer: 'x', clientId: 'x', origin: 'x', redirectUri: 'x', sealedSecrets: hash } as const
    await insertFederationState(t, { ...request, id, stateHash: hash, browserHash: hash, createdAt: long, expiresAt })
  })
  const t = forTenant(db, tenantId)
  return async () => ({
    session: (await findSessions(t, userId, secondsAfter(long, -1))).some((row) => row.id === id),
    ticket: (await findLoginTransaction(t, hash, secondsAfter(long, -1))) !== undefined,
    code: (await findCodeTimes(t, lock, long)).length > 0,
    pending: (await findPendingRegistrationByCode(t, id, secondsAfter(long, -1))) !== undefined,
    dance: (await findFederationState(t, { stateHash: hash, browserHash: hash }, secondsAfter(long, -1))) !== undefined,
    revocation: (await t.run({ text: 'select from authsec.revoked_tokens where jti = $1', params: [jti], arrays: true })).length > 0,
  })
}

const all = (there: boolean) => ({ session: there, ticket: there, code: there, pending: there, dance: there, revocation: there })

test('deletes rows of every tenant that expired long ago and keeps valid ones', async () => {
  await deleteExpired({ db, clock }, stopBy)
  const [acme, globex] = [await newTenant(), await newTenant()]
  const old = [await seed(acme, secondsAfter(now, -8 * DAY)), await seed(globex, secondsAfter(now, -8 * DAY))]
  const live = [await seed(acme, never), await seed(globex, never)]
  const counts = { sessions: 2, tickets: 2, one_time_codes: 2, pending_registrations: 2, revoked_tokens: 2, federation_states: 2 }
  expect(await deleteExpired({ db, clock }, stopBy)).toMatchObject(counts)
  for (const left of old) expect(await left()).toEqual(all(false))
  for (const left of live) expect(await left()).toEqual(all(true))
})

test('keeps a session for a week after its end and other rows for an hour, so a revocation outlives the clock skew that verifiers allow', async () => {
  const acme = await newTenant()
  const recent = await seed(acme, secondsAfter(now, -HOUR + 1))
  const older = await seed(acme, secondsAfter(now, -HOUR - 1))
  await deleteExpired({ db, clock }, stopBy)
  expect(await recent()).toEqual(all(true))
  expect(await older()).toEqual({ ...all(false), session: true })
})

test('an application clock that runs ahead deletes nothing that is valid by the database clock', async () => {
  const live = await seed(await newTenant(), new Date('2090-01-01T00:00:00Z'))
  await deleteExpired({ db, clock: fixedClock(never) }, secondsAfter(never, 60))
  expect(await live()).toEqual(all(true))
})

test('a batch is bounded, and a run out of time leaves the rest', async () => {
  await deleteExpired({ db, clock }, stopBy)
  const acme = await newTenant()
  for (let n = 0; n < 3; n++) await seed(acme, secondsAfter(now, -8 * DAY))
  const before = secondsAfter(now, -8 * DAY + 1)
  expect(await deleteExpiredOfAllTenants(acrossTenants(db), 'tickets', before, 2)).toBe(2)
  expect(await deleteExpired({ db, clock }, now)).toMatchObject({ tickets: 0, sessions: 0 })
  expect(await deleteExpired({ db, clock }, stopBy)).toMatchObject({ tickets: 1, sessions: 3 })
})

test('deletes counters of past windows', async () => {
  await deleteExpired({ db, clock }, stopBy)
  const counter = (expiresAt: Date) => ({ key: random.bytes(16), windowStart: secondsAfter(expiresAt, -120), expiresAt })
  await countAttempts(directory(db), [counter(secondsAfter(now, -1)), counter(secondsAfter(now, 1))])
  expect(await deleteExpired({ db, clock }, stopBy)).toMatchObject({ limit_counters: 1 })
})

/** Inserts a device grant, a backchannel request and a voice session that expire now; returns a function that reports which still exist. */
const seedGrants = async ({ tenantId }: Awaited<ReturnType<typeof newTenant>>, expiresAt: Date) => {
  const id = random.id()
  const hash = () => random.bytes(32)
  const [tokenHash, codes] = [hash(), { deviceCodeHash: hash(), userCodeHash: hash() }]
  await atomically(forTenant(db, tenantId), async (t) => {
    await insertDeviceGrant(t, { id, intervalSeconds: 5, createdAt: long, expiresAt }, codes)
    await insertCibaRequest(t, { id, handleHash: hash(), hintHash: hash(), bindingMessage: '', intervalSeconds: 5, createdAt: long, expiresAt })
    await insertVoiceSession(t, { id, tokenHash, clientId: id, clientAuthenticated: false, otpHash: hash(), createdAt: long, expiresAt })
  })
  const t = forTenant(db, tenantId)
  const there = async (text: string): Promise<boolean> => (await t.run({ text, params: [id], arrays: true })).length > 0
  return async () => ({
    grant: (await findDeviceGrant(t, id)) !== undefined,
    code: await there('select from authsec.device_code_directory where grant_id = $1'),
    request: await there('select from authsec.ciba_requests where id = $1'),
    voice: (await findVoiceSession(t, tokenHash)) !== undefined,
  })
}

test('keeps grants and backchannel requests for a day after their end and voice sessions for an hour', async () => {
  const acme = await newTenant()
  const live = await seedGrants(acme, never)
  const recent = await seedGrants(acme, secondsAfter(now, -DAY + 1))
  const old = await seedGrants(acme, secondsAfter(now, -DAY - 1))
  expect(await deleteExpired({ db, clock }, stopBy)).toMatchObject({
    device_grants: 1,
    device_code_directory: 1,
    ciba_requests: 1,
    voice_sessions: 2,
  })
  expect(await live()).toEqual({ grant: true, code: true, request: true, voice: true })
  expect(await recent()).toEqual({ grant: true, code: true, request: true, voice: false })
  expect(await old()).toEqual({ grant: false, code: false, request: false, voice: false })
})
