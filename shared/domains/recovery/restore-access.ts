// Completes a recovery: removes the lost factors, notifies the owner and starts a login transaction with exactly what was proved.

import type { TenantTx } from '#db/engine/tenant'
import { lockUser, type User } from '#db/store/users'
import type { RequestCtx } from '#shared/domains/context'
import { deleteAllFactors } from '#shared/domains/factors/reset'
import { LOGIN_SECONDS, startLoginTransaction } from '#shared/domains/login-transaction/login-transaction'
import { notify } from '#shared/domains/notifications/notify'

export type AccessRestoration = {
  readonly userId: string
  readonly by: 'pass' | 'waiting'
  readonly clientId: string | null
  /** RFC 8176 values of what was proved. */
  readonly verified: readonly string[]
  readonly mailboxProvedAt: Date | null
}

/** Whether the account can be recovered. */
export const isUserUsable = (user: User | undefined): user is User => user?.active === true && user.deletedAt === null && !user.passwordResetRequired

/** Returns the login transaction's handle; undefined for an unusable account. Routes that call this emit `factors.reset`. */
export const restoreAccess = async (t: TenantTx, ctx: RequestCtx, given: AccessRestoration): Promise<string | undefined> => {
  const user = await lockUser(t, given.userId)
  if (!isUserUsable(user)) return undefined
  await deleteAllFactors(t, ctx, user.id, { type: 'user', id: user.id }, given.by)
  await notify(t, ctx, { to: user.email, subjectId: user.id, template: 'recovered', data: { by: given.by } })
  return startLoginTransaction(t, ctx, {
    purpose: 'login',
    userId: user.id,
    clientId: given.clientId ?? user.clientId,
    verified: [...given.verified],
    mailboxProvedAt: given.mailboxProvedAt ?? user.emailVerifiedAt,
    seconds: LOGIN_SECONDS,
  })
}
