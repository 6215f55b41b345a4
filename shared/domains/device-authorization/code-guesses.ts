// Wrong user codes are counted by address, and all over the deployment: 31^8 codes are many, but a fleet that guesses is worth waking somebody for.

import type { RequestCtx } from '#shared/domains/context'
import { AppError } from '#shared/kernel/errors'
import { addressKey } from '#shared/platform/http/guard'
import type { LimitEntry } from '#shared/platform/http/limits'

type Deps = Pick<RequestCtx, 'limits' | 'hash' | 'request' | 'metrics' | 'log'>

const WINDOW_SECONDS = 600
const WRONG_PER_ADDRESS = 10
/** All addresses together. */
const ALARM_AT = 200

const ofAddress = (ctx: Deps): LimitEntry => ({
  key: `user-codes:${addressKey(ctx, ctx.request.address)}`,
  windowSeconds: WINDOW_SECONDS,
  max: WRONG_PER_ADDRESS,
  guardsCredential: true,
})
const OF_ALL: LimitEntry = { key: 'user-codes:all', windowSeconds: WINDOW_SECONDS, max: ALARM_AT, guardsCredential: true }

/** Before a code is looked up: an address that was wrong too often is told no more, not even by a right one. @throws AppError rate_limited */
export const requireFewWrongCodes = (ctx: Deps): Promise<void> => ctx.limits.peek([ofAddress(ctx)])

/** @throws AppError rate_limited past the tenth of an address */
export const countWrongCode = async (ctx: Deps): Promise<void> => {
  ctx.metrics.count('user_code_failures_total', {})
  try {
    await ctx.limits.check([OF_ALL])
  } catch (error) {
    if (!(error instanceof AppError && error.code === 'rate_limited')) throw error
    // Nobody is shut out for others' guesses; somebody has to look.
    ctx.log.warn('user_codes_are_guessed', { within_seconds: WINDOW_SECONDS, more_than: ALARM_AT })
  }
  await ctx.limits.check([ofAddress(ctx)])
}
