// Routes of access evaluation (AuthZEN sections 6 and 7).
import { userOrClient } from '#shared/platform/http/access'
import { json } from '#shared/platform/http/route'
import { AllowedSubset, AllowedSubsetResult, Evaluation, EvaluationDecision, EvaluationDecisions, Evaluations } from './evaluation.schema.ts'
import { evaluate, evaluateAll, evaluateAllowedSubset } from './evaluation.ts'
import { route } from './group.ts'

export const evaluationRoutes = [
  route({
    id: 'access.evaluate',
    on: 'POST /access/v1/evaluation',
    summary: 'Decide whether a subject may perform an action on a resource.',
    access: userOrClient('policy:check'),
    body: Evaluation,
    reply: json(200, EvaluationDecision),
    errors: ['insufficient_scope'],
    emits: 'nothing',
    handle: ({ ctx, principal, body }) => evaluate(ctx, principal, body),
  }),
  route({
    id: 'access.evaluateAll',
    on: 'POST /access/v1/evaluations',
    summary: 'Decide up to 1,000 questions. A malformed question is marked and denied; the others are decided.',
    access: userOrClient('policy:check'),
    body: Evaluations,
    reply: json(200, EvaluationDecisions),
    errors: ['invalid_request', 'insufficient_scope'],
    emits: 'nothing',
    handle: ({ ctx, principal, body }) => evaluateAll(ctx, principal, body),
  }),
  route({
    id: 'access.evaluateWhich',
    on: 'POST /access/v1/which',
    summary: 'Return the positions of the allowed questions among up to 1,000.',
    access: userOrClient('policy:check'),
    body: AllowedSubset,
    reply: json(200, AllowedSubsetResult),
    errors: [],
    emits: 'nothing',
    handle: ({ ctx, principal, body }) => evaluateAllowedSubset(ctx, principal, body),
  }),
]
