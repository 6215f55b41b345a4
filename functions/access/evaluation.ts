// Access evaluation: one question, or up to a thousand in a call (AuthZEN sections 6 and 7).
import * as z from 'zod'
import { decide } from '#shared/domains/decision/decide'
import { traceOf } from '#shared/domains/decision/decide-for'
import type { Loaded, Subject } from '#shared/domains/decision/policies'
import { AppError } from '#shared/kernel/errors'
import type { Caller } from '#shared/platform/principals/principal'
import { judgedBy, questionOf, requireMayAsk, subjectOf } from './asking.ts'
import { type Decision, type Decisions, Evaluation, type Evaluations, type Which, type WhichAnswer } from './evaluation.schema.ts'
import type { Ctx } from './group.ts'

type Deps = Pick<Ctx, 'policies' | 'clock' | 'request'>
type Asked = z.output<typeof Evaluation>
type Decided = z.input<typeof Decision>

const judge = (ctx: Deps, caller: Caller, { policy, principal }: Loaded, asked: Asked): Decided => {
  const subject = subjectOf(asked.subject)
  const context = judgedBy(ctx, caller, subject, asked.context)
  const known = subject && principal(subject)
  const decision = decide(policy, known, questionOf(asked.resource, asked.action), context, ctx.clock.now().getTime())
  return { decision: decision.allowed, context: { reason: traceOf(decision) } }
}

/**
 * Whether the subject may do it. A denial is an answer like any other, also where subject, resource or action are unknown.
 * @throws AppError insufficient_scope, unavailable
 */
export const evaluate = async (ctx: Deps, caller: Caller, asked: Asked): Promise<Decided> => {
  const subject = subjectOf(asked.subject)
  requireMayAsk(caller, subject)
  return judge(ctx, caller, await ctx.policies.load(caller.tenantId, subject === undefined ? [] : [subject]), asked)
}

type Batch = z.output<typeof Evaluations>
type Defaults = Pick<Batch, 'subject' | 'action' | 'resource' | 'context'>
type Entry = Asked | AppError

/** A question's own entity replaces the default's, but for the type, id or name that it leaves out. */
const withDefault = (standing: Readonly<Record<string, unknown>> | undefined, own: unknown): unknown => {
  if (own === undefined) return standing
  if (standing === undefined || typeof own !== 'object' || own === null || Array.isArray(own)) return own
  const { type, id, name } = standing
  return { ...(type === undefined ? {} : { type }), ...(id === undefined ? {} : { id }), ...(name === undefined ? {} : { name }), ...own }
}

/** A question with the defaults, or what is wrong with it. */
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
    requireMayAsk(caller, subjectOf(parsed.data.subject))
    return parsed.data
  } catch (error) {
    if (error instanceof AppError) return error
    throw error
  }
}

/** AuthZEN section 7: what is wrong with one question is said in its place, and denies. */
const failed = (error: AppError): Decided => ({ decision: false, context: { error: { status: error.status, message: error.message } } })

const subjectsOf = (entries: readonly Entry[]): readonly Subject[] => {
  const subjects = entries.flatMap((entry) => (entry instanceof AppError ? [] : (subjectOf(entry.subject) ?? [])))
  return [...new Map(subjects.map((subject) => [`${subject.kind} ${subject.id}`, subject])).values()]
}

/** How long a batch is answered at a stretch. Then others are let in, and it goes on with what is known by then. */
const TURN_MS = 20

/** In order, until one of them is enough. */
const decideAll = async (ctx: Deps, caller: Caller, entries: readonly Entry[], isEnough: (decided: Decided) => boolean): Promise<Decided[]> => {
  const subjects = subjectsOf(entries)
  const decisions: Decided[] = []
  let loaded = await ctx.policies.load(caller.tenantId, subjects)
  let since = ctx.clock.elapsed()
  for (const entry of entries) {
    if (ctx.clock.elapsed() - since > TURN_MS) {
      await new Promise((resolve) => setTimeout(resolve, 0))
      loaded = await ctx.policies.load(caller.tenantId, subjects)
      since = ctx.clock.elapsed()
    }
    const decided = entry instanceof AppError ? failed(entry) : judge(ctx, caller, loaded, entry)
    decisions.push(decided)
    if (isEnough(decided)) break
  }
  return decisions
}

/**
 * The questions in order, with the defaults merged in; until the first denial or permit where the caller wants it so. Without questions, as `evaluate`.
 * @throws AppError invalid_request, insufficient_scope, unavailable
 */
export const evaluateAll = async (ctx: Deps, caller: Caller, batch: Batch): Promise<z.input<typeof Decisions>> => {
  if (batch.evaluations === undefined || batch.evaluations.length === 0) {
    const single = z.safeParse(Evaluation, batch)
    if (single.success) return evaluate(ctx, caller, single.data)
    const field = ['body', ...(single.error.issues[0]?.path ?? [])].map(String).join('.')
    throw new AppError('invalid_request', `${field}: needed where no evaluations are listed`, { field })
  }
  const entries = batch.evaluations.map((own) => entryOf(caller, batch, own))
  const semantic = batch.options?.evaluations_semantic ?? 'execute_all'
  const isEnough = ({ decision }: Decided): boolean => semantic === (decision ? 'permit_on_first_permit' : 'deny_on_first_deny')
  return { evaluations: await decideAll(ctx, caller, entries, isEnough) }
}

/**
 * Which of these are allowed: what a page with a thousand buttons asks. A question is judged as `evaluateAll` judges it.
 * @throws AppError unavailable
 */
export const evaluateWhich = async (ctx: Deps, caller: Caller, asked: z.output<typeof Which>): Promise<z.input<typeof WhichAnswer>> => {
  const entries = asked.evaluations.map((own) => entryOf(caller, asked, own))
  const decisions = await decideAll(ctx, caller, entries, () => false)
  return {
    which: decisions.flatMap(({ decision }, at) => (decision ? [at] : [])),
    errors: entries.flatMap((entry, at) => (entry instanceof AppError ? [{ at, status: entry.status, message: entry.message }] : [])),
  }
}
