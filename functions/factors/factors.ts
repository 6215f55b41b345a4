// A person's own factors: list and change.
import type * as z from 'zod'
import { forTenant } from '#db/engine/tenant'
import { countBackupCodes } from '#db/store/backup-codes'
import { findFactors } from '#db/store/factors'
import { findPhones } from '#db/store/sms'
import { findTenant } from '#db/store/tenants'
import { findUser } from '#db/store/users'
import { makePrimary, renameFactor } from '#shared/domains/factors/manage'
import { mustHaveFactor } from '#shared/domains/factors/policy'
import { AppError } from '#shared/kernel/errors'
import type { User } from '#shared/platform/principals/principal'
import type { ChangeFactor, OwnFactors } from './factors.schema.ts'
import type { Ctx } from './group.ts'

export const listFactors = async (ctx: Ctx, caller: User): Promise<z.input<typeof OwnFactors>> => {
  const t = forTenant(ctx.db, caller.tenantId)
  const user = await findUser(t, caller.userId)
  if (user === undefined) throw new AppError('not_found')
  const factors = await findFactors(t, user.id)
  const phones = await findPhones(
    t,
    factors.filter(({ kind }) => kind === 'sms').map(({ id }) => id),
  )
  const now = ctx.clock.now()
  return {
    factors: factors.map(({ id, kind, name, isPrimary, createdAt, lastUsedAt, pausedUntil }) => {
      const phone = phones.find(({ factorId }) => factorId === id)
      return {
        id,
        kind,
        name,
        ...(phone === undefined ? {} : { phone: phone.display }),
        is_primary: isPrimary,
        created_at: createdAt.toISOString(),
        last_used_at: lastUsedAt?.toISOString() ?? null,
        paused_until: pausedUntil !== null && pausedUntil > now ? pausedUntil.toISOString() : null,
      }
    }),
    backup_codes_left: await countBackupCodes(t, user.id),
    has_password: user.passwordHash !== null,
    required: await mustHaveFactor(t, ctx, user, await findTenant(t)),
  }
}

/** @throws AppError not_found */
export const changeFactor = async (
  ctx: Ctx,
  caller: User,
  id: string,
  change: z.output<typeof ChangeFactor>,
): Promise<z.input<typeof OwnFactors>> => {
  if (change.name !== undefined) await renameFactor(ctx, caller, id, change.name)
  if (change.is_primary !== undefined) await makePrimary(ctx, caller, id)
  return listFactors(ctx, caller)
}
