// The safety net of webhooks: delivers events whose task was lost, and retries failing receivers.

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
