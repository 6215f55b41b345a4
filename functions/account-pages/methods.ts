// A person's own second factors, on the account page.

import { findPasskeys } from '#db/store/passkeys'
import { forTenant } from '#db/tenant'
import { sendTo } from '#shared/browser/go'
import { HOME } from '#shared/browser/return-to'
import { regenerateBackupCodes } from '#shared/factors/backup-codes'
import { clearOwnAlarm } from '#shared/factors/clone-alarm'
import { removeFactor, requireFreshFactor } from '#shared/factors/manage'
import type { User } from '#shared/http/principal'
import type { Sent } from '#shared/http/route'
import type { Ctx } from './group.ts'

/** @throws AppError insufficient_user_authentication, not_found, last_factor, weaker_factors_remain */
export const remove = async (ctx: Ctx, principal: User, id: string, acceptWeaker: boolean): Promise<Sent<undefined>> => {
  await removeFactor(ctx, principal, { id, acceptWeaker })
  return sendTo(ctx, HOME, { say: 'method_removed' })
}

/** @throws AppError insufficient_user_authentication */
export const newCodes = async (ctx: Ctx, principal: User): Promise<readonly string[]> => {
  requireFreshFactor(ctx, principal)
  return regenerateBackupCodes(ctx, principal)
}

/** Passkeys of the caller that are refused because they may have been copied. */
export const alarmsOf = async (ctx: Ctx, { tenantId, userId }: User): Promise<ReadonlySet<string>> =>
  new Set(
    (await findPasskeys(forTenant(ctx.db, tenantId), userId)).flatMap(({ factorId, counterAlarmAt }) => (counterAlarmAt === null ? [] : [factorId])),
  )

/** @throws AppError insufficient_user_authentication, not_found */
export const acceptAgain = async (ctx: Ctx, principal: User, id: string): Promise<Sent<undefined>> => {
  await clearOwnAlarm(ctx, principal, id)
  return sendTo(ctx, HOME, { say: 'alarm_cleared' })
}
