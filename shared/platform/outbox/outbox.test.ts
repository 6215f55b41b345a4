import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Db } from '#db/engine/client'
import { acrossTenants, asTenantId, atomically, directory, forTenant, type TenantId } from '#db/engine/tenant'
import { leaseDueMessages, nextDueAt, purgeOutboxOfAllTenants, releaseMessage } from '#db/store/outbox'
import { fixedClock } from '#shared/kernel/clock'
import { readConfig } from '#shared/kernel/config'
import { AppError } from '#shared/kernel/errors'
import { memoryLog } from '#shared/kernel/log'
import { systemRandom } from '#shared/kernel/random'
import { createKeyring } from '#shared/platform/crypto/keyring'
import { createSigningKeys } from '#shared/platform/tokens/signing-keys'
import { ownDb } from '#tests/support/database'
import { localMail } from './mail/local.ts'
import type { Mail } from './mail/mail.ts'
import { enqueueMail, type OutgoingMail, retryDelaySeconds, sendDueMail } from './outbox.ts'
import { outboxSender } from './outbox-sender.ts'

const requestOrigin = { at: new Date('2026-03-04T05:06:07Z'), device: 'Firefox on Linux', address: '192.0.2.7' }
const code = (to: string, more: Partial<OutgoingMail> = {}): OutgoingMail =>
  ({ to, tenantName: 'Acme', template: 'password_reset_code', data: { code: '123456', minutes: 30, requestOrigin }, ...more }) as OutgoingMail

/** A mail sender with a per-message outcome chosen by the test. */
const mailWith = (kept: Mail, decide: (to: string) => Promise<void> | void): Mail => ({
  send: async (message) => {
    await decide(message.to)
    await kept.send(message)
  },
})

// A sender processes all due messages of all tests, so these tests use a separate database and empty its queue.
const database = await ownDb()

const start = async () => {
  const db = database
  const clock = fixedClock('2026-03-04T05:06:07Z')
  const random = systemRandom(clock)
  const mail = localMail(clock)
  const log = memoryLog(clock.now)
  const keyring = createKeyring({ masterKeys: [{ id: 'm1', key: random.bytes(32) }], clock, random })
  const signingKeys = createSigningKeys({ db, keyring, clock, record: async () => undefined })
  const ctx = {
    db,
    clock,
    random,
    keyring,
    signingKeys,
    log,
    mail,
    config: readConfig({ BASE_URL: 'https://id.test' }),
    deliverLogoutToken: async () => undefined,
  }
  const newTenant = (): TenantId => asTenantId(random.id())
  const tenant = newTenant()
  const enqueue = (to: string, more?: Partial<OutgoingMail>, at: TenantId = tenant) =>
    atomically(forTenant(db, at), (t) => enqueueMail(t, ctx, code(to, more)))
  return { ctx, tenant, newTenant, enqueue, mail, clock, db, log }
}

type Row = {
  readonly sealed: Uint8Array | null
  readonly sent_at: string | null
  readonly failed_at: string | null
  readonly last_error: string | null
}
const rowOf = async (db: Db, tenantId: TenantId, id: string): Promise<Row | undefined> => {
  const text = 'select sealed, sent_at, failed_at, last_error from authsec.outbox_messages where id = $1'
  const [row] = await forTenant(db, tenantId).run({ text, params: [id], arrays: false })
  return row as Row | undefined
}
const queueOf = (db: Db, id: string): Promise<unknown[]> =>
  directory(db).run({ text: 'select attempts, due_at, leased_until from authsec.outbox_queue where id = $1', params: [id], arrays: false })
const spoil = (db: Db, tenantId: TenantId, id: string): Promise<unknown[]> =>
  atomically(forTenant(db, tenantId), (t) =>
    t.run({
      text: 'update authsec.outbox_messages set sealed = set_byte(sealed, length(sealed) - 1, 255 - get_byte(sealed, length(sealed) - 1)) where id = $1',
      params: [id],
      arrays: false,
    }),
  )

