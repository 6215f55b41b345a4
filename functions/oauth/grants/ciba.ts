// The client polls for what it asked of a person (OpenID CIBA Core section 10.1).
import { isExpiredCiba, pollCiba } from '#shared/domains/ciba/decision'
import { AppError } from '#shared/kernel/errors'
import type { Grant } from '../token-request.ts'
import { authorizeDecided, tokensOfPoll } from './decided.ts'

/** @throws AppError invalid_request, authorization_pending, slow_down, authorization_denied, expired_token, invalid_grant, invalid_target, invalid_authorization_details, quota_exceeded */
export const ciba: Grant = async (ctx, asked) => {
  const { client, form, jkt } = asked
  if (form.auth_req_id === undefined) throw new AppError('invalid_request', 'auth_req_id is missing.')
  const by = { authReqId: form.auth_req_id, clientId: client.clientId, forOauth: true, jkt }
  const polled = await pollCiba(ctx, by, await authorizeDecided(ctx, asked))
  return tokensOfPoll(ctx, asked, polled, () => isExpiredCiba(ctx, by))
}
