// Backchannel requests at the tenant endpoints: the request names the client and the address of the person.
import { Pending } from '#shared/domains/device-authorization/grants.schema'
import { PENDING_RESPONSE } from '#shared/domains/device-authorization/poll-response'
import { open, user } from '#shared/platform/http/access'
import { oauthError } from '#shared/platform/http/problem'
import { json, oneOfStatuses, withStatus } from '#shared/platform/http/route'
import { CibaAnswer, CibaAnswered, CibaInitiated, CibaToken, Requests, TenantCibaRequest, TenantPoll } from './ciba.schema.ts'
import { answerRequest, initiateByAddress, pollForToken, showCibaRequests } from './ciba.ts'
import { pushDeviceRoutes } from './devices.routes.ts'
import { CIBA_DECISION_EVENTS, CIBA_REDEMPTION_EVENTS, CIBA_REQUEST_EVENTS, POLL_ERRORS } from './events.ts'
import { route } from './group.ts'

export const tenantCibaRoutes = [
  route({
    id: 'ciba.tenant.initiate',
    on: 'POST /authsec/uflow/auth/tenant/ciba/initiate',
    summary: 'Request approval of a sign-in from a person of the client\u2019s tenant.',
    access: open('The client authenticates itself: by HTTP Basic, or by its SDK client id in the body.', { class: 'general' }),
    body: TenantCibaRequest,
    reply: json(200, CibaInitiated),
    errors: ['client_unauthenticated', 'too_many_requests_pending', 'ciba_user_unknown', 'ciba_no_device'],
    emits: CIBA_REQUEST_EVENTS,
    render: oauthError,
    handle: ({ ctx, body }) => initiateByAddress(ctx, body),
  }),
  route({
    id: 'ciba.tenant.token',
    on: 'POST /authsec/uflow/auth/tenant/ciba/token',
    summary: 'Poll for the decision; the token is returned once.',
    access: open('The handle of the request is the proof, for the client that made it.', { class: 'polling' }),
    body: TenantPoll,
    reply: oneOfStatuses({ 200: CibaToken, 202: Pending }),
    errors: POLL_ERRORS,
    emits: CIBA_REDEMPTION_EVENTS,
    render: oauthError,
    handle: async ({ ctx, body }) => {
      const polled = await pollForToken(ctx, body, 'authorization_denied')
      return polled === 'pending' ? withStatus(202, PENDING_RESPONSE) : withStatus(200, polled)
    },
  }),
  route({
    id: 'ciba.tenant.respond',
    on: 'POST /authsec/uflow/auth/tenant/ciba/respond',
    summary: 'Approve or deny on a device that received the request; `success` is true when the decision counted.',
    access: user(undefined, { class: 'code' }),
    body: CibaAnswer,
    reply: json(200, CibaAnswered),
    errors: ['insufficient_user_authentication'],
    emits: CIBA_DECISION_EVENTS,
    handle: ({ ctx, principal, body }) => answerRequest(ctx, principal, body),
  }),
  ...pushDeviceRoutes('ciba.tenant', '/authsec/uflow/auth/tenant/ciba'),
  route({
    id: 'ciba.tenant.requests',
    on: 'GET /authsec/uflow/auth/tenant/ciba/requests',
    summary: 'List the caller\u2019s pending requests.',
    access: user(),
    reply: json(200, Requests),
    errors: [],
    emits: 'nothing',
    handle: ({ ctx, principal }) => showCibaRequests(ctx, principal),
  }),
]