const emptyQueue = async (): Promise<void> => {
  await directory(database).run({ text: 'delete from authsec.outbox_queue', params: [], arrays: false })
}
beforeEach(emptyQueue)
afterEach(emptyQueue)

describe('enqueueing', () => {
  test('a mail is sent after its transaction commits, and never after a rollback', async () => {
    const { ctx, tenant, enqueue, mail, db } = await start()
    const rolledBack = atomically(forTenant(db, tenant), async (t) => {
      await enqueueMail(t, ctx, code('eve@acme.test'))
      throw new Error('something else failed')
    })
    await expect(rolledBack).rejects.toThrow('something else failed')
    const { id } = await enqueue('ana@acme.test')
    expect(await sendDueMail(ctx)).toEqual({ sent: 1, postponed: 0, given_up: 0, left: 0 })
    expect(mail.outbox).toMatchObject([{ to: 'ana@acme.test', fromName: 'Acme', messageId: `<${id}@id.test>` }])
  })

  test('stored messages are sealed, and the queue has no personal data', async () => {
    const { tenant, enqueue, db } = await start()
    const { id } = await enqueue('ana@acme.test')
    const stored = Buffer.from((await rowOf(db, tenant, id))?.sealed ?? []).toString('latin1')
    expect(stored.length).toBeGreaterThan(500)
    expect(stored).not.toMatch(/ana|acme|123456/i)
    expect(JSON.stringify(await queueOf(db, id))).not.toMatch(/ana|acme|123456/i)
  })

  test('another tenant cannot read a message', async () => {
    const { newTenant, enqueue, db } = await start()
    const { id } = await enqueue('ana@acme.test')
    expect(await rowOf(db, newTenant(), id)).toBeUndefined()
  })
})

