// Scopes: names under which clients request sets of permissions. "Scopes" are internal to the tenant and "API scopes" are for OAuth clients; both share one table
// and unique names.

import type { TenantDb, TenantTx } from '#db/engine/tenant'
import { findPermissionsByText, findPermissionsOfResources, type NamedPermission } from '#db/store/permissions'
import { deleteScope, findPermissionsOfScopes, findScope, insertScope, isScopeName, replaceScope, type Scope, type Usage } from '#db/store/scopes'
import { actAsGrantor, type GrantorPermissions, requireGrantable } from '#shared/domains/authority/access-change'
import type { RequestCtx } from '#shared/domains/context'
import { requireQuotaRoom } from '#shared/domains/tenancy/quotas'
import { AppError } from '#shared/kernel/errors'
import { byUser, recordEvent } from '#shared/platform/audit/audit-log'
import type { AuditEvent } from '#shared/platform/audit/events'
import { etagOf, preconditionOf } from '#shared/platform/http/precondition'
import { isPlatformAdministrator } from '#shared/platform/http/tenant-rule'
import type { User } from '#shared/platform/principals/principal'
import { permissionName, resolvePermissions } from './permissions.ts'

/** The kind of an endpoint: its usages, the default usage of a new scope, and its audit events. */
export type ScopeKind = { readonly type: 'scope' | 'api_scope'; readonly usages: readonly Usage[]; readonly usual: Usage; readonly nameField: string }
export const INTERNAL_SCOPES: ScopeKind = { type: 'scope', usages: ['internal', 'both'], usual: 'internal', nameField: 'body.scope_name' }
export const API_SCOPES: ScopeKind = { type: 'api_scope', usages: ['oauth', 'both'], usual: 'oauth', nameField: 'body.name' }

export type ScopeInput = {
  readonly description?: string | undefined
  readonly usage?: string | undefined
  readonly permission_ids?: readonly string[] | undefined
  readonly mapped_permission_ids?: readonly string[] | undefined
  readonly resources?: readonly string[] | undefined
}
export type ScopeWithPermissions = { readonly scope: Scope; readonly permissions: readonly NamedPermission[] }

const refuse = (field: string, why: string): AppError => new AppError('invalid_request', `${field}: ${why}`, { field })

const USAGES: readonly string[] = ['internal', 'oauth', 'both'] satisfies Usage[]
/** An unknown value means the default; one of the other kind is refused. */
const usageOf = (side: ScopeKind, text: string): Usage => {
  const usage = side.usages.find((known) => known === text)
  if (usage === undefined && USAGES.includes(text)) throw refuse('body.usage', `must be ${side.usages.join(' or ')} here`)
  return usage ?? side.usual
}

/**
 * A resource without an action means every action of it that the caller may give. A text that is the name of a permission stays that permission.
 * @throws AppError cannot_grant when the caller may give none of the actions
 */
const withActions = async (t: TenantTx, grantable: GrantorPermissions, texts: readonly string[]): Promise<string[]> => {
  const bare = texts.filter((text) => !text.includes(':'))
  const names = new Set((await findPermissionsByText(t, bare)).map(({ resource, action }) => `${resource}.${action}`))
  const actions = await findPermissionsOfResources(
    t,
    bare.filter((text) => !names.has(text)),
  )
  return texts.flatMap((text) => {
    const all = actions.filter(({ resource }) => resource === text).map(permissionName)
    if (all.length === 0) return [text]
    const given = all.filter(grantable.covers)
    if (given.length === 0) requireGrantable(grantable, all)
    return given
  })
}

/** The permissions in the body; undefined when it has none of the lists, so that a scope keeps its own. */
const requestedPermissions = async (t: TenantTx, grantable: GrantorPermissions, input: ScopeInput): Promise<NamedPermission[] | undefined> => {
  const { permission_ids: ids, mapped_permission_ids: mapped, resources } = input
  if (ids === undefined && mapped === undefined && resources === undefined) return undefined
  if (ids?.length) return resolvePermissions(t, { ids, idsField: 'permission_ids', textsField: '' })
  if (mapped?.length) return resolvePermissions(t, { ids: mapped, idsField: 'mapped_permission_ids', textsField: '' })
  return resolvePermissions(t, { texts: await withActions(t, grantable, resources ?? []), idsField: '', textsField: 'resources' })
}

/**
 * Requires the scope's permissions and the permission with the scope's name. A scope widens what clients get, and verifiers take a `resource:action` in a token's
 * `scope` for a permission. Changing or deleting a scope frees its name, so it takes the same.
 */
const requireScopeGrantable = async (
  t: TenantTx,
  grantable: GrantorPermissions,
  name: string,
  permissions: readonly NamedPermission[],
): Promise<void> => {
  const namesakes = name.includes(':') ? await findPermissionsByText(t, [name]) : []
  requireGrantable(grantable, [...permissions, ...namesakes].map(permissionName))
}

