// Routes of groups.
import { changeMembers } from '#shared/domains/administration/group-members'
import {
  createGroups,
  mapGroups,
  removeGroups,
  renameGroup,
  requireGroupNames,
  showGroups,
  showGroupsWithMembers,
} from '#shared/domains/administration/groups'
import {
  BulkDone,
  BulkMembers,
  CreatedGroups,
  CreateGroups,
  collectTexts,
  DeleteGroupsBody,
  DeleteGroupsQuery,
  GroupPath,
  Groups,
  GroupsPath,
  GroupsWithMembers,
  ListGroups,
  MapGroups,
  UpdateGroup,
} from '#shared/domains/administration/groups.schema'
import { actingTenant } from '#shared/domains/authority/acting-tenant'
import { may } from '#shared/platform/http/access'
import { json } from '#shared/platform/http/route'
import { route } from './group.ts'
import { AdminMessage } from './people.schema.ts'

const BASE = '/authsec/uflow/admin/groups'
const writes = may('admin:access', 'groups:write')
const reads = may('admin:access', 'users:read')

const bulk = { access: writes, path: GroupsPath, body: BulkMembers, reply: json(200, BulkDone) } as const
const map = { access: writes, body: MapGroups, reply: json(200, AdminMessage) } as const

export const groupRoutes = [
  route({
    id: 'admin.createGroups',
    on: `POST ${BASE}`,
    summary: 'Create the missing groups and return all of them.',
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
    summary: 'List groups with their members: all groups, or those of one person.',
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
    summary: 'List the groups of the tenant by name.',
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
    reply: json(200, AdminMessage),
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
    reply: json(200, AdminMessage),
    errors: ['invalid_request', 'not_found', 'cannot_grant', 'last_administrator'],
    emits: ['group.deleted'],
    handle: ({ ctx, principal, query, body }) =>
      removeGroups(
        ctx,
        principal,
        principal.tenantId,
        requireGroupNames([...collectTexts(query.group_ids), ...collectTexts(query.group), ...collectTexts(Object.values(body))]),
      ),
  }),
  route({
    ...map,
    id: 'admin.mapGroups',
    on: `POST ${BASE}/map`,
    summary: 'Add a client to groups.',
    actsIn: 'body.tenant_id',
    errors: ['not_found', 'cannot_grant'],
    emits: ['group.mapped_to_client'],
    handle: ({ ctx, principal, body }) => mapGroups(ctx, principal, actingTenant(principal, body.tenant_id), body, true),
  }),
  route({
    ...map,
    id: 'admin.unmapGroups',
    on: `DELETE ${BASE}/map`,
    summary: 'Remove a client from groups.',
    actsIn: 'body.tenant_id',
    errors: ['not_found', 'cannot_grant'],
    emits: ['group.unmapped_from_client'],
    handle: ({ ctx, principal, body }) => mapGroups(ctx, principal, actingTenant(principal, body.tenant_id), body, false),
  }),
  route({
    ...bulk,
    id: 'admin.addMembers',
    on: `POST ${BASE}/:tenant_id/users/bulk`,
    summary: 'Add people to a group, all or none.',
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
    summary: 'Remove people from a group, all or none.',
    actsIn: 'path.tenant_id',
    errors: ['not_found', 'cannot_grant', 'last_administrator'],
    emits: ['group.members_removed'],
    handle: ({ ctx, principal, path, body }) =>
      changeMembers(ctx, principal, actingTenant(principal, path.tenant_id), body.group_id, body.user_ids, false),
  }),
]