describe('sending', () => {
  test('a sent message is erased and removed from the queue', async () => {
    const { ctx, tenant, enqueue, db } = await start()
    const { id } = await enqueue('ana@acme.test')
    await sendDueMail(ctx)
    expect(await rowOf(db, tenant, id)).toMatchObject({ sealed: null, failed_at: null, last_error: null, sent_at: expect.any(String) })
    expect(await queueOf(db, id)).toEqual([])
    expect(await sendDueMail(ctx)).toMatchObject({ sent: 0 })
  })

  test('more mails than a batch, of many tenants, are all sent', async () => {
    const { ctx, newTenant, enqueue, mail } = await start()
    for (let n = 0; n < 45; n++) await enqueue(`${n}@acme.test`, {}, newTenant())
    expect(await sendDueMail(ctx)).toMatchObject({ sent: 45 })
    expect(new Set(mail.outbox.map(({ to }) => to)).size).toBe(45)
  })

  test('a failed message is retried later with the same Message-ID, and only the error class is stored', async () => {
    const { ctx, tenant, enqueue, mail, clock, db, log } = await start()
    const { id } = await enqueue('ana@acme.test')
    const ids: string[] = []
    let isAway = true
    const flaky: Mail = {
      send: async (message) => {
        ids.push(message.messageId)
        if (isAway) throw new AppError('delivery_failed', `mailbox of ${message.to} full`, {}, new Error(`550 ${message.to}`))
        await mail.send(message)
      },
    }
    expect(await sendDueMail({ ...ctx, mail: flaky })).toMatchObject({ sent: 0, postponed: 1 })
    expect(await rowOf(db, tenant, id)).toMatchObject({ last_error: 'delivery_failed', sealed: expect.anything() })
    expect(log.lines.join()).not.toContain('ana@')
    isAway = false
    clock.advance(29)
    expect(await sendDueMail({ ...ctx, mail: flaky })).toMatchObject({ sent: 0 })
    clock.advance(31)
    expect(await sendDueMail({ ...ctx, mail: flaky })).toMatchObject({ sent: 1 })
    expect(ids).toEqual([`<${id}@id.test>`, `<${id}@id.test>`])
    expect(mail.outbox).toHaveLength(1)
  })

  test('a message is given up after twelve failures; its payload stays until retention', async () => {
    const { ctx, tenant, enqueue, clock, db } = await start()
    const { id } = await enqueue('ana@acme.test')
    const down = mailWith(ctx.mail, () => Promise.reject(new AppError('delivery_failed')))
    for (let n = 1; n < 12; n++) {
      expect(await sendDueMail({ ...ctx, mail: down })).toMatchObject({ postponed: 1, given_up: 0 })
      expect(await queueOf(db, id)).toMatchObject([{ attempts: n, leased_until: null }])
      clock.advance(6 * 3600)
    }
    expect(await sendDueMail({ ...ctx, mail: down })).toMatchObject({ postponed: 0, given_up: 1 })
    expect(await queueOf(db, id)).toEqual([])
    expect(await rowOf(db, tenant, id)).toMatchObject({
      failed_at: expect.any(String),
      sent_at: null,
      last_error: 'delivery_failed',
      sealed: expect.anything(),
    })
  })

  test('a failing or unreadable message does not block others', async () => {
    const { ctx, tenant, enqueue, mail, db } = await start()
    const { id: unreadable } = await enqueue('unreadable@acme.test')
    await enqueue('refused@acme.test')
    for (let n = 0; n < 25; n++) await enqueue(`${n}@acme.test`)
    await spoil(db, tenant, unreadable)
    const picky = mailWith(mail, (to) => {
      if (to === 'refused@acme.test') throw new AppError('delivery_failed')
    })
    expect(await sendDueMail({ ...ctx, mail: picky })).toEqual({ sent: 25, postponed: 2, given_up: 0, left: 0 })
    expect(await rowOf(db, tenant, unreadable)).toMatchObject({ last_error: 'SealError', sent_at: null })
  })

  test('a message for an erased person is not sent and is erased', async () => {
    const { ctx, tenant, newTenant, enqueue, mail, db } = await start()
    const subjectId = newTenant()
    const { id } = await enqueue('ana@acme.test', { subjectId })
    await enqueue('ben@acme.test')
    await atomically(forTenant(db, tenant), (t) => ctx.keyring.destroy(t, subjectId))
    expect(await sendDueMail(ctx)).toMatchObject({ sent: 1, given_up: 1 })
    expect(mail.outbox.map(({ to }) => to)).toEqual(['ben@acme.test'])
    expect(await rowOf(db, tenant, id)).toMatchObject({ sealed: null, last_error: 'erased', failed_at: expect.any(String) })
  })

  test('a message sealed for a person arrives', async () => {
    const { ctx, newTenant, enqueue, mail } = await start()
    await enqueue('ana@acme.test', { subjectId: newTenant() })
    await sendDueMail(ctx)
    expect(mail.outbox).toMatchObject([{ to: 'ana@acme.test' }])
  })

  test('a queue entry without a message is removed', async () => {
    const { ctx, tenant, enqueue, db } = await start()
    const { id } = await enqueue('ana@acme.test')
    await atomically(forTenant(db, tenant), (t) => t.run({ text: 'delete from authsec.outbox_messages where id = $1', params: [id], arrays: false }))
    expect(await sendDueMail(ctx)).toMatchObject({ sent: 0, left: 1 })
    expect(await queueOf(db, id)).toEqual([])
  })
})

