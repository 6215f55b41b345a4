// Routes to invite administrators.
import { ActingQuery } from '#shared/domains/administration/fields.schema'
import { InvitationCancelled, InviteBody, Invited, InvitedUser, PendingInvites, Reinvited } from '#shared/domains/administration/invitations.schema'
import { actingTenant } from '#shared/domains/authority/acting-tenant'
import { may } from '#shared/platform/http/access'
import { json } from '#shared/platform/http/route'
import { route } from './group.ts'

const BASE = '/authsec/uflow/admin/invite'

export const invitationRoutes = [
  route({
    id: 'admin.invite',
    on: `POST ${BASE}`,
    summary: 'Invite an administrator by a mailed one-time link.',
    access: may('admin:access', 'users:write'),
    body: InviteBody,
    actsIn: 'body.tenant_id',
    reply: json(201, Invited),
    errors: ['invalid_request', 'not_found', 'email_taken', 'username_taken', 'quota_exceeded', 'cannot_grant'],
    emits: ['user.invited'],
    handle: async ({ ctx, principal, body }) => (await import('#shared/domains/administration/invitations')).invite(ctx, principal, body),
  }),
  route({
    id: 'admin.cancelInvitation',
    on: `POST ${BASE}/cancel`,
    summary: 'Cancel an invitation.',
    access: may('admin:access', 'users:write'),
    body: InvitedUser,
    actsIn: 'body.tenant_id',
    reply: json(200, InvitationCancelled),
    errors: ['not_found', 'invitation_accepted', 'cannot_grant', 'last_administrator'],
    emits: ['user.invitation_cancelled'],
    handle: async ({ ctx, principal, body }) => (await import('#shared/domains/administration/invitations')).cancelInvitation(ctx, principal, body),
  }),
  route({
    id: 'admin.resendInvitation',
    on: `POST ${BASE}/resend`,
    summary: 'Send an invitation again, with a new link.',
    access: may('admin:access', 'users:write'),
    body: InvitedUser,
    actsIn: 'body.tenant_id',
    reply: json(200, Reinvited),
    errors: ['not_found', 'invitation_accepted', 'invitation_lapsed', 'cannot_grant'],
    emits: ['user.invitation_resent'],
    handle: async ({ ctx, principal, body }) => (await import('#shared/domains/administration/invitations')).resendInvitation(ctx, principal, body),
  }),
  route({
    id: 'admin.listInvitations',
    on: `GET ${BASE}/pending`,
    summary: 'List invitations that are not accepted yet, newest first.',
    access: may('admin:access', 'users:read'),
    query: ActingQuery,
    actsIn: 'query.tenant_id',
    reply: json(200, PendingInvites),
    errors: [],
    emits: 'nothing',
    handle: async ({ ctx, principal, query }) =>
      (await import('#shared/domains/administration/invitations')).listInvitations(ctx, actingTenant(principal, query.tenant_id)),
  }),
]
