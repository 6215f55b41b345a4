// A person's own factors: list, rename, make primary, remove. A removed factor ends what it opened, and a weaker one replaces it only with consent.

import { atomically, forTenant, type TenantTx } from '#db/engine/tenant'
import { replaceBackupCodes } from '#db/store/backup-codes'
import { deleteFactor, type Factor, findFactors, setFactorName, setPrimaryFactor } from '#db/store/factors'
import { endLoginTransactions } from '#db/store/login-transactions'
import { revokeSessions } from '#db/store/sessions'
import { findTenant } from '#db/store/tenants'
import { lockUser, type User as UserRow } from '#db/store/users'
import type { RequestCtx } from '#shared/domains/context'
import { notify } from '#shared/domains/notifications/notify'
import { AppError } from '#shared/kernel/errors'
import { byUser, recordEvent } from '#shared/platform/audit/audit-log'
import { requireStepUp } from '#shared/platform/http/step-up'
import type { User } from '#shared/platform/principals/principal'
import { mustHaveFactor } from './policy.ts'
import { STEP_UP_SECONDS } from './step-up-age.ts'

/** Orders the kinds by strength, for a removal that leaves weaker ones. */
const STRENGTH: Readonly<Record<Factor['kind'], number>> = { webauthn: 3, totp: 2, sms: 1 }
const strongest = (factors: readonly Pick<Factor, 'kind'>[]): number => Math.max(0, ...factors.map(({ kind }) => STRENGTH[kind]))

/**
 * Changing factors needs a recent sign-in with one of them.
 * @throws AppError insufficient_user_authentication
 */
export const requireRecentFactor = (ctx: Pick<RequestCtx, 'clock'>, caller: User): void =>
  requireStepUp(ctx, caller, { withinSeconds: STEP_UP_SECONDS, acr: 'aal2' })

const ownFactor = (factors: readonly Factor[], id: string): Factor => {
  const factor = factors.find((one) => one.id === id)
  if (factor === undefined) throw new AppError('not_found')
  return factor
}

/** @throws AppError last_factor, weaker_factors_remain */
const requireRemovable = async (
  t: TenantTx,
  ctx: RequestCtx,
  user: UserRow,
  factor: Factor,
  left: readonly Factor[],
  acceptWeaker: boolean,
): Promise<void> => {
  const required = user.passwordHash === null || (await mustHaveFactor(t, ctx, user, await findTenant(t)))
  if (left.length === 0 && required) throw new AppError('last_factor')
  // Without a password the passkey signs in, and no code replaces it.
  if (user.passwordHash === null && !left.some(({ kind }) => kind === 'webauthn')) throw new AppError('last_factor')
  if (!acceptWeaker && strongest(left) < STRENGTH[factor.kind]) {
    throw new AppError('weaker_factors_remain', undefined, { extra: { remaining: left.map(({ kind }) => kind) } })
  }
}

export type FactorRemoval = {
  readonly id: string
  /** The caller accepts that the remaining factors are weaker. */
  readonly acceptWeaker: boolean
}

/**
 * Removes a factor of the caller. All other sessions and login transactions of the person end, and the owner gets a mail.
 * Routes that call this emit `factor.removed`.
 * @throws AppError insufficient_user_authentication, not_found, last_factor, weaker_factors_remain
 */
export const removeFactor = async (ctx: RequestCtx, caller: User, { id, acceptWeaker }: FactorRemoval): Promise<{ readonly left: number }> => {
  const left = await atomically(forTenant(ctx.db, caller.tenantId), async (t) => {
    const user = await lockUser(t, caller.userId)
    if (user === undefined) throw new AppError('not_found')
    const factors = await findFactors(t, user.id)
    const factor = ownFactor(factors, id)
    requireRecentFactor(ctx, caller)
    const rest = factors.filter((one) => one !== factor)
    await requireRemovable(t, ctx, user, factor, rest, acceptWeaker)
    await dropFactor(t, ctx, user, factor, rest, caller)
    return rest.length
  })
  ctx.wakeOutbox()
  return { left }
}

const dropFactor = async (t: TenantTx, ctx: RequestCtx, user: UserRow, factor: Factor, rest: readonly Factor[], caller: User): Promise<void> => {
  const now = ctx.clock.now()
  const { id, kind, name } = factor
  await deleteFactor(t, user.id, id)
  const [next] = rest
  if (factor.isPrimary && next !== undefined) await setPrimaryFactor(t, user.id, next.id)
  // Backup codes replace a lost factor; without factors they have no purpose.
  if (next === undefined) await replaceBackupCodes(t, user.id, [])
  const ended = await revokeSessions(t, user.id, now, 'factor_removed', caller.sessionId)
  await endLoginTransactions(t, user.id, now, 'login')
  await recordEvent(t, ctx, {
    event: 'factor.removed',
    actor: byUser(caller),
    target: { type: 'factor', id },
    subjectId: user.id,
    before: { kind, name },
    after: { left: rest.length, ended_sessions: ended.length },
  })
  await notify(t, ctx, { to: user.email, subjectId: user.id, template: 'factor_removed', data: { kind, name, left: rest.length, by: 'owner' } })
}

/** Renames a factor of the caller. Routes that call this emit `factor.renamed`. @throws AppError not_found */
export const renameFactor = (ctx: RequestCtx, caller: User, id: string, name: string): Promise<void> =>
  atomically(forTenant(ctx.db, caller.tenantId), async (t) => {
    const before = ownFactor(await findFactors(t, caller.userId), id)
    if (!(await setFactorName(t, caller.userId, id, name))) throw new AppError('not_found')
    await recordEvent(t, ctx, {
      event: 'factor.renamed',
      actor: byUser(caller),
      target: { type: 'factor', id },
      subjectId: caller.userId,
      before: { name: before.name },
      after: { name },
    })
  })

/** Makes a factor of the caller primary. Routes that call this emit `factor.made_primary`. @throws AppError not_found */
export const makePrimary = (ctx: RequestCtx, caller: User, id: string): Promise<void> =>
  atomically(forTenant(ctx.db, caller.tenantId), async (t) => {
    await lockUser(t, caller.userId)
    if (!(await setPrimaryFactor(t, caller.userId, id))) throw new AppError('not_found')
    await recordEvent(t, ctx, { event: 'factor.made_primary', actor: byUser(caller), target: { type: 'factor', id }, subjectId: caller.userId })
  })
