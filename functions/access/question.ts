// Who may request decisions about a subject, and the translation of AuthZEN entities to ours.
import type { PrincipalKind } from '#db/store/policy'
import type { Context } from '#shared/domains/decision/conditions'
import type { Question } from '#shared/domains/decision/decide'
import { type ContextRequest, callerContext, contextOf, isSelf } from '#shared/domains/decision/decide-for'
import type { Subject } from '#shared/domains/decision/policies'
import { AppError } from '#shared/kernel/errors'
import { parseUuid } from '#shared/kernel/ids'
import { type Caller, hasPermission, type Permission } from '#shared/platform/principals/principal'
import type { Ctx } from './group.ts'

const ASK_ABOUT_OTHERS: Permission = 'policy:check'

const isKind = (type: string): type is PrincipalKind => type === 'user' || type === 'service_account'

/** The principal that a subject names, or undefined when no principal can have that type and id; such a subject is denied everything. */
export const subjectOf = ({ type, id }: { readonly type: string; readonly id: string }): Subject | undefined => {
  const uuid = parseUuid(id)
  return uuid !== undefined && isKind(type) ? { kind: type, id: uuid } : undefined
}

/** A resource with a UUID is also the scope. For any other resource only tenant-wide bindings apply. */
export const questionOf = (resource: { readonly type: string; readonly id?: string | undefined }, action: { readonly name: string }): Question => {
  const scopeId = parseUuid(resource.id)
  return { resource: resource.type, action: action.name, ...(scopeId === undefined ? {} : { scopeId, scopeType: resource.type }) }
}

/** @throws AppError insufficient_scope */
export const requireDecisionAccess = (caller: Caller, subject: Subject | undefined): void => {
  if ((subject !== undefined && isSelf(caller, subject)) || hasPermission(caller, ASK_ABOUT_OTHERS)) return
  throw new AppError('insufficient_scope', `The permission ${ASK_ABOUT_OTHERS} is missing.`)
}

/** Decisions about the caller use the caller's own session; decisions about others use the context that the caller sends. */
export const decisionContextFor = (
  ctx: Pick<Ctx, 'clock' | 'request'>,
  caller: Caller,
  subject: Subject | undefined,
  request: ContextRequest | undefined,
): Context => (caller.kind === 'user' && subject !== undefined && isSelf(caller, subject) ? callerContext(ctx, caller) : contextOf(request))
