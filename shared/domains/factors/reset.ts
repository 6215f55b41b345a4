// Removes all factors of a person, for an administrator's reset or a recovery, and ends all access that they opened.

import type { TenantTx } from '#db/engine/tenant'
import { replaceBackupCodes } from '#db/store/backup-codes'
import { deleteEnrolments } from '#db/store/enrolments'
import { deleteFactors, type Factor } from '#db/store/factors'
import { endLoginTransactions } from '#db/store/login-transactions'
import { revokeAuthorizationsOf, revokeSessions } from '#db/store/sessions'
import { actInTenant, requireRightsOver } from '#shared/domains/authority/acting-tenant'
import { lockPerson } from '#shared/domains/authority/person-status'
import type { RequestCtx } from '#shared/domains/context'
import { notify } from '#shared/domains/notifications/notify'
import { AppError } from '#shared/kernel/errors'
import { type Actor, byUser, recordEvent } from '#shared/platform/audit/audit-log'
import type { User } from '#shared/platform/principals/principal'

/** Call in a transaction that locks the person's row. Routes that call this emit `factors.reset`. */
export const deleteAllFactors = async (t: TenantTx, ctx: RequestCtx, userId: string, actor: Actor, why: string): Promise<readonly Factor[]> => {
  const now = ctx.clock.now()
  const gone = await deleteFactors(t, userId)
  await replaceBackupCodes(t, userId, [])
  await deleteEnrolments(t, userId)
  const ended = await revokeSessions(t, userId, now, 'factors_reset')
  await revokeAuthorizationsOf(t, userId, now, 'factors_reset')
  await endLoginTransactions(t, userId, now, 'login')
  const before = { factors: gone.map(({ kind, name }) => ({ kind, name })) }
  const target = { type: 'user', id: userId }
  await recordEvent(t, ctx, { event: 'factors.reset', actor, target, before, after: { why, ended_sessions: ended.length } })
  return gone
}

/**
 * An administrator removes all factors of a person, which takes every right that the person holds. The person signs in with what remains and, where a factor is
 * required, enrols one first. Routes that call this emit `factors.reset`.
 * @throws AppError not_found, forbidden, cannot_grant
 */
export const resetFactorsOf = async (ctx: RequestCtx, caller: User, userId: string): Promise<{ readonly removed: number }> => {
  if (userId === caller.userId) throw new AppError('forbidden', 'Remove your own factors with DELETE /account/factors/{id}.')
  const removed = await actInTenant(ctx, caller, caller.tenantId, async (t, grantable) => {
    const user = await lockPerson(t, userId)
    await requireRightsOver(t, ctx, grantable, userId)
    const gone = await deleteAllFactors(t, ctx, userId, byUser(caller), 'administrator')
    for (const { kind, name } of gone) {
      await notify(t, ctx, { to: user.email, subjectId: userId, template: 'factor_removed', data: { kind, name, left: 0, by: 'administrator' } })
    }
    return gone.length
  })
  ctx.wakeOutbox()
  return { removed }
}
