import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, expect, test } from 'vitest'
import { asTenantId, atomically, directory, forTenant, type TenantId } from '#db/engine/tenant'
import { insertAuditEvents } from '#db/store/audit-events'
import { findEventsInOrder } from '#db/store/audit-stream'
import { insertTenant } from '#db/store/tenants'
import { expediteWebhooks, insertWebhook, queueWebhook } from '#db/store/webhooks'
import { systemClock } from '#shared/kernel/clock'
import { readConfig } from '#shared/kernel/config'
import { memoryLog } from '#shared/kernel/log'
import { lowestIdAt, systemRandom } from '#shared/kernel/random'
import { auditRow, bySystem, recordEvent } from '#shared/platform/audit/audit-log'
import { auditWatermark } from '#shared/platform/audit/watermark'
import { keyedHash } from '#shared/platform/crypto/keyed-hash'
import { createKeyring } from '#shared/platform/crypto/keyring'
import { guardedFetch } from '#shared/platform/fetch/guarded'
import { ownDb } from '#tests/support/database'
import { webhookReceiver } from '#tests/support/webhook-receiver'
import { deliverDueWebhooks, dueAfterCommit } from './deliver.ts'
import { secretContext } from './message.ts'
import { newWebhookSecret } from './sign.ts'

const db = await ownDb()
afterAll(() => db.engine.close())
const clock = systemClock
const random = systemRandom(clock)
const keyring = createKeyring({ masterKeys: [{ id: 'm1', key: random.bytes(32) }], clock, random })
const log = memoryLog(clock.now)
const outbound = guardedFetch({ resolver: { resolve: async () => [] }, loopback: true })
const config = readConfig({ BASE_URL: 'https://id.test' })
const ctx = { db, clock, random, keyring, hash: keyedHash(random.bytes(32)), log, outbound, config, wakeOutbox: () => undefined }

const newTenant = async (): Promise<TenantId> => {
  const tenantId = asTenantId(random.id())
  await atomically(forTenant(db, tenantId), (t) => insertTenant(t, { name: 'Acme', email: null, domain: `${tenantId}.test`, at: clock.now() }))
  return tenantId
}
const listen = async (tenantId: TenantId, url: string): Promise<void> => {
  const [id, at] = [random.id(), clock.now()]
  await atomically(forTenant(db, tenantId), async (t) => {
    const sealedSecret = await keyring.seal(t, tenantId, newWebhookSecret(random), secretContext(id))
    await insertWebhook(t, { id, url, events: ['*'], sealedSecret, cursor: lowestIdAt(at), createdAt: at, updatedAt: at })
    await queueWebhook(t, { tenantId, endpointId: id }, at)
  })
}
/** Records one event in a transaction that stays open for `openMs`. */
const recordUpdate = (tenantId: TenantId, name: string, openMs: number): Promise<void> =>
  atomically(forTenant(db, tenantId), async (t) => {
    await recordEvent(t, ctx, { event: 'tenant.updated', actor: bySystem, target: { type: 'tenant', id: name } })
    await sleep(openMs)
  })

test('events that commit in another order than their ids are never skipped', async () => {
  const tenantId = await newTenant()
  const t = forTenant(db, tenantId)
  await recordUpdate(tenantId, 'key', 0)
  const slow = recordUpdate(tenantId, 'slow', 4000)
  await sleep(50)
  await recordUpdate(tenantId, 'quick', 0)
  await sleep(2500)
  // The quick event is old enough and committed, but the slow one has a lower id and is not: neither may be delivered yet.
  expect(await auditWatermark(ctx)).toBeUndefined()
  await slow
  const before = await auditWatermark(ctx)
  if (before === undefined) throw new Error('nothing is under way')
  const seen = await findEventsInOrder(t, { after: lowestIdAt(new Date(0)), before, limit: 10 })
  expect(seen.map(({ targetId }) => targetId)).toEqual(['key', 'slow', 'quick'])
})

test('an event is never skipped when its writer waits for a lock longer than an id may be old', async () => {
  const tenantId = await newTenant()
  const t = forTenant(db, tenantId)
  await recordUpdate(tenantId, 'key', 0)
  const lock = { text: 'select from authsec.tenants where tenant_id = $1 for update', params: [tenantId] }
  const holder = atomically(t, async (tx) => {
    await tx.run({ ...lock, arrays: true })
    await sleep(4000)
  })
  await sleep(200)
  // Like a sign-in: the event is made, then the lock is awaited, then both are written.
  const waited = atomically(t, async (tx) => {
    const row = await auditRow(tx, ctx, { event: 'tenant.updated', actor: bySystem, target: { type: 'tenant', id: 'waited' } })
    await tx.run({ ...lock, arrays: true })
    await sleep(100)
    await insertAuditEvents(tx, [row])
  })
  await sleep(1000)
  await recordUpdate(tenantId, 'quick', 0)
  await sleep(2500)
  // The waiting event is now older than its id may be, and not written yet.
  let before = await auditWatermark(ctx)
  while (before === undefined) before = await auditWatermark(ctx)
  const seen = await findEventsInOrder(t, { after: lowestIdAt(new Date(0)), before, limit: 10 })
  await Promise.all([holder, waited])
  expect(seen.map(({ targetId }) => targetId)).toEqual(['key', 'waited', 'quick'])
})

test('six senders and eight writers: each endpoint gets each event once, in audit order', async () => {
  const tenants = [await newTenant(), await newTenant()]
  const receivers = await Promise.all(tenants.flatMap((tenantId) => [1, 2].map(async () => ({ tenantId, receiver: await webhookReceiver() }))))
  for (const { tenantId, receiver } of receivers) await listen(tenantId, receiver.url)
  let isWriting = true
  const writer = async (n: number): Promise<void> => {
    const tenantId = tenants[n % 2]
    if (tenantId === undefined) throw new Error('no tenant')
    for (let i = 0; i < 25; i++) await recordUpdate(tenantId, `${n}-${i}`, (n * 37 + i * 53) % 120)
  }
  const sender = async (): Promise<void> => {
    while (isWriting || undelivered() > 0) {
      for (const tenantId of tenants) await expediteWebhooks(directory(db), tenantId, dueAfterCommit(ctx))
      await deliverDueWebhooks(ctx)
      await sleep(20)
    }
  }
  const undelivered = (): number => receivers.reduce((sum, { receiver }) => sum + 100 - receiver.received.length, 0)
  const senders = Array.from({ length: 6 }, sender)
  await Promise.all(Array.from({ length: 8 }, (_, n) => writer(n)))
  isWriting = false
  await Promise.all(senders)
  await deliverDueWebhooks(ctx)
  for (const { tenantId, receiver } of receivers) {
    const rows = await findEventsInOrder(forTenant(db, tenantId), { after: lowestIdAt(new Date(0)), before: lowestIdAt(clock.now()), limit: 500 })
    expect(receiver.ids()).toEqual(rows.map(({ id }) => id))
    expect(receiver.received).toHaveLength(100)
    receiver.close()
  }
  expect(log.lines).toEqual([])
}, 60_000)
