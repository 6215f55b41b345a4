// Statements that write rows from JSON leave columns of later releases to their defaults.
import { readdirSync, readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { startApp } from '#tests/support/app'
import { asOwner, ownRows } from '../engine/tenant.ts'
import { outboxQueue } from '../tables/operations.ts'
import { insertAuditEvents } from './audit-events.ts'
import { INSERT_FROM, JSON_RECORD, jsonRecord } from './json-records.ts'

test('no statement of a store writes whole rows', () => {
  const folder = new URL('./', import.meta.url)
  const whole = readdirSync(folder)
    .filter((file) => file.endsWith('.ts') && !file.endsWith('.test.ts'))
    .filter((file) => /insert into authsec\.\w+(?: as \w+)?\s+(?:select|values|\$\{)/.test(readFileSync(new URL(file, folder), 'utf8')))
  expect(whole).toEqual([])
})

test('a column of a later release gets its default', async () => {
  const app = await startApp([])
  const { tenantId } = await app.company()
  const [id, at] = [app.ctx.random.id(), app.clock.now()]
  const later = (table: string) => ({ text: `alter table authsec.${table} add column later text not null default 'later'`, params: [], arrays: true })
  const found = (table: string) => ({
    text: `select later from authsec.${table} where tenant_id = $1 and id = $2`,
    params: [tenantId, id],
    arrays: true,
  })
  const undone = new Error('undone')
  const work = asOwner(app.db, tenantId, async (t) => {
    for (const table of ['audit_events', 'outbox_queue']) await t.run(later(table))
    await insertAuditEvents(t, [{ id, at, event: 'test.done', outcome: 'success', actorType: 'system', subjectId: tenantId }])
    const record = jsonRecord(outboxQueue, { tenantId, id, dueAt: at })
    await t.run({ text: INSERT_FROM(outboxQueue, JSON_RECORD(outboxQueue, '$1')), params: [record], arrays: true })
    expect(await t.db.select().from(outboxQueue).where(ownRows(t, outboxQueue))).toMatchObject([{ id, dueAt: at, attempts: 0 }])
    for (const table of ['audit_events', 'outbox_queue']) expect(await t.run(found(table))).toEqual([['later']])
    throw undone
  })
  await expect(work).rejects.toBe(undone)
})
