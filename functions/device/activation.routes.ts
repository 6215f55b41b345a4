// Routes for the person to inspect and decide a user code, as JSON for pages hosted elsewhere (RFC 8628 section 3.3).
import { open, user } from '#shared/platform/http/access'
import { json } from '#shared/platform/http/route'
import { ActivationInfo, ActivationQuery, DeviceDecided, DeviceDecision, UserCodeVerification, VerifiedUserCode } from './activation.schema.ts'
import { authorizeDevice, readActivation, verifyUserCode } from './activation.ts'
import { route } from './group.ts'

const DECISION_EVENTS = ['device_grant.approved', 'device_grant.denied'] as const

export const activationRoutes = [
  route({
    id: 'device.activation',
    on: 'GET /authsec/uflow/auth/device/activate/info',
    summary: 'Return what a user code is for.',
    access: open('Read before the person signs in; wrong codes count toward a limit.', { class: 'status' }),
    query: ActivationQuery,
    reply: json(200, ActivationInfo),
    errors: ['invalid_user_code'],
    emits: 'nothing',
    handle: ({ ctx, query }) => readActivation(ctx, query.user_code),
  }),
  route({
    id: 'device.verify',
    on: 'POST /authsec/uflow/auth/device/verify',
    summary: 'Approve or deny the device with a user code.',
    access: user(undefined, { class: 'code' }),
    body: UserCodeVerification,
    reply: json(200, VerifiedUserCode),
    errors: ['invalid_user_code', 'insufficient_user_authentication'],
    emits: DECISION_EVENTS,
    handle: ({ ctx, principal, body }) => verifyUserCode(ctx, principal, body),
  }),
  route({
    id: 'device.authorize',
    on: 'POST /authsec/uflow/auth/device/authorize',
    summary: 'Like verify, with the decision in the response.',
    access: user(undefined, { class: 'code' }),
    body: DeviceDecision,
    reply: json(200, DeviceDecided),
    errors: ['invalid_user_code', 'user_code_unknown', 'insufficient_user_authentication'],
    emits: DECISION_EVENTS,
    handle: ({ ctx, principal, body }) => authorizeDevice(ctx, principal, body),
  }),
]
