// Who may ask about whom, and how the entities of the specification become our question.
import type { PrincipalKind } from '#db/store/policy'
import type { Context } from '#shared/domains/decision/conditions'
import type { Question } from '#shared/domains/decision/decide'
import { type AskedContext, contextOf, isOneself, ownContext, uuidOf } from '#shared/domains/decision/decide-for'
import type { Subject } from '#shared/domains/decision/policies'
import { AppError } from '#shared/kernel/errors'
import { type Caller, holds, type Permission } from '#shared/platform/principals/principal'
import type { Ctx } from './group.ts'

const ASK_ABOUT_OTHERS: Permission = 'policy:check'

const isKind = (type: string): type is PrincipalKind => type === 'user' || type === 'service_account'

/** The principal that a subject names; undefined for what can be nobody of ours, and so is denied everything. */
export const subjectOf = ({ type, id }: { readonly type: string; readonly id: string }): Subject | undefined => {
  const uuid = uuidOf(id)
  return uuid !== undefined && isKind(type) ? { kind: type, id: uuid } : undefined
}

/** A resource that has a UUID is also the scope that is asked about; of any other, only what holds for the whole tenant is known. */
export const questionOf = (resource: { readonly type: string; readonly id?: string | undefined }, action: { readonly name: string }): Question => {
  const scopeId = uuidOf(resource.id)
  return { resource: resource.type, action: action.name, ...(scopeId === undefined ? {} : { scopeId, scopeType: resource.type }) }
}

/** @throws AppError insufficient_scope */
export const requireMayAsk = (caller: Caller, subject: Subject | undefined): void => {
  if ((subject !== undefined && isOneself(caller, subject)) || holds(caller, ASK_ABOUT_OTHERS)) return
  throw new AppError('insufficient_scope', `The permission ${ASK_ABOUT_OTHERS} is missing.`)
}

/** Oneself is judged by one's own session, others by what the asker says of their access. */
export const judgedBy = (
  ctx: Pick<Ctx, 'clock' | 'request'>,
  caller: Caller,
  subject: Subject | undefined,
  asked: AskedContext | undefined,
): Context => (caller.kind === 'user' && subject !== undefined && isOneself(caller, subject) ? ownContext(ctx, caller) : contextOf(asked))
