// What the person does with the code. The page is hosted elsewhere; these speak JSON.
import { open, user } from '#shared/platform/http/access'
import { json } from '#shared/platform/http/route'
import { ActivationInfo, ActivationQuery, DeviceDecided, DeviceDecision, UserCodeVerification, VerifiedUserCode } from './activation.schema.ts'
import { authorizeDevice, readActivation, verifyUserCode } from './activation.ts'
import { route } from './group.ts'

const DECIDES = ['device_grant.approved', 'device_grant.denied'] as const

export const activationRoutes = [
  route({
    id: 'device.activation',
    on: 'GET /authsec/uflow/auth/device/activate/info',
    summary: 'What a user code is for.',
    access: open('Asked before the person signs in; wrong codes are counted.', { class: 'status' }),
    query: ActivationQuery,
    reply: json(200, ActivationInfo),
    errors: ['invalid_user_code'],
    emits: 'nothing',
    handle: ({ ctx, query }) => readActivation(ctx, query.user_code),
  }),
  route({
    id: 'device.verify',
    on: 'POST /authsec/uflow/auth/device/verify',
    summary: 'Approve or deny the device that shows a code.',
    access: user(undefined, { class: 'code' }),
    body: UserCodeVerification,
    reply: json(200, VerifiedUserCode),
    errors: ['invalid_user_code'],
    emits: DECIDES,
    handle: ({ ctx, principal, body }) => verifyUserCode(ctx, principal, body),
  }),
  route({
    id: 'device.authorize',
    on: 'POST /authsec/uflow/auth/device/authorize',
    summary: 'As verify, with the decision in the answer.',
    access: user(undefined, { class: 'code' }),
    body: DeviceDecision,
    reply: json(200, DeviceDecided),
    errors: ['invalid_user_code', 'user_code_unknown'],
    emits: DECIDES,
    handle: ({ ctx, principal, body }) => authorizeDevice(ctx, principal, body),
  }),
]
