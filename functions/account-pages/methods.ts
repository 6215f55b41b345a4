// Changes to a person's own second factors on the account page.
import { forTenant } from '#db/engine/tenant'
import { findPasskeys } from '#db/store/passkeys'
import { regenerateBackupCodes } from '#shared/domains/factors/backup-codes'
import { clearOwnCloneAlarm } from '#shared/domains/factors/clone-alarm'
import { removeFactor, requireRecentFactor } from '#shared/domains/factors/manage'
import { redirect } from '#shared/platform/http/pages/redirect'
import { HOME } from '#shared/platform/http/pages/return-to'
import type { HttpResult } from '#shared/platform/http/route'
import type { User } from '#shared/platform/principals/principal'
import type { Ctx } from './group.ts'

/** @throws AppError insufficient_user_authentication, not_found, last_factor, weaker_factors_remain */
export const removeMethod = async (ctx: Ctx, principal: User, id: string, acceptWeaker: boolean): Promise<HttpResult<undefined>> => {
  await removeFactor(ctx, principal, { id, acceptWeaker })
  return redirect(ctx, HOME, { say: 'method_removed' })
}

/** @throws AppError insufficient_user_authentication */
export const regenerateOwnCodes = async (ctx: Ctx, principal: User): Promise<readonly string[]> => {
  requireRecentFactor(ctx, principal)
  return regenerateBackupCodes(ctx, principal)
}

/** The caller's passkeys that are refused as possible copies. */
export const alarmsOf = async (ctx: Ctx, { tenantId, userId }: User): Promise<ReadonlySet<string>> =>
  new Set(
    (await findPasskeys(forTenant(ctx.db, tenantId), userId)).flatMap(({ factorId, counterAlarmAt }) => (counterAlarmAt === null ? [] : [factorId])),
  )

/** @throws AppError insufficient_user_authentication, not_found */
export const acceptPasskeyAgain = async (ctx: Ctx, principal: User, id: string): Promise<HttpResult<undefined>> => {
  await clearOwnCloneAlarm(ctx, principal, id)
  return redirect(ctx, HOME, { say: 'alarm_cleared' })
}
