// A person's own second factors, on the account page.

import { forTenant } from '#db/engine/tenant'
import { findPasskeys } from '#db/store/passkeys'
import { regenerateBackupCodes } from '#shared/domains/factors/backup-codes'
import { clearOwnAlarm } from '#shared/domains/factors/clone-alarm'
import { removeFactor, requireFreshFactor } from '#shared/domains/factors/manage'
import { sendTo } from '#shared/platform/http/pages/go'
import { HOME } from '#shared/platform/http/pages/return-to'
import type { Sent } from '#shared/platform/http/route'
import type { User } from '#shared/platform/principals/principal'
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
