// The safety net of the outbox: sends mail whose task was lost, and deletes old sent mail.

import { acrossTenants } from '#db/engine/tenant'
import { purgeOutboxOfAllTenants } from '#db/store/outbox'
import type { BaseCtx } from '#shared/domains/context'
import { logoutTokenDelivery } from '#shared/domains/oauth/logout-token-delivery'
import { secondsAfter } from '#shared/kernel/clock'
import type { Outbound } from '#shared/platform/fetch/guarded'
import { job } from '#shared/platform/jobs/job'
import type { Mail } from '#shared/platform/outbox/mail/mail'
import { sendDueMail } from '#shared/platform/outbox/outbox'

const QUARTER_OF_AN_HOUR = 15 * 60
const DAY = 86_400
const SENT_KEPT_DAYS = 7
const FAILED_KEPT_DAYS = 30

export const outboxSweep = job<BaseCtx & { readonly mail: Mail; readonly outbound: Outbound }>({
  id: 'outbox-net',
  every: QUARTER_OF_AN_HOUR,
  run: async (ctx) => {
    const sent = await sendDueMail({ ...ctx, deliverLogoutToken: logoutTokenDelivery(ctx) })
    const now = ctx.clock.now()
    await purgeOutboxOfAllTenants(acrossTenants(ctx.db), secondsAfter(now, -SENT_KEPT_DAYS * DAY), secondsAfter(now, -FAILED_KEPT_DAYS * DAY))
    return sent
  },
})
