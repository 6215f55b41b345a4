// Compiles a tenant's rows into a policy in which a decision is a few look-ups.

import { SYSTEM_TENANT, type TenantId } from '#db/engine/tenant'
import type { BindingRow, HolderKind, PolicyRows } from '#db/store/policy'
import { type Conditions, readConditions } from './conditions.ts'

export type Role = {
  /** Position by name, which is the order in which bindings are tried. */
  readonly index: number
  readonly id: string
  readonly name: string
  readonly isSystem: boolean
  /** Bit n: the role holds permission n. */
  readonly bits: Uint32Array
}
export type Permission = {
  readonly index: number
  readonly resource: string
  readonly action: string
  /** Roles that hold the permission, in order. */
  readonly roles: readonly Role[]
}
export type Binding = {
  readonly id: string
  readonly role: Role
  readonly holderKind: HolderKind
  readonly holderId: string
  /** Both undefined for a tenant-wide binding. */
  readonly scopeType: string | undefined
  readonly scopeId: string | undefined
  /** `unusable`: the stored conditions are invalid, so the binding grants nothing. */
  readonly conditions: Conditions | undefined | 'unusable'
  /** Milliseconds since 1970; infinite without an expiry. */
  readonly expiresAt: number
}
/** Bindings of one holder and one scope, in order. A long list is also indexed by role, so that a decision walks the shorter side. */
export type BindingIndex = { readonly bindings: readonly Binding[]; readonly byRole: ReadonlyMap<Role, readonly Binding[]> | undefined }
export type Holder = { readonly wide: BindingIndex | undefined; readonly scoped: ReadonlyMap<string, BindingIndex> }

/** Immutable plain data. */
export type Policy = {
  readonly tenantId: TenantId
  readonly version: number
  /** By resource, then action; only permissions that some role holds. */
  readonly permissions: ReadonlyMap<string, ReadonlyMap<string, Permission>>
  readonly roles: ReadonlyMap<string, Role>
  readonly holders: Readonly<Record<HolderKind, ReadonlyMap<string, Holder>>>
  readonly bindingsOfRole: ReadonlyMap<Role, readonly Binding[]>
  /** The sorted resource ids that bindings name, by type. */
  readonly scopeIds: ReadonlyMap<string, readonly string[]>
  /** The number of source rows, as an estimate of memory. */
  readonly weight: number
}

const INDEX_ABOVE = 16

export const holdsPermission = (role: Role, permission: Permission): boolean =>
  (((role.bits[permission.index >>> 5] ?? 0) >>> (permission.index & 31)) & 1) === 1

const append = <K, V>(lists: Map<K, V[]>, key: K, value: V): void => {
  const list = lists.get(key)
  if (list === undefined) lists.set(key, [value])
  else list.push(value)
}

const childMap = <K, K2, V>(maps: Map<K, Map<K2, V>>, key: K): Map<K2, V> => {
  const known = maps.get(key)
  if (known !== undefined) return known
  const made = new Map<K2, V>()
  maps.set(key, made)
  return made
}

const byText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)

/** The resource `platform` exists only in the system tenant, whatever the rows contain. */
const livePermissions = (tenantId: TenantId, rows: PolicyRows): PolicyRows['permissions'] =>
  tenantId === SYSTEM_TENANT ? rows.permissions : rows.permissions.filter(({ resource }) => resource !== 'platform')

const compileRoles = (tenantId: TenantId, rows: PolicyRows): { roles: Map<string, Role>; permissions: Map<string, Map<string, Permission>> } => {
  const indexOf = new Map(livePermissions(tenantId, rows).map(({ id }, index) => [id, index]))
  const words = (indexOf.size + 31) >>> 5
  const roles = new Map<string, Role>()
  const holding = new Map<number, Role[]>()
  for (const [index, { id, name, isSystem, permissionIds }] of [...rows.roles]
    .sort((a, b) => byText(a.name, b.name) || byText(a.id, b.id))
    .entries()) {
    const bits = new Uint32Array(words)
    const role: Role = Object.freeze({ index, id, name, isSystem, bits })
    for (const permissionId of permissionIds) {
      const at = indexOf.get(permissionId)
      if (at === undefined) continue
      bits[at >>> 5] = (bits[at >>> 5] ?? 0) | (1 << (at & 31))
      append(holding, at, role)
    }
    roles.set(id, role)
  }
  const permissions = new Map<string, Map<string, Permission>>()
  for (const { id, resource, action } of rows.permissions) {
    const index = indexOf.get(id)
    const held = index === undefined ? undefined : holding.get(index)
    if (index === undefined || held === undefined) continue
    childMap(permissions, resource).set(action, Object.freeze({ index, resource, action, roles: Object.freeze(held) }))
  }
  return { roles, permissions }
}

