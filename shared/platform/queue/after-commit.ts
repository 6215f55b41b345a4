// Collects what the requests of a function leave behind, and hands it to the queue before the function is frozen.

import { asTenantId, directory } from '#db/engine/tenant'
import { expediteWebhooks } from '#db/store/webhooks'
import { secondsAfter } from '#shared/kernel/clock'
import { AUDIT_SETTLING_SECONDS } from '#shared/platform/audit/watermark'
import type { PlatformCtx } from '#shared/platform/context'
import type { Task, TaskQueue } from './tasks.ts'

export type AfterCommit = {
  readonly wakeOutbox: () => void
  readonly committed: (tenantId: string) => void
  /** Sends what was collected; each errand once. Never throws: what could not be sent the jobs will find. */
  settle(ctx: Pick<PlatformCtx, 'db' | 'clock' | 'log'>): Promise<void>
}

export const createAfterCommit = (queue: TaskQueue): AfterCommit => {
  const tenants = new Set<string>()
  let hasMail = false

  const webhooksWait = async (ctx: Pick<PlatformCtx, 'db' | 'clock'>): Promise<Date | undefined> => {
    const committed = [...tenants]
    tenants.clear()
    const dueAt = secondsAfter(ctx.clock.now(), AUDIT_SETTLING_SECONDS)
    let hastened = 0
    for (const tenantId of committed) hastened += await expediteWebhooks(directory(ctx.db), asTenantId(tenantId), dueAt)
    return hastened > 0 ? dueAt : undefined
  }

  return {
    wakeOutbox: () => {
      hasMail = true
    },
    committed: (tenantId) => void tenants.add(tenantId),
    settle: async (ctx) => {
      const errands: (readonly [errand: Task, afterSeconds: number])[] = hasMail ? [['outbox', 0]] : []
      hasMail = false
      try {
        const dueAt = tenants.size === 0 ? undefined : await webhooksWait(ctx)
        if (dueAt !== undefined) errands.push(['webhooks', (dueAt.getTime() - ctx.clock.now().getTime()) / 1000])
        await Promise.all(errands.map(([task, afterSeconds]) => queue.send(task, afterSeconds)))
      } catch (error) {
        ctx.log.warn('queue.errand_not_sent', {
          errands: errands.map(([task]) => task).join(),
          error: error instanceof Error ? error.name : 'unknown',
        })
      }
    },
  }
}
