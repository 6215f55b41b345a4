// Access evaluation: one question, or up to 1,000 in a batch (AuthZEN sections 6 and 7).
import * as z from 'zod'
import { decide } from '#shared/domains/decision/decide'
import { decisionTrace } from '#shared/domains/decision/decide-for'
import type { LoadedPolicy, Subject } from '#shared/domains/decision/policies'
import { AppError } from '#shared/kernel/errors'
import type { Caller } from '#shared/platform/principals/principal'
import {
  type AllowedSubset,
  type AllowedSubsetResult,
  Evaluation,
  type EvaluationDecision,
  type EvaluationDecisions,
  type Evaluations,
} from './evaluation.schema.ts'
import type { Ctx } from './group.ts'
import { decisionContextFor, questionOf, requireDecisionAccess, subjectOf } from './question.ts'

type Deps = Pick<Ctx, 'policies' | 'clock' | 'request'>
type Input = z.output<typeof Evaluation>
type Decided = z.input<typeof EvaluationDecision>

const decideQuestion = (ctx: Deps, caller: Caller, { policy, principal }: LoadedPolicy, request: Input): Decided => {
  const subject = subjectOf(request.subject)
  const context = decisionContextFor(ctx, caller, subject, request.context)
  const known = subject && principal(subject)
  const decision = decide(policy, known, questionOf(request.resource, request.action), context, ctx.clock.now().getTime())
  return { decision: decision.allowed, context: { reason: decisionTrace(decision) } }
}

/**
 * Decides one question. A denial is a normal result, also for an unknown subject, resource or action.
 * @throws AppError insufficient_scope, unavailable
 */
export const evaluate = async (ctx: Deps, caller: Caller, request: Input): Promise<Decided> => {
  const subject = subjectOf(request.subject)
  requireDecisionAccess(caller, subject)
  return decideQuestion(ctx, caller, await ctx.policies.load(caller.tenantId, subject === undefined ? [] : [subject]), request)
}

type Batch = z.output<typeof Evaluations>
type Defaults = Pick<Batch, 'subject' | 'action' | 'resource' | 'context'>
type Entry = Input | AppError

/** A question's own entity wins; it takes the type, id or name that it omits from the default. */
const withDefault = (fallback: Readonly<Record<string, unknown>> | undefined, own: unknown): unknown => {
  if (own === undefined) return fallback
  if (fallback === undefined || typeof own !== 'object' || own === null || Array.isArray(own)) return own
  const { type, id, name } = fallback
  return { ...(type === undefined ? {} : { type }), ...(id === undefined ? {} : { id }), ...(name === undefined ? {} : { name }), ...own }
}

/** A parsed question with the defaults merged in, or the error that describes it. */
const entryOf = (caller: Caller, { subject, action, resource, context }: Defaults, sent: unknown): Entry => {
  if (typeof sent !== 'object' || sent === null || Array.isArray(sent)) return new AppError('invalid_request', 'evaluation: an object')
  const own = sent as Readonly<Record<string, unknown>>
  const parsed = z.safeParse(Evaluation, {
    subject: withDefault(subject, own.subject),
    action: withDefault(action, own.action),
    resource: withDefault(resource, own.resource),
    context: own.context === undefined ? context : own.context,
  })
  if (!parsed.success) {
    const [issue] = parsed.error.issues
    return new AppError('invalid_request', `${issue?.path.map(String).join('.') || 'evaluation'}: ${issue?.message ?? 'malformed'}`)
  }
  try {
    requireDecisionAccess(caller, subjectOf(parsed.data.subject))
    return parsed.data
  } catch (error) {
    if (error instanceof AppError) return error
    throw error
  }
}

/** An error belongs to its question and denies it (AuthZEN section 7). */
const failed = (error: AppError): Decided => ({ decision: false, context: { error: { status: error.status, message: error.message } } })

const subjectsOf = (entries: readonly Entry[]): readonly Subject[] => {
  const subjects = entries.flatMap((entry) => (entry instanceof AppError ? [] : (subjectOf(entry.subject) ?? [])))
  return [...new Map(subjects.map((subject) => [`${subject.kind} ${subject.id}`, subject])).values()]
}

/** After this long a batch yields to other requests and reloads the policy. */
const TURN_MS = 20

/** Decides in order until `isEnough`. */
const decideAll = async (ctx: Deps, caller: Caller, entries: readonly Entry[], isEnough: (decided: Decided) => boolean): Promise<Decided[]> => {
  const subjects = subjectsOf(entries)
  const decisions: Decided[] = []
  let loaded = await ctx.policies.load(caller.tenantId, subjects)
  let turnStartedAt = ctx.clock.elapsed()
  for (const entry of entries) {
    if (ctx.clock.elapsed() - turnStartedAt > TURN_MS) {
      await new Promise((resolve) => setTimeout(resolve, 0))
      loaded = await ctx.policies.load(caller.tenantId, subjects)
      turnStartedAt = ctx.clock.elapsed()
    }
    const decided = entry instanceof AppError ? failed(entry) : decideQuestion(ctx, caller, loaded, entry)
    decisions.push(decided)
    if (isEnough(decided)) break
  }
  return decisions
}

/**
 * Decides the questions in order, with the defaults merged in, until the first denial or permit when the caller asks for that. Without questions it is `evaluate`.
 * @throws AppError invalid_request, insufficient_scope, unavailable
 */
export const evaluateAll = async (ctx: Deps, caller: Caller, batch: Batch): Promise<z.input<typeof EvaluationDecisions>> => {
  if (batch.evaluations === undefined || batch.evaluations.length === 0) {
    const single = z.safeParse(Evaluation, batch)
    if (single.success) return evaluate(ctx, caller, single.data)
    const field = ['body', ...(single.error.issues[0]?.path ?? [])].map(String).join('.')
    throw new AppError('invalid_request', `${field}: required when no evaluations are listed`, { field })
  }
  const entries = batch.evaluations.map((own) => entryOf(caller, batch, own))
  const semantic = batch.options?.evaluations_semantic ?? 'execute_all'
  const isEnough = ({ decision }: Decided): boolean => semantic === (decision ? 'permit_on_first_permit' : 'deny_on_first_deny')
  return { evaluations: await decideAll(ctx, caller, entries, isEnough) }
}

/**
 * Returns which questions are allowed, each decided as in `evaluateAll`. Serves pages that show or hide many controls.
 * @throws AppError unavailable
 */
export const evaluateAllowedSubset = async (
  ctx: Deps,
  caller: Caller,
  request: z.output<typeof AllowedSubset>,
): Promise<z.input<typeof AllowedSubsetResult>> => {
  const entries = request.evaluations.map((own) => entryOf(caller, request, own))
  const decisions = await decideAll(ctx, caller, entries, () => false)
  return {
    which: decisions.flatMap(({ decision }, at) => (decision ? [at] : [])),
    errors: entries.flatMap((entry, at) => (entry instanceof AppError ? [{ at, status: entry.status, message: entry.message }] : [])),
  }
}
