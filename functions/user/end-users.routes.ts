// Routes of end users: for people themselves, and for callers who may read or change people.

import { listUsers } from '#shared/domains/administration/lists'
import { DeleteAllBody, DeletedAll, ProfileBody, StatusBody, TenantUserPath, UserObject } from '#shared/domains/administration/people.schema'
import { actingTenant } from '#shared/domains/authority/acting-tenant'
import { AppError, type ErrorCode } from '#shared/kernel/errors'
import { may, user } from '#shared/platform/http/access'
import { json } from '#shared/platform/http/route'
import {
  AdminChangePassword,
  AdminResetPassword,
  Databases,
  DeleteEndUser,
  EndUserDone,
  EndUserPath,
  EndUserQuery,
  EndUserStatus,
  EndUserStatusSet,
  EndUsers,
  EndUsersBody,
  EndUsersQuery,
  EndUserUpdated,
  PasswordChangedByAdmin,
  PasswordResetByAdmin,
} from './end-users.schema.ts'
import { filterOf, getEndUser, putEndUser, setEndUserStatus, showDatabases } from './end-users.ts'
import { route } from './group.ts'

const BASE = '/authsec/uflow/user'
const GUARDS: readonly ErrorCode[] = ['not_found', 'cannot_grant', 'primary_administrator', 'last_administrator', 'last_active_user']
const PASSWORD_ERRORS: readonly ErrorCode[] = ['password_too_short', 'password_too_long', 'password_guessable', 'password_breached']