/** `*` is a wildcard in a token's `scope`. */
const requireUnreservedName = (caller: User, side: ScopeKind, name: string): void => {
  if (name.includes('*') && !isPlatformAdministrator(caller)) throw refuse(side.nameField, 'must not contain an asterisk')
}

const auditedScope = (scope: Pick<Scope, 'name' | 'description' | 'usage'>, permissions: readonly NamedPermission[]) => ({
  name: scope.name,
  description: scope.description,
  usage: scope.usage,
  permissions: permissions.map(permissionName).toSorted(),
})

/** The ETag over what a change can change. */
export const scopeTag = ({ scope, permissions }: ScopeWithPermissions): string => etagOf(auditedScope(scope, permissions))

const eventOf = (side: ScopeKind, verb: 'created' | 'updated' | 'deleted'): AuditEvent => `${side.type}.${verb}`

/** @throws AppError invalid_request, cannot_grant, quota_exceeded, scope_exists */
export const createScope = async (ctx: RequestCtx, caller: User, side: ScopeKind, name: string, input: ScopeInput): Promise<ScopeWithPermissions> => {
  requireUnreservedName(caller, side, name)
  return actAsGrantor(ctx, caller, async (t, grantable) => {
    const permissions = (await requestedPermissions(t, grantable, input)) ?? []
    await requireScopeGrantable(t, grantable, name, permissions)
    await requireQuotaRoom(t, 'scopes')
    const at = ctx.clock.now()
    const text = { id: ctx.random.id(), name, description: input.description ?? '', usage: usageOf(side, input.usage ?? side.usual) }
    if (!(await insertScope(t, { ...text, permissionIds: permissions.map(({ id }) => id), at }))) throw new AppError('scope_exists')
    await recordEvent(t, ctx, {
      event: eventOf(side, 'created'),
      actor: byUser(caller),
      target: { type: side.type, id: text.id },
      after: auditedScope(text, permissions),
    })
    return { scope: { ...text, tenantId: t.tenantId, createdAt: at, updatedAt: at }, permissions }
  })
}

export type ScopeSelector = { readonly id: string } | { readonly name: string }

/** @throws AppError not_found */
export const loadScope = async (t: TenantDb, side: ScopeKind, which: ScopeSelector): Promise<ScopeWithPermissions> => {
  const scope = await findScope(t, which, side.usages)
  if (scope === undefined) throw new AppError('not_found')
  return { scope, permissions: await findPermissionsOfScopes(t, [scope.id]) }
}

/**
 * Changes a scope. A list of permissions, even an empty one, replaces the scope's; without a list they stay.
 * @throws AppError precondition_failed, not_found, invalid_request, cannot_grant, scope_exists
 */
export const updateScope = async (
  ctx: RequestCtx,
  caller: User,
  side: ScopeKind,
  which: ScopeSelector,
  input: ScopeInput & { readonly name?: string | undefined },
): Promise<ScopeWithPermissions> => {
  const checkPrecondition = preconditionOf(ctx, 'optional')
  return actAsGrantor(ctx, caller, async (t, grantable) => {
    const { scope, permissions: had } = await loadScope(t, side, which)
    checkPrecondition(scopeTag({ scope, permissions: had }))
    const at = ctx.clock.now()
    const replaced = await requestedPermissions(t, grantable, input)
    const name = input.name ?? scope.name
    if (name !== scope.name) {
      requireUnreservedName(caller, side, name)
      if (await isScopeName(t, name)) throw new AppError('scope_exists')
    }
    if (name !== scope.name || replaced !== undefined) await requireScopeGrantable(t, grantable, name, [...had, ...(replaced ?? [])])
    const usage = input.usage === undefined ? scope.usage : usageOf(side, input.usage)
    const to = { name, description: input.description ?? scope.description, usage }
    await replaceScope(t, scope.id, { ...to, at, ...(replaced === undefined ? {} : { permissionIds: replaced.map(({ id }) => id) }) })
    const permissions = replaced ?? had
    await recordEvent(t, ctx, {
      event: eventOf(side, 'updated'),
      actor: byUser(caller),
      target: { type: side.type, id: scope.id },
      before: auditedScope(scope, had),
      after: auditedScope(to, permissions),
    })
    return { scope: { ...scope, ...to, updatedAt: at }, permissions }
  })
}

/** @throws AppError not_found, cannot_grant */
export const removeScope = async (ctx: RequestCtx, caller: User, side: ScopeKind, which: ScopeSelector): Promise<{ message: string }> => {
  await actAsGrantor(ctx, caller, async (t, grantable) => {
    const { scope, permissions } = await loadScope(t, side, which)
    await requireScopeGrantable(t, grantable, scope.name, permissions)
    await deleteScope(t, scope.id)
    await recordEvent(t, ctx, {
      event: eventOf(side, 'deleted'),
      actor: byUser(caller),
      target: { type: side.type, id: scope.id },
      before: auditedScope(scope, permissions),
    })
  })
  return { message: 'Scope deleted' }
}
