// A passkey whose signature counter went back is refused until its owner (with another factor) or an administrator with all of the owner's rights clears the
// alarm. Its counter then starts again.

import { atomically, forTenant, type TenantTx } from '#db/engine/tenant'
import { findFactor } from '#db/store/factors'
import { clearCounterAlarm } from '#db/store/passkeys'
import { actInTenant, requireRightsOver } from '#shared/domains/authority/acting-tenant'
import { lockPerson } from '#shared/domains/authority/person-status'
import type { RequestCtx } from '#shared/domains/context'
import { notify } from '#shared/domains/notifications/notify'
import { AppError } from '#shared/kernel/errors'
import { byUser, recordEvent } from '#shared/platform/audit/audit-log'
import type { User } from '#shared/platform/principals/principal'
import { requireRecentFactor } from './manage.ts'

type Owner = { readonly id: string; readonly email: string }

/** @throws AppError not_found when the person has no passkey with an alarm */
const clearAlarm = async (
  t: TenantTx,
  ctx: RequestCtx,
  caller: User,
  owner: Owner,
  factorId: string,
  by: 'owner' | 'administrator',
): Promise<void> => {
  const at = await clearCounterAlarm(t, owner.id, factorId)
  if (at === undefined) throw new AppError('not_found')
  const name = (await findFactor(t, owner.id, factorId))?.name ?? ''
  await recordEvent(t, ctx, {
    event: 'passkey.alarm_cleared',
    actor: byUser(caller),
    target: { type: 'factor', id: factorId },
    subjectId: owner.id,
    before: { counter_alarm_at: at.toISOString() },
    after: { name },
  })
  await notify(t, ctx, { to: owner.email, subjectId: owner.id, template: 'passkey_alarm_cleared', data: { name, by } })
}

/**
 * The owner clears the alarm. Routes that call this emit `passkey.alarm_cleared`.
 * @throws AppError insufficient_user_authentication, not_found
 */
export const clearOwnCloneAlarm = async (ctx: RequestCtx, caller: User, factorId: string): Promise<void> => {
  requireRecentFactor(ctx, caller)
  await atomically(forTenant(ctx.db, caller.tenantId), (t) =>
    clearAlarm(t, ctx, caller, { id: caller.userId, email: caller.email }, factorId, 'owner'),
  )
  ctx.wakeOutbox()
}

/**
 * An administrator clears the alarm. Routes that call this emit `passkey.alarm_cleared`.
 * @throws AppError not_found, forbidden, cannot_grant
 */
export const clearCloneAlarmOf = async (ctx: RequestCtx, caller: User, userId: string, factorId: string): Promise<void> => {
  if (userId === caller.userId) throw new AppError('forbidden', 'Clear the alarm of your own passkey with another factor of yours.')
  await actInTenant(ctx, caller, caller.tenantId, async (t, grantable) => {
    const owner = await lockPerson(t, userId)
    await requireRightsOver(t, ctx, grantable, userId)
    await clearAlarm(t, ctx, caller, owner, factorId, 'administrator')
  })
  ctx.wakeOutbox()
}