export const managedEndUserRoutes = [
  route({
    id: 'user.listEndUsers',
    on: `GET ${BASE}/enduser/list`,
    summary: 'List people of the tenant, newest first, with filter, search and page or cursor.',
    access: may('users:read'),
    query: EndUsersQuery,
    actsIn: 'query.tenant_id',
    reply: json(200, EndUsers),
    errors: [],
    emits: 'nothing',
    handle: ({ ctx, principal, query }) => listUsers(ctx, actingTenant(principal, query.tenant_id), filterOf(query), query),
  }),
  route({
    id: 'user.listEndUsersByBody',
    on: `POST ${BASE}/enduser/list`,
    summary: 'List people of the tenant, with the filter in the body.',
    access: may('users:read'),
    body: EndUsersBody,
    actsIn: 'body.tenant_id',
    reply: json(200, EndUsers),
    errors: [],
    emits: 'nothing',
    handle: ({ ctx, principal, body }) => listUsers(ctx, actingTenant(principal, body.tenant_id), filterOf(body), body),
  }),
  route({
    id: 'user.databases',
    on: `GET ${BASE}/enduser/databases`,
    summary: 'Return the database of the tenant’s people: always the shared one.',
    access: may('users:read'),
    reply: json(200, Databases),
    errors: ['not_found'],
    emits: 'nothing',
    handle: ({ ctx, principal }) => showDatabases(ctx, principal),
  }),
  route({
    id: 'user.getEndUser',
    on: `GET ${BASE}/enduser/:tenant_id/:user_id`,
    summary: 'Read a person: the caller, or any person with the permission to read people.',
    access: user(),
    path: EndUserPath,
    query: EndUserQuery,
    actsIn: 'path.tenant_id',
    reply: json(200, UserObject),
    errors: ['insufficient_scope', 'invalid_request', 'not_found'],
    emits: 'nothing',
    handle: ({ ctx, principal, path, query }) => getEndUser(ctx, principal, path, query),
  }),
  route({
    id: 'user.updateEndUser',
    on: `PUT ${BASE}/enduser/:tenant_id/:user_id`,
    summary: 'Change the name, user name and picture of the caller, or the profile of any person with the permission to change people.',
    access: user(),
    path: TenantUserPath,
    body: ProfileBody,
    actsIn: 'path.tenant_id',
    reply: json(200, EndUserUpdated),
    errors: ['insufficient_scope', 'invalid_request', 'not_found', 'email_taken', 'username_taken', 'cannot_grant', 'forbidden'],
    emits: ['user.updated', 'user.email_changed'],
    handle: ({ ctx, principal, path, body }) => putEndUser(ctx, principal, path, body),
  }),
  route({
    id: 'user.setEndUserStatus',
    on: `PUT ${BASE}/enduser/:tenant_id/:user_id/status`,
    summary: 'Enable or disable a person.',
    access: may('users:active'),
    path: TenantUserPath,
    body: EndUserStatus,
    actsIn: 'path.tenant_id',
    reply: json(200, EndUserStatusSet),
    errors: GUARDS,
    emits: ['user.activated', 'user.deactivated'],
    handle: ({ ctx, principal, path, body }) => setEndUserStatus(ctx, principal, path, body.active),
  }),
  route({
    id: 'user.setEndUserActive',
    on: `POST ${BASE}/enduser/active`,
    summary: 'Enable or disable the person that the body names.',
    access: may('users:active'),
    body: StatusBody,
    actsIn: 'body.tenant_id',
    reply: json(200, EndUserDone),
    errors: GUARDS,
    emits: ['user.activated', 'user.deactivated'],
    handle: async ({ ctx, principal, body }) => ({ message: (await setEndUserStatus(ctx, principal, body, body.active)).message }),
  }),
  route({
    id: 'user.deleteEndUser',
    on: `DELETE ${BASE}/enduser/:tenant_id/:user_id`,
    summary: 'Disable a person and keep the row.',
    access: may('users:delete'),
    path: TenantUserPath,
    actsIn: 'path.tenant_id',
    reply: json(200, EndUserDone),
    errors: GUARDS,
    emits: ['user.deleted'],
    handle: async ({ ctx, principal, path }) => {
      const tenantId = actingTenant(principal, path.tenant_id)
      await (await import('#shared/domains/authority/person-status')).setActive(ctx, principal, {
        tenantId,
        userId: path.user_id,
        active: false,
        event: 'user.deleted',
      })
      return { message: 'User deleted' }
    },
  }),
  route({
    id: 'user.deleteEndUserByBody',
    on: `POST ${BASE}/enduser/delete`,
    summary: 'Disable the person that the body names and keep the row.',
    access: may('users:delete'),
    body: DeleteEndUser,
    reply: json(200, EndUserDone),
    errors: GUARDS,
    emits: ['user.deleted'],
    handle: async ({ ctx, principal, body }) => {
      await (await import('#shared/domains/authority/person-status')).setActive(ctx, principal, {
        tenantId: principal.tenantId,
        userId: body.user_id,
        active: false,
        event: 'user.deleted',
      })
      return { message: 'User deleted' }
    },
  }),
  route({
    id: 'user.deleteEndUserForGood',
    on: `DELETE ${BASE}/enduser/delete_all/:tenant_id/:user_id`,
    summary: 'Delete a person and everything that belongs to them.',
    access: may('users:delete'),
    path: TenantUserPath,
    body: DeleteAllBody,
    actsIn: 'path.tenant_id',
    reply: json(200, DeletedAll),
    errors: [...GUARDS, 'invalid_request'],
    emits: ['user.deleted'],
    handle: async ({ ctx, principal, path, body }) => {
      if (body.user_id !== undefined && body.user_id !== path.user_id)
        throw new AppError('invalid_request', 'The body and the path name different people.', { field: 'body.user_id' })
      const { userId, counts } = await (await import('#shared/domains/authority/person-status')).deletePerson(
        ctx,
        principal,
        actingTenant(principal, path.tenant_id),
        path.user_id,
      )
      return { message: 'User deleted for good', user_id: userId, deleted_counts: counts }
    },
  }),
  route({
    id: 'user.adminChangePassword',
    on: `POST ${BASE}/admin/change-password`,
    summary: 'Set the password of another person. It is temporary, and their sessions and tokens end.',
    access: may('users:password'),
    body: AdminChangePassword,
    actsIn: 'body.tenant_id',
    reply: json(200, PasswordChangedByAdmin),
    errors: ['invalid_request', 'not_found', 'forbidden', 'cannot_grant', ...PASSWORD_ERRORS],
    emits: ['user.password_set'],
    handle: async ({ ctx, principal, body }) => {
      const tenantId = actingTenant(principal, body.tenant_id)
      const { userId, email } = await (await import('#shared/domains/administration/passwords')).setPasswordOf(
        ctx,
        principal,
        tenantId,
        { email: body.email, userId: body.user_id },
        body.new_password,
      )
      return { success: true as const, message: 'Password changed', user_id: userId, email, tenant_id: tenantId as string }
    },
  }),
  route({
    id: 'user.adminResetPassword',
    on: `POST ${BASE}/admin/reset-password`,
    summary: 'Remove the password of another person: they get a link by mail, or the answer has a temporary password.',
    access: may('users:password'),
    body: AdminResetPassword,
    actsIn: 'body.tenant_id',
    reply: json(200, PasswordResetByAdmin),
    errors: ['invalid_request', 'not_found', 'forbidden', 'cannot_grant'],
    emits: ['user.password_set'],
    handle: async ({ ctx, principal, body }) => {
      const tenantId = actingTenant(principal, body.tenant_id)
      const reset = await (await import('#shared/domains/administration/passwords')).resetPasswordOf(
        ctx,
        principal,
        tenantId,
        { email: body.email, userId: body.user_id },
        body.send_email === true,
      )
      return {
        success: true as const,
        message: 'Password reset',
        user_id: reset.userId,
        email: reset.email,
        tenant_id: tenantId as string,
        email_sent: reset.emailSent,
        ...(reset.temporaryPassword === undefined ? {} : { temporary_password: reset.temporaryPassword }),
      }
    },
  }),
]
