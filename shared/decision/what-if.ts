// A dry run: what a change of roles or bindings would do, against the rows as they are. Nothing is written.
import type { HolderKind, PolicyRows } from '#db/store/policy'
import type { TenantId } from '#db/tenant'
import { type Binding, compile, holdsPermission, type Permission, type Policy } from './compile.ts'
import type { Principal } from './decide.ts'

export type Change =
  | {
      readonly op: 'bind'
      readonly roleId: string
      readonly holderKind: HolderKind
      readonly holderId: string
      readonly scope?: { readonly type: string; readonly id: string } | undefined
      readonly conditions: Readonly<Record<string, unknown>> | null
      readonly expiresAt?: Date | undefined
    }
  | { readonly op: 'unbind'; readonly bindingId: string }
  /** The role's permissions from then on, as `resource:action`. */
  | { readonly op: 'set_role_permissions'; readonly roleId: string; readonly permissions: readonly string[] }
  | { readonly op: 'delete_role'; readonly roleId: string }

/** What a binding gives: a permission, for the whole tenant or one resource, perhaps under conditions, perhaps for a time. */
export type Grant = {
  readonly resource: string
  readonly action: string
  readonly scopeType: string | undefined
  readonly scopeId: string | undefined
  /** Canonical text of the conditions; `''`: none. */
  readonly conditions: string
  readonly expiresAt: number
}
export type Effect = { readonly principal: Principal; readonly grant: Grant }
export type Prepared = {
  readonly before: Policy
  readonly after: Policy
  readonly roles: ReadonlySet<string>
  readonly holders: readonly { readonly kind: HolderKind; readonly id: string }[]
}

/** The change names something that the tenant does not have. */
export class UnknownTarget extends Error {
  readonly at: number
  constructor(at: number) {
    super('The change names an unknown role, binding or permission.')
    this.at = at
  }
}

const applied = (rows: PolicyRows, change: Change, at: number): PolicyRows => {
  const hasRole = (id: string): boolean => rows.roles.some((role) => role.id === id)
  switch (change.op) {
    case 'bind': {
      if (!hasRole(change.roleId)) throw new UnknownTarget(at)
      const { roleId, holderKind, holderId, scope, conditions, expiresAt } = change
      const added = {
        id: `change-${at}`,
        roleId,
        holderKind,
        holderId,
        scopeType: scope?.type ?? null,
        scopeId: scope?.id ?? null,
        conditions,
        expiresAt: expiresAt ?? null,
      }
      return { ...rows, bindings: [...rows.bindings, added] }
    }
    case 'unbind': {
      const bindings = rows.bindings.filter(({ id }) => id !== change.bindingId)
      if (bindings.length === rows.bindings.length) throw new UnknownTarget(at)
      return { ...rows, bindings }
    }
    case 'set_role_permissions': {
      const idOf = new Map(rows.permissions.map(({ id, resource, action }) => [`${resource}:${action}`, id]))
      const permissionIds = change.permissions.map((name) => idOf.get(name))
      if (!hasRole(change.roleId) || permissionIds.includes(undefined)) throw new UnknownTarget(at)
      const set = permissionIds.filter((id) => id !== undefined)
      return { ...rows, roles: rows.roles.map((role) => (role.id === change.roleId ? { ...role, permissionIds: set } : role)) }
    }
    case 'delete_role': {
      if (!hasRole(change.roleId)) throw new UnknownTarget(at)
      return {
        ...rows,
        roles: rows.roles.filter(({ id }) => id !== change.roleId),
        bindings: rows.bindings.filter(({ roleId }) => roleId !== change.roleId),
      }
    }
  }
}

/** Applies the changes in order, to a copy. @throws UnknownTarget */
export const applyChanges = (rows: PolicyRows, changes: readonly Change[]): PolicyRows => changes.reduce(applied, rows)

/** Both policies, and whom the difference can touch. */
export const prepare = (tenantId: TenantId, rows: PolicyRows, changes: readonly Change[]): Prepared => {
  const changed = applyChanges(rows, changes)
  const [old, now] = [new Set(rows.bindings), new Set(changed.bindings)]
  const moved = [...rows.bindings.filter((row) => !now.has(row)), ...changed.bindings.filter((row) => !old.has(row))]
  const edited = new Set(changes.flatMap((change) => (change.op === 'set_role_permissions' ? [change.roleId] : [])))
  const touched = [...moved, ...changed.bindings.filter(({ roleId }) => edited.has(roleId))]
  const holders = new Map(touched.map(({ holderKind, holderId }) => [`${holderKind} ${holderId}`, { kind: holderKind, id: holderId }]))
  const roles = new Set([...edited, ...moved.map(({ roleId }) => roleId)])
  return { before: compile(tenantId, rows), after: compile(tenantId, changed), roles, holders: [...holders.values()] }
}

