// Declarations of access evaluation.
import { userOrClient } from '#shared/platform/http/access'
import { json } from '#shared/platform/http/route'
import { Decision, Decisions, Evaluation, Evaluations, Which, WhichAnswer } from './evaluation.schema.ts'
import { evaluate, evaluateAll, evaluateWhich } from './evaluation.ts'
import { quickEvaluation } from './evaluation-check.ts'
import { route } from './group.ts'

export const evaluationRoutes = [
  route({
    id: 'access.evaluate',
    on: 'POST /access/v1/evaluation',
    summary: 'Whether a subject may do something to a resource.',
    access: userOrClient('policy:check'),
    body: Evaluation,
    quick: quickEvaluation,
    reply: json(200, Decision),
    errors: ['insufficient_scope'],
    emits: 'nothing',
    handle: ({ ctx, principal, body }) => evaluate(ctx, principal, body),
  }),
  route({
    id: 'access.evaluateAll',
    on: 'POST /access/v1/evaluations',
    summary: 'Up to a thousand questions at once; one that is malformed is marked and denied, and the others answered.',
    access: userOrClient('policy:check'),
    body: Evaluations,
    reply: json(200, Decisions),
    errors: ['invalid_request', 'insufficient_scope'],
    emits: 'nothing',
    handle: ({ ctx, principal, body }) => evaluateAll(ctx, principal, body),
  }),
  route({
    id: 'access.evaluateWhich',
    on: 'POST /access/v1/which',
    summary: 'Which of up to a thousand questions are allowed, by their places.',
    access: userOrClient('policy:check'),
    body: Which,
    reply: json(200, WhichAnswer),
    errors: [],
    emits: 'nothing',
    handle: ({ ctx, principal, body }) => evaluateWhich(ctx, principal, body),
  }),
]
