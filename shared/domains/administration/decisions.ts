// Decisions about principals and about the caller, and the caller's own rights.
import type * as z from 'zod'
import { forTenant, type TenantDb } from '#db/engine/tenant'
import { listPermissions, type Permission } from '#db/store/permissions'
import { findPermissionsOfScopes, listScopes } from '#db/store/scopes'
import type { RequestCtx } from '#shared/domains/context'
import type { BindingIndex, Policy } from '#shared/domains/decision/compile'
import type { Context } from '#shared/domains/decision/conditions'
import { allowedIndexes, type Principal } from '#shared/domains/decision/decide'
import { callerContext, decideFor } from '#shared/domains/decision/decide-for'
import { isLive } from '#shared/domains/decision/live'
import { AppError } from '#shared/kernel/errors'
import type { HttpResult } from '#shared/platform/http/route'
import { hasPermission, type User } from '#shared/platform/principals/principal'
import type {
  EffectivePermissions,
  OwnPermissions,
  OwnPermissionsQuery,
  OwnRights,
  PermissionAnswer,
  PermissionQuestion,
  PolicyAnswer,
  PolicyQuestion,
} from './decisions.schema.ts'
import { pageReply, toPage } from './page.ts'
import type { OwnPermission } from './permissions.schema.ts'
import { permissionName } from './permissions.ts'

type Question = z.output<typeof PolicyQuestion>

/** Decides about any principal of the tenant; an unknown one is denied without disclosure. */
export const checkPolicy = (ctx: RequestCtx, caller: User, question: Question): Promise<z.input<typeof PolicyAnswer>> =>
  decideFor(
    ctx,
    caller.tenantId,
    { ...question, principalId: question.principal_id, scopeId: question.scope_id, scopeType: question.scope_type },
    caller,
  )

/**
 * Decides about the caller; about another principal it takes the permissions of an administrator.
 * @throws AppError insufficient_scope
 */
export const checkOwnPolicy = async (ctx: RequestCtx, caller: User, question: Question): Promise<z.input<typeof PolicyAnswer>> => {
  const missing = (['admin:access', 'policy:check'] as const).find((permission) => !hasPermission(caller, permission))
  if (question.principal_id !== caller.userId && missing !== undefined)
    throw new AppError('insufficient_scope', `The permission ${missing} is required to ask about another principal.`)
  return checkPolicy(ctx, caller, question)
}

export const checkOwnPermission = async (
  ctx: RequestCtx,
  caller: User,
  { resource, scope }: z.output<typeof PermissionQuestion>,
): Promise<z.input<typeof PermissionAnswer>> => {
  const { allowed } = await decideFor(ctx, caller.tenantId, { principalId: caller.userId, resource, action: scope }, caller)
  return { user_id: caller.userId, tenant_id: caller.tenantId, resource, scope, has_permission: allowed }
}

type OwnState = { readonly policy: Policy; readonly principal: Principal | undefined; readonly context: Context; readonly now: number }

const loadOwn = async (ctx: RequestCtx, caller: User): Promise<OwnState> => {
  const subject = { kind: 'user', id: caller.userId } as const
  const { policy, principal } = await ctx.policies.load(caller.tenantId, [subject])
  return { policy, principal: principal(subject), context: callerContext(ctx, caller), now: ctx.clock.now().getTime() }
}

/** Every permission that the caller has tenant-wide now. */
const ownPermissionNames = ({ policy, principal, context, now }: OwnState): string[] => {
  const questions = [...policy.permissions].flatMap(([resource, actions]) => [...actions.keys()].map((action) => ({ resource, action })))
  return allowedIndexes(policy, principal, questions, context, now).flatMap((at) => {
    const pair = questions[at]
    return pair === undefined ? [] : [permissionName(pair)]
  })
}

/** The names of the caller's tenant-wide roles now. */
const ownRoles = (own: OwnState): string[] => {
  const { policy, principal } = own
  if (principal?.active !== true) return []
  const indexes: (BindingIndex | undefined)[] = [
    policy.holders[principal.kind].get(principal.id)?.wide,
    ...principal.groups.map((group) => policy.holders.group.get(group)?.wide),
  ]
  const live = indexes.flatMap((index) => (index?.bindings ?? []).filter((binding) => isLive(binding, own.context, own.now)))
  return [...new Set(live.map((binding) => binding.role.name))].toSorted()
}

const MAX_SCOPES = 1000
const scopesWithin = async (t: TenantDb, held: ReadonlySet<string>): Promise<string[]> => {
  const page = { sort: 'name', descending: false, limit: MAX_SCOPES } as const
  const scopes = await listScopes(t, { usages: ['internal', 'oauth', 'both'], page })
  const needed = new Map<string, string[]>(scopes.map((scope) => [scope.id, []]))
  for (const permission of await findPermissionsOfScopes(t, [...needed.keys()])) needed.get(permission.scopeId)?.push(permissionName(permission))
  return scopes.flatMap(({ id, name }) => {
    const names = needed.get(id) ?? []
    return names.length > 0 && names.every((permission) => held.has(permission)) ? [name] : []
  })
}

export const showOwnRights = async (ctx: RequestCtx, caller: User): Promise<z.input<typeof OwnRights>> => {
  const own = await loadOwn(ctx, caller)
  const permissions = ownPermissionNames(own).toSorted()
  return {
    user_id: caller.userId,
    tenant_id: caller.tenantId,
    roles: ownRoles(own),
    permissions,
    scopes: await scopesWithin(forTenant(ctx.db, caller.tenantId), new Set(permissions)),
    resources: [...new Set(permissions.map((permission) => permission.slice(0, permission.indexOf(':'))))],
  }
}

const toResponse = (row: Permission): z.input<typeof OwnPermission> => ({
  id: row.id,
  tenant_id: row.tenantId,
  resource: row.resource,
  action: row.action,
  description: row.description,
  created_at: row.createdAt.toISOString(),
  updated_at: row.updatedAt.toISOString(),
})

const NEWEST = '-created_at'

/** The caller's permissions, newest first. */
export const showOwnPermissions = async (
  ctx: RequestCtx,
  caller: User,
  query: z.output<typeof OwnPermissionsQuery>,
): Promise<HttpResult<z.input<typeof OwnPermissions>>> => {
  const names = ownPermissionNames(await loadOwn(ctx, caller))
  const rows = await listPermissions(forTenant(ctx.db, caller.tenantId), { names, page: toPage<'created_at'>(query, NEWEST) })
  return pageReply(
    query,
    NEWEST,
    rows,
    (row) => row.createdAt,
    (some) => some.map(toResponse),
  )
}

/** All permissions at once, held through the caller's own and their groups' roles. */
export const showEffectivePermissions = async (ctx: RequestCtx, caller: User): Promise<z.input<typeof EffectivePermissions>> => {
  const names = ownPermissionNames(await loadOwn(ctx, caller))
  const page = { sort: 'created_at', descending: true, limit: Math.max(1, names.length) } as const
  const all = (await listPermissions(forTenant(ctx.db, caller.tenantId), { names, page })).map(toResponse)
  return { direct_permissions: [], role_permissions: all, all_permissions: all }
}
