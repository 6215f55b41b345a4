// Step-up (RFC 9470 section 5): a proof renews the sign-in of the session, which continues with a new token.
import type * as z from 'zod'
import { atomically, forTenant } from '#db/engine/tenant'
import { countBackupCodes } from '#db/store/backup-codes'
import { findFactors } from '#db/store/factors'
import { findUser, lockUser } from '#db/store/users'
import { loadFactorContext } from '#shared/domains/factors/factor-context'
import { verifyTotp } from '#shared/domains/factors/totp'
import { acceptProof, FACTOR_VERIFIED_EVENT, renewedToken } from '#shared/domains/factors/verify'
import { checkPassword, isUnchanged } from '#shared/domains/sign-in/check-password'
import { AppError } from '#shared/kernel/errors'
import { stepUpNeeded } from '#shared/platform/http/step-up'
import type { User } from '#shared/platform/principals/principal'
import type { Ctx } from './group.ts'
import type { RenewedSession, StepUpMethods } from './step-up.schema.ts'

const ORDER = ['webauthn', 'totp', 'sms'] as const

/** Returns the methods that the caller can prove. The password is offered only without a factor, because beside one it would be weaker. */
export const showStepUpMethods = async (ctx: Ctx, caller: User): Promise<z.input<typeof StepUpMethods>> => {
  const t = forTenant(ctx.db, caller.tenantId)
  const kinds = new Set((await findFactors(t, caller.userId)).map(({ kind }) => kind))
  const codes = (await countBackupCodes(t, caller.userId)) > 0
  const user = await findUser(t, caller.userId)
  const ways = [
    ...ORDER.filter((kind) => kinds.has(kind)),
    ...(codes && kinds.size > 0 ? (['backup_code'] as const) : []),
    ...(kinds.size === 0 && user?.passwordHash != null ? (['password'] as const) : []),
  ]
  return { acr: caller.acr, amr: [...caller.amr], auth_time: caller.authTime.toISOString(), ways }
}

const toResponse = async (ctx: Ctx, renewal: Parameters<typeof renewedToken>[1] | undefined): Promise<z.input<typeof RenewedSession>> => {
  if (renewal === undefined) throw new Error('The session was verified but not renewed.')
  const token = await renewedToken(ctx, renewal)
  return { ...token, amr: [...token.amr] }
}

/** @throws AppError invalid_credentials, password_reset_required, temporary_password_expired, insufficient_user_authentication, authentication_required */
export const stepUpByPassword = async (ctx: Ctx, caller: User, password: string): Promise<z.input<typeof RenewedSession>> => {
  const factorContext = await loadFactorContext(ctx, caller, {}, FACTOR_VERIFIED_EVENT)
  const { user } = await checkPassword(ctx, caller.tenantId, caller.email, password)
  if (user.id !== caller.userId) throw new AppError('invalid_credentials')
  const renewal = await atomically(forTenant(ctx.db, caller.tenantId), async (t) => {
    if (!isUnchanged(user, await lockUser(t, user.id))) throw new AppError('invalid_credentials')
    if ((await findFactors(t, user.id)).length > 0) throw stepUpNeeded({ acr: 'aal2' })
    return acceptProof(t, ctx, factorContext, { kind: 'password', amr: ['pwd'] })
  })
  return toResponse(ctx, renewal)
}

/** @throws AppError invalid_totp_code, totp_not_enabled, factor_paused, authentication_required */
export const stepUpByCode = async (ctx: Ctx, caller: User, code: string): Promise<z.input<typeof RenewedSession>> =>
  toResponse(ctx, (await verifyTotp(ctx, await loadFactorContext(ctx, caller, {}, FACTOR_VERIFIED_EVENT), code)).renewal)
