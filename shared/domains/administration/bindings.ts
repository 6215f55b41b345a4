// Role bindings: a role given to a person, a service account or a group.
import type * as z from 'zod'
import { forTenant, type TenantDb, type TenantTx } from '#db/engine/tenant'
import {
  type Binding,
  type BindingTarget,
  deleteBinding,
  findBinding,
  findBindingsOfPerson,
  findGroupName,
  findSameBinding,
  findServiceAccountName,
  insertBinding,
  type ListedBinding as ListedRow,
  listBindings,
  type NewBinding,
} from '#db/store/bindings'
import { findRole, type Role } from '#db/store/roles'
import { findUser } from '#db/store/users'
import { changeAccess, type GrantorPermissions, requireRoleGrantable } from '#shared/domains/authority/access-change'
import type { RequestCtx } from '#shared/domains/context'
import { parseConditions } from '#shared/domains/decision/conditions'
import { requireQuotaRoom } from '#shared/domains/tenancy/quotas'
import { AppError } from '#shared/kernel/errors'
import { byUser, recordEvent } from '#shared/platform/audit/audit-log'
import type { HttpResult } from '#shared/platform/http/route'
import type { User } from '#shared/platform/principals/principal'
import type { AssignedBinding, BindingBody, BindingQuery, Bindings, ListedBinding, RevokedBinding } from './bindings.schema.ts'
import { pageReply, toPage } from './page.ts'

type Body = z.output<typeof BindingBody>

const WHOLE_TENANT = ['', '*', null, undefined]

/** A wildcard id means tenant-wide, whatever the type: both columns are null, and the type appears in the description only. */
const scopeOf = ({ scope }: Body): Pick<BindingTarget, 'scopeType' | 'scopeId'> & { readonly description: string } => {
  if (scope?.id !== undefined && scope.id !== null && !WHOLE_TENANT.includes(scope.id) && scope.type)
    return { scopeType: scope.type, scopeId: scope.id, description: `${scope.type}: ${scope.id}` }
  const whole = { scopeType: null, scopeId: null }
  if (scope === undefined || (WHOLE_TENANT.includes(scope.type) && scope.type !== '*' && scope.id !== '*'))
    return { ...whole, description: 'Tenant-Wide' }
  return { ...whole, description: WHOLE_TENANT.includes(scope.type) ? 'Tenant-Wide (wildcard)' : `Tenant-Wide (${scope.type})` }
}

/** @throws AppError not_found when the tenant has no such principal */
const requirePrincipal = async (t: TenantDb, body: Body): Promise<void> => {
  const { user_id: userId, service_account_id: serviceAccountId, group_id: groupId } = body
  const user = userId === undefined ? undefined : await findUser(t, userId)
  if (user !== undefined && user.deletedAt === null) return
  if (serviceAccountId !== undefined && (await findServiceAccountName(t, serviceAccountId)) !== undefined) return
  if (groupId !== undefined && (await findGroupName(t, groupId)) !== undefined) return
  throw new AppError('not_found', 'There is no such principal.')
}

const auditedBinding = (binding: NewBinding | Binding, role: Pick<Role, 'name'>) => ({
  role_id: binding.roleId,
  role_name: role.name,
  ...(binding.userId === null ? {} : { user_id: binding.userId }),
  ...(binding.serviceAccountId === null ? {} : { service_account_id: binding.serviceAccountId }),
  ...(binding.groupId === null ? {} : { group_id: binding.groupId }),
  scope_type: binding.scopeType,
  scope_id: binding.scopeId,
  conditions: binding.conditions,
  expires_at: binding.expiresAt?.toISOString() ?? null,
})

/** Inserts a binding, or returns the existing one unchanged. An expired one is replaced. */
const assign = async (t: TenantTx, ctx: RequestCtx, caller: User, role: Role, requested: NewBinding): Promise<NewBinding> => {
  const known = await findSameBinding(t, requested)
  const hasExpired = known?.expiresAt !== undefined && known.expiresAt !== null && known.expiresAt <= requested.createdAt
  if (known !== undefined && !hasExpired) return known
  if (known !== undefined) await deleteBinding(t, known.id)
  await requireQuotaRoom(t, 'bindings')
  if (!(await insertBinding(t, requested))) throw new AppError('conflict')
  await recordEvent(t, ctx, {
    event: 'role_binding.assigned',
    actor: byUser(caller),
    target: { type: 'role_binding', id: requested.id },
    ...(known === undefined ? {} : { before: { id: known.id, ...auditedBinding(known, role) } }),
    after: auditedBinding(requested, role),
  })
  return requested
}

/** @throws AppError invalid_request when the time is not in the future */
const expiryOf = (body: Body, now: Date): Date | null => {
  if (body.expires_at === undefined) return null
  const at = new Date(body.expires_at)
  if (at > now) return at
  throw new AppError('invalid_request', 'body.expires_at: must lie in the future', { field: 'body.expires_at' })
}

