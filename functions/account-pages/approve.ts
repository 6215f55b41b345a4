// Decides a backchannel request on the hosted page. Viewing the request decides nothing.
import { decideCiba } from '#shared/domains/ciba/decision'
import { APPROVE_PATH } from '#shared/domains/ciba/number-match'
import { requireUserGesture } from '#shared/platform/http/pages/form'
import { redirect } from '#shared/platform/http/pages/redirect'
import type { HttpResult } from '#shared/platform/http/route'
import type { User } from '#shared/platform/principals/principal'
import type { Ctx } from './group.ts'

export const approvalPath = (id: string): string => `${APPROVE_PATH}?${new URLSearchParams({ id })}`

type Decision = { readonly id: string; readonly decision: 'approve' | 'deny'; readonly match_number?: string | undefined }

/** @throws AppError cross_site, insufficient_user_authentication */
export const decideApproval = async (ctx: Ctx, principal: User, { id, decision, match_number }: Decision): Promise<HttpResult<undefined>> => {
  requireUserGesture(ctx)
  const outcome = await decideCiba(ctx, principal, {
    authReqId: id,
    approved: decision === 'approve',
    biometricVerified: false,
    number: match_number,
    onPage: true,
  })
  return redirect(ctx, outcome === 'refused' ? approvalPath(id) : `${APPROVE_PATH}/done?state=${outcome}`)
}