const canonical = (binding: Binding): string =>
  binding.conditions === undefined ? '' : JSON.stringify(binding.conditions, (_, value) => (typeof value === 'bigint' ? value.toString(16) : value))

const bindingsOf = (policy: Policy, principal: Principal): readonly Binding[] => {
  const holders = [policy.holders[principal.kind].get(principal.id), ...principal.groups.map((id) => policy.holders.group.get(id))]
  return holders.flatMap((holder) => (holder === undefined ? [] : [holder.wide, ...holder.scoped.values()].flatMap((shelf) => shelf?.bindings ?? [])))
}

const permissionsOf = (policy: Policy): readonly Permission[] => [...policy.permissions.values()].flatMap((actions) => [...actions.values()])

/** Permissions that one of the roles holds, by name. */
const namesHeld = (policy: Policy, roles: ReadonlySet<string>): ReadonlySet<string> => {
  const held = [...roles].flatMap((id) => policy.roles.get(id) ?? [])
  return new Set(permissionsOf(policy).flatMap((p) => (held.some((role) => holdsPermission(role, p)) ? [`${p.resource}:${p.action}`] : [])))
}

/** By permission, so that what is compared stays short. */
const grantsOf = (policy: Policy, principal: Principal, names: ReadonlySet<string>, now: number): ReadonlyMap<string, readonly Grant[]> => {
  const live = bindingsOf(policy, principal).filter((binding) => binding.expiresAt > now && binding.conditions !== 'unusable')
  const grants = new Map<string, Grant[]>()
  for (const permission of live.length === 0 ? [] : permissionsOf(policy)) {
    const { resource, action } = permission
    if (!names.has(`${resource}:${action}`)) continue
    const given = live
      .filter((binding) => holdsPermission(binding.role, permission))
      .map((binding) => ({
        resource,
        action,
        scopeType: binding.scopeType,
        scopeId: binding.scopeId,
        conditions: canonical(binding),
        expiresAt: binding.expiresAt,
      }))
    if (given.length > 0) grants.set(`${resource}:${action}`, given)
  }
  return grants
}

/** Whether a grant gives nothing beyond another: as wide, as free and as long. */
const isCovered = (grant: Grant, by: Grant): boolean =>
  by.resource === grant.resource &&
  by.action === grant.action &&
  (by.scopeId === undefined || (by.scopeId === grant.scopeId && by.scopeType === grant.scopeType)) &&
  (by.conditions === '' || by.conditions === grant.conditions) &&
  by.expiresAt >= grant.expiresAt

/** Each once, and none that another one of them covers. All of one permission. */
const beyond = (grants: readonly Grant[], others: readonly Grant[]): readonly Grant[] => {
  const fresh = grants.filter((grant) => !others.some((other) => isCovered(grant, other)))
  return fresh.filter(
    (grant, at) => !fresh.some((other, place) => place !== at && isCovered(grant, other) && (place < at || !isCovered(other, grant))),
  )
}

/** Who of these gains and loses what. A permission that somebody has some other way is neither. */
export const compare = (
  { before, after, roles }: Prepared,
  principals: readonly Principal[],
  now: number,
): { readonly gains: readonly Effect[]; readonly losses: readonly Effect[] } => {
  const names = new Set([...namesHeld(before, roles), ...namesHeld(after, roles)])
  const gains: Effect[] = []
  const losses: Effect[] = []
  for (const principal of principals) {
    const [had, has] = [grantsOf(before, principal, names, now), grantsOf(after, principal, names, now)]
    for (const name of new Set([...had.keys(), ...has.keys()])) {
      const [old, current] = [had.get(name) ?? [], has.get(name) ?? []]
      for (const grant of beyond(current, old)) gains.push({ principal, grant })
      for (const grant of beyond(old, current)) losses.push({ principal, grant })
    }
  }
  return { gains, losses }
}
