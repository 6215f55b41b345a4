// Wakes webhook delivery in a long-running process, such as the local server.

import { asTenantId, directory } from '#db/engine/tenant'
import { expediteWebhooks, nextWebhookDueAt } from '#db/store/webhooks'
import { type Waker, waker } from '#shared/platform/jobs/waker'
import { type DeliveryContext, deliverDueWebhooks, dueAfterCommit } from './deliver.ts'

export type WebhookSender = Waker & {
  /** Call after a commit of this tenant: its endpoints are served when the events are old enough. */
  committed(tenantId: string): void
}

/** The pause after a failure. */
const PAUSE_MS = 30_000

export const webhookSender = (ctx: DeliveryContext): WebhookSender => {
  const tenants = new Set<string>()
  /** When the next endpoint is due; undefined when none is. Unknown at the start, so due at once. */
  let next: Date | undefined = new Date(0)

  /** Expedites the endpoints of tenants that committed, with one statement a tenant. Returns whether any endpoint was expedited. */
  const hasten = async (): Promise<boolean> => {
    const committed = [...tenants]
    tenants.clear()
    let hastened = 0
    for (const tenantId of committed) hastened += await expediteWebhooks(directory(ctx.db), asTenantId(tenantId), dueAfterCommit(ctx))
    return hastened > 0
  }
  const sender = waker(async () => {
    try {
      if ((await hasten()) || (next !== undefined && next <= ctx.clock.now())) {
        await deliverDueWebhooks(ctx, hasten)
        next = await nextWebhookDueAt(directory(ctx.db))
      }
      return next === undefined ? undefined : next.getTime() - ctx.clock.now().getTime()
    } catch (error) {
      ctx.log.error('webhook.sender_failed', error)
      return PAUSE_MS
    }
  })
  return {
    ...sender,
    committed: (tenantId) => {
      tenants.add(tenantId)
      sender.wake()
    },
  }
}
