// Runs the tasks that requests have queued, one batch of messages at a time.

import { directory } from '#db/engine/tenant'
import { nextDueAt } from '#db/store/outbox'
import { nextWebhookDueAt } from '#db/store/webhooks'
import type { BaseCtx } from '#shared/domains/context'
import { logoutTokenDelivery } from '#shared/domains/oauth/logout-token-delivery'
import { deliverDueWebhooks } from '#shared/domains/webhooks/deliver'
import type { Outbound } from '#shared/platform/fetch/guarded'
import type { Mail } from '#shared/platform/outbox/mail/mail'
import { sendDueMail } from '#shared/platform/outbox/outbox'
import { type Task, TaskMessage, type TaskQueue } from '#shared/platform/queue/tasks'

export type Ctx = BaseCtx & { readonly mail: Mail; readonly outbound: Outbound; readonly queue: TaskQueue | undefined }

/** The members of an SQS event that are used (docs.aws.amazon.com/lambda/latest/dg/with-sqs.html). */
export type Batch = { readonly Records: readonly { readonly messageId: string; readonly body: string }[] }
/** Messages that stay in the queue. The service retries them, and moves them to the dead-letter queue after several failures. */
export type Failures = { readonly batchItemFailures: readonly { readonly itemIdentifier: string }[] }

/** Maximum delay of a queue message; later work is found by the schedule. */
const LONGEST_DELAY_SECONDS = 900

const taskOf = (body: string): Task | undefined => {
  try {
    return TaskMessage.safeParse(JSON.parse(body)).data?.errand
  } catch {
    return undefined
  }
}

const due: Readonly<Record<Task, (ctx: Ctx) => Promise<Date | undefined>>> = {
  outbox: async (ctx) => {
    await sendDueMail({ ...ctx, deliverLogoutToken: logoutTokenDelivery(ctx) })
    return nextDueAt(directory(ctx.db))
  },
  webhooks: async (ctx) => {
    await deliverDueWebhooks(ctx)
    return nextWebhookDueAt(directory(ctx.db))
  },
}

/** Runs the task, and queues it again if more work is due soon. */
const run = async (ctx: Ctx, task: Task): Promise<void> => {
  const next = await due[task](ctx)
  const seconds = next === undefined ? undefined : (next.getTime() - ctx.clock.now().getTime()) / 1000
  if (seconds !== undefined && seconds <= LONGEST_DELAY_SECONDS) await ctx.queue?.send(task, Math.max(seconds, 1))
}

const isBatch = (event: unknown): event is Batch =>
  typeof event === 'object' && event !== null && Array.isArray((event as { readonly Records?: unknown }).Records)

/** Runs each task once for all its messages. Malformed messages and those of a failed task stay in the queue; the others are processed. */
export const runTasks = async (ctx: Ctx, event: unknown): Promise<Failures> => {
  if (!isBatch(event)) throw new Error('This function accepts only events of its queue.')
  const failed: string[] = []
  const requested = new Map<Task, string[]>()
  for (const { messageId, body } of event.Records) {
    const task = taskOf(body)
    if (task === undefined) {
      ctx.log.warn('queue.message_refused', { message_id: messageId })
      failed.push(messageId)
    } else requested.set(task, [...(requested.get(task) ?? []), messageId])
  }
  for (const [task, messageIds] of requested) {
    try {
      await run(ctx, task)
    } catch (error) {
      ctx.log.error('queue.errand_failed', error, { errand: task })
      failed.push(...messageIds)
    }
  }
  return { batchItemFailures: failed.map((itemIdentifier) => ({ itemIdentifier })) }
}
