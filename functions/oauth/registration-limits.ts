// Limits for clients that registered themselves and that no person used yet: how long they are kept, and how many there may be. Each network gets a part of the
// places, so that one attacker cannot take all of them.

import type { TenantTx } from '#db/engine/tenant'
import { countSelfRegistered } from '#db/store/registered-clients'
import { AppError } from '#shared/kernel/errors'
import { rateLimitKeyOf } from '#shared/kernel/ip-address'
import type { Ctx } from './group.ts'

const HOUR = 3600
/** A real client sends a person at once. */
export const UNUSED_CLIENT_SECONDS = HOUR
/** A client with an initial access token has a day. */
export const INVITED_CLIENT_SECONDS = 24 * HOUR
const MOST_WAITING = 500
const MOST_OF_TENANT = 5000
/** Per address or, for IPv6, per site, while the client is unused: an eighth of all places. */
const MOST_OF_PLACE = 60
/** Of an IPv6 address the /48, which a site gets as a whole (RFC 6177). */
const placeOf = (address: string): string => rateLimitKeyOf(address).replace(/^(\w+:\w+:\w+):.*/, '$1::/48')

/** Call it outside a transaction. @throws AppError rate_limited */
export const limitOpenRegistration = (ctx: Pick<Ctx, 'limits' | 'hash' | 'request'>): Promise<void> => {
  const place = Buffer.from(ctx.hash('limit:place', placeOf(ctx.request.address))).toString('base64url')
  return ctx.limits.check([
    { key: `oauth-newcomers:${place.slice(0, 22)}`, windowSeconds: UNUSED_CLIENT_SECONDS, max: MOST_OF_PLACE, guardsCredential: false },
  ])
}

/** @throws AppError quota_exceeded */
export const requireRegistrationQuota = async (t: TenantTx, now: Date): Promise<void> => {
  const { all, waiting } = await countSelfRegistered(t, now)
  if (waiting >= MOST_WAITING || all >= MOST_OF_TENANT) throw new AppError('quota_exceeded', 'There are too many self-registered clients.')
}
