// Groups.

import { changeMembers } from '#shared/domains/administration/group-members'
import {
  createGroups,
  mapGroups,
  namedGroups,
  removeGroups,
  renameGroup,
  showGroups,
  showGroupsWithMembers,
} from '#shared/domains/administration/groups'
import {
  BulkDone,
  BulkMembers,
  CreatedGroups,
  CreateGroups,
  DeleteGroupsBody,
  DeleteGroupsQuery,
  GroupPath,
  Groups,
  GroupsPath,
  GroupsWithMembers,
  ListGroups,
  MapGroups,
  textsIn,
  UpdateGroup,
} from '#shared/domains/administration/groups.schema'
import { actingTenant } from '#shared/domains/authority/acting'
import { may } from '#shared/platform/http/access'
import { json } from '#shared/platform/http/route'
import { route } from './group.ts'
import { Said } from './people.schema.ts'

const BASE = '/authsec/uflow/admin/groups'
const writes = may('admin:access', 'groups:write')
const reads = may('admin:access', 'users:read')

const bulk = { access: writes, path: GroupsPath, body: BulkMembers, reply: json(200, BulkDone) } as const
const map = { access: writes, body: MapGroups, reply: json(200, Said) } as const

export const groupRoutes = [
  route({
    id: 'admin.createGroups',
    on: `POST ${BASE}`,
    summary: 'Make the groups that are not there yet, and answer all of them.',
    access: writes,
    body: CreateGroups,
    actsIn: 'body.tenant_id',
    reply: json(200, CreatedGroups),
    errors: [],
    emits: ['group.created'],
    handle: ({ ctx, principal, body }) => createGroups(ctx, principal, actingTenant(principal, body.tenant_id), body),
  }),
  route({
    id: 'admin.listGroupsWithMembers',
    on: `POST ${BASE}/list`,
    summary: 'Groups with the people in them: all, or those of one person.',
    access: reads,
    body: ListGroups,
    actsIn: 'body.tenant_id',
    reply: json(200, GroupsWithMembers),
    errors: ['not_found'],
    emits: 'nothing',
    handle: ({ ctx, principal, body }) => showGroupsWithMembers(ctx, actingTenant(principal, body.tenant_id), body.user_id),
  }),
  route({
    id: 'admin.listGroups',
    on: `GET ${BASE}/:tenant_id`,
    summary: 'The tenant\u2019s groups, by name.',
    access: reads,
    path: GroupsPath,
    actsIn: 'path.tenant_id',
    reply: json(200, Groups),
    errors: [],
    emits: 'nothing',
    handle: ({ ctx, principal, path }) => showGroups(ctx, actingTenant(principal, path.tenant_id)),
  }),
  route({
    id: 'admin.updateGroup',
    on: `PUT ${BASE}/:id`,
    summary: 'Rename a group.',
    access: writes,
    path: GroupPath,
    body: UpdateGroup,
    actsIn: 'body.tenant_id',
    reply: json(200, Said),
    errors: ['not_found', 'group_exists'],
    emits: ['group.updated'],
    handle: ({ ctx, principal, path, body }) => renameGroup(ctx, principal, actingTenant(principal, body.tenant_id), path.id, body),
  }),
  route({
    id: 'admin.deleteGroups',
    on: `DELETE ${BASE}`,
    summary: 'Delete groups by id, in the body or in the query, several separated by commas.',
    access: writes,
    query: DeleteGroupsQuery,
    body: DeleteGroupsBody,
    reply: json(200, Said),
    errors: ['invalid_request', 'not_found', 'cannot_grant', 'last_administrator'],
    emits: ['group.deleted'],
    handle: ({ ctx, principal, query, body }) =>
      removeGroups(
        ctx,
        principal,
        principal.tenantId,
        namedGroups([...textsIn(query.group_ids), ...textsIn(query.group), ...textsIn(Object.values(body))]),
      ),
  }),
  route({
    ...map,
    id: 'admin.mapGroups',
    on: `POST ${BASE}/map`,
    summary: 'Put a client into groups.',
    actsIn: 'body.tenant_id',
    errors: ['not_found', 'cannot_grant'],
    emits: ['group.mapped_to_client'],
    handle: ({ ctx, principal, body }) => mapGroups(ctx, principal, actingTenant(principal, body.tenant_id), body, true),
  }),
  route({
    ...map,
    id: 'admin.unmapGroups',
    on: `DELETE ${BASE}/map`,
    summary: 'Take a client out of groups.',
    actsIn: 'body.tenant_id',
    errors: ['not_found', 'cannot_grant'],
    emits: ['group.unmapped_from_client'],
    handle: ({ ctx, principal, body }) => mapGroups(ctx, principal, actingTenant(principal, body.tenant_id), body, false),
  }),
  route({
    ...bulk,
    id: 'admin.addMembers',
    on: `POST ${BASE}/:tenant_id/users/bulk`,
    summary: 'Put people into a group: all of them, or nobody.',
    actsIn: 'path.tenant_id',
    errors: ['not_found', 'cannot_grant', 'last_administrator'],
    emits: ['group.members_added'],
    handle: ({ ctx, principal, path, body }) =>
      changeMembers(ctx, principal, actingTenant(principal, path.tenant_id), body.group_id, body.user_ids, true),
  }),
  route({
    ...bulk,
    id: 'admin.removeMembers',
    on: `DELETE ${BASE}/:tenant_id/users/bulk`,
    summary: 'Take people out of a group: all of them, or nobody.',
    actsIn: 'path.tenant_id',
    errors: ['not_found', 'cannot_grant', 'last_administrator'],
    emits: ['group.members_removed'],
    handle: ({ ctx, principal, path, body }) =>
      changeMembers(ctx, principal, actingTenant(principal, path.tenant_id), body.group_id, body.user_ids, false),
  }),
]
