import { expect, test } from 'vitest'
import { asOwner, atomically, forTenant } from '#db/engine/tenant'
import { findAuditEvents } from '#db/store/audit-events'
import { deleteAuditEventsBefore } from '#db/store/audit-retention'
import { secondsAfter } from '#shared/kernel/clock'
import { bySystem, recordEvent } from '#shared/platform/audit/audit-log'
import { startApp } from '#tests/support/app'
import { auditRoutes } from '../../../functions/audit/routes.ts'
import { RestoreError, restoreEvents } from './restore.ts'

async function* each(lines: readonly string[]): AsyncGenerator<string> {
  yield* lines
}

const setUp = async () => {
  const app = await startApp(auditRoutes)
  const company = await app.company('restored')
  const person = await app.person(company)
  await app.token(person)
  const token = await app.token(company.admin)
  app.clock.advance(10)
  const exported = async (): Promise<string[]> => (await (await app.request('/audit/export', { token })).text()).trim().split('\n')
  const lose = () => asOwner(app.db, company.tenantId, (t) => deleteAuditEventsBefore(t, secondsAfter(app.clock.now(), 3600), 10_000))
  const restore = (lines: readonly string[]) => restoreEvents(app.ctx, company.tenantId, each(lines))
  return { app, company, person, token, exported, lose, restore }
}
const ids = (lines: readonly string[]): string[] => lines.map((line) => (JSON.parse(line) as { id: string }).id)

test('lost events are restored unchanged and once, and the audit log names the restore', async () => {
  const { app, company, exported, lose, restore } = await setUp()
  const before = await exported()
  expect(before.length).toBeGreaterThan(3)
  await lose()
  expect(await restore(before)).toEqual({ read: before.length, restored: before.length })
  expect(await restore(before)).toEqual({ read: before.length, restored: 0 })
  const after = await exported()
  const back = new Map(after.map((line) => [(JSON.parse(line) as { id: string }).id, line]))
  for (const line of before) expect(JSON.parse(back.get(ids([line])[0] ?? '') ?? 'null')).toEqual(JSON.parse(line))
  const restores = await findAuditEvents(forTenant(app.db, company.tenantId), { event: 'audit.restored', limit: 10 })
  expect(restores).toHaveLength(1)
})

test('an export never replaces an event that exists', async () => {
  const { exported, restore } = await setUp()
  const [first = ''] = await exported()
  const forged = JSON.stringify({ ...JSON.parse(first), mac: null, event: 'user.signed_in', actor: { ...JSON.parse(first).actor, type: 'system' } })
  expect(await restore([forged])).toMatchObject({ restored: 0 })
  expect(await exported()).toContain(first)
})

test('the details of a deleted person\u2019s events stay unreadable', async () => {
  const { app, company, person, exported, lose, restore } = await setUp()
  const before = await exported()
  await lose()
  await asOwner(app.db, company.tenantId, async (t) => {
    await t.run({ text: 'delete from authsec.users where tenant_id = $1 and id = $2', params: [company.tenantId, person.id], arrays: false })
  })
  await restore(before)
  const theirs = (await exported()).map((line) => JSON.parse(line)).filter(({ actor, target }) => actor.id === person.id || target?.id === person.id)
  expect(theirs.length).toBeGreaterThan(0)
  for (const event of theirs) expect([event.address, event.user_agent, event.before, event.after]).toEqual([null, null, null, null])
})

test('so do events that others caused: the export names the subject of the details', async () => {
  const { app, company, person, exported, lose, restore } = await setUp()
  await atomically(forTenant(app.db, company.tenantId), (t) =>
    recordEvent(t, app.ctx, {
      event: 'factor.added',
      actor: bySystem,
      target: { type: 'factor', id: app.ctx.random.id() },
      subjectId: person.id,
      after: { name: 'Pat\u2019s phone' },
    }),
  )
  const before = await exported()
  expect(before.join()).toContain('Pat\u2019s phone')
  await lose()
  await asOwner(app.db, company.tenantId, async (t) => {
    await t.run({ text: 'delete from authsec.users where tenant_id = $1 and id = $2', params: [company.tenantId, person.id], arrays: false })
  })
  await restore(before)
  const after = await exported()
  expect(after.some((line) => line.includes('factor.added'))).toBe(true)
  expect(after.join()).not.toContain('Pat\u2019s phone')
})

test('an older export without commitments is restored in full', async () => {
  const { exported, lose, restore } = await setUp()
  const before = (await exported()).map((line) => {
    const { subject_id: _subject, details_digest: _digest, salt: _salt, mac: _mac, ...event } = JSON.parse(line)
    return JSON.stringify(event)
  })
  await lose()
  expect(await restore(before)).toEqual({ read: before.length, restored: before.length })
})

test.each([
  ['no JSON', () => '{'],
  ['not an event', () => '{"id":1}'],
  ['an unknown member', (line: string) => JSON.stringify({ ...JSON.parse(line), tenant_id: 'x' })],
  ['an event that was changed since', (line: string) => JSON.stringify({ ...JSON.parse(line), event: 'user.signed_in' })],
  ['an event whose details were changed since', (line: string) => JSON.stringify({ ...JSON.parse(line), user_agent: 'another' })],
  ['an event with another salt', (line: string) => JSON.stringify({ ...JSON.parse(line), salt: 'AAAA' })],
  ['an id made at another time', (line: string) => JSON.stringify({ ...JSON.parse(line), at: '2020-01-01T00:00:00.000Z' })],
])('%s is refused with its line number, and nothing of its batch is written', async (_, spoil) => {
  const { app, company, exported, lose, restore } = await setUp()
  const [first = '', second = ''] = (await exported()).filter((line) => JSON.parse(line).salt !== null)
  await lose()
  await expect(restore([first, spoil(second)])).rejects.toThrow(RestoreError)
  await expect(restore([first, spoil(second)])).rejects.toThrow(/^line 2/)
  expect(await findAuditEvents(forTenant(app.db, company.tenantId), { limit: 10 })).toEqual([])
})
