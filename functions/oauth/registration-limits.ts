// Limits for clients that registered themselves and that no person has used yet: how long they are stored, and how many there may be. Each network gets a share,
// so that one attacker cannot use the whole limit up.

import type { TenantTx } from '#db/engine/tenant'
import { countSelfRegistered } from '#db/store/registered-clients'
import { AppError } from '#shared/kernel/errors'
import { rateLimitKeyOf } from '#shared/kernel/ip-address'
import type { Ctx } from './group.ts'

const HOUR = 3600
/** A genuine client sends a person at once. */
export const UNUSED_CLIENT_SECONDS = HOUR
/** A client with an initial access token has a day. */
export const INVITED_CLIENT_SECONDS = 24 * HOUR
const MAX_UNUSED = 500
const MAX_OF_TENANT = 5000
/** Per network address or, for IPv6, per site, while the client is unused: an eighth of the limit. */
const MAX_OF_NETWORK = 60
/** The address, or for IPv6 the /48 that one site gets (RFC 6177). */
const networkOf = (address: string): string => rateLimitKeyOf(address).replace(/^(\w+:\w+:\w+):.*/, '$1::/48')

/** Call it outside a transaction. @throws AppError rate_limited */
export const limitOpenRegistration = (ctx: Pick<Ctx, 'limits' | 'hash' | 'request'>): Promise<void> => {
  const network = Buffer.from(ctx.hash('limit:place', networkOf(ctx.request.address))).toString('base64url')
  return ctx.limits.check([
    { key: `oauth-newcomers:${network.slice(0, 22)}`, windowSeconds: UNUSED_CLIENT_SECONDS, max: MAX_OF_NETWORK, guardsCredential: false },
  ])
}

/** @throws AppError quota_exceeded */
export const requireRegistrationQuota = async (t: TenantTx, now: Date): Promise<void> => {
  const { all, waiting } = await countSelfRegistered(t, now)
  if (waiting >= MAX_UNUSED || all >= MAX_OF_TENANT) throw new AppError('quota_exceeded', 'There are too many self-registered clients.')
}
