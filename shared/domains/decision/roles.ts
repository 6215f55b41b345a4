// Whether a principal has a role, for services that check roles instead of permissions. Bindings, expiry and conditions count as in a decision.
import type { BindingIndex, Holder, Policy } from './compile.ts'
import type { Context } from './conditions.ts'
import type { Principal } from './decide.ts'
import { isLive } from './live.ts'

export type RoleQuestion = {
  /** The exact name. */
  readonly role: string
  /** Absent: tenant-wide bindings only. Present: tenant-wide bindings or that scope's. */
  readonly scope?: { readonly type: string; readonly id: string }
}

/** By an own binding or a group's. Denied by default. */
export const hasRole = (policy: Policy, principal: Principal | undefined, { role, scope }: RoleQuestion, context: Context, now: number): boolean => {
  if (principal?.active !== true) return false
  const isIn = (index: BindingIndex | undefined): boolean =>
    index?.bindings.some(
      (binding) =>
        binding.role.name === role && (binding.scopeType === undefined || binding.scopeType === scope?.type) && isLive(binding, context, now),
    ) ?? false
  const holders: (Holder | undefined)[] = [
    policy.holders[principal.kind].get(principal.id),
    ...principal.groups.map((group) => policy.holders.group.get(group)),
  ]
  return holders.some((holder) => isIn(holder?.wide) || (scope !== undefined && isIn(holder?.scoped.get(scope.id))))
}
