// Which roles give access to a resource server: those with a permission that one of its scopes requires, and the role of its access policy. Bindings are the tenant's
// own, under the rules of all bindings.
import type * as z from 'zod'
import { forTenant, type TenantDb } from '#db/engine/tenant'
import { findBinding, listBindingsOfRoles } from '#db/store/bindings'
import { listPeople, narrowPeopleFilter } from '#db/store/people'
import { findResourceServer, listServerScopes } from '#db/store/resource-servers'
import { countPermissionsOfRoles, findRole, findRolesWithPermissions } from '#db/store/roles'
import { assignRole, revokeBinding } from '#shared/domains/administration/bindings'
import { AppError } from '#shared/kernel/errors'
import type { User } from '#shared/platform/principals/principal'
import type {
  EligibleUsers,
  EligibleUsersQuery,
  NewServerBinding,
  ServerBinding,
  ServerBindingRevoked,
  ServerBindings,
  ServerRoles,
} from './access.schema.ts'
import type { Ctx } from './group.ts'

const MOST_LISTED = 500

type ServerRole = { readonly id: string; readonly name: string; readonly description: string; readonly isDefault: boolean }

/** @throws AppError not_found */
const rolesOf = async (t: TenantDb, id: string): Promise<ServerRole[]> => {
  const server = await findResourceServer(t, id)
  if (server === undefined) throw new AppError('not_found')
  const scopes = await listServerScopes(t, id)
  const fitting = await findRolesWithPermissions(
    t,
    scopes.flatMap(({ permission }) => permission ?? []),
  )
  const byId = new Map(fitting.map(({ id: roleId, role, description }) => [roleId, { id: roleId, name: role, description, isDefault: false }]))
  const policyRole = server.accessPolicyRoleId === null ? undefined : await findRole(t, server.accessPolicyRoleId)
  if (policyRole !== undefined) {
    const { id: roleId, name, description } = policyRole
    byId.set(roleId, { id: roleId, name, description, isDefault: server.accessPolicyEnabled })
  }
  return [...byId.values()].toSorted((a, b) => (a.name < b.name ? -1 : 1))
}

const idsOf = (roles: readonly ServerRole[]): string[] => roles.map(({ id }) => id)

/** @throws AppError not_found */
export const showServerRoles = async (ctx: Ctx, caller: User, id: string): Promise<z.input<typeof ServerRoles>> => {
  const t = forTenant(ctx.db, caller.tenantId)
  const roles = await rolesOf(t, id)
  const permissions = await countPermissionsOfRoles(t, idsOf(roles))
  const bindings = await listBindingsOfRoles(t, idsOf(roles), MOST_LISTED)
  return {
    roles: roles.map(({ id: roleId, name, description, isDefault }) => ({
      id: roleId,
      name,
      description,
      is_default: isDefault,
      permissions: permissions.get(roleId) ?? 0,
      bindings: bindings.filter((binding) => binding.roleId === roleId).length,
    })),
  }
}

/** Bindings of people, newest first. @throws AppError not_found */
export const showServerBindings = async (ctx: Ctx, caller: User, id: string): Promise<z.input<typeof ServerBindings>> => {
  const t = forTenant(ctx.db, caller.tenantId)
  const rows = await listBindingsOfRoles(t, idsOf(await rolesOf(t, id)), MOST_LISTED)
  return {
    bindings: rows.flatMap((row) =>
      row.userId === null
        ? []
        : [
            {
              id: row.id,
              user_id: row.userId,
              username: row.username ?? '',
              user_email: row.email ?? '',
              role_id: row.roleId,
              role_name: row.roleName,
              scope_type: row.scopeType,
              scope_id: row.scopeId,
              created_at: row.createdAt.toISOString(),
              assignment_source: row.createdBy === null ? ('system' as const) : ('manual' as const),
            },
          ],
    ),
  }
}

/** @throws AppError not_found, cannot_grant, conflict, quota_exceeded */
export const bindAtServer = async (
  ctx: Ctx,
  caller: User,
  id: string,
  { user_id, role_id }: z.output<typeof NewServerBinding>,
): Promise<z.input<typeof ServerBinding>> => {
  const roles = await rolesOf(forTenant(ctx.db, caller.tenantId), id)
  if (!roles.some((role) => role.id === role_id)) throw new AppError('not_found', 'There is no such role.', { field: 'body.role_id' })
  const assigned = await assignRole(ctx, caller, { user_id, role_id })
  return { id: assigned.id, user_id, role_id, role_name: assigned.role_name }
}

/** @throws AppError not_found, cannot_grant, last_administrator */
export const unbindAtServer = async (
  ctx: Ctx,
  caller: User,
  path: { readonly id: string; readonly binding_id: string },
): Promise<z.input<typeof ServerBindingRevoked>> => {
  const t = forTenant(ctx.db, caller.tenantId)
  const [roles, binding] = [await rolesOf(t, path.id), await findBinding(t, path.binding_id)]
  if (binding === undefined || !roles.some(({ id }) => id === binding.roleId)) throw new AppError('not_found')
  await revokeBinding(ctx, caller, path.binding_id)
  return { status: 'revoked' }
}

/** Active people, to choose from. @throws AppError not_found */
export const showEligibleUsers = async (
  ctx: Ctx,
  caller: User,
  id: string,
  { search }: z.output<typeof EligibleUsersQuery>,
): Promise<z.input<typeof EligibleUsers>> => {
  const t = forTenant(ctx.db, caller.tenantId)
  if ((await findResourceServer(t, id)) === undefined) throw new AppError('not_found')
  const filter = await narrowPeopleFilter(t, { active: true, ...(search === undefined ? {} : { search }) })
  const people = await listPeople(t, filter, { sort: 'email', descending: false, limit: MOST_LISTED })
  return { users: people.map(({ id: userId, email, name }) => ({ id: userId, email, name })) }
}
