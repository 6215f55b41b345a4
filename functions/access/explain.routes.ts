// The route to explain a decision.
import { may } from '#shared/platform/http/access'
import { json } from '#shared/platform/http/route'
import { Explain, Explanation } from './explain.schema.ts'
import { explainDecision } from './explain.ts'
import { route } from './group.ts'

export const explainRoutes = [
  route({
    id: 'access.explain',
    on: 'POST /access/v1/explain',
    summary: 'Explain a decision: the bindings considered, the one that decided, and what is missing.',
    access: may('policy:check', 'roles:read'),
    body: Explain,
    reply: json(200, Explanation),
    errors: [],
    emits: 'nothing',
    handle: ({ ctx, principal, body }) => explainDecision(ctx, principal, body),
  }),
]
