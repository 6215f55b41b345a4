// The decision: one pure function over a compiled policy, deny by default, in AuthSec's order.
import type { PrincipalState } from '#db/store/policy'
import { type Binding, type BindingIndex, type Holder, holdsPermission, type Permission, type Policy } from './compile.ts'
import type { Context } from './conditions.ts'
import { isLive } from './live.ts'

/** Who is asked about: as the store knows it. */
export type Principal = PrincipalState

export type Question = {
  readonly resource: string
  readonly action: string
  /** Lower case. Absent: the question is about the whole tenant, and only a tenant-wide binding answers it. */
  readonly scopeId?: string | undefined
  readonly scopeType?: string | undefined
}

export type Decision = { readonly allowed: boolean /** The first binding that grants it. */; readonly binding: Binding | undefined }

const DENIED: Decision = Object.freeze({ allowed: false, binding: undefined })

const grants = (binding: Binding, scopeType: string | undefined, context: Context, now: number): boolean =>
  (scopeType === undefined || binding.scopeType === undefined || binding.scopeType === scopeType) && isLive(binding, context, now)

/** Both ways round find the same binding, since a shelf and the roles of a permission stand in the same order. */
export const firstMatchingBinding = (
  shelf: BindingIndex,
  permission: Permission,
  scopeType: string | undefined,
  context: Context,
  now: number,
): Binding | undefined => {
  const { bindings, byRole } = shelf
  if (byRole === undefined || bindings.length <= permission.roles.length) {
    for (const binding of bindings) if (holdsPermission(binding.role, permission) && grants(binding, scopeType, context, now)) return binding
    return undefined
  }
  for (const role of permission.roles) for (const binding of byRole.get(role) ?? []) if (grants(binding, scopeType, context, now)) return binding
  return undefined
}

const firstOf = (holder: Holder | undefined, permission: Permission, question: Question, context: Context, now: number): Binding | undefined => {
  if (holder === undefined) return undefined
  const wide = holder.wide && firstMatchingBinding(holder.wide, permission, question.scopeType, context, now)
  if (wide !== undefined || question.scopeId === undefined) return wide
  const shelf = holder.scoped.get(question.scopeId)
  return shelf && firstMatchingBinding(shelf, permission, question.scopeType, context, now)
}

/**
 * Whether the principal may do it now (milliseconds since 1970). Its own bindings are tried before those of its groups, tenant-wide ones before scoped ones.
 * An unknown principal, resource or action is a denial like any other.
 */
export const decide = (policy: Policy, principal: Principal | undefined, question: Question, context: Context, now: number): Decision => {
  if (principal?.active !== true) return DENIED
  const permission = policy.permissions.get(question.resource)?.get(question.action)
  if (permission === undefined) return DENIED
  const own = firstOf(policy.holders[principal.kind].get(principal.id), permission, question, context, now)
  if (own !== undefined) return { allowed: true, binding: own }
  for (const group of principal.groups) {
    const found = firstOf(policy.holders.group.get(group), permission, question, context, now)
    if (found !== undefined) return { allowed: true, binding: found }
  }
  return DENIED
}

/** Those of the questions that are allowed, by their places. */
export const allowedIndexes = (
  policy: Policy,
  principal: Principal | undefined,
  questions: readonly Question[],
  context: Context,
  now: number,
): number[] => questions.flatMap((question, at) => (decide(policy, principal, question, context, now).allowed ? [at] : []))
