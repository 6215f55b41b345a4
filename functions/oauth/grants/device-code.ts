// The device polls (RFC 8628 section 3.4).

import { isExpiredDeviceCode, pollDeviceGrant } from '#shared/domains/device-authorization/device'
import { AppError } from '#shared/kernel/errors'
import type { Grant } from '../token-request.ts'
import { authorizeApproved, tokensOfPoll } from './approved.ts'

/** @throws AppError invalid_request, authorization_pending, slow_down, authorization_denied, expired_token, invalid_grant, invalid_target, invalid_authorization_details, quota_exceeded */
export const deviceCode: Grant = async (ctx, request) => {
  const { client, form, jkt } = request
  if (form.device_code === undefined) throw new AppError('invalid_request', 'device_code is missing.')
  const by = { deviceCode: form.device_code, clientId: client.clientId, forOauth: true, jkt }
  const polled = await pollDeviceGrant(ctx, by, await authorizeApproved(ctx, request))
  return tokensOfPoll(ctx, request, polled, () => isExpiredDeviceCode(ctx, by))
}
