// Whether the person signed in recently (RFC 9470), where that depends on the request and not only on the route.

import type { BaseCtx } from '#shared/domains/context'
import { AppError } from '#shared/kernel/errors'
import type { User } from '#shared/platform/principals/principal'

/** @throws AppError insufficient_user_authentication with the challenge */
export const requireRecentSignIn = (ctx: Pick<BaseCtx, 'clock'>, caller: Pick<User, 'authTime'>, withinSeconds: number): void => {
  if ((ctx.clock.now().getTime() - caller.authTime.getTime()) / 1000 <= withinSeconds) return
  throw new AppError('insufficient_user_authentication', undefined, {
    headers: {
      'WWW-Authenticate': `Bearer realm="authsec", error="insufficient_user_authentication", error_description="A more recent sign-in is needed", max_age="${withinSeconds}"`,
    },
  })
}
