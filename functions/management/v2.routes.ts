// Administrators (memberships) and end users, on the paths of the newer administration UI.
import { AssignedBinding } from '#shared/domains/administration/bindings.schema'
import type { ErrorCode } from '#shared/kernel/errors'
import { may } from '#shared/platform/http/access'
import { empty, json } from '#shared/platform/http/route'
import { route } from './group.ts'
import {
  EffectiveAccess,
  EndUserChange,
  EndUserQuery,
  EndUserState,
  EndUserStates,
  GroupBinding,
  Membership,
  MembershipChange,
  MembershipChanged,
  MembershipQuery,
  Memberships,
  NewMembership,
  Suspend,
  V2GroupPath,
  V2PersonPath,
  V2TenantPath,
  V2UserPath,
} from './v2.schema.ts'

const BASE = '/authsec/uflow/v2'
const TENANT = `${BASE}/tenants/:tenant_id` as const
/** Loaded on first use, to keep the cold start small. */
const rules = () => import('./v2.ts')
const STATUS: readonly ErrorCode[] = ['not_found', 'cannot_grant', 'primary_administrator', 'last_administrator', 'last_active_user']
const ASSIGN: readonly ErrorCode[] = ['not_found', 'cannot_grant', 'conflict', 'quota_exceeded']
const stateChange = {
  access: may('users:active'),
  path: V2PersonPath,
  reply: json(200, EndUserState),
  errors: STATUS,
  emits: ['user.activated', 'user.deactivated'],
} as const

export const v2Routes = [
  route({
    id: 'v2.listMemberships',
    on: `GET ${TENANT}/memberships`,
    summary: 'The people who administer the tenant.',
    access: may('admin:access', 'users:read'),
    path: V2TenantPath,
    query: MembershipQuery,
    reply: json(200, Memberships),
    errors: [],
    emits: 'nothing',
    handle: async ({ ctx, principal, query }) => (await rules()).listMemberships(ctx, principal, query),
  }),
  route({
    id: 'v2.addMembership',
    on: `POST ${TENANT}/memberships`,
    summary: 'Make a person an administrator. Only a holder of the administrator role can.',
    access: may('admin:access', 'roles:write'),
    path: V2TenantPath,
    body: NewMembership,
    reply: json(201, Membership),
    errors: ASSIGN,
    emits: ['role_binding.assigned'],
    handle: async ({ ctx, principal, body }) => (await rules()).addMembership(ctx, principal, body.user_id),
  }),
  route({
    id: 'v2.changeMembership',
    on: `PATCH ${TENANT}/memberships/:user_id`,
    summary: 'Suspend or reactivate an administrator, or end the administrator role.',
    access: may('admin:access', 'roles:write', 'users:active'),
    path: V2PersonPath,
    body: MembershipChange,
    reply: json(200, MembershipChanged),
    errors: [...STATUS, 'conflict', 'quota_exceeded'],
    emits: ['role_binding.assigned', 'role_binding.revoked', 'user.activated', 'user.deactivated'],
    handle: async ({ ctx, principal, path, body }) => (await rules()).changeMembership(ctx, principal, path.user_id, body),
  }),
  route({
    id: 'v2.endMembership',
    on: `DELETE ${TENANT}/memberships/:user_id`,
    summary: 'End the administrator role of a person, who stays in the tenant.',
    access: may('admin:access', 'roles:write'),
    path: V2PersonPath,
    reply: empty(204),
    errors: ['not_found', 'cannot_grant', 'last_administrator'],
    emits: ['role_binding.revoked'],
    handle: async ({ ctx, principal, path }) => (await rules()).endMembership(ctx, principal, path.user_id),
  }),
  route({
    id: 'v2.listEndUsers',
    on: `GET ${TENANT}/end-users`,
    summary: 'People of the tenant, newest first.',
    access: may('users:read'),
    path: V2TenantPath,
    query: EndUserQuery,
    reply: json(200, EndUserStates),
    errors: [],
    emits: 'nothing',
    handle: async ({ ctx, principal, query }) => (await rules()).listEndUserStates(ctx, principal, query),
  }),
  route({
    id: 'v2.getEndUser',
    on: `GET ${TENANT}/end-users/:user_id`,
    summary: 'One person of the tenant.',
    access: may('users:read'),
    path: V2PersonPath,
    reply: json(200, EndUserState),
    errors: ['not_found'],
    emits: 'nothing',
    handle: async ({ ctx, principal, path }) => (await rules()).readEndUserState(ctx, principal, path.user_id),
  }),
  route({
    ...stateChange,
    id: 'v2.changeEndUser',
    on: `PATCH ${TENANT}/end-users/:user_id`,
    summary: 'Suspend or reactivate a person.',
    body: EndUserChange,
    handle: async ({ ctx, principal, path, body }) => (await rules()).setEndUserState(ctx, principal, path.user_id, body.status),
  }),
  route({
    ...stateChange,
    id: 'v2.suspendEndUser',
    on: `POST ${TENANT}/end-users/:user_id/suspend`,
    summary: 'Suspend a person; all their sessions end.',
    body: Suspend,
    handle: async ({ ctx, principal, path }) => (await rules()).setEndUserState(ctx, principal, path.user_id, 'suspended'),
  }),
  route({
    ...stateChange,
    id: 'v2.reactivateEndUser',
    on: `POST ${TENANT}/end-users/:user_id/reactivate`,
    summary: 'Reactivate a person.',
    handle: async ({ ctx, principal, path }) => (await rules()).setEndUserState(ctx, principal, path.user_id, 'active'),
  }),
  route({
    id: 'v2.bindGroup',
    on: `POST ${BASE}/groups/:group_id/role-bindings`,
    summary: 'Give a group a role; the caller must hold all its permissions.',
    access: may('admin:access', 'roles:write'),
    path: V2GroupPath,
    body: GroupBinding,
    reply: json(200, AssignedBinding),
    errors: ['invalid_request', ...ASSIGN],
    emits: ['role_binding.assigned'],
    handle: async ({ ctx, principal, path, body }) => (await rules()).bindGroup(ctx, principal, path.group_id, body),
  }),
  route({
    id: 'v2.effectiveAccess',
    on: `GET ${BASE}/users/:user_id/effective-access`,
    summary: 'The bindings that give a person access, directly or through a group.',
    access: may('admin:access', 'roles:read'),
    path: V2UserPath,
    reply: json(200, EffectiveAccess),
    errors: ['not_found'],
    emits: 'nothing',
    handle: async ({ ctx, principal, path }) => (await rules()).showEffectiveAccess(ctx, principal, path.user_id),
  }),
]