describe('the lease', () => {
  const until = (seconds: number) => new Date(Date.UTC(2026, 2, 4, 5, 6, 7 + seconds))

  test('a leased message is skipped until the lease ends', async () => {
    const { ctx, enqueue, mail, clock, db } = await start()
    await enqueue('ana@acme.test')
    expect(await leaseDueMessages(directory(db), clock.now(), until(60), 20)).toHaveLength(1)
    clock.advance(59)
    expect(await sendDueMail(ctx)).toMatchObject({ sent: 0, left: 0 })
    clock.advance(1)
    expect(await sendDueMail(ctx)).toMatchObject({ sent: 1 })
    expect(mail.outbox).toHaveLength(1)
  })

  test('a lease takes at most the requested number, oldest due first', async () => {
    const { enqueue, clock, db } = await start()
    const ids: string[] = []
    for (let n = 0; n < 5; n++) {
      ids.push((await enqueue(`${n}@acme.test`)).id)
      clock.advance(1)
    }
    const leased = await leaseDueMessages(directory(db), clock.now(), until(100), 3)
    expect(leased.map(({ id }) => id).sort()).toEqual(ids.slice(0, 3).sort())
  })

  test('a sender that was frozen past its lease leaves the message to another', async () => {
    const { ctx, enqueue, mail, clock } = await start()
    for (let n = 0; n < 6; n++) await enqueue(`${n}@acme.test`)
    // Five are sent concurrently. Meanwhile most of the lease passes, so the sixth could be leased by another sender.
    let started = 0
    let proceed = (): void => undefined
    const allFive = new Promise<void>((resolve) => {
      proceed = resolve
    })
    const slow = mailWith(mail, () => {
      started += 1
      if (started === 5) {
        clock.advance(46)
        proceed()
      }
      return allFive
    })
    const frozen = { now: clock.now, elapsed: () => 0 }
    expect(await sendDueMail({ ...ctx, mail: slow, clock: frozen })).toMatchObject({ sent: 5, left: 1 })
    expect(await sendDueMail(ctx)).toMatchObject({ sent: 1 })
    expect(new Set(mail.outbox.map(({ to }) => to)).size).toBe(6)
  })

  test('a failure after the lease was lost changes nothing', async () => {
    const { ctx, tenant, enqueue, clock, db } = await start()
    const { id } = await enqueue('ana@acme.test')
    const slow = mailWith(ctx.mail, async () => {
      clock.advance(61)
      await leaseDueMessages(directory(db), clock.now(), until(121), 20)
      throw new AppError('delivery_failed')
    })
    expect(await sendDueMail({ ...ctx, mail: slow })).toMatchObject({ postponed: 0, left: 1 })
    expect(await queueOf(db, id)).toMatchObject([{ attempts: 2, leased_until: expect.any(String) }])
    expect(await rowOf(db, tenant, id)).toMatchObject({ last_error: null })
  })

  test('a released message does not count as an attempt', async () => {
    const { enqueue, clock, db } = await start()
    const { id } = await enqueue('ana@acme.test')
    const [leased] = await leaseDueMessages(directory(db), clock.now(), until(60), 20)
    if (leased === undefined) throw new Error('nothing was leased')
    await releaseMessage(directory(db), leased)
    expect(await queueOf(db, id)).toMatchObject([{ attempts: 0, leased_until: null }])
  })

  test('a message whose senders all crashed is given up after twelve attempts', async () => {
    const { ctx, tenant, enqueue, mail, clock, db } = await start()
    const { id } = await enqueue('ana@acme.test')
    for (let n = 0; n < 12; n++) {
      expect(await leaseDueMessages(directory(db), clock.now(), new Date(clock.now().getTime() + 60_000), 20)).toHaveLength(1)
      clock.advance(60)
    }
    expect(await sendDueMail(ctx)).toMatchObject({ sent: 0, given_up: 1 })
    expect(mail.outbox).toEqual([])
    expect(await rowOf(db, tenant, id)).toMatchObject({ last_error: 'unsettled', failed_at: expect.any(String) })
  })

  test('a call ends within a function’s time limit and leaves the rest to the next call', async () => {
    const { ctx, enqueue, clock } = await start()
    for (let n = 0; n < 30; n++) await enqueue(`${n}@acme.test`)
    const slow = mailWith(ctx.mail, () => clock.advance(4))
    const first = await sendDueMail({ ...ctx, mail: slow })
    expect(first.sent).toBeLessThan(10)
    expect(first.sent + first.left).toBe(20)
    expect(await sendDueMail(ctx)).toMatchObject({ sent: 30 - first.sent })
  })

  test('the next due time takes leases into account', async () => {
    const { enqueue, clock, db } = await start()
    expect(await nextDueAt(directory(db))).toBeUndefined()
    await enqueue('ana@acme.test')
    expect(await nextDueAt(directory(db))).toEqual(clock.now())
    await leaseDueMessages(directory(db), clock.now(), until(60), 20)
    expect(await nextDueAt(directory(db))).toEqual(until(60))
  })
})

