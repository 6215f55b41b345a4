// The decision: a pure function over a compiled policy. Deny by default, in AuthSec's order.
import type { PrincipalState } from '#db/store/policy'
import { type Binding, type BindingIndex, type Holder, holdsPermission, type Permission, type Policy } from './compile.ts'
import type { Context } from './conditions.ts'
import { isLive } from './live.ts'

/** The principal as stored. */
export type Principal = PrincipalState

export type Question = {
  readonly resource: string
  readonly action: string
  /** Lower case. When absent, the question is about the whole tenant, and only a tenant-wide binding grants it. */
  readonly scopeId?: string | undefined
  readonly scopeType?: string | undefined
}

export type Decision = { readonly allowed: boolean /** The first granting binding. */; readonly binding: Binding | undefined }

const DENIED: Decision = Object.freeze({ allowed: false, binding: undefined })

const grants = (binding: Binding, scopeType: string | undefined, context: Context, now: number): boolean =>
  (scopeType === undefined || binding.scopeType === undefined || binding.scopeType === scopeType) && isLive(binding, context, now)

/** Walks the shorter of the two lists. Both find the same binding, because they have the same order. */
export const firstMatchingBinding = (
  index: BindingIndex,
  permission: Permission,
  scopeType: string | undefined,
  context: Context,
  now: number,
): Binding | undefined => {
  const { bindings, byRole } = index
  if (byRole === undefined || bindings.length <= permission.roles.length) {
    for (const binding of bindings) if (holdsPermission(binding.role, permission) && grants(binding, scopeType, context, now)) return binding
    return undefined
  }
  for (const role of permission.roles) for (const binding of byRole.get(role) ?? []) if (grants(binding, scopeType, context, now)) return binding
  return undefined
}

const findInHolder = (holder: Holder | undefined, permission: Permission, question: Question, context: Context, now: number): Binding | undefined => {
  if (holder === undefined) return undefined
  const wide = holder.wide && firstMatchingBinding(holder.wide, permission, question.scopeType, context, now)
  if (wide !== undefined || question.scopeId === undefined) return wide
  const index = holder.scoped.get(question.scopeId)
  return index && firstMatchingBinding(index, permission, question.scopeType, context, now)
}

/**
 * Whether the principal may do it at `now` (milliseconds since 1970). Its own bindings come before those of its groups, tenant-wide ones before scoped ones. An
 * unknown principal, resource or action is denied.
 */
export const decide = (policy: Policy, principal: Principal | undefined, question: Question, context: Context, now: number): Decision => {
  if (principal?.active !== true) return DENIED
  const permission = policy.permissions.get(question.resource)?.get(question.action)
  if (permission === undefined) return DENIED
  const own = findInHolder(policy.holders[principal.kind].get(principal.id), permission, question, context, now)
  if (own !== undefined) return { allowed: true, binding: own }
  for (const group of principal.groups) {
    const found = findInHolder(policy.holders.group.get(group), permission, question, context, now)
    if (found !== undefined) return { allowed: true, binding: found }
  }
  return DENIED
}

/** The positions of the questions that are allowed. */
export const allowedIndexes = (
  policy: Policy,
  principal: Principal | undefined,
  questions: readonly Question[],
  context: Context,
  now: number,
): number[] => questions.flatMap((question, at) => (decide(policy, principal, question, context, now).allowed ? [at] : []))
