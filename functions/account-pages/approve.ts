// Answering a backchannel request on our own page. Looking at it decides nothing.

import { answerCiba } from '#shared/domains/ciba/answer'
import { APPROVE_PATH } from '#shared/domains/ciba/answering'
import { requirePressed } from '#shared/platform/http/pages/form'
import { sendTo } from '#shared/platform/http/pages/go'
import type { Sent } from '#shared/platform/http/route'
import type { User } from '#shared/platform/principals/principal'
import type { Ctx } from './group.ts'

export const approvePath = (id: string): string => `${APPROVE_PATH}?${new URLSearchParams({ id })}`

type Given = { readonly id: string; readonly decision: 'approve' | 'deny'; readonly match_number?: string | undefined }

/** @throws AppError cross_site, insufficient_user_authentication */
export const decide = async (ctx: Ctx, principal: User, { id, decision, match_number }: Given): Promise<Sent<undefined>> => {
  requirePressed(ctx)
  const became = await answerCiba(ctx, principal, {
    authReqId: id,
    approved: decision === 'approve',
    biometricVerified: false,
    number: match_number,
    onPage: true,
  })
  return sendTo(ctx, became === 'refused' ? approvePath(id) : `${APPROVE_PATH}/done?state=${became}`)
}
