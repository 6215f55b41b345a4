// Group routes of the end-user API.

import { GroupMembers, GroupMembersPath, MembershipBody, MyGroups } from '#shared/domains/administration/groups.schema'
import { actingTenant } from '#shared/domains/authority/acting-tenant'
import { may, user } from '#shared/platform/http/access'
import { json } from '#shared/platform/http/route'
import { EndUserDone } from './end-users.schema.ts'
import { route } from './group.ts'

const BASE = '/authsec/uflow/user/groups'

export const userGroupRoutes = [
  route({
    id: 'user.addToGroups',
    on: `POST ${BASE}/users/add`,
    summary: 'Add a person to groups by name: to all of them, or to none.',
    access: may('groups:write'),
    body: MembershipBody,
    actsIn: 'body.tenant_id',
    reply: json(200, EndUserDone),
    errors: ['not_found', 'cannot_grant', 'last_administrator'],
    emits: ['group.members_added'],
    handle: async ({ ctx, principal, body }) =>
      (await import('#shared/domains/administration/group-members')).changeGroupsOfPerson(
        ctx,
        principal,
        actingTenant(principal, body.tenant_id),
        body.user_id,
        body.groups,
        true,
      ),
  }),
  route({
    id: 'user.removeFromGroups',
    on: `POST ${BASE}/users/remove`,
    summary: 'Remove a person from groups by name: from all of them, or from none.',
    access: may('groups:write'),
    body: MembershipBody,
    actsIn: 'body.tenant_id',
    reply: json(200, EndUserDone),
    errors: ['not_found', 'cannot_grant', 'last_administrator'],
    emits: ['group.members_removed'],
    handle: async ({ ctx, principal, body }) =>
      (await import('#shared/domains/administration/group-members')).changeGroupsOfPerson(
        ctx,
        principal,
        actingTenant(principal, body.tenant_id),
        body.user_id,
        body.groups,
        false,
      ),
  }),
  route({
    id: 'user.myGroups',
    on: `GET ${BASE}/users`,
    summary: 'List the caller’s own groups, with their members when the caller may read people.',
    access: user(),
    reply: json(200, MyGroups),
    errors: [],
    emits: 'nothing',
    handle: async ({ ctx, principal }) => (await import('#shared/domains/administration/group-members')).showMyGroups(ctx, principal),
  }),
  route({
    id: 'user.groupMembers',
    on: `GET ${BASE}/:tenant_id/:group_id/users`,
    summary: 'List the people in a group.',
    access: may('users:read'),
    path: GroupMembersPath,
    actsIn: 'path.tenant_id',
    reply: json(200, GroupMembers),
    errors: ['not_found'],
    emits: 'nothing',
    handle: async ({ ctx, principal, path }) =>
      (await import('#shared/domains/administration/group-members')).showMembers(ctx, actingTenant(principal, path.tenant_id), path.group_id),
  }),
]
