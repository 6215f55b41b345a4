// The hand-written statements compared with drizzle's result for the same rows.
import { expect, test } from 'vitest'
import { startApp } from '#tests/support/app'
import { atomically, forTenant, ownRows, type TenantDb } from '../engine/tenant.ts'
import { auditEvents } from '../tables/audit.ts'
import { outboxMessages, outboxQueue } from '../tables/operations.ts'
import { sessions } from '../tables/sessions.ts'
import { administratorDirectory, knownDevices } from '../tables/users.ts'
import type { NewAuditRow } from './audit-events.ts'
import { findLiveRoleNames } from './bindings.ts'
import { findDefaultClient } from './clients.ts'
import { findDataKey } from './data-keys.ts'
import { insertFactor } from './factors.ts'
import { setUserActive } from './people.ts'
import {
  countWrongPassword,
  findBeforePassword,
  findSessionRequirements,
  findSignInSnapshot,
  insertSessionStart,
  lockAccount,
  lockSnapshot,
  type SessionStart,
} from './sign-in.ts'
import { findTenant } from './tenants.ts'
import { findFactorKinds, findUser, rememberDevice, type User, updateUser } from './users.ts'

const soon = (): Date => new Date(Date.now() + 1000)

const DEVICE = new Uint8Array(32).fill(5)
const OTHER = new Uint8Array(32).fill(6)
const AT = new Date('2026-03-02T10:00:00.000Z')

const start = async () => {
  const app = await startApp([])
  const company = await app.company()
  const t = forTenant(app.db, company.tenantId)
  // Every nullable column that is read has a value.
  const set: Partial<User> = {
    lockedUntil: AT,
    failedAttempts: 3,
    lastLoginAt: AT,
    temporaryPassword: true,
    temporaryPasswordExpiresAt: AT,
    deletedAt: AT,
    language: 'de',
  }
  await atomically(t, (tx) => updateUser(tx, company.admin.id, set))
  return { app, company, t, admin: company.admin }
}

const eventOf = (id: string, subjectId: string, sealed: Uint8Array) => ({
  id,
  at: AT,
  event: 'user.signed_in',
  outcome: 'success' as const,
  reason: 'because',
  actorType: 'user' as const,
  actorId: id,
  onBehalfOf: id,
  clientId: id,
  sessionId: id,
  targetType: 'user',
  targetId: 'a-person',
  requestId: 'request',
  route: 'test',
  count: 2,
  subjectId,
  sealed,
  detailsCommit: sealed,
  mac: sealed,
  chainHash: sealed,
})

test('the data before the password check equals the tables', async () => {
  const { app, t, admin } = await start()
  await atomically(t, (tx) => rememberDevice(tx, admin.id, DEVICE, AT))
  const before = await findBeforePassword(t, admin.email, DEVICE, app.clock.now())
  const user = await findUser(t, admin.id)
  expect(user).toMatchObject(before.user ?? { id: 'none' })
  expect(Object.keys(before.user ?? {})).toHaveLength(20)
  expect(await findTenant(t)).toMatchObject(before.tenant ?? { name: 'none' })
  expect(before).toMatchObject({ hasAdminAccess: true, device: { failedAttempts: 0, lockedUntil: null } })
  expect(before.snapshot.requirements).toEqual(await findSessionRequirements(t, admin.id, app.clock.now()))
  expect(before.snapshot.version).toMatch(/^[0-9a-f]{64}$/)
  expect(await findSignInSnapshot(t, admin.id, app.clock.now())).toEqual(before.snapshot)
  const keys = [await findDataKey(t, t.tenantId), await findDataKey(t, admin.id)].filter((key) => key !== undefined)
  expect(before.keys).toHaveLength(keys.length)
  for (const key of keys) expect(before.keys).toContainEqual({ ...key, wrapped: new Uint8Array(key.wrapped) })
  expect(keys.length).toBeGreaterThan(0)
  expect(await atomically(t, (tx) => lockAccount(tx, admin.id))).toEqual(before.user)
})

test('an unknown person and a person of another tenant take the same statement, with an empty result', async () => {
  const { app, t, admin, company } = await start()
  const globex = await app.company('globex')
  const noAccount = { user: undefined, device: undefined, hasAdminAccess: false }
  expect(await findBeforePassword(t, 'unknown@nowhere.example', DEVICE, AT)).toMatchObject({ ...noAccount, tenant: { name: company.name } })
  expect(await findBeforePassword(forTenant(app.db, globex.tenantId), admin.email, undefined, AT)).toMatchObject(noAccount)
  expect(await findSessionRequirements(forTenant(app.db, globex.tenantId), admin.id, AT)).toMatchObject({
    roles: [],
    kinds: [],
    tenant: { name: globex.name },
  })
})

