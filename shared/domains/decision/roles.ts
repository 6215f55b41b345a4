// Whether somebody has a role: asked by services that still think in roles. The same bindings, expiry and conditions as a decision.
import type { BindingIndex, Holder, Policy } from './compile.ts'
import type { Context } from './conditions.ts'
import type { Principal } from './decide.ts'
import { isLive } from './live.ts'

export type RoleQuestion = {
  /** Exactly as it is written. */
  readonly role: string
  /** Absent: for the whole tenant. Present: for the whole tenant, or for that one. */
  readonly scope?: { readonly type: string; readonly id: string }
}

/** Through a binding of one's own or of a group. Denied by default. */
export const hasRole = (policy: Policy, principal: Principal | undefined, { role, scope }: RoleQuestion, context: Context, now: number): boolean => {
  if (principal?.active !== true) return false
  const gives = (shelf: BindingIndex | undefined): boolean =>
    shelf?.bindings.some(
      (binding) =>
        binding.role.name === role && (binding.scopeType === undefined || binding.scopeType === scope?.type) && isLive(binding, context, now),
    ) ?? false
  const holders: (Holder | undefined)[] = [
    policy.holders[principal.kind].get(principal.id),
    ...principal.groups.map((group) => policy.holders.group.get(group)),
  ]
  return holders.some((holder) => gives(holder?.wide) || (scope !== undefined && gives(holder?.scoped.get(scope.id))))
}
