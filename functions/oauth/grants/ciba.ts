// The client polls for what it asked of a person (OpenID CIBA Core section 10.1).
import { isExpiredCiba, pollCiba } from '#shared/domains/ciba/decision'
import { AppError } from '#shared/kernel/errors'
import type { Grant } from '../token-request.ts'
import { authorizeApproved, tokensOfPoll } from './approved.ts'

/** @throws AppError invalid_request, authorization_pending, slow_down, authorization_denied, expired_token, invalid_grant, invalid_target, invalid_authorization_details, quota_exceeded */
export const ciba: Grant = async (ctx, request) => {
  const { client, form, jkt } = request
  if (form.auth_req_id === undefined) throw new AppError('invalid_request', 'auth_req_id is missing.')
  const by = { authReqId: form.auth_req_id, clientId: client.clientId, forOauth: true, jkt }
  const polled = await pollCiba(ctx, by, await authorizeApproved(ctx, request))
  return tokensOfPoll(ctx, request, polled, () => isExpiredCiba(ctx, by))
}
