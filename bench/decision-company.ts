// A large company in memory: 1,000 roles, 10,000 bindings, 500 groups, 100,000 people. It is the same in every run.

import { asTenantId } from '#db/engine/tenant'
import type { BindingRow, PolicyRows } from '#db/store/policy'
import type { Principal, Question } from '#shared/domains/decision/decide'
import { fixedClock } from '#shared/kernel/clock'
import { seededRandom } from '#shared/kernel/random'

export const TENANT = asTenantId('70000000-0000-4000-8000-000000000000')
export const SIZES = { roles: 1000, bindings: 10_000, groups: 500, people: 100_000, resources: 100, actions: 10, permissionsOfRole: 10 }

const bytes = seededRandom(fixedClock('2026-01-01T00:00:00Z'), 7).bytes(1 << 20)
let at = 0
const below = (max: number): number => {
  const n = ((bytes[at] ?? 0) << 16) | ((bytes[at + 1] ?? 0) << 8) | (bytes[at + 2] ?? 0)
  at = (at + 3) % (bytes.length - 3)
  return n % max
}

export const idOf = (kind: string, n: number): string => `${kind}0000000-0000-4000-8000-${n.toString(16).padStart(12, '0')}`
export const userId = (n: number): string => idOf('a', n)
export const groupId = (n: number): string => idOf('c', n)
export const scopeId = (n: number): string => idOf('d', n)
const roleId = (n: number): string => idOf('e', n)
export const resourceOf = (n: number): string => `resource-${n}`
export const actionOf = (n: number): string => `action-${n}`

const permissions = Array.from({ length: SIZES.resources * SIZES.actions }, (_, n) => ({
  id: idOf('f', n),
  resource: resourceOf(Math.floor(n / SIZES.actions)),
  action: actionOf(n % SIZES.actions),
}))
const roles = Array.from({ length: SIZES.roles }, (_, n) => ({
  id: roleId(n),
  name: `role-${n}`,
  isSystem: false,
  permissionIds: [...new Set(Array.from({ length: SIZES.permissionsOfRole }, () => idOf('f', below(permissions.length))))],
}))

/** Four in ten bindings go to groups; a third of the rest is scoped, as is typical for companies. */
const bindings = Array.from({ length: SIZES.bindings }, (_, n): BindingRow => {
  const isOfGroup = n % 10 < 4
  const isScoped = !isOfGroup && n % 3 === 0
  return {
    id: idOf('9', n),
    roleId: roleId(below(SIZES.roles)),
    holderKind: isOfGroup ? 'group' : 'user',
    holderId: isOfGroup ? groupId(below(SIZES.groups)) : userId(below(SIZES.people)),
    scopeType: isScoped ? resourceOf(0) : null,
    scopeId: isScoped ? scopeId(below(2000)) : null,
    conditions: null,
    expiresAt: null,
  }
})
export const rows: PolicyRows = { version: 1, permissions, roles, bindings }

export const people: readonly Principal[] = Array.from({ length: SIZES.people }, (_, n) => ({
  kind: 'user',
  id: userId(n),
  active: true,
  groups: [...new Set(Array.from({ length: below(4) }, () => groupId(below(SIZES.groups))))].sort(),
}))

export type BenchQuestion = { readonly principal: Principal; readonly question: Question }

const roleOf = new Map(roles.map((role) => [role.id, role]))
const permissionOf = new Map(permissions.map((permission) => [permission.id, permission]))
const wideOf = new Map<string, string[]>()
for (const row of bindings) if (row.scopeId === null) wideOf.set(row.holderId, [...(wideOf.get(row.holderId) ?? []), row.roleId])

/** Tenant-wide questions, about half of them allowed; every engine here can express them. */
export const benchQuestions: readonly BenchQuestion[] = Array.from({ length: 8192 }, (_, n) => {
  const principal = people[below(SIZES.people)] as Principal
  const held = [principal.id, ...principal.groups].flatMap((holder) => wideOf.get(holder) ?? [])
  const role = n % 2 === 0 && held.length > 0 ? roleOf.get(held[below(held.length)] ?? '') : undefined
  const permission = role === undefined ? undefined : permissionOf.get(role.permissionIds[below(role.permissionIds.length)] ?? '')
  const question = permission ?? { resource: resourceOf(below(SIZES.resources)), action: actionOf(below(SIZES.actions)) }
  return { principal, question: { resource: question.resource, action: question.action } }
})

/** Ids of the roles that a person has for the whole tenant, directly or through groups; computed once, because engines that start from roles receive them as input. */
export const rolesOf = (principal: Principal): readonly string[] => {
  const known = held.get(principal)
  if (known !== undefined) return known
  const found = [principal.id, ...principal.groups].flatMap((holder) => wideOf.get(holder) ?? [])
  held.set(principal, found)
  return found
}
const held = new Map<Principal, readonly string[]>()
/** Permissions of a role, as resource and action. */
export const grantsOfRole = (id: string): readonly { readonly resource: string; readonly action: string }[] =>
  (roleOf.get(id)?.permissionIds ?? []).flatMap((permissionId) => permissionOf.get(permissionId) ?? [])
export const wideBindings = bindings.filter((row) => row.scopeId === null)
export const allRoles = roles