test('the combined requirements equal the results of the separate stores', async () => {
  const { app, t, admin } = await start()
  const factor = { userId: admin.id, confirmedAt: AT, createdAt: AT }
  await atomically(t, async (tx) => {
    await insertFactor(tx, { ...factor, id: app.ctx.random.id(), kind: 'sms' })
    await insertFactor(tx, { ...factor, id: app.ctx.random.id(), kind: 'totp', isPrimary: true })
    await insertFactor(tx, { ...factor, id: app.ctx.random.id(), kind: 'webauthn', confirmedAt: null })
  })
  const requirements = await findSessionRequirements(t, admin.id, app.clock.now())
  expect(requirements.kinds).toEqual(await findFactorKinds(t, admin.id))
  expect(requirements.kinds).toEqual(['totp', 'sms'])
  expect(requirements.roles).toEqual(await findLiveRoleNames(t, admin.id, app.clock.now()))
  expect(requirements.roles.length).toBeGreaterThan(0)
  expect(requirements.defaultClientId).toBe((await findDefaultClient(t))?.id)
  expect(await findTenant(t)).toMatchObject(requirements.tenant ?? { name: 'none' })
})

type Begun = SessionStart & { readonly events: readonly NewAuditRow[] }
const beginning = (app: Awaited<ReturnType<typeof start>>['app'], userId: string, emailHash: Uint8Array, max: number, kind: string): Begun => {
  const id = app.ctx.random.id()
  return {
    session: {
      id,
      userId,
      clientId: id,
      tokenId: id,
      amr: ['pwd', 'it"s'],
      acr: 'aal1',
      temporaryPassword: true,
      authTime: AT,
      userAgent: 'Ünïcode "agent" \\',
      address: '192.0.2.7',
      place: 'Bern',
      createdAt: AT,
      lastSeenAt: AT,
      idleSeconds: 7,
      expiresAt: AT,
      revokedAt: AT,
      revokedReason: 'test',
    },
    quota: { prefix: 'test:', kind, max },
    emailHash,
    deviceHash: OTHER,
    spentDeviceHash: DEVICE,
    events: [eventOf(id, userId, DEVICE), eventOf(app.ctx.random.id(), userId, OTHER)],
    at: AT,
  }
}
/** The directory's hash of the company's administrator. */
const listedAs = async (t: TenantDb): Promise<Uint8Array> => {
  const [row] = await t.db.select().from(administratorDirectory).where(ownRows(t, administratorDirectory))
  return row?.emailHash ?? DEVICE
}
const bytes = (value: Uint8Array | null | undefined) => (value ? new Uint8Array(value) : value)
const allOf = async (t: TenantDb) => ({
  sessions: await t.db.select().from(sessions).where(ownRows(t, sessions)),
  events: (await t.db.select().from(auditEvents).where(ownRows(t, auditEvents)).orderBy(auditEvents.id)).filter(
    ({ route, event }) => route === 'test' && event !== 'user.created',
  ),
  devices: (await t.db.select().from(knownDevices).where(ownRows(t, knownDevices))).map((row) => ({ ...row, deviceHash: bytes(row.deviceHash) })),
  listed: await t.db.select().from(administratorDirectory).where(ownRows(t, administratorDirectory)),
})

test('a session start writes every column, resets failures, and counts', async () => {
  const { app, t, admin } = await start()
  await atomically(t, (tx) => rememberDevice(tx, admin.id, DEVICE, AT))
  const b = beginning(app, admin.id, await listedAs(t), 2, 'test:1')
  expect(await atomically(t, (tx) => insertSessionStart(tx, admin.id, b, { rows: b.events }))).toBe('begun')
  const written = await allOf(t)
  expect(written.sessions).toEqual([{ ...b.session, tenantId: t.tenantId, sourceSessionId: null }])
  const ofBeginning = written.events.filter(({ requestId }) => requestId === 'request')
  expect(
    ofBeginning.map((row) => ({
      ...row,
      sealed: bytes(row.sealed),
      detailsCommit: bytes(row.detailsCommit),
      mac: bytes(row.mac),
      chainHash: bytes(row.chainHash),
    })),
  ).toEqual(b.events.map((row) => ({ ...row, tenantId: t.tenantId })))
  expect(written.devices).toEqual([
    { tenantId: t.tenantId, userId: admin.id, deviceHash: OTHER, failedAttempts: 0, lockedUntil: null, lastUsedAt: AT },
  ])
  expect(written.listed).toMatchObject([{ userId: admin.id, lastUsedAt: AT }])
  expect(await findUser(t, admin.id)).toMatchObject({ lastLoginAt: AT, failedAttempts: 0, lockedUntil: null })
})

