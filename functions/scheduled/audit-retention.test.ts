import { expect, test } from 'vitest'
import { asOwner, asTenantId, atomically, forTenant, SYSTEM_TENANT, type TenantId } from '#db/engine/tenant'
import { findAuditEvents, insertAuditEvent } from '#db/store/audit-events'
import { deleteAuditEventsBefore } from '#db/store/audit-retention'
import { insertTenant, type TenantSettings, updateTenantSettings } from '#db/store/tenants'
import { openDetails } from '#shared/domains/audit/details'
import { fixedClock, secondsAfter, systemClock } from '#shared/kernel/clock'
import { systemRandom } from '#shared/kernel/random'
import { keyedHash } from '#shared/platform/crypto/keyed-hash'
import { createKeyring } from '#shared/platform/crypto/keyring'
import { ownDb } from '#tests/support/database'
import { purgeAudit } from './audit-retention.ts'

const db = await ownDb()
const ids = systemRandom(systemClock)
const DAY = 24 * 3600
const now = new Date('2026-06-01T12:00:00Z')
const clock = fixedClock(now)
const random = systemRandom(clock)
const keyring = createKeyring({ masterKeys: [{ id: 'first', key: ids.bytes(32) }], clock, random })
const ctx = { db, clock, random, keyring, hash: keyedHash(ids.bytes(32)) }
const stopBy = secondsAfter(now, 60)

const newTenant = async (settings?: TenantSettings): Promise<TenantId> => {
  const tenantId = asTenantId(ids.id())
  await atomically(forTenant(db, tenantId), async (t) => {
    await insertTenant(t, { name: 'Acme', email: null, domain: `${tenantId}.test`, at: now })
    if (settings) await updateTenantSettings(t, settings, now)
  })
  return tenantId
}

/** Inserts events that are so many days old. */
const insertEvents = (tenantId: TenantId, ...days: readonly number[]): Promise<void> =>
  atomically(forTenant(db, tenantId), async (t) => {
    for (const day of days) {
      const at = secondsAfter(now, -day * DAY)
      const id = systemRandom(fixedClock(at)).id()
      await insertAuditEvent(t, {
        id,
        at,
        event: 'user.signed_in',
        outcome: 'success',
        actorType: 'anonymous',
        subjectId: tenantId,
        targetId: String(day),
      })
    }
  })

const kept = async (tenantId: TenantId): Promise<(string | null)[]> =>
  (await findAuditEvents(forTenant(db, tenantId), { event: 'user.signed_in', limit: 100 })).map((row) => row.targetId)
const purges = (tenantId: TenantId) => findAuditEvents(forTenant(db, tenantId), { event: 'audit.purged', limit: 100 })

test('events are deleted after 90 days, or after the tenant\u2019s longer retention', async () => {
  const [acme, globex, initech] = [await newTenant(), await newTenant({ auditRetentionDays: 365 }), await newTenant({ auditRetentionDays: 7 })]
  for (const tenantId of [acme, globex, initech, SYSTEM_TENANT]) await insertEvents(tenantId, 1, 89.9, 90.1, 364, 366)
  await purgeAudit(ctx, stopBy)
  expect(await kept(acme)).toEqual(['1', '89.9'])
  expect(await kept(globex)).toEqual(['1', '89.9', '90.1', '364'])
  expect(await kept(initech)).toEqual(['1', '89.9'])
  expect(await kept(SYSTEM_TENANT)).toEqual(['1', '89.9'])
})

test('a purge is recorded with its count, and an empty one is not recorded', async () => {
  const [acme, globex] = [await newTenant(), await newTenant()]
  await insertEvents(acme, 100, 200)
  await insertEvents(globex, 1)
  await purgeAudit(ctx, stopBy)
  await purgeAudit(ctx, stopBy)
  expect(await purges(globex)).toEqual([])
  const rows = await purges(acme)
  expect(rows).toHaveLength(1)
  const [row] = rows
  expect(row).toMatchObject({ actorType: 'system', outcome: 'success', at: now })
  const details = row && (await openDetails(ctx, forTenant(db, acme), row))
  expect(JSON.parse(details ?? '')).toMatchObject({ after: { deleted: 2, before: secondsAfter(now, -90 * DAY).toISOString() } })
})

test('a purge is rolled back if its event cannot be written', async () => {
  const acme = await newTenant()
  await insertEvents(acme, 100)
  const broken = { ...keyring, seal: () => Promise.reject(new Error('no key')) }
  await expect(purgeAudit({ ...ctx, keyring: broken }, stopBy)).rejects.toThrow('no key')
  expect(await kept(acme)).toEqual(['100'])
})

test('a batch takes the oldest events, and a run out of time leaves the rest', async () => {
  const acme = await newTenant()
  await insertEvents(acme, 100, 300, 200)
  expect(await asOwner(db, acme, (t) => deleteAuditEventsBefore(t, now, 2))).toBe(2)
  expect(await kept(acme)).toEqual(['100'])
  expect(await purgeAudit(ctx, now)).toMatchObject({ events: 0, stopped_early: 1 })
  expect(await kept(acme)).toEqual(['100'])
})

test('only the owner of the tables can delete an event', async () => {
  const acme = await newTenant()
  await insertEvents(acme, 100)
  await expect(atomically(forTenant(db, acme), (t) => deleteAuditEventsBefore(t, now, 10))).rejects.toMatchObject({ cause: { code: '42501' } })
  expect(await asOwner(db, await newTenant(), (t) => deleteAuditEventsBefore(t, now, 10))).toBe(0)
  expect(await kept(acme)).toEqual(['100'])
})

test('a retention beyond all dates keeps everything and does not stop the job', async () => {
  const acme = await newTenant({ auditRetentionDays: 1e15 })
  await insertEvents(acme, 3000)
  await purgeAudit(ctx, stopBy)
  expect(await kept(acme)).toEqual(['3000'])
})
