// Backchannel requests at the platform endpoints: a hint identifies the person, and the client identifies the tenant.
import { PENDING_RESPONSE } from '#shared/domains/device-authorization/poll-response'
import { AppError } from '#shared/kernel/errors'
import { open, user } from '#shared/platform/http/access'
import { oauthError } from '#shared/platform/http/problem'
import { json } from '#shared/platform/http/route'
import { CibaAnswer, CibaAnswered, CibaInitiated, PlatformCibaRequest, PlatformPoll, PlatformPolled } from './ciba.schema.ts'
import { answerRequest, initiateByHint, pollForToken } from './ciba.ts'
import { pushDeviceRoutes } from './devices.routes.ts'
import { CIBA_DECISION_EVENTS, CIBA_REDEMPTION_EVENTS, CIBA_REQUEST_EVENTS, POLL_ERRORS } from './events.ts'
import { route } from './group.ts'

export const platformCibaRoutes = [
  route({
    id: 'ciba.initiate',
    on: 'POST /authsec/uflow/auth/ciba/initiate',
    summary: 'Request approval of a sign-in from a person of the client\u2019s tenant.',
    access: open('The client authenticates itself: by HTTP Basic, or by its SDK client id in the body.', { class: 'general' }),
    body: PlatformCibaRequest,
    reply: json(200, CibaInitiated),
    errors: ['client_unauthenticated', 'too_many_requests_pending', 'ciba_user_unknown'],
    emits: CIBA_REQUEST_EVENTS,
    render: oauthError,
    handle: ({ ctx, body }) => initiateByHint(ctx, body),
  }),
  route({
    id: 'ciba.token',
    on: 'POST /authsec/uflow/auth/ciba/token',
    summary: 'Poll for the decision; the token is returned once.',
    access: open('The handle of the request is the proof, for the client that made it.', { class: 'polling' }),
    body: PlatformPoll,
    reply: json(200, PlatformPolled),
    errors: POLL_ERRORS,
    emits: CIBA_REDEMPTION_EVENTS,
    render: oauthError,
    handle: async ({ ctx, body }) => {
      const polled = await pollForToken(ctx, body, 'access_denied')
      return polled === 'pending' ? PENDING_RESPONSE : polled
    },
  }),
  route({
    id: 'ciba.respond',
    on: 'POST /authsec/uflow/auth/ciba/respond',
    summary: 'Approve or deny on a device that received the request.',
    access: user(undefined, { class: 'code' }),
    body: CibaAnswer,
    reply: json(200, CibaAnswered),
    errors: ['ciba_not_answered', 'insufficient_user_authentication'],
    emits: CIBA_DECISION_EVENTS,
    handle: async ({ ctx, principal, body }) => {
      const answered = await answerRequest(ctx, principal, body)
      if (!answered.success) throw new AppError('ciba_not_answered', undefined, { extra: { details: answered.message } })
      return answered
    },
  }),
  ...pushDeviceRoutes('ciba', '/authsec/uflow/auth/ciba'),
]
