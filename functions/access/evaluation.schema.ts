// Wire shapes of access evaluation (AuthZEN sections 6 and 7).
import * as z from 'zod'
import { AccessContext, AccessSubject, Action, ActionDefault, Resource, ResourceDefault, SubjectDefault } from './entities.schema.ts'

export const MAX_EVALUATIONS = 1000

const question = { subject: AccessSubject, action: Action, resource: Resource, context: AccessContext.optional() }
export const Evaluation = z.object(question).meta({ id: 'AccessEvaluation' })

/** The members beside `evaluations` are defaults; each question is judged by itself, so that a malformed one does not take the others with it. */
const defaults = {
  subject: SubjectDefault.optional(),
  action: ActionDefault.optional(),
  resource: ResourceDefault.optional(),
  context: AccessContext.optional(),
}
const questions = z.array(z.unknown()).max(MAX_EVALUATIONS)
export const Evaluations = z
  .object({
    ...defaults,
    evaluations: questions.optional(),
    options: z.object({ evaluations_semantic: z.enum(['execute_all', 'deny_on_first_deny', 'permit_on_first_permit']).optional() }).optional(),
  })
  .meta({ id: 'AccessEvaluations' })

/** As `Evaluations`, with at least one question; not of the specification. */
export const AllowedSubset = z.object({ ...defaults, evaluations: questions.min(1) }).meta({ id: 'AccessWhich' })
export const AllowedSubsetResult = z
  .object({
    /** Places of the questions that are allowed, ascending. */
    which: z.array(z.int()),
    /** What is wrong with questions that could not be asked; they are not allowed. */
    errors: z.array(z.object({ at: z.int(), status: z.int(), message: z.string() })),
  })
  .meta({ id: 'AccessWhichAnswer' })

const decisionContext = z.object({
  reason: z.string().optional(),
  error: z.object({ status: z.int(), message: z.string() }).optional(),
})
export const EvaluationDecision = z.object({ decision: z.boolean(), context: decisionContext.optional() }).meta({ id: 'AccessDecision' })
/** Decisions in the order of the questions; the one decision where no questions were listed. */
export const EvaluationDecisions = z
  .object({ decision: z.boolean().optional(), context: decisionContext.optional(), evaluations: z.array(EvaluationDecision).optional() })
  .meta({ id: 'AccessDecisions' })
