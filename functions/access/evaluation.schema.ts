// Wire shapes of access evaluation (AuthZEN sections 6 and 7).
import * as z from 'zod'
import { AccessContext, AccessSubject, Action, ActionDefault, Resource, ResourceDefault, SubjectDefault } from './entities.schema.ts'

export const MAX_EVALUATIONS = 1000

const question = { subject: AccessSubject, action: Action, resource: Resource, context: AccessContext.optional() }
export const Evaluation = z.object(question).meta({ id: 'AccessEvaluation' })

/** The members beside `evaluations` are defaults. Questions are parsed one by one, so that a malformed one does not fail the batch. */
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

/** Like `Evaluations`, with at least one question. An extension of the specification. */
export const AllowedSubset = z.object({ ...defaults, evaluations: questions.min(1) }).meta({ id: 'AccessWhich' })
export const AllowedSubsetResult = z
  .object({
    /** Positions of the allowed questions, ascending. */
    which: z.array(z.int()),
    /** Why malformed or forbidden questions were not decided; they are not allowed. */
    errors: z.array(z.object({ at: z.int(), status: z.int(), message: z.string() })),
  })
  .meta({ id: 'AccessWhichAnswer' })

const decisionContext = z.object({
  reason: z.string().optional(),
  error: z.object({ status: z.int(), message: z.string() }).optional(),
})
export const EvaluationDecision = z.object({ decision: z.boolean(), context: decisionContext.optional() }).meta({ id: 'AccessDecision' })
/** Decisions in the order of the questions, or a single decision when no questions are listed. */
export const EvaluationDecisions = z
  .object({ decision: z.boolean().optional(), context: decisionContext.optional(), evaluations: z.array(EvaluationDecision).optional() })
  .meta({ id: 'AccessDecisions' })
