// A dry run: what a change of roles or bindings would do to the current rows. Writes nothing.

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
  /** The role's new permissions, as `resource:action`. */
  | { readonly op: 'set_role_permissions'; readonly roleId: string; readonly permissions: readonly string[] }
  | { readonly op: 'delete_role'; readonly roleId: string }

/** What a binding grants: a permission, tenant-wide or for one resource, with optional conditions and expiry. */
export type PolicyGrant = {
  readonly resource: string
  readonly action: string
  readonly scopeType: string | undefined
  readonly scopeId: string | undefined
  /** Canonical JSON of the conditions; `''` for none. */
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

/** The change names a role, binding or permission that the tenant does not have. */
export class UnknownTarget extends Error {
  readonly at: number
  constructor(at: number) {
    super('The change names an unknown role, binding or permission.')
    this.at = at
  }
}

const applyChange = (rows: PolicyRows, change: PolicyEdit, at: number): PolicyRows => {
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
export const applyChanges = (rows: PolicyRows, changes: readonly PolicyEdit[]): PolicyRows => changes.reduce(applyChange, rows)

/** Both policies, and the holders that differ. */
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

/** An effective binding, keyed by scope and conditions for comparison. Canonical conditions contain no line break. */
type ComparableBinding = {
  readonly binding: Binding
  readonly conditions: string
  /** The key of its scope and conditions. */
  readonly own: string
  /** Its own key, and those of wider scopes or fewer conditions. */
  readonly over: readonly string[]
}
const WHOLE_TENANT = ''
const toComparable = (binding: Binding): ComparableBinding => {
  const conditions = canonical(binding)
  const scope = binding.scopeId === undefined ? WHOLE_TENANT : `${binding.scopeId} ${binding.scopeType}`
  const over = [scope, WHOLE_TENANT].flatMap((where) => [conditions, ''].map((under) => `${where}\n${under}`))
  return { binding, conditions, own: over[0] ?? '', over: [...new Set(over)] }
}

/** A principal's effective bindings and these permissions; `cost` is the work to compare them. */
type Snapshot = { readonly live: readonly ComparableBinding[]; readonly permissions: readonly Permission[]; readonly cost: number }
const takeSnapshot = (policy: Policy, permissions: readonly Permission[], principal: Principal, now: number): Snapshot => {
  const live = bindingsOf(policy, principal).filter((binding) => binding.expiresAt > now && binding.conditions !== 'unusable')
  return { live: live.map(toComparable), permissions, cost: 1 + live.length * permissions.length }
}

/** Grouped by permission, which keeps the compared lists short. */
const heldBy = ({ live, permissions }: Snapshot): ReadonlyMap<string, readonly ComparableBinding[]> => {
  const held = new Map<string, readonly ComparableBinding[]>()
  for (const permission of permissions) {
    const giving = live.filter(({ binding }) => holdsPermission(binding.role, permission))
    if (giving.length > 0) held.set(nameOf(permission), giving)
  }
  return held
}

/** The latest expiry by key, for bindings of one permission. */
const latestExpiries = (held: readonly ComparableBinding[]): ReadonlyMap<string, number> => {
  const until = new Map<string, number>()
  for (const { own, binding } of held) until.set(own, Math.max(until.get(own) ?? 0, binding.expiresAt))
  return until
}
const reaches = (until: ReadonlyMap<string, number>, place: string, { binding }: ComparableBinding): boolean =>
  (until.get(place) ?? 0) >= binding.expiresAt

/** Bindings that the others do not cover, without those that another one of the list covers. All of one permission. */
const uncovered = (held: readonly ComparableBinding[], others: readonly ComparableBinding[]): readonly ComparableBinding[] => {
  const given = latestExpiries(others)
  const added = held.filter((one) => !one.over.some((place) => reaches(given, place, one)))
  const until = latestExpiries(added)
  const listed = new Set<string>()
  return added.filter((one) => {
    const { own, over, binding } = one
    const isCovered = over.some((place) => place !== own && reaches(until, place, one))
    if (isCovered || listed.has(own) || until.get(own) !== binding.expiresAt) return false
    listed.add(own)
    return true
  })
}

const toGrant = (name: string, { binding, conditions }: ComparableBinding): PolicyGrant => ({
  resource: name.slice(0, name.indexOf(':')),
  action: name.slice(name.indexOf(':') + 1),
  scopeType: binding.scopeType,
  scopeId: binding.scopeId,
  conditions,
  expiresAt: binding.expiresAt,
})

/** The most bindings times permissions of one answer: about a second of work, during which no other request is served. */
const MOST_COMPARED = 1_000_000
/** Stops once there are this many effects. */
const ENOUGH_EFFECTS = 10_000

/** The gains and losses of these principals. A permission that a principal also has otherwise is neither. `examined`: how many were compared, in order. */
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
    const [old, current] = [takeSnapshot(before, known ?? [], principal, now), takeSnapshot(after, changed ?? [], principal, now)]
    left -= old.cost + current.cost
    if (left < 0 || gains.length + losses.length > ENOUGH_EFFECTS) return { gains, losses, examined }
    const [had, has] = [heldBy(old), heldBy(current)]
    for (const name of new Set([...had.keys(), ...has.keys()])) {
      const [then, later] = [had.get(name) ?? [], has.get(name) ?? []]
      for (const one of uncovered(later, then)) gains.push({ principal, grant: toGrant(name, one) })
      for (const one of uncovered(then, later)) losses.push({ principal, grant: toGrant(name, one) })
    }
  }
  return { gains, losses, examined: principals.length }
}
