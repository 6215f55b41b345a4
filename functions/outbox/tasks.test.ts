// The function that runs queued tasks: it sends mail, schedules retries and leaves messages that it cannot process in the queue.
import { expect, test } from 'vitest'
import { atomically, forTenant } from '#db/engine/tenant'
import { AppError } from '#shared/kernel/errors'
import { guardedFetch } from '#shared/platform/fetch/guarded'
import { localMail } from '#shared/platform/outbox/mail/local'
import type { Mail } from '#shared/platform/outbox/mail/mail'
import { enqueueMail } from '#shared/platform/outbox/outbox'
import type { Task } from '#shared/platform/queue/tasks'
import { startApp } from '#tests/support/app'
import { ownDb } from '#tests/support/database'
import { runTasks } from './tasks.ts'

const record = (messageId: string, body: unknown) => ({ messageId, body: typeof body === 'string' ? body : JSON.stringify(body) })

const setUp = async (given?: Mail) => {
  const app = await startApp([], { db: await ownDb() })
  const company = await app.company()
  const captured = localMail(app.clock)
  const sent: (readonly [Task, number])[] = []
  const ctx = {
    ...app.ctx,
    mail: given ?? captured,
    outbound: guardedFetch({ resolver: { resolve: async () => [] }, loopback: false }),
    queue: { send: async (task: Task, afterSeconds: number) => void sent.push([task, afterSeconds]) },
  }
  const leaveMail = () =>
    atomically(forTenant(app.db, company.tenantId), (t) =>
      enqueueMail(t, ctx, {
        template: 'password_changed',
        to: company.admin.email,
        subjectId: company.admin.id,
        tenantName: company.name,
        data: { requestOrigin: { at: app.clock.now(), device: 'Firefox', address: '192.0.2.1' } },
      }),
    )
  return { ctx, captured, sent, leaveMail }
}

test('sends queued mail once, for any number of messages', async () => {
  const { ctx, captured, sent, leaveMail } = await setUp()
  await leaveMail()
  const event = { Records: [record('m1', { errand: 'outbox' }), record('m2', { errand: 'outbox' })] }
  expect(await runTasks(ctx, event)).toEqual({ batchItemFailures: [] })
  expect(captured.outbox).toHaveLength(1)
  expect(sent).toEqual([])
})

test('requests another run when a deferred mail is due', async () => {
  const away: Mail = { send: () => Promise.reject(new AppError('delivery_failed')) }
  const { ctx, sent, leaveMail } = await setUp(away)
  await leaveMail()
  expect(await runTasks(ctx, { Records: [record('m1', { errand: 'outbox' })] })).toEqual({ batchItemFailures: [] })
  expect(sent).toHaveLength(1)
  expect(sent[0]?.[0]).toBe('outbox')
  expect(sent[0]?.[1]).toBeGreaterThanOrEqual(30)
  expect(sent[0]?.[1]).toBeLessThanOrEqual(60)
})

test('only a malformed message stays in the queue; the others are processed', async () => {
  const { ctx, captured, leaveMail } = await setUp()
  await leaveMail()
  const poisoned = ['{', '{"errand":"burn"}', '{"errand":"outbox","more":1}', 'null', '{"__proto__":{"errand":"outbox"}}']
  const event = { Records: [...poisoned.map((body, at) => record(`p${at}`, body)), record('good', { errand: 'outbox' })] }
  expect(await runTasks(ctx, event)).toEqual({ batchItemFailures: poisoned.map((_, at) => ({ itemIdentifier: `p${at}` })) })
  expect(captured.outbox).toHaveLength(1)
})

test('a message of a failed task stays in the queue; the other task runs', async () => {
  const { ctx, captured, leaveMail } = await setUp()
  await leaveMail()
  const queue = { send: () => Promise.reject(new Error('away')) }
  const broken = { ...ctx, queue, mail: { send: () => Promise.reject(new AppError('delivery_failed')) } }
  const event = { Records: [record('m1', { errand: 'outbox' }), record('w1', { errand: 'webhooks' })] }
  expect(await runTasks(broken, event)).toEqual({ batchItemFailures: [{ itemIdentifier: 'm1' }] })
  expect(captured.outbox).toHaveLength(0)
})

test('refuses an event that is not from the queue', async () => {
  const { ctx } = await setUp()
  await expect(runTasks(ctx, { version: '2.0' })).rejects.toThrow('This function accepts only events of its queue.')
  await expect(runTasks(ctx, null)).rejects.toThrow()
})
