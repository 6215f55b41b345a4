// Searches for principals, resources and actions on the compiled indexes. Every result agrees with the decision.
import type { PrincipalKind } from '#db/store/policy'
import type { Binding, Policy } from './compile.ts'
import type { Context } from './conditions.ts'
import { decide, firstMatchingBinding, type Principal, type Question } from './decide.ts'
import { isLive } from './live.ts'

const covers = (binding: Binding, { scopeId, scopeType }: Question, context: Context, now: number): boolean =>
  (binding.scopeId === undefined || (binding.scopeId === scopeId && (scopeType === undefined || binding.scopeType === scopeType))) &&
  isLive(binding, context, now)

/** Principals of the kind, and groups, that a binding grants it to now. The store resolves which are active and who is in the groups. */
export const holdersAllowed = (
  policy: Policy,
  kind: PrincipalKind,
  question: Question,
  context: Context,
  now: number,
): { readonly ids: readonly string[]; readonly groups: readonly string[] } => {
  const ids = new Set<string>()
  const groups = new Set<string>()
  for (const role of policy.permissions.get(question.resource)?.get(question.action)?.roles ?? []) {
    for (const binding of policy.bindingsOfRole.get(role) ?? []) {
      if (binding.holderKind !== kind && binding.holderKind !== 'group') continue
      if (covers(binding, question, context, now)) (binding.holderKind === 'group' ? groups : ids).add(binding.holderId)
    }
  }
  return { ids: [...ids], groups: [...groups] }
}

/**
 * The resources of a type that the principal may act on, among those that some binding names; others are unknown here. `tenantWide`: the permission covers all
 * resources of the type, known or not.
 */
export const resourcesAllowed = (
  policy: Policy,
  principal: Principal | undefined,
  { resource, action }: Pick<Question, 'resource' | 'action'>,
  context: Context,
  now: number,
): { readonly ids: readonly string[]; readonly tenantWide: boolean } => {
  const known = policy.scopeIds.get(resource) ?? []
  const tenantWide = decide(policy, principal, { resource, action }, context, now).allowed
  if (tenantWide || principal === undefined) return { ids: tenantWide ? known : [], tenantWide }
  const permission = principal.active ? policy.permissions.get(resource)?.get(action) : undefined
  if (permission === undefined) return { ids: [], tenantWide }
  const holders = [policy.holders[principal.kind].get(principal.id), ...principal.groups.map((id) => policy.holders.group.get(id))]
  // No tenant-wide binding grants it, so each scoped index is checked once; deciding per resource would check all holders again each time.
  const ids = new Set<string>()
  for (const holder of holders) {
    for (const [scopeId, index] of holder?.scoped ?? []) {
      if (!ids.has(scopeId) && firstMatchingBinding(index, permission, resource, context, now) !== undefined) ids.add(scopeId)
    }
  }
  return { ids: [...ids].sort(), tenantWide }
}

/** The actions that the principal may perform on a resource, sorted. */
export const actionsAllowed = (
  policy: Policy,
  principal: Principal | undefined,
  question: Omit<Question, 'action'>,
  context: Context,
  now: number,
): readonly string[] =>
  [...(policy.permissions.get(question.resource)?.keys() ?? [])]
    .filter((action) => decide(policy, principal, { ...question, action }, context, now).allowed)
    .sort()