describe('retryDelaySeconds', () => {
  test.each([
    [1, 30, 60],
    [2, 60, 120],
    [5, 480, 960],
    [9, 7680, 15360],
    [10, 10800, 21600],
    [11, 10800, 21600],
    [40, 10800, 21600],
  ])('after %i failures between %i and %i seconds', (failures, least, most) => {
    expect(retryDelaySeconds(failures, 0)).toBe(least)
    expect(retryDelaySeconds(failures, 1)).toBe(most)
  })
})

test('retention removes only messages that were sent or given up long ago', async () => {
  const { ctx, tenant, enqueue, clock, db } = await start()
  clock.set(new Date('2020-01-01T00:00:00Z'))
  const { id: old } = await enqueue('ana@acme.test')
  await sendDueMail(ctx)
  const { id: waiting } = await enqueue('ben@acme.test')
  // The jobs role's row level security policy uses the database's clock.
  const now = new Date()
  const cutoff = new Date(now.getTime() - 8 * 24 * 3600_000)
  expect(await purgeOutboxOfAllTenants(acrossTenants(db), cutoff, cutoff)).toBeGreaterThanOrEqual(1)
  expect(await rowOf(db, tenant, old)).toBeUndefined()
  expect(await rowOf(db, tenant, waiting)).toMatchObject({ sent_at: null, sealed: expect.anything() })
})

describe('outboxSender', () => {
  test('repeated wake calls send each message once', async () => {
    const { ctx, enqueue, mail } = await start()
    const sender = outboxSender(ctx)
    for (let n = 0; n < 3; n++) {
      await enqueue(`${n}@acme.test`)
      for (let m = 0; m < 10; m++) sender.wake()
    }
    await sender.idle()
    await sender.stop()
    expect(mail.outbox.map(({ to }) => to).sort()).toEqual(['0@acme.test', '1@acme.test', '2@acme.test'])
  })

  test('a wake call during a run is not lost', async () => {
    const { ctx, enqueue, mail } = await start()
    await enqueue('first@acme.test')
    let isFirst = true
    const nested = mailWith(mail, async () => {
      if (!isFirst) return
      isFirst = false
      await enqueue('second@acme.test')
      sender.wake()
    })
    const sender = outboxSender({ ...ctx, mail: nested })
    sender.wake()
    await sender.idle()
    await sender.stop()
    expect(mail.outbox.map(({ to }) => to)).toEqual(['first@acme.test', 'second@acme.test'])
  })

  test('a wake call inside a transaction runs outside it', async () => {
    const { ctx, tenant, mail, db, log } = await start()
    const sender = outboxSender(ctx)
    await atomically(forTenant(db, tenant), async (t) => {
      await enqueueMail(t, ctx, code('ana@acme.test'))
      sender.wake()
    })
    await sender.idle()
    sender.wake()
    await sender.idle()
    await sender.stop()
    expect(mail.outbox).toHaveLength(1)
    expect(log.lines).toEqual([])
  })

  test('a stopped sender ignores wake calls', async () => {
    const { ctx, enqueue, mail } = await start()
    const sender = outboxSender(ctx)
    await sender.stop()
    await enqueue('ana@acme.test')
    sender.wake()
    await sender.idle()
    expect(mail.outbox).toEqual([])
  })
})
