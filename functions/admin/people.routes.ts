// Routes for administrators to manage administrators and end users.
import { listAdministrators, listTenantUsers } from '#shared/domains/administration/lists'
import { DeleteAllBody, DeletedAll, StatusBody, StatusSet, UserPath } from '#shared/domains/administration/people.schema'
import { actingTenant } from '#shared/domains/authority/acting-tenant'
import { deletePerson, setActive } from '#shared/domains/authority/person-status'
import type { ErrorCode } from '#shared/kernel/errors'
import { AppError } from '#shared/kernel/errors'
import { may } from '#shared/platform/http/access'
import { json } from '#shared/platform/http/route'
import { route } from './group.ts'
import { AdminList, AdminListBody, AdminListQuery, AdminMessage, EndUserList, EndUserListBody } from './people.schema.ts'

const BASE = '/authsec/uflow/admin'
const GUARDS: readonly ErrorCode[] = ['not_found', 'cannot_grant', 'primary_administrator', 'last_administrator', 'last_active_user']

const setStatus = {
  access: may('admin:access', 'users:active'),
  body: StatusBody,
  reply: json(200, StatusSet),
  errors: GUARDS,
  emits: ['user.activated', 'user.deactivated'],
} as const

export const adminPeopleRoutes = [
  route({
    id: 'admin.listUsers',
    on: `GET ${BASE}/users/list`,
    summary: 'List the active administrators of the tenant, newest first.',
    access: may('admin:access', 'users:read'),
    query: AdminListQuery,
    actsIn: 'query.tenant_id',
    reply: json(200, AdminList),
    errors: [],
    emits: 'nothing',
    handle: ({ ctx, principal, query }) => listAdministrators(ctx, actingTenant(principal, query.tenant_id), query),
  }),
  route({
    id: 'admin.listUsersByBody',
    on: `POST ${BASE}/users/list`,
    summary: 'List the active administrators of the tenant, newest first; the body may carry the filter.',
    access: may('admin:access', 'users:read'),
    query: AdminListQuery,
    body: AdminListBody,
    actsIn: 'body.tenant_id',
    reply: json(200, AdminList),
    errors: [],
    emits: 'nothing',
    handle: ({ ctx, principal, query, body }) =>
      listAdministrators(ctx, actingTenant(principal, body.tenant_id), {
        provider: body.provider ?? query.provider,
        status: body.status ?? query.status,
        page: body.page ?? query.page,
        limit: body.limit ?? query.limit,
      }),
  }),
  route({
    id: 'admin.deleteUser',
    on: `DELETE ${BASE}/users/:user_id`,
    summary: 'Disable a person; the row is kept.',
    access: may('admin:access', 'users:delete'),
    path: UserPath,
    reply: json(200, AdminMessage),
    errors: GUARDS,
    emits: ['user.deleted'],
    handle: async ({ ctx, principal, path }) => {
      await setActive(ctx, principal, { tenantId: principal.tenantId, userId: path.user_id, active: false, event: 'user.deleted' })
      return { message: 'User deleted' }
    },
  }),
  route({
    id: 'admin.deleteUserForGood',
    on: `DELETE ${BASE}/users/delete_all/:user_id`,
    summary: 'Delete a person and everything that belongs to them.',
    access: may('admin:access', 'users:delete'),
    path: UserPath,
    body: DeleteAllBody,
    actsIn: 'body.tenant_id',
    reply: json(200, DeletedAll),
    errors: GUARDS,
    emits: ['user.deleted'],
    handle: async ({ ctx, principal, path, body }) => {
      if (body.user_id !== undefined && body.user_id !== path.user_id)
        throw new AppError('invalid_request', 'The body and the path name different people.', { field: 'body.user_id' })
      const { userId, counts } = await deletePerson(ctx, principal, actingTenant(principal, body.tenant_id), path.user_id)
      return { message: 'User deleted for good', user_id: userId, deleted_counts: counts }
    },
  }),
  route({
    ...setStatus,
    id: 'admin.setUserActive',
    on: `POST ${BASE}/users/active`,
    summary: 'Enable or disable an administrator.',
    actsIn: 'body.tenant_id',
    handle: async ({ ctx, principal, body }) => {
      const { tenant_id, user_id, active } = body
      await setActive(ctx, principal, { tenantId: actingTenant(principal, tenant_id), userId: user_id, active })
      return { message: active ? 'User activated' : 'User deactivated', user_id, active }
    },
  }),
  route({
    id: 'admin.listEndUsers',
    on: `POST ${BASE}/enduser/list`,
    summary: 'List all people of the tenant, newest first.',
    access: may('admin:access', 'users:read'),
    body: EndUserListBody,
    actsIn: 'body.tenant_id',
    reply: json(200, EndUserList),
    errors: [],
    emits: 'nothing',
    handle: ({ ctx, principal, body }) =>
      listTenantUsers(
        ctx,
        actingTenant(principal, body.tenant_id),
        { provider: body.provider, clientId: body.client_id, search: body.search },
        { page: body.page, limit: body.limit !== undefined && body.limit > 0 ? body.limit : undefined, cursor: body.cursor },
      ),
  }),
  route({
    ...setStatus,
    id: 'admin.setEndUserActive',
    on: `POST ${BASE}/enduser/active`,
    summary: 'Enable or disable a person.',
    actsIn: 'body.tenant_id',
    handle: async ({ ctx, principal, body }) => {
      const { tenant_id, user_id, active } = body
      await setActive(ctx, principal, { tenantId: actingTenant(principal, tenant_id), userId: user_id, active })
      return { message: active ? 'User activated' : 'User deactivated', user_id, active }
    },
  }),
]
