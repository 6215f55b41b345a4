// Backchannel requests at the platform's door: the person is named by a hint, the tenant by the client.

import { PENDING } from '#shared/domains/device-authorization/answer'
import { AppError } from '#shared/kernel/errors'
import { open, user } from '#shared/platform/http/access'
import { oauthError } from '#shared/platform/http/problem'
import { json } from '#shared/platform/http/route'
import { Answer, Answered, Asked, PlatformAsk, PlatformPoll, PlatformPolled } from './ciba.schema.ts'
import { answer, askByHint, poll } from './ciba.ts'
import { deviceRoutes } from './devices.routes.ts'
import { route } from './group.ts'
import { ASKS, DECIDES, POLL_ERRORS, REDEEMS } from './outcomes.ts'

export const platformRoutes = [
  route({
    id: 'ciba.initiate',
    on: 'POST /authsec/uflow/auth/ciba/initiate',
    summary: 'Ask a person of the client\u2019s tenant to approve a sign-in.',
    access: open('The client authenticates itself: by HTTP Basic, or by its SDK client id in the body.', { class: 'general' }),
    body: PlatformAsk,
    reply: json(200, Asked),
    errors: ['client_unauthenticated', 'too_many_requests_pending', 'ciba_user_unknown'],
    emits: ASKS,
    render: oauthError,
    handle: ({ ctx, body }) => askByHint(ctx, body),
  }),
  route({
    id: 'ciba.token',
    on: 'POST /authsec/uflow/auth/ciba/token',
    summary: 'Poll for the answer; the token is handed out once.',
    access: open('The request\u2019s handle is the proof, for the client that asked.', { class: 'polling' }),
    body: PlatformPoll,
    reply: json(200, PlatformPolled),
    errors: POLL_ERRORS,
    emits: REDEEMS,
    render: oauthError,
    handle: async ({ ctx, body }) => {
      const polled = await poll(ctx, body, 'access_denied')
      return polled === 'pending' ? PENDING : polled
    },
  }),
  route({
    id: 'ciba.respond',
    on: 'POST /authsec/uflow/auth/ciba/respond',
    summary: 'Approve or deny, on a device that was asked.',
    access: user(undefined, { class: 'code' }),
    body: Answer,
    reply: json(200, Answered),
    errors: ['ciba_not_answered'],
    emits: DECIDES,
    handle: async ({ ctx, principal, body }) => {
      const answered = await answer(ctx, principal, body)
      if (!answered.success) throw new AppError('ciba_not_answered', undefined, { extra: { details: answered.message } })
      return answered
    },
  }),
  ...deviceRoutes('ciba', '/authsec/uflow/auth/ciba'),
]
