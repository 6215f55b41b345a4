// Backchannel requests at the tenant's door: the client and the address are named.
import { PENDING } from '#shared/domains/device-authorization/answer'
import { Pending } from '#shared/domains/device-authorization/grants.schema'
import { open, user } from '#shared/platform/http/access'
import { oauthError } from '#shared/platform/http/problem'
import { as, json, oneOf } from '#shared/platform/http/route'
import { Answer, Answered, Asked, CibaToken, Requests, TenantAsk, TenantPoll } from './ciba.schema.ts'
import { answer, askByAddress, poll, requests } from './ciba.ts'
import { deviceRoutes } from './devices.routes.ts'
import { route } from './group.ts'
import { ASKS, DECIDES, POLL_ERRORS, REDEEMS } from './outcomes.ts'

export const tenantRoutes = [
  route({
    id: 'ciba.tenant.initiate',
    on: 'POST /authsec/uflow/auth/tenant/ciba/initiate',
    summary: 'Ask a person of the client\u2019s tenant to approve a sign-in.',
    access: open('The client authenticates itself: by HTTP Basic, or by its SDK client id in the body.', { class: 'general' }),
    body: TenantAsk,
    reply: json(200, Asked),
    errors: ['client_unauthenticated', 'too_many_requests_pending', 'ciba_user_unknown', 'ciba_no_device'],
    emits: ASKS,
    render: oauthError,
    handle: ({ ctx, body }) => askByAddress(ctx, body),
  }),
  route({
    id: 'ciba.tenant.token',
    on: 'POST /authsec/uflow/auth/tenant/ciba/token',
    summary: 'Poll for the answer; the token is handed out once.',
    access: open('The request\u2019s handle is the proof, for the client that asked.', { class: 'polling' }),
    body: TenantPoll,
    reply: oneOf({ 200: CibaToken, 202: Pending }),
    errors: POLL_ERRORS,
    emits: REDEEMS,
    render: oauthError,
    handle: async ({ ctx, body }) => {
      const polled = await poll(ctx, body, 'authorization_denied')
      return polled === 'pending' ? as(202, PENDING) : as(200, polled)
    },
  }),
  route({
    id: 'ciba.tenant.respond',
    on: 'POST /authsec/uflow/auth/tenant/ciba/respond',
    summary: 'Approve or deny, on a device that was asked; `success` says whether it counted.',
    access: user(undefined, { class: 'code' }),
    body: Answer,
    reply: json(200, Answered),
    errors: [],
    emits: DECIDES,
    handle: ({ ctx, principal, body }) => answer(ctx, principal, body),
  }),
  ...deviceRoutes('ciba.tenant', '/authsec/uflow/auth/tenant/ciba'),
  route({
    id: 'ciba.tenant.requests',
    on: 'GET /authsec/uflow/auth/tenant/ciba/requests',
    summary: 'What waits for the caller\u2019s answer.',
    access: user(),
    reply: json(200, Requests),
    errors: [],
    emits: 'nothing',
    handle: ({ ctx, principal }) => requests(ctx, principal),
  }),
]
