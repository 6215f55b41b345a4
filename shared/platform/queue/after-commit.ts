// Collects the tasks of a function's requests and sends them to the queue before the function is frozen.

import { asTenantId, directory } from '#db/engine/tenant'
import { expediteWebhooks } from '#db/store/webhooks'
import { secondsAfter } from '#shared/kernel/clock'
import { AUDIT_SETTLING_SECONDS } from '#shared/platform/audit/watermark'
import type { PlatformCtx } from '#shared/platform/context'
import type { Task, TaskQueue } from './tasks.ts'

export type AfterCommit = {
  readonly wakeOutbox: () => void
  readonly committed: (tenantId: string) => void
  /** Sends each collected task once. Never throws: jobs find the work of a task that could not be sent. */
  settle(ctx: Pick<PlatformCtx, 'db' | 'clock' | 'log'>): Promise<void>
}

export const createAfterCommit = (queue: TaskQueue): AfterCommit => {
  const tenants = new Set<string>()
  let hasMail = false

  const expediteDeliveries = async (ctx: Pick<PlatformCtx, 'db' | 'clock'>): Promise<Date | undefined> => {
    const committed = [...tenants]
    tenants.clear()
    const dueAt = secondsAfter(ctx.clock.now(), AUDIT_SETTLING_SECONDS)
    let expedited = 0
    for (const tenantId of committed) expedited += await expediteWebhooks(directory(ctx.db), asTenantId(tenantId), dueAt)
    return expedited > 0 ? dueAt : undefined
  }

  return {
    wakeOutbox: () => {
      hasMail = true
    },
    committed: (tenantId) => void tenants.add(tenantId),
    settle: async (ctx) => {
      const tasks: (readonly [task: Task, afterSeconds: number])[] = hasMail ? [['outbox', 0]] : []
      hasMail = false
      try {
        const dueAt = tenants.size === 0 ? undefined : await expediteDeliveries(ctx)
        if (dueAt !== undefined) tasks.push(['webhooks', (dueAt.getTime() - ctx.clock.now().getTime()) / 1000])
        await Promise.all(tasks.map(([task, afterSeconds]) => queue.send(task, afterSeconds)))
      } catch (error) {
        ctx.log.warn('queue.task_not_sent', {
          tasks: tasks.map(([task]) => task).join(),
          error: error instanceof Error ? error.name : 'unknown',
        })
      }
    },
  }
}