test('a session is written only while the snapshot is current and in time; otherwise nothing is written', async () => {
  const { app, t, admin } = await start()
  await atomically(t, (tx) => rememberDevice(tx, admin.id, DEVICE, AT))
  const emailHash = await listedAs(t)
  const { version } = (await findBeforePassword(t, admin.email, DEVICE, AT)).snapshot
  const begin = (by: string, until: Date) => {
    const b = beginning(app, admin.id, emailHash, 2, 'test:1')
    return insertSessionStart(t, admin.id, { ...b, version: by }, { rows: b.events, until })
  }
  const written = await allOf(t)
  expect([await begin('0'.repeat(64), soon()), await begin(version, new Date(0))]).toEqual(['changed', 'changed'])
  expect(await allOf(t)).toEqual(written)
  expect(await begin(version, soon())).toBe('begun')
  expect((await allOf(t)).events.length).toBe(written.events.length + 2)
})

test('the person is held only while the snapshot is true', async () => {
  const { t, admin } = await start()
  const hold = (version: string) => atomically(t, (tx) => lockSnapshot(tx, admin.id, version, AT))
  const { version = '' } = (await findSignInSnapshot(t, admin.id, AT)) ?? {}
  expect([await hold(version), await hold('0'.repeat(64))]).toEqual([true, false])
  await atomically(t, (tx) => setUserActive(tx, admin.id, false, AT))
  expect(await hold(version)).toBe(false)
})

test('past the quota nothing is written; the next window starts a new counter and deletes the old one', async () => {
  const { app, t, admin } = await start()
  const emailHash = await listedAs(t)
  const begin = (max: number, kind: string) => {
    const b = beginning(app, admin.id, emailHash, max, kind)
    return atomically(t, (tx) => insertSessionStart(tx, admin.id, b, { rows: b.events }))
  }
  expect(await begin(1, 'test:1')).toBe('begun')
  const written = await allOf(t)
  expect(await begin(1, 'test:1')).toBe('used up')
  expect(await begin(0, 'test:2')).toBe('used up')
  expect(await allOf(t)).toEqual(written)
  expect(await begin(1, 'test:2')).toBe('begun')
  const left = await t.run({
    text: `select kind, count from authsec.tenant_usage where tenant_id = $1 and kind like 'test:%'`,
    params: [t.tenantId],
    arrays: true,
  })
  expect(left).toEqual([['test:2', 1]])
})

test('a wrong password is counted for the person or the browser, and a lock is announced once', async () => {
  const { app, t, admin } = await start()
  await atomically(t, (tx) => updateUser(tx, admin.id, { failedAttempts: 0, lockedUntil: null }))
  await atomically(t, (tx) => rememberDevice(tx, admin.id, DEVICE, AT))
  const delay = { freeAttempts: 2, firstDelaySeconds: 30, maxDelaySeconds: 100 }
  const wrong = (userId: string, deviceHash?: Uint8Array) => {
    const id = app.ctx.random.id()
    const announcement = { event: eventOf(id, userId, DEVICE), message: { id, sealed: OTHER, createdAt: AT } }
    return atomically(t, (tx) => countWrongPassword(tx, { userId, deviceHash, now: AT, delay, announcement }))
  }
  const seconds = async () => (((await findUser(t, admin.id))?.lockedUntil ?? AT).getTime() - AT.getTime()) / 1000
  const after = async (userId: string, deviceHash?: Uint8Array) => [
    await wrong(userId, deviceHash),
    (await findUser(t, admin.id))?.failedAttempts,
    await seconds(),
  ]
  expect(await after(app.ctx.random.id())).toEqual([false, 0, 0])
  expect(await after(admin.id)).toEqual([false, 1, 0])
  expect(await after(admin.id, DEVICE)).toEqual([false, 1, 0])
  expect(await after(admin.id)).toEqual([true, 2, 30])
  expect(await after(admin.id)).toEqual([false, 3, 60])
  expect(await after(admin.id)).toEqual([false, 4, 100])
  const [message, ...others] = await t.db.select().from(outboxMessages).where(ownRows(t, outboxMessages))
  expect(others).toEqual([])
  expect(message).toMatchObject({ kind: 'mail', createdAt: AT, sentAt: null, failedAt: null, lastError: null })
  expect(bytes(message?.sealed)).toEqual(OTHER)
  expect(await t.db.select().from(outboxQueue).where(ownRows(t, outboxQueue))).toMatchObject([
    { id: message?.id, dueAt: AT, attempts: 0, leasedUntil: null },
  ])
  expect((await allOf(t)).events.filter(({ id }) => id === message?.id)).toHaveLength(1)
  expect((await allOf(t)).devices).toMatchObject([{ failedAttempts: 1 }])
})
