// People of the tenant, and the caller's own profile.
import { InviteBody } from '#shared/domains/administration/invitations.schema'
import { ProfileBody } from '#shared/domains/administration/people.schema'
import type { ErrorCode } from '#shared/kernel/errors'
import { user } from '#shared/platform/http/access'
import { json } from '#shared/platform/http/route'
import { managementAccess } from './access.ts'
import { route } from './group.ts'
import {
  GiveRole,
  ManagedPeople,
  ManagedPeopleQuery,
  ManagedPersonPath,
  ManagedProfile,
  PersonDone,
  ProfileChanged,
  RoleOfPersonDone,
  RoleOfPersonPath,
} from './management.schema.ts'

/** Loaded on first use, to keep the cold start small. */
const rules = () => import('./people.ts')

const BASE = '/authsec/hmgr/admin'
const CHANGES: readonly ErrorCode[] = ['invalid_request', 'not_found', 'email_taken', 'username_taken', 'cannot_grant', 'forbidden']

export const managedPeopleRoutes = [
  route({
    id: 'management.listUsers',
    on: `GET ${BASE}/users`,
    summary: 'People of the tenant, newest first.',
    access: managementAccess('users:read'),
    query: ManagedPeopleQuery,
    reply: json(200, ManagedPeople),
    errors: [],
    emits: 'nothing',
    handle: async ({ ctx, principal, query: { search, ...page } }) => ({
      message: 'Users of the tenant',
      ...(await (await import('#shared/domains/administration/lists')).listTenantUsers(ctx, principal.tenantId, { search }, page)),
    }),
  }),
  route({
    id: 'management.inviteUser',
    on: `POST ${BASE}/users`,
    summary: 'Invite an administrator by a mailed one-time link.',
    access: managementAccess('users:write'),
    body: InviteBody,
    actsIn: 'body.tenant_id',
    reply: json(201, PersonDone),
    errors: ['invalid_request', 'not_found', 'email_taken', 'username_taken', 'quota_exceeded', 'cannot_grant'],
    emits: ['user.invited'],
    handle: async ({ ctx, principal, body }) => {
      const invited = await (await import('#shared/domains/administration/invitations')).invite(ctx, principal, body)
      return { message: 'User invited', user_id: invited.user_id }
    },
  }),
  route({
    id: 'management.updateUser',
    on: `PUT ${BASE}/users/:user_id`,
    summary: 'Change a person\u2019s profile.',
    access: managementAccess('users:write'),
    path: ManagedPersonPath,
    body: ProfileBody,
    reply: json(200, PersonDone),
    errors: CHANGES,
    emits: ['user.updated', 'user.email_changed'],
    handle: async ({ ctx, principal, path, body }) => {
      await (await rules()).changePerson(ctx, principal, path.user_id, body)
      return { message: 'User updated', user_id: path.user_id }
    },
  }),
  route({
    id: 'management.deleteUser',
    on: `DELETE ${BASE}/users/:user_id`,
    summary: 'Disable a person; the row stays.',
    access: managementAccess('users:delete'),
    path: ManagedPersonPath,
    reply: json(200, PersonDone),
    errors: ['not_found', 'cannot_grant', 'primary_administrator', 'last_administrator', 'last_active_user'],
    emits: ['user.deleted'],
    handle: async ({ ctx, principal, path }) => {
      const { setActive } = await import('#shared/domains/authority/person-status')
      await setActive(ctx, principal, { tenantId: principal.tenantId, userId: path.user_id, active: false, event: 'user.deleted' })
      return { message: 'User deleted', user_id: path.user_id }
    },
  }),
  route({
    id: 'management.giveRole',
    on: `POST ${BASE}/users/:user_id/roles`,
    summary: 'Assign a role to a person for the whole tenant; the caller must hold all its permissions.',
    access: managementAccess('roles:write'),
    path: ManagedPersonPath,
    body: GiveRole,
    reply: json(200, RoleOfPersonDone),
    errors: ['not_found', 'cannot_grant', 'conflict', 'quota_exceeded'],
    emits: ['role_binding.assigned'],
    handle: async ({ ctx, principal, path: { user_id }, body: { role_id } }) => {
      await (await import('#shared/domains/administration/bindings')).assignRole(ctx, principal, { user_id, role_id })
      return { message: 'Role assigned', user_id, role_id }
    },
  }),
  route({
    id: 'management.takeRole',
    on: `DELETE ${BASE}/users/:user_id/roles/:role_id`,
    summary: 'Remove a role from a person in every scope in which it was assigned.',
    access: managementAccess('roles:write'),
    path: RoleOfPersonPath,
    reply: json(200, RoleOfPersonDone),
    errors: ['not_found', 'cannot_grant', 'last_administrator'],
    emits: ['role_binding.revoked'],
    handle: async ({ ctx, principal, path }) => {
      await (await import('#shared/domains/administration/bindings')).revokeRoleOf(ctx, principal, path.user_id, path.role_id)
      return { message: 'Role removed', ...path }
    },
  }),
  route({
    id: 'management.readProfile',
    on: `GET ${BASE}/profile`,
    summary: 'Read the caller\u2019s own profile.',
    access: user(),
    reply: json(200, ManagedProfile),
    errors: [],
    emits: 'nothing',
    handle: async ({ ctx, principal }) => ({ message: 'Your profile', profile: await (await rules()).showOwnProfile(ctx, principal) }),
  }),
  route({
    id: 'management.changeProfile',
    on: `PUT ${BASE}/profile`,
    summary: 'Change the caller\u2019s own name, user name and picture.',
    access: user(),
    body: ProfileBody,
    reply: json(200, ProfileChanged),
    errors: ['invalid_request', 'username_taken', 'forbidden'],
    emits: ['user.updated'],
    handle: async ({ ctx, principal, body }) => {
      await (await rules()).changeOwnProfile(ctx, principal, body)
      return { message: 'Profile updated' }
    },
  }),
]
