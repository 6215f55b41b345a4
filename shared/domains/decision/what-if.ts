// A dry run: what a change of roles or bindings would do, against the rows as they are. Nothing is written.

import type { TenantId } from '#db/engine/tenant'
import type { HolderKind, PolicyRows } from '#db/store/policy'
import { type Binding, compilePolicy, holdsPermission, type Permission, type Policy } from './compile.ts'
import type { Principal } from './decide.ts'

export type PolicyEdit =
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
export type PolicyGrant = {
  readonly resource: string
  readonly action: string
  readonly scopeType: string | undefined
  readonly scopeId: string | undefined
  /** Canonical text of the conditions; `''`: none. */
  readonly conditions: string
  readonly expiresAt: number
}
export type GrantEffect = { readonly principal: Principal; readonly grant: PolicyGrant }
export type PreparedComparison = {
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

const applied = (rows: PolicyRows, change: PolicyEdit, at: number): PolicyRows => {
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
export const applyChanges = (rows: PolicyRows, changes: readonly PolicyEdit[]): PolicyRows => changes.reduce(applied, rows)

/** Both policies, and whom the difference can touch. */
export const prepareComparison = (tenantId: TenantId, rows: PolicyRows, changes: readonly PolicyEdit[]): PreparedComparison => {
  const changed = applyChanges(rows, changes)
  const [old, now] = [new Set(rows.bindings), new Set(changed.bindings)]
  const moved = [...rows.bindings.filter((row) => !now.has(row)), ...changed.bindings.filter((row) => !old.has(row))]
  const edited = new Set(changes.flatMap((change) => (change.op === 'set_role_permissions' ? [change.roleId] : [])))
  const touched = [...moved, ...changed.bindings.filter(({ roleId }) => edited.has(roleId))]
  const holders = new Map(touched.map(({ holderKind, holderId }) => [`${holderKind} ${holderId}`, { kind: holderKind, id: holderId }]))
  const roles = new Set([...edited, ...moved.map(({ roleId }) => roleId)])
  return { before: compilePolicy(tenantId, rows), after: compilePolicy(tenantId, changed), roles, holders: [...holders.values()] }
}

const canonical = (binding: Binding): string =>
  binding.conditions === undefined ? '' : JSON.stringify(binding.conditions, (_, value) => (typeof value === 'bigint' ? value.toString(16) : value))

const bindingsOf = (policy: Policy, principal: Principal): readonly Binding[] => {
  const holders = [policy.holders[principal.kind].get(principal.id), ...principal.groups.map((id) => policy.holders.group.get(id))]
  return holders.flatMap((holder) => (holder === undefined ? [] : [holder.wide, ...holder.scoped.values()].flatMap((shelf) => shelf?.bindings ?? [])))
}

const nameOf = ({ resource, action }: Pick<Permission, 'resource' | 'action'>): string => `${resource}:${action}`
const permissionsOf = (policy: Policy): readonly Permission[] => [...policy.permissions.values()].flatMap((actions) => [...actions.values()])

/** Permissions that one of the roles holds, by name. */
const namesHeld = (policy: Policy, roles: ReadonlySet<string>): ReadonlySet<string> => {
  const held = [...roles].flatMap((id) => policy.roles.get(id) ?? [])
  return new Set(permissionsOf(policy).flatMap((permission) => (held.some((role) => holdsPermission(role, permission)) ? [nameOf(permission)] : [])))
}

/** A binding that counts, by what it is compared by: where it holds and under what. No text of conditions has a line's end. */
type Placed = {
  readonly binding: Binding
  readonly conditions: string
  readonly own: string
  /** Its own place, and those that are wider or freer. */
  readonly over: readonly string[]
}
const WHOLE_TENANT = ''
const placed = (binding: Binding): Placed => {
  const conditions = canonical(binding)
  const scope = binding.scopeId === undefined ? WHOLE_TENANT : `${binding.scopeId} ${binding.scopeType}`
  const over = [scope, WHOLE_TENANT].flatMap((where) => [conditions, ''].map((under) => `${where}\n${under}`))
  return { binding, conditions, own: over[0] ?? '', over: [...new Set(over)] }
}

/** What a principal has of these permissions; `cost` says how much there is to look at. */
type Side = { readonly live: readonly Placed[]; readonly permissions: readonly Permission[]; readonly cost: number }
const sideOf = (policy: Policy, permissions: readonly Permission[], principal: Principal, now: number): Side => {
  const live = bindingsOf(policy, principal).filter((binding) => binding.expiresAt > now && binding.conditions !== 'unusable')
  return { live: live.map(placed), permissions, cost: 1 + live.length * permissions.length }
}

/** By permission, so that what is compared stays short. */
const heldBy = ({ live, permissions }: Side): ReadonlyMap<string, readonly Placed[]> => {
  const held = new Map<string, readonly Placed[]>()
  for (const permission of permissions) {
    const giving = live.filter(({ binding }) => holdsPermission(binding.role, permission))
    if (giving.length > 0) held.set(nameOf(permission), giving)
  }
  return held
}

/** Until when something is granted, by place. All of one permission. */
const longest = (held: readonly Placed[]): ReadonlyMap<string, number> => {
  const until = new Map<string, number>()
  for (const { own, binding } of held) until.set(own, Math.max(until.get(own) ?? 0, binding.expiresAt))
  return until
}
const reaches = (until: ReadonlyMap<string, number>, place: string, { binding }: Placed): boolean => (until.get(place) ?? 0) >= binding.expiresAt

/** Each once, and none that another one gives as well: as wide, as free and as long. All of one permission. */
const beyond = (held: readonly Placed[], others: readonly Placed[]): readonly Placed[] => {
  const given = longest(others)
  const fresh = held.filter((one) => !one.over.some((place) => reaches(given, place, one)))
  const until = longest(fresh)
  const notified = new Set<string>()
  return fresh.filter((one) => {
    const { own, over, binding } = one
    const isCovered = over.some((place) => place !== own && reaches(until, place, one))
    if (isCovered || notified.has(own) || until.get(own) !== binding.expiresAt) return false
    notified.add(own)
    return true
  })
}

const grantOf = (name: string, { binding, conditions }: Placed): PolicyGrant => ({
  resource: name.slice(0, name.indexOf(':')),
  action: name.slice(name.indexOf(':') + 1),
  scopeType: binding.scopeType,
  scopeId: binding.scopeId,
  conditions,
  expiresAt: binding.expiresAt,
})

/** Bindings times permissions that one answer looks at: about a second of work, in which nobody else is served. */
const MOST_COMPARED = 1_000_000
/** With so many effects there is no need to look at anybody else. */
const ENOUGH_EFFECTS = 10_000

/** Who of these gains and loses what. A permission that somebody has some other way is neither. `examined`: how many of them were looked at, in order. */
export const comparePolicies = (
  { before, after, roles }: PreparedComparison,
  principals: readonly Principal[],
  now: number,
): { readonly gains: readonly GrantEffect[]; readonly losses: readonly GrantEffect[]; readonly examined: number } => {
  const names = new Set([...namesHeld(before, roles), ...namesHeld(after, roles)])
  const [known, changed] = [before, after].map((policy) => permissionsOf(policy).filter((permission) => names.has(nameOf(permission))))
  const gains: GrantEffect[] = []
  const losses: GrantEffect[] = []
  let left = MOST_COMPARED
  for (const [examined, principal] of principals.entries()) {
    const [old, current] = [sideOf(before, known ?? [], principal, now), sideOf(after, changed ?? [], principal, now)]
    left -= old.cost + current.cost
    if (left < 0 || gains.length + losses.length > ENOUGH_EFFECTS) return { gains, losses, examined }
    const [had, has] = [heldBy(old), heldBy(current)]
    for (const name of new Set([...had.keys(), ...has.keys()])) {
      const [then, later] = [had.get(name) ?? [], has.get(name) ?? []]
      for (const one of beyond(later, then)) gains.push({ principal, grant: grantOf(name, one) })
      for (const one of beyond(then, later)) losses.push({ principal, grant: grantOf(name, one) })
    }
  }
  return { gains, losses, examined: principals.length }
}
