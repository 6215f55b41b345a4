// Wakes the delivery of webhooks inside a process that lives on: the local server.

import { asTenantId, directory } from '#db/engine/tenant'
import { expediteWebhooks, nextWebhookDueAt } from '#db/store/webhooks'
import { type Waker, waker } from '#shared/platform/jobs/waker'
import { type DeliveryContext, deliverDueWebhooks, dueAfterCommit } from './deliver.ts'

export type WebhookSender = Waker & {
  /** Something of this tenant was committed: its endpoints are looked at once that is old enough. */
  committed(tenantId: string): void
}

/** After the database was away. */
const PAUSE_MS = 30_000

export const webhookSender = (ctx: DeliveryContext): WebhookSender => {
  const tenants = new Set<string>()
  /** When an endpoint is due; undefined when there is none. At the start nobody knows. */
  let next: Date | undefined = new Date(0)

  /** Commits of a burst cost one statement a tenant, and for tenants without webhooks that is all. Whether there is something to look at. */
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
