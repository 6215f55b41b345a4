// The answer to a poll. A deployment chooses between AuthSec's statuses and those of the protocols; the body is the same.

import type { RequestCtx } from '#shared/domains/context'
import { AppError, ERRORS } from '#shared/kernel/errors'
import type { PollResult } from './poll.ts'

type Deps = Pick<RequestCtx, 'config'>

export const PENDING_RESPONSE = {
  error: 'authorization_pending',
  error_description: ERRORS.authorization_pending.title,
  message: ERRORS.authorization_pending.title,
} as const

/**
 * The redeemed value, or `pending` where a pending poll is not an error.
 * @throws AppError authorization_pending, slow_down, expired_token, access_denied, authorization_denied
 */
export const toPollResponse = <T>(
  ctx: Deps,
  polled: PollResult<T>,
  denied: 'access_denied' | 'authorization_denied',
): { readonly value: T } | 'pending' => {
  const strict = ctx.config.RFC_POLL_STATUSES === 'on'
  switch (polled.state) {
    case 'redeemed':
      return { value: polled.value }
    case 'pending':
      if (strict) throw new AppError('authorization_pending')
      return 'pending'
    case 'slow_down':
      throw new AppError('slow_down', undefined, { extra: { interval: polled.intervalSeconds } })
    case 'denied':
      throw new AppError(strict ? 'authorization_denied' : denied)
    case 'expired':
      throw new AppError('expired_token')
  }
}
