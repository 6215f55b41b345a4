// Decisions on a device's user code (RFC 8628 section 3.3). The code by itself grants nothing: the person sees the client and its request, then decides.
import { decideDeviceGrant } from '#shared/domains/device-authorization/device'
import { APPROVAL_SECONDS } from '#shared/domains/factors/step-up-age'
import { AppError } from '#shared/kernel/errors'
import { requireUserGesture } from '#shared/platform/http/pages/form'
import { redirect } from '#shared/platform/http/pages/redirect'
import type { HttpResult } from '#shared/platform/http/route'
import type { User } from '#shared/platform/principals/principal'
import type { Ctx } from './group.ts'

export const activationPath = (userCode: string | undefined): string =>
  userCode === undefined ? '/activate/device' : `/activate/device?${new URLSearchParams({ user_code: userCode })}`

/** @throws AppError invalid_user_code, rate_limited, cross_site */
export const decideActivation = async (ctx: Ctx, principal: User, userCode: string, approve: boolean): Promise<HttpResult<undefined>> => {
  requireUserGesture(ctx)
  const decided = await decideDeviceGrant(ctx, principal, userCode, approve).catch((error: unknown) => {
    if (error instanceof AppError && error.code === 'insufficient_user_authentication') return 'old_sign_in' as const
    throw error
  })
  // Back to the prompt with the code, which the page of the form does not have.
  if (decided === 'old_sign_in') {
    return redirect(ctx, `/confirm?${new URLSearchParams({ max_age: String(APPROVAL_SECONDS), return_to: activationPath(userCode) })}`)
  }
  if (decided === 'approved' || decided === 'denied') return redirect(ctx, `/activate/done?state=${decided}`)
  throw new AppError('invalid_user_code', undefined, {
    field: 'form.user_code',
    refusal: { tenantId: principal.tenantId, userId: principal.userId, event: 'device_grant.approved' },
  })
}
