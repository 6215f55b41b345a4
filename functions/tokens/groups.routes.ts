// Group routes of the token service.

import { GroupObject } from '#shared/domains/administration/groups.schema'
import { actingTenant } from '#shared/domains/authority/acting-tenant'
import { may } from '#shared/platform/http/access'
import { json } from '#shared/platform/http/route'
import { route } from './group.ts'
import * as wire from './groups.schema.ts'
import {
  addUsers,
  changeTokenGroup,
  createTokenGroups,
  deleteTokenGroup,
  removeUsers,
  showTokenGroup,
  showTokenGroups,
  usersOfGroup,
} from './groups.ts'

const BASE = '/authsec/authmgr/admin/groups'
const read = may('admin:access')
const write = may('admin:access', 'groups:write')

export const tokenGroupRoutes = [
  route({
    id: 'tokens.createGroups',
    on: `POST ${BASE}`,
    summary: 'Create groups; existing ones are skipped.',
    access: write,
    body: wire.NewGroups,
    actsIn: 'body.tenant_id',
    reply: json(201, wire.CreatedTokenGroups),
    errors: [],
    emits: ['group.created'],
    handle: ({ ctx, principal, body }) => createTokenGroups(ctx, principal, actingTenant(principal, body.tenant_id), body.groups),
  }),
  route({
    id: 'tokens.listGroups',
    on: `GET ${BASE}`,
    summary: 'List the groups of the tenant by name.',
    access: read,
    query: wire.TenantQuery,
    actsIn: 'query.tenant_id',
    reply: json(200, wire.ListedGroups),
    errors: [],
    emits: 'nothing',
    handle: ({ ctx, principal, query }) => showTokenGroups(ctx, actingTenant(principal, query.tenant_id)),
  }),
  route({
    id: 'tokens.getGroup',
    on: `GET ${BASE}/:id`,
    summary: 'One group.',
    access: read,
    path: wire.GroupIdPath,
    query: wire.TenantQuery,
    actsIn: 'query.tenant_id',
    reply: json(200, GroupObject),
    errors: ['not_found'],
    emits: 'nothing',
    handle: ({ ctx, principal, path, query }) => showTokenGroup(ctx, actingTenant(principal, query.tenant_id), path.id),
  }),
  route({
    id: 'tokens.changeGroup',
    on: `PUT ${BASE}/:id`,
    summary: 'Change the name or description of a group.',
    access: write,
    path: wire.GroupIdPath,
    body: wire.ChangeGroup,
    actsIn: 'body.tenant_id',
    reply: json(200, GroupObject),
    errors: ['not_found', 'group_exists'],
    emits: ['group.updated'],
    handle: ({ ctx, principal, path, body }) => changeTokenGroup(ctx, principal, actingTenant(principal, body.tenant_id), path.id, body),
  }),
  route({
    id: 'tokens.deleteGroup',
    on: `DELETE ${BASE}/:id`,
    summary: 'Delete a group with its memberships and bindings.',
    access: write,
    path: wire.GroupIdPath,
    query: wire.TenantQuery,
    actsIn: 'query.tenant_id',
    reply: json(200, wire.GroupDeleted),
    errors: ['not_found', 'cannot_grant', 'last_administrator'],
    emits: ['group.deleted'],
    handle: ({ ctx, principal, path, query }) => deleteTokenGroup(ctx, principal, actingTenant(principal, query.tenant_id), path.id),
  }),
  route({
    id: 'tokens.addGroupUsers',
    on: `POST ${BASE}/:id/users`,
    summary: 'Add people to a group. The caller must hold every permission of the group.',
    access: write,
    path: wire.GroupIdPath,
    body: wire.GroupUsers,
    actsIn: 'body.tenant_id',
    reply: json(200, wire.UsersAdded),
    errors: ['not_found', 'cannot_grant', 'last_administrator'],
    emits: ['group.members_added'],
    handle: ({ ctx, principal, path, body }) => addUsers(ctx, principal, actingTenant(principal, body.tenant_id), path.id, body.user_ids),
  }),
  route({
    id: 'tokens.removeGroupUsers',
    on: `DELETE ${BASE}/:id/users`,
    summary: 'Remove people from a group.',
    access: write,
    path: wire.GroupIdPath,
    body: wire.GroupUsers,
    actsIn: 'body.tenant_id',
    reply: json(200, wire.UsersRemoved),
    errors: ['not_found', 'cannot_grant', 'last_administrator'],
    emits: ['group.members_removed'],
    handle: ({ ctx, principal, path, body }) => removeUsers(ctx, principal, actingTenant(principal, body.tenant_id), path.id, body.user_ids),
  }),
  route({
    id: 'tokens.listGroupUsers',
    on: `GET ${BASE}/:id/users`,
    summary: 'List the people in a group.',
    access: may('admin:access', 'users:read'),
    path: wire.GroupIdPath,
    query: wire.TenantQuery,
    actsIn: 'query.tenant_id',
    reply: json(200, wire.UsersOfGroup),
    errors: ['not_found'],
    emits: 'nothing',
    handle: ({ ctx, principal, path, query }) => usersOfGroup(ctx, actingTenant(principal, query.tenant_id), path.id),
  }),
]
