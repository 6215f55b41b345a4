// The person's side of the grant.
import type * as z from 'zod'
import { showActivation } from '#shared/domains/device-authorization/activation'
import { toldAtServer } from '#shared/domains/device-authorization/asked'
import { decideDeviceGrant } from '#shared/domains/device-authorization/device'
import { AppError } from '#shared/kernel/errors'
import type { User } from '#shared/platform/principals/principal'
import type { ActivationInfo, Authorization, Authorized, Verification, Verified } from './activation.schema.ts'
import type { Ctx } from './group.ts'

const wrong = (code: 'invalid_user_code' | 'user_code_unknown', title: string | undefined, caller: User | undefined): AppError =>
  new AppError(code, title, {
    extra: { details: 'The code is unknown, expired or was answered already.' },
    refusal: { event: 'device_grant.approved', ...(caller === undefined ? {} : { tenantId: caller.tenantId, userId: caller.userId }) },
  })

/** @throws AppError invalid_user_code, rate_limited */
export const readActivation = async (ctx: Ctx, typed: string): Promise<z.input<typeof ActivationInfo>> => {
  const shown = await showActivation(ctx, typed)
  if (shown.state !== 'pending') throw wrong('invalid_user_code', undefined, undefined)
  return {
    success: true,
    user_code: shown.userCode,
    tenant_domain: shown.tenantDomain ?? '',
    ...(shown.clientName === undefined ? {} : { client_name: shown.clientName }),
    device_info: shown.deviceInfo,
    scopes: [...shown.scopes],
    ...(await toldAtServer(ctx, shown.oauth)),
    expires_at: shown.expiresAt.toISOString(),
  }
}

/** @throws AppError invalid_user_code, rate_limited */
export const verifyDevice = async (ctx: Ctx, caller: User, body: z.output<typeof Verification>): Promise<z.input<typeof Verified>> => {
  const decided = await decideDeviceGrant(ctx, caller, body.user_code, body.approve)
  if (decided === 'approved') return { success: true, message: 'The device is signed in.' }
  if (decided === 'denied') return { success: true, message: 'The device was refused.' }
  throw wrong('invalid_user_code', 'Failed to verify device code', caller)
}

/** @throws AppError user_code_unknown, invalid_user_code, rate_limited */
export const authorizeDevice = async (ctx: Ctx, caller: User, body: z.output<typeof Authorization>): Promise<z.input<typeof Authorized>> => {
  const decided = await decideDeviceGrant(ctx, caller, body.user_code, body.approved)
  if (decided === 'approved') return { status: 'authorized' }
  if (decided === 'denied') return { status: 'denied' }
  throw wrong(decided === 'unknown' ? 'user_code_unknown' : 'invalid_user_code', undefined, caller)
}
