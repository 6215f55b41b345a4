// The net under webhooks: delivers what nobody was woken for, and what a failing receiver is to be tried with again.

import type { BaseCtx } from '#shared/domains/context'
import { deliverDueWebhooks } from '#shared/domains/webhooks/deliver'
import type { Outbound } from '#shared/platform/fetch/guarded'
import { job } from '#shared/platform/jobs/job'

const QUARTER_OF_AN_HOUR = 15 * 60

export const webhooksSweep = job<BaseCtx & { readonly outbound: Outbound }>({
  id: 'webhooks-net',
  every: QUARTER_OF_AN_HOUR,
  run: (ctx) => deliverDueWebhooks(ctx),
})
