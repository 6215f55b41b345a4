// Routes of the device: a pair of codes, then the token.
import { open } from '#shared/platform/http/access'
import { oauthError } from '#shared/platform/http/problem'
import { json } from '#shared/platform/http/route'
import { DeviceCode, DeviceCodeRequest, DevicePolled, DeviceTokenRequest } from './grant.schema.ts'
import { requestDeviceCode, requestDeviceToken } from './grant.ts'
import { route } from './group.ts'

export const deviceGrantRoutes = [
  route({
    id: 'device.code',
    on: 'POST /authsec/uflow/auth/device/code',
    summary: 'Start a device authorization: returns a device code and a user code.',
    access: open('A device has no credential; the person who approves is signed in.', { class: 'status' }),
    body: DeviceCodeRequest,
    reply: json(200, DeviceCode),
    errors: ['invalid_client'],
    emits: ['device_grant.requested'],
    handle: ({ ctx, body }) => requestDeviceCode(ctx, body),
  }),
  route({
    id: 'device.token',
    on: 'POST /authsec/uflow/auth/device/token',
    summary: 'Poll for the token; it is returned once.',
    access: open('The device code is the proof.', { class: 'polling' }),
    body: DeviceTokenRequest,
    reply: json(200, DevicePolled),
    errors: [
      'authorization_pending',
      'slow_down',
      'expired_token',
      'access_denied',
      'authorization_denied',
      'unsupported_grant_type',
      'quota_exceeded',
    ],
    emits: ['device_grant.redeemed', 'device_grant.denied', 'session.created', 'user.signed_in'],
    render: oauthError,
    handle: ({ ctx, body }) => requestDeviceToken(ctx, body),
  }),
]
