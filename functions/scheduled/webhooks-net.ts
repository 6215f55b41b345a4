// The net under webhooks: delivers what nobody was woken for, and what a failing receiver is to be tried with again.
import type { BaseCtx } from '#shared/context'
import type { Outbound } from '#shared/fetch/guarded'
import { job } from '#shared/jobs/job'
import { deliverDueWebhooks } from '#shared/webhooks/deliver'

const QUARTER_OF_AN_HOUR = 15 * 60

export const webhooksNet = job<BaseCtx & { readonly outbound: Outbound }>({
  id: 'webhooks-net',
  every: QUARTER_OF_AN_HOUR,
  run: (ctx) => deliverDueWebhooks(ctx),
})
