// What a poll is answered. A deployment chooses between the original's statuses and the protocols'; the body says the same in both.

import type { RequestCtx } from '#shared/domains/context'
import { AppError, ERRORS } from '#shared/kernel/errors'
import type { PollResult } from './poll.ts'

type Deps = Pick<RequestCtx, 'config'>

export const PENDING_RESPONSE = {
  error: 'authorization_pending',
  error_description: ERRORS.authorization_pending.title,
  message: ERRORS.authorization_pending.title,
} as const

/** What was redeemed, or `pending` where that is no error here. @throws AppError authorization_pending, slow_down, expired_token, access_denied, authorization_denied */
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
