// Explains a decision: the bindings considered, in order, the deciding one, and what a permit lacks. Only for callers who may read roles.
import type { Binding, Holder, Permission, Policy } from './compile.ts'
import { holdsPermission } from './compile.ts'
import { type ConditionName, type Context, failingCondition } from './conditions.ts'
import type { Principal, Question } from './decide.ts'

export type Verdict = 'grants' | 'lacks_permission' | 'other_scope' | 'expired' | 'unusable_conditions' | ConditionName
export type ConsideredBinding = { readonly binding: Binding; readonly verdict: Verdict }
export type MissingRequirement =
  /** The principal is unknown or inactive. */
  | { readonly kind: 'active_principal' }
  /** No role holds the permission. */
  | { readonly kind: 'role_with_permission' }
  /** None of these roles, which hold the permission, is bound to the principal or its groups. */
  | { readonly kind: 'binding'; readonly roles: readonly string[] }
  /** The binding would grant it, except for one reason. */
  | { readonly kind: 'fulfilment'; readonly binding: Binding; readonly of: Verdict }

export type Explanation = {
  readonly allowed: boolean
  readonly decidedBy: Binding | undefined
  /** Up to and including the deciding one. */
  readonly considered: readonly ConsideredBinding[]
  readonly missing: readonly MissingRequirement[]
}

const MAX_ROLES_NAMED = 20

const verdictOf = (
  binding: Binding,
  permission: Permission | undefined,
  { scopeId, scopeType }: Question,
  context: Context,
  now: number,
): Verdict => {
  if (permission === undefined || !holdsPermission(binding.role, permission)) return 'lacks_permission'
  if (binding.scopeId !== undefined && (binding.scopeId !== scopeId || (scopeType !== undefined && binding.scopeType !== scopeType)))
    return 'other_scope'
  if (binding.expiresAt <= now) return 'expired'
  if (binding.conditions === 'unusable') return 'unusable_conditions'
  return (binding.conditions && failingCondition(binding.conditions, context, now)) ?? 'grants'
}

/** In the order of the decision; bindings of other scopes, which the decision skips, come last. */
const bindingsOf = (holder: Holder | undefined, scopeId: string | undefined): readonly Binding[] => {
  if (holder === undefined) return []
  const requested = scopeId === undefined ? undefined : holder.scoped.get(scopeId)
  const others = [...holder.scoped.values()].filter((index) => index !== requested)
  return [holder.wide, requested, ...others].flatMap((index) => index?.bindings ?? [])
}

const missingFor = (permission: Permission | undefined, considered: readonly ConsideredBinding[]): readonly MissingRequirement[] => {
  if (permission === undefined) return [{ kind: 'role_with_permission' }]
  const nearly = considered.filter(({ verdict }) => verdict !== 'lacks_permission')
  if (nearly.length === 0) return [{ kind: 'binding', roles: permission.roles.slice(0, MAX_ROLES_NAMED).map(({ name }) => name) }]
  return nearly.map(({ binding, verdict }) => ({ kind: 'fulfilment', binding, of: verdict }))
}

/** Explains what `decide` returns for the same arguments. */
export const explain = (policy: Policy, principal: Principal | undefined, question: Question, context: Context, now: number): Explanation => {
  if (principal?.active !== true) return { allowed: false, decidedBy: undefined, considered: [], missing: [{ kind: 'active_principal' }] }
  const permission = policy.permissions.get(question.resource)?.get(question.action)
  const holders = [policy.holders[principal.kind].get(principal.id), ...principal.groups.map((id) => policy.holders.group.get(id))]
  const considered: ConsideredBinding[] = []
  for (const holder of holders) {
    for (const binding of bindingsOf(holder, question.scopeId)) {
      const verdict = verdictOf(binding, permission, question, context, now)
      considered.push({ binding, verdict })
      if (verdict === 'grants') return { allowed: true, decidedBy: binding, considered, missing: [] }
    }
  }
  return { allowed: false, decidedBy: undefined, considered, missing: missingFor(permission, considered) }
}
