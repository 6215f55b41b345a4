// Device grants that wait for the caller's approval on a screen.
import { user } from '#shared/platform/http/access'
import { json } from '#shared/platform/http/route'
import { route } from './group.ts'
import { ApprovePendingRequest, PendingQuery, PendingRequestApproved, PendingRequests } from './pending.schema.ts'
import { approvePendingRequest, showPendingRequests } from './pending.ts'

export const pendingRoutes = [
  route({
    id: 'voice.pending',
    on: 'GET /authsec/uflow/auth/voice/device-pending',
    summary: 'Device grants that name the caller and wait.',
    access: user(),
    query: PendingQuery,
    reply: json(200, PendingRequests),
    errors: [],
    emits: 'nothing',
    handle: ({ ctx, principal, query }) => showPendingRequests(ctx, principal, query),
  }),
  route({
    id: 'voice.approve',
    on: 'POST /authsec/uflow/auth/voice/device-approve',
    summary: 'Approve or deny the device that shows a code.',
    access: user(undefined, { class: 'code' }),
    body: ApprovePendingRequest,
    reply: json(200, PendingRequestApproved),
    errors: ['invalid_user_code', 'insufficient_user_authentication'],
    emits: ['device_grant.approved', 'device_grant.denied'],
    handle: ({ ctx, principal, body }) => approvePendingRequest(ctx, principal, body),
  }),
]