/**
 * Gives a role. The caller must hold all its permissions tenant-wide, whatever the scope. An existing binding of the same principal, role and scope is returned
 * unchanged.
 * @throws AppError invalid_request, not_found, cannot_grant, quota_exceeded
 */
export const assignRole = async (ctx: RequestCtx, caller: User, body: Body): Promise<z.input<typeof AssignedBinding>> => {
  const now = ctx.clock.now()
  const conditions = parseConditions(body.conditions)
  const expiresAt = expiryOf(body, now)
  const { description, ...scope } = scopeOf(body)
  return changeAccess(ctx, caller, async (t, grantable) => {
    const role = await findRole(t, body.role_id)
    if (role === undefined) throw new AppError('not_found', 'There is no such role.')
    await requirePrincipal(t, body)
    await requireRoleGrantable(t, grantable, role)
    const binding = await assign(t, ctx, caller, role, {
      id: ctx.random.id(),
      roleId: role.id,
      userId: body.user_id ?? null,
      serviceAccountId: body.service_account_id ?? null,
      groupId: body.group_id ?? null,
      ...scope,
      conditions: conditions !== null && Object.keys(conditions).length === 0 ? null : conditions,
      expiresAt,
      createdBy: caller.userId,
      createdAt: now,
    })
    return {
      id: binding.id,
      status: 'active',
      scope_description: description,
      role_name: role.name,
      ...(binding.conditions === null ? {} : { conditions: binding.conditions }),
      ...(binding.expiresAt === null ? {} : { expires_at: binding.expiresAt.toISOString() }),
    }
  })
}

/**
 * Revoking requires the rights that granting requires, so that a grantor of small roles cannot remove larger ones. Call under the policy lock.
 * @throws AppError cannot_grant
 */
const revoke = async (t: TenantTx, ctx: RequestCtx, caller: User, grantable: GrantorPermissions, binding: Binding, role: Role): Promise<void> => {
  await requireRoleGrantable(t, grantable, role)
  await deleteBinding(t, binding.id)
  await recordEvent(t, ctx, {
    event: 'role_binding.revoked',
    actor: byUser(caller),
    target: { type: 'role_binding', id: binding.id },
    before: auditedBinding(binding, role),
  })
}

/** @throws AppError not_found, cannot_grant, last_administrator */
export const revokeBinding = async (ctx: RequestCtx, caller: User, id: string): Promise<z.input<typeof RevokedBinding>> => {
  await changeAccess(ctx, caller, async (t, grantable) => {
    const binding = await findBinding(t, id)
    const role = binding && (await findRole(t, binding.roleId))
    if (binding === undefined || role === undefined) throw new AppError('not_found')
    await revoke(t, ctx, caller, grantable, binding, role)
  })
  return { message: 'Role binding revoked', id }
}

/** Revokes all bindings of the role to the person itself. @throws AppError not_found, cannot_grant, last_administrator */
export const revokeRoleOf = (ctx: RequestCtx, caller: User, userId: string, roleId: string): Promise<void> =>
  changeAccess(ctx, caller, async (t, grantable) => {
    const role = await findRole(t, roleId)
    const bindings = await findBindingsOfPerson(t, userId, roleId)
    if (role === undefined || bindings.length === 0) throw new AppError('not_found')
    for (const binding of bindings) await revoke(t, ctx, caller, grantable, binding, role)
  })

const toResponse = (row: ListedRow): z.input<typeof ListedBinding> => ({
  id: row.id,
  ...(row.userId === null ? {} : { user_id: row.userId }),
  ...(row.username === null ? {} : { username: row.username }),
  ...(row.email === null ? {} : { email: row.email }),
  ...(row.serviceAccountId === null ? {} : { service_account_id: row.serviceAccountId }),
  ...(row.groupId === null ? {} : { group_id: row.groupId }),
  role_id: row.roleId,
  role_name: row.roleName,
  ...(row.scopeType === null ? {} : { scope_type: row.scopeType }),
  ...(row.scopeId === null ? {} : { scope_id: row.scopeId }),
  ...(row.conditions === null ? {} : { conditions: row.conditions }),
  created_at: row.createdAt.toISOString(),
  ...(row.expiresAt === null ? {} : { expires_at: row.expiresAt.toISOString() }),
})

/** Newest first by default. */
export const showBindings = async (
  ctx: RequestCtx,
  caller: User,
  query: z.output<typeof BindingQuery>,
): Promise<HttpResult<z.input<typeof Bindings>>> => {
  const rows = await listBindings(forTenant(ctx.db, caller.tenantId), {
    page: toPage<'created_at'>(query, query.sort),
    ...(query.user_id === undefined ? {} : { userId: query.user_id }),
    ...(query.service_account_id === undefined ? {} : { serviceAccountId: query.service_account_id }),
    ...(query.group_id === undefined ? {} : { groupId: query.group_id }),
    ...(query.role_id === undefined ? {} : { roleId: query.role_id }),
    ...(query.scope_type === undefined ? {} : { scopeType: query.scope_type }),
  })
  return pageReply(
    query,
    query.sort,
    rows,
    (row) => row.createdAt,
    (some) => some.map(toResponse),
  )
}
