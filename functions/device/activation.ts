// The person's side of the device authorization grant (RFC 8628 section 3.3).
import type * as z from 'zod'
import { showActivation } from '#shared/domains/device-authorization/activation'
import { decideDeviceGrant } from '#shared/domains/device-authorization/device'
import { toResourceRequestResponse } from '#shared/domains/device-authorization/resource-request'
import { AppError } from '#shared/kernel/errors'
import type { User } from '#shared/platform/principals/principal'
import type { ActivationInfo, DeviceDecided, DeviceDecision, UserCodeVerification, VerifiedUserCode } from './activation.schema.ts'
import type { Ctx } from './group.ts'

const refused = (code: 'invalid_user_code' | 'user_code_unknown', title: string | undefined, caller: User | undefined): AppError =>
  new AppError(code, title, {
    extra: { details: 'The code is unknown, expired or was answered already.' },
    refusal: { event: 'device_grant.approved', ...(caller === undefined ? {} : { tenantId: caller.tenantId, userId: caller.userId }) },
  })

/** @throws AppError invalid_user_code, rate_limited */
export const readActivation = async (ctx: Ctx, typed: string): Promise<z.input<typeof ActivationInfo>> => {
  const activation = await showActivation(ctx, typed)
  if (activation.state !== 'pending') throw refused('invalid_user_code', undefined, undefined)
  return {
    success: true,
    user_code: activation.userCode,
    tenant_domain: activation.tenantDomain ?? '',
    ...(activation.clientName === undefined ? {} : { client_name: activation.clientName }),
    device_info: activation.deviceInfo,
    scopes: [...activation.scopes],
    ...(await toResourceRequestResponse(ctx, activation.oauth)),
    expires_at: activation.expiresAt.toISOString(),
  }
}

/** @throws AppError invalid_user_code, rate_limited, insufficient_user_authentication */
export const verifyUserCode = async (
  ctx: Ctx,
  caller: User,
  body: z.output<typeof UserCodeVerification>,
): Promise<z.input<typeof VerifiedUserCode>> => {
  const decided = await decideDeviceGrant(ctx, caller, body.user_code, body.approve)
  if (decided === 'approved') return { success: true, message: 'The device is signed in.' }
  if (decided === 'denied') return { success: true, message: 'The device was refused.' }
  throw refused('invalid_user_code', 'Failed to verify device code', caller)
}

/** @throws AppError user_code_unknown, invalid_user_code, rate_limited, insufficient_user_authentication */
export const authorizeDevice = async (ctx: Ctx, caller: User, body: z.output<typeof DeviceDecision>): Promise<z.input<typeof DeviceDecided>> => {
  const decided = await decideDeviceGrant(ctx, caller, body.user_code, body.approved)
  if (decided === 'approved') return { status: 'authorized' }
  if (decided === 'denied') return { status: 'denied' }
  throw refused(decided === 'unknown' ? 'user_code_unknown' : 'invalid_user_code', undefined, caller)
}
