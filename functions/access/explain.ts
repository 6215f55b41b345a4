// Explains a decision to callers who may read roles.
import type * as z from 'zod'
import type { Binding } from '#shared/domains/decision/compile'
import { decisionTrace } from '#shared/domains/decision/decide-for'
import { explain, type MissingRequirement, type Verdict } from '#shared/domains/decision/explain'
import { parseUuid } from '#shared/kernel/ids'
import type { User } from '#shared/platform/principals/principal'
import type { Explain, Explanation } from './explain.schema.ts'
import type { Ctx } from './group.ts'
import { decisionContextFor, questionOf, subjectOf } from './question.ts'

type Out = z.input<typeof Explanation>
const MAX_LISTED = 200

const toResponse = (binding: Binding, verdict: Verdict): Out['considered'][number] => ({
  binding_id: binding.id,
  role_id: binding.role.id,
  role: binding.role.name,
  holder: { type: binding.holderKind, id: binding.holderId },
  scope: binding.scopeType === undefined || binding.scopeId === undefined ? null : { type: binding.scopeType, id: binding.scopeId },
  expires_at: Number.isFinite(binding.expiresAt) ? new Date(binding.expiresAt).toISOString() : null,
  verdict,
})

const missingToResponse = (missing: MissingRequirement): Out['missing'][number] => {
  switch (missing.kind) {
    case 'binding':
      return { kind: missing.kind, roles: [...missing.roles] }
    case 'fulfilment':
      return { kind: missing.kind, binding_id: missing.binding.id, of: missing.of }
    default:
      return { kind: missing.kind }
  }
}

/** Returns the decision with everything that led to it. @throws AppError unavailable */
export const explainDecision = async (
  ctx: Pick<Ctx, 'policies' | 'clock' | 'request'>,
  caller: User,
  request: z.output<typeof Explain>,
): Promise<Out> => {
  const subject = subjectOf({ ...request.subject, id: parseUuid(request.subject.id) ?? '' })
  const { policy, principal } = await ctx.policies.load(caller.tenantId, subject === undefined ? [] : [subject])
  const context = decisionContextFor(ctx, caller, subject, request.context)
  const why = explain(policy, subject && principal(subject), questionOf(request.resource, request.action), context, ctx.clock.now().getTime())
  return {
    decision: why.allowed,
    trace: decisionTrace({ allowed: why.allowed, binding: why.decidedBy }),
    decided_by: why.decidedBy === undefined ? null : toResponse(why.decidedBy, 'grants'),
    considered: why.considered.slice(0, MAX_LISTED).map(({ binding, verdict }) => toResponse(binding, verdict)),
    considered_count: why.considered.length,
    missing: why.missing.slice(0, MAX_LISTED).map(missingToResponse),
  }
}