const compileBinding = (row: BindingRow, role: Role): Binding =>
  Object.freeze({
    id: row.id,
    role,
    holderKind: row.holderKind,
    holderId: row.holderId,
    scopeType: row.scopeType ?? undefined,
    scopeId: row.scopeId ?? undefined,
    conditions: row.conditions === null ? undefined : readConditions(row.conditions),
    expiresAt: row.expiresAt === null ? Number.POSITIVE_INFINITY : row.expiresAt.getTime(),
  })

const indexBindings = (bindings: readonly Binding[]): BindingIndex => {
  if (bindings.length <= INDEX_ABOVE) return { bindings, byRole: undefined }
  const byRole = new Map<Role, Binding[]>()
  for (const binding of bindings) append(byRole, binding.role, binding)
  return { bindings, byRole }
}

/** A scope needs both its type and its id. A binding with one of them is ignored, like one without a role. */
const hasValidScope = (row: BindingRow): boolean => (row.scopeType === null) === (row.scopeId === null)

const compileHolders = (bindings: readonly Binding[]): Policy['holders'] => {
  const wide: Record<HolderKind, Map<string, Binding[]>> = { user: new Map(), service_account: new Map(), group: new Map() }
  const scoped: Record<HolderKind, Map<string, Map<string, Binding[]>>> = { user: new Map(), service_account: new Map(), group: new Map() }
  for (const binding of bindings) {
    if (binding.scopeId === undefined) append(wide[binding.holderKind], binding.holderId, binding)
    else append(childMap(scoped[binding.holderKind], binding.holderId), binding.scopeId, binding)
  }
  const holdersOf = (kind: HolderKind): ReadonlyMap<string, Holder> => {
    const made = new Map<string, Holder>()
    for (const id of new Set([...wide[kind].keys(), ...scoped[kind].keys()])) {
      const own = wide[kind].get(id)
      const indexes = new Map<string, BindingIndex>()
      for (const [scopeId, list] of scoped[kind].get(id) ?? []) indexes.set(scopeId, indexBindings(list))
      made.set(id, { wide: own && indexBindings(own), scoped: indexes })
    }
    return made
  }
  return { user: holdersOf('user'), service_account: holdersOf('service_account'), group: holdersOf('group') }
}

const scopeIdsOf = (bindings: readonly Binding[]): Policy['scopeIds'] => {
  const ids = new Map<string, Set<string>>()
  for (const { scopeType, scopeId } of bindings) {
    if (scopeType === undefined || scopeId === undefined) continue
    const known = ids.get(scopeType)
    if (known === undefined) ids.set(scopeType, new Set([scopeId]))
    else known.add(scopeId)
  }
  return new Map([...ids].map(([type, set]) => [type, [...set].sort(byText)]))
}

/** Compiles a tenant's rows. Bindings are ordered by role name, then by id, so that a trace is the same on every instance. */
export const compilePolicy = (tenantId: TenantId, rows: PolicyRows): Policy => {
  const { roles, permissions } = compileRoles(tenantId, rows)
  const bindings: Binding[] = []
  for (const row of rows.bindings) {
    const role = roles.get(row.roleId)
    if (role !== undefined && hasValidScope(row)) bindings.push(compileBinding(row, role))
  }
  bindings.sort((a, b) => a.role.index - b.role.index || byText(a.id, b.id))
  const bindingsOfRole = new Map<Role, Binding[]>()
  for (const binding of bindings) append(bindingsOfRole, binding.role, binding)
  const weight = 1 + rows.bindings.length + rows.roles.reduce((sum, role) => sum + 1 + role.permissionIds.length, 0)
  return Object.freeze({
    tenantId,
    version: rows.version,
    permissions,
    roles,
    holders: Object.freeze(compileHolders(bindings)),
    bindingsOfRole,
    scopeIds: scopeIdsOf(bindings),
    weight,
  })
}
