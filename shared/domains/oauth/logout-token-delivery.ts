// Loads the back channel with the first logout token that is due: most processes send none.
import type { BaseCtx } from '#shared/domains/context'
import type { Outbound } from '#shared/platform/fetch/guarded'
import type { DeliverLogoutToken } from '#shared/platform/outbox/outbox'

type Deps = Pick<BaseCtx, 'config' | 'clock' | 'signingKeys'> & { readonly outbound: Outbound }

export const logoutTokenDelivery =
  (ctx: Deps): DeliverLogoutToken =>
  async (t, messageId, data) =>
    (await import('./back-channel.ts')).notifySignedOut(ctx, t, messageId, data)
