// Answering a backchannel request on our own page. Looking at it decides nothing.

import { decideCiba } from '#shared/domains/ciba/decision'
import { APPROVE_PATH } from '#shared/domains/ciba/number-match'
import { requireUserGesture } from '#shared/platform/http/pages/form'
import { redirect } from '#shared/platform/http/pages/redirect'
import type { HttpResult } from '#shared/platform/http/route'
import type { User } from '#shared/platform/principals/principal'
import type { Ctx } from './group.ts'

export const approvalPath = (id: string): string => `${APPROVE_PATH}?${new URLSearchParams({ id })}`

type Given = { readonly id: string; readonly decision: 'approve' | 'deny'; readonly match_number?: string | undefined }

/** @throws AppError cross_site, insufficient_user_authentication */
export const decideApproval = async (ctx: Ctx, principal: User, { id, decision, match_number }: Given): Promise<HttpResult<undefined>> => {
  requireUserGesture(ctx)
  const became = await decideCiba(ctx, principal, {
    authReqId: id,
    approved: decision === 'approve',
    biometricVerified: false,
    number: match_number,
    onPage: true,
  })
  return redirect(ctx, became === 'refused' ? approvalPath(id) : `${APPROVE_PATH}/done?state=${became}`)
}
