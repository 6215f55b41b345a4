// Approves a device without a session: signs the person in with all checks, decides, and signs out. The token of that session is never returned.
import type * as z from 'zod'
import { atomically, forTenant } from '#db/engine/tenant'
import { APPROVED_ONLY, revokeSession } from '#db/store/sessions'
import { decideDeviceGrant, lookUpUserCode } from '#shared/domains/device-authorization/device'
import { AppError } from '#shared/kernel/errors'
import { byUser, recordEvent } from '#shared/platform/audit/audit-log'
import { HttpResult } from '#shared/platform/http/route'
import type { User } from '#shared/platform/principals/principal'
import type { ApproveDevice, DeviceApproved } from './device-approve.schema.ts'
import type { Ctx } from './group.ts'
import { loginWithCode } from './login.ts'

const refused = (state: 'unknown' | 'decided', caller?: User): AppError =>
  new AppError(state === 'unknown' ? 'user_code_unknown' : 'invalid_user_code', undefined, {
    refusal: { event: 'device_grant.approved', ...(caller === undefined ? {} : { tenantId: caller.tenantId, userId: caller.userId }) },
  })

const signOut = (ctx: Ctx, caller: User): Promise<void> =>
  atomically(forTenant(ctx.db, caller.tenantId), async (t) => {
    if (!(await revokeSession(t, caller.userId, caller.sessionId, ctx.clock.now(), APPROVED_ONLY))) return
    await recordEvent(t, ctx, { event: 'user.signed_out', actor: byUser(caller), target: { type: 'session', id: caller.sessionId } })
  })

/** One answer for an unknown person, a wrong code and a person who may not sign in. */
const alike = (error: unknown): never => {
  if (error instanceof AppError && error.code === 'invalid_credentials') throw new AppError('invalid_totp_code', undefined, error.details)
  throw error
}

/**
 * The user code is checked first, so that a wrong one consumes neither the ticket nor the TOTP code.
 * @throws AppError user_code_unknown, invalid_user_code, invalid_totp_code, authentication_required, totp_not_enabled, factor_paused, mfa_verification_failed,
 * quota_exceeded, rate_limited
 */
export const approveDevice = async (ctx: Ctx, body: z.output<typeof ApproveDevice>): Promise<HttpResult<z.input<typeof DeviceApproved>>> => {
  const found = await lookUpUserCode(ctx, body.user_code)
  if (found.state !== 'pending') throw refused(found.state)
  const login = { email: body.email, code: body.totp_code, clientId: body.client_id, transactionToken: body.login_ticket, admits: async () => true }
  const { token, cookies } = await loginWithCode(ctx, login).catch(alike)
  const caller = await ctx.principals.resolve(token)
  const decided = await decideDeviceGrant(ctx, caller, body.user_code, true)
  await signOut(ctx, caller)
  if (decided === 'unknown' || decided === 'decided') throw refused(decided, caller)
  return new HttpResult({ success: true, message: 'The device is signed in.', token: '' }, { cookies })
}
