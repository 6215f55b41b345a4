// Connecting a device by the code that it shows (RFC 8628 section 3.3). The code alone does nothing: the person sees who asks, and says so.

import { decideDeviceGrant } from '#shared/domains/device-authorization/device'
import { AppError } from '#shared/kernel/errors'
import { requirePressed } from '#shared/platform/http/pages/form'
import { sendTo } from '#shared/platform/http/pages/go'
import type { Sent } from '#shared/platform/http/route'
import type { User } from '#shared/platform/principals/principal'
import type { Ctx } from './group.ts'

export const askPath = (userCode: string | undefined): string =>
  userCode === undefined ? '/activate/device' : `/activate/device?${new URLSearchParams({ user_code: userCode })}`

/** @throws AppError invalid_user_code, rate_limited, cross_site */
export const decide = async (ctx: Ctx, principal: User, userCode: string, approve: boolean): Promise<Sent<undefined>> => {
  requirePressed(ctx)
  const decided = await decideDeviceGrant(ctx, principal, userCode, approve)
  if (decided === 'approved' || decided === 'denied') return sendTo(ctx, `/activate/done?state=${decided}`)
  throw new AppError('invalid_user_code', undefined, {
    field: 'form.user_code',
    refusal: { tenantId: principal.tenantId, userId: principal.userId, event: 'device_grant.approved' },
  })
}
