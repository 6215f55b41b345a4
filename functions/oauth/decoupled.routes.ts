// Grants that begin without a browser of the client: device authorization and CIBA.
import { open } from '#shared/platform/http/access'
import { json } from '#shared/platform/http/route'
import { BackchannelAuthentication, BackchannelForm, DeviceAuthorization, DeviceAuthorizationForm } from './device-authorization.schema.ts'
import { route } from './group.ts'
import { Bootstrap, BootstrapForm } from './requester-bootstrap.schema.ts'

const CLIENT = open('Clients authenticate in the form or by HTTP Basic; failures are counted by address, successes by tenant.', {
  class: 'general',
})
const REQUEST_ERRORS = [
  'client_authentication_failed',
  'unauthorized_client',
  'invalid_scope',
  'invalid_target',
  'invalid_authorization_details',
  'invalid_dpop_proof',
  'use_dpop_nonce',
  'quota_exceeded',
] as const

export const decoupledRoutes = [
  route({
    id: 'oauth.requesterBootstrap',
    on: 'POST /oauth/requester-bootstrap',
    summary: 'Which resource servers of its tenant a client may request, and which requests for access wait.',
    access: CLIENT,
    form: BootstrapForm,
    reply: json(200, Bootstrap),
    errors: ['client_authentication_failed', 'invalid_request', 'quota_exceeded'],
    emits: 'nothing',
    handle: async ({ ctx, form }) => (await import('./requester-bootstrap.ts')).readBootstrap(ctx, form),
  }),
  route({
    id: 'oauth.deviceAuthorization',
    on: 'POST /oauth/device_authorization',
    summary: 'Start a device authorization (RFC 8628 section 3.1).',
    access: CLIENT,
    form: DeviceAuthorizationForm,
    repeatable: ['resource'],
    reply: json(200, DeviceAuthorization),
    errors: [...REQUEST_ERRORS, 'access_pending', 'authorization_denied'],
    emits: ['device_grant.requested', 'client.registered', 'client.registration_changed', 'client.consents_ended', 'resource_access.requested'],
    handle: async ({ ctx, form }) => (await import('./device-authorization.ts')).startDeviceAuthorization(ctx, form),
  }),
  route({
    id: 'oauth.backchannelAuthentication',
    on: 'POST /oauth/bc-authorize',
    summary: 'Start a backchannel authentication on the person’s phone (OpenID CIBA Core section 7).',
    access: CLIENT,
    form: BackchannelForm,
    repeatable: ['resource'],
    reply: json(200, BackchannelAuthentication),
    errors: [...REQUEST_ERRORS, 'invalid_binding_message', 'ciba_user_unknown', 'ciba_no_device', 'too_many_requests_pending'],
    emits: ['ciba.requested', 'ciba.failed'],
    handle: async ({ ctx, form }) => (await import('./backchannel.ts')).startBackchannelAuthentication(ctx, form),
  }),
]
