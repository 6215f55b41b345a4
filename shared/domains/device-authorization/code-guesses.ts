// Limits wrong user codes per address and raises an alarm over the whole deployment: 31^8 codes are many, but distributed guessing needs an operator's attention.

import type { RequestCtx } from '#shared/domains/context'
import { AppError } from '#shared/kernel/errors'
import { addressKey } from '#shared/platform/http/guard'
import type { LimitEntry } from '#shared/platform/http/limits'

type Deps = Pick<RequestCtx, 'limits' | 'hash' | 'request' | 'metrics' | 'log'>

const WINDOW_SECONDS = 600
const WRONG_PER_ADDRESS = 10
/** For all addresses together. */
const ALARM_AT = 200

const addressLimit = (ctx: Deps): LimitEntry => ({
  key: `user-codes:${addressKey(ctx, ctx.request.address)}`,
  windowSeconds: WINDOW_SECONDS,
  max: WRONG_PER_ADDRESS,
  guardsCredential: true,
})
const GLOBAL_LIMIT: LimitEntry = { key: 'user-codes:all', windowSeconds: WINDOW_SECONDS, max: ALARM_AT, guardsCredential: true }

/** Call before the look-up: a blocked address learns nothing, even from a right code. @throws AppError rate_limited */
export const requireFewWrongCodes = (ctx: Deps): Promise<void> => ctx.limits.peek([addressLimit(ctx)])

/** @throws AppError rate_limited after the tenth wrong code from one address */
export const countWrongCode = async (ctx: Deps): Promise<void> => {
  ctx.metrics.count('user_code_failures_total', {})
  try {
    await ctx.limits.check([GLOBAL_LIMIT])
  } catch (error) {
    if (!(error instanceof AppError && error.code === 'rate_limited')) throw error
    // Only an alarm: one person's guesses must not block others.
    ctx.log.warn('user_codes_are_guessed', { within_seconds: WINDOW_SECONDS, more_than: ALARM_AT })
  }
  await ctx.limits.check([addressLimit(ctx)])
}
