// Checks on the caller's own session. All of them use the same decision; where `check/*` answers false, `validate/*` refuses with 403.
import type * as z from 'zod'
import { forTenant } from '#db/engine/tenant'
import { findPermissionsOfScopes, findScope } from '#db/store/scopes'
import { callerContext, decideFor } from '#shared/domains/decision/decide-for'
import { hasRole, type RoleQuestion } from '#shared/domains/decision/roles'
import { AppError } from '#shared/kernel/errors'
import type { User } from '#shared/platform/principals/principal'
import type {
  OAuthScopeChecked,
  OAuthScopeQuery,
  PermissionChecked,
  PermissionQuery,
  PermissionsBody,
  PermissionsValid,
  ResourceValid,
  RoleChecked,
  RoleResourceChecked,
  RoleResourceQuery,
  ScopedPermissionChecked,
  ScopedPermissionQuery,
  ScopeValid,
  TokenValid,
} from './checks.schema.ts'
import type { Ctx } from './group.ts'
import { isStrongEnough, sessionRights } from './rights.ts'

const unmet = (what: string): AppError => new AppError('requirement_not_met', `The session does not have ${what}.`)

export const validateToken = async (ctx: Ctx, caller: User): Promise<z.input<typeof TokenValid>> => {
  const { permissions, roles } = await sessionRights(ctx, caller)
  return {
    message: 'Token is valid',
    service: 'auth-manager',
    tenant: caller.tenantId,
    client_id: caller.clientId ?? '',
    scopes: permissions,
    roles,
  }
}

/** `resource:action` requires that permission; a word without a colon requires that action on any resource. @throws AppError requirement_not_met */
export const validateScope = async (ctx: Ctx, caller: User, scope: string): Promise<z.input<typeof ScopeValid>> => {
  const { permissions } = await sessionRights(ctx, caller)
  const met = scope.includes(':') ? permissions.includes(scope) : permissions.some((permission) => permission.endsWith(`:${scope}`))
  if (!met) throw unmet(`the scope ${scope}`)
  return { message: 'Scope is valid', required_scope: scope, user_scopes: permissions }
}

/** Requires any permission on the resource. @throws AppError requirement_not_met */
export const validateResource = async (ctx: Ctx, caller: User, resource: string): Promise<z.input<typeof ResourceValid>> => {
  const { resources } = await sessionRights(ctx, caller)
  if (!resources.includes(resource)) throw unmet(`any permission on ${resource}`)
  return { message: 'Resource is valid', required_resource: resource, user_resources: resources }
}

type Pair = z.output<typeof PermissionQuery>

const mayDo = async (ctx: Ctx, caller: User, { resource, scope }: Pair, within: { scopeId?: string; scopeType?: string } = {}): Promise<boolean> =>
  isStrongEnough(caller, `${resource}:${scope}`) &&
  (await decideFor(ctx, caller.tenantId, { principalId: caller.userId, resource, action: scope, ...within }, caller)).allowed

/** @throws AppError requirement_not_met */
export const validatePermissions = async (
  ctx: Ctx,
  caller: User,
  request: z.output<typeof PermissionsBody>,
): Promise<z.input<typeof PermissionsValid>> => {
  if (!(await mayDo(ctx, caller, request))) throw unmet(`the permission ${request.resource}:${request.scope}`)
  const { permissions, resources } = await sessionRights(ctx, caller)
  return {
    message: 'Permissions are valid',
    required_scope: request.scope,
    required_resource: request.resource,
    user_scopes: permissions,
    user_resources: resources,
  }
}

export const checkPermission = async (ctx: Ctx, caller: User, pair: Pair): Promise<z.input<typeof PermissionChecked>> => ({
  user_id: caller.userId,
  tenant: caller.tenantId,
  ...pair,
  has_permission: await mayDo(ctx, caller, pair),
})

export const checkScopedPermission = async (
  ctx: Ctx,
  caller: User,
  request: z.output<typeof ScopedPermissionQuery>,
): Promise<z.input<typeof ScopedPermissionChecked>> => ({
  user_id: caller.userId,
  tenant: caller.tenantId,
  ...request,
  has_permission: await mayDo(ctx, caller, request, { scopeId: request.scope_id, scopeType: request.scope_type }),
})

const inRole = async (ctx: Ctx, caller: User, question: RoleQuestion): Promise<boolean> => {
  const subject = { kind: 'user', id: caller.userId } as const
  const { policy, principal } = await ctx.policies.load(caller.tenantId, [subject])
  return hasRole(policy, principal(subject), question, callerContext(ctx, caller), ctx.clock.now().getTime())
}

export const checkRole = async (ctx: Ctx, caller: User, role: string): Promise<z.input<typeof RoleChecked>> => ({
  user_id: caller.userId,
  role,
  has_role: await inRole(ctx, caller, { role }),
})

export const checkRoleOnResource = async (
  ctx: Ctx,
  caller: User,
  request: z.output<typeof RoleResourceQuery>,
): Promise<z.input<typeof RoleResourceChecked>> => ({
  user_id: caller.userId,
  ...request,
  has_role: await inRole(ctx, caller, { role: request.role, scope: { type: request.scope_type, id: request.resource_id } }),
})

/** Whether a scope for OAuth clients includes a permission; not whether the caller holds it. */
export const checkOAuthScope = async (
  ctx: Ctx,
  caller: User,
  request: z.output<typeof OAuthScopeQuery>,
): Promise<z.input<typeof OAuthScopeChecked>> => {
  const t = forTenant(ctx.db, caller.tenantId)
  const scope = await findScope(t, { name: request.scope_name }, ['oauth', 'both'])
  const permissions = scope === undefined ? [] : await findPermissionsOfScopes(t, [scope.id])
  const includes = permissions.some(({ resource, action }) => resource === request.resource && action === request.action)
  return { tenant: caller.tenantId, ...request, has_permission: includes }
}
