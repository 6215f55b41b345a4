// Why a decision is what it is, for those who may see roles.
import type * as z from 'zod'
import type { Binding } from '#shared/domains/decision/compile'
import { traceOf, uuidOf } from '#shared/domains/decision/decide-for'
import { explain, type Missing, type Verdict } from '#shared/domains/decision/explain'
import type { User } from '#shared/platform/principals/principal'
import { judgedBy, questionOf, subjectOf } from './asking.ts'
import type { Explain, Explanation } from './explain.schema.ts'
import type { Ctx } from './group.ts'

type Out = z.input<typeof Explanation>
const MAX_LISTED = 200

const shown = (binding: Binding, verdict: Verdict): Out['considered'][number] => ({
  binding_id: binding.id,
  role_id: binding.role.id,
  role: binding.role.name,
  holder: { type: binding.holderKind, id: binding.holderId },
  scope: binding.scopeType === undefined || binding.scopeId === undefined ? null : { type: binding.scopeType, id: binding.scopeId },
  expires_at: Number.isFinite(binding.expiresAt) ? new Date(binding.expiresAt).toISOString() : null,
  verdict,
})

const missed = (missing: Missing): Out['missing'][number] => {
  switch (missing.kind) {
    case 'binding':
      return { kind: missing.kind, roles: [...missing.roles] }
    case 'fulfilment':
      return { kind: missing.kind, binding_id: missing.binding.id, of: missing.of }
    default:
      return { kind: missing.kind }
  }
}

/** The decision taken apart. @throws AppError unavailable */
export const explainDecision = async (
  ctx: Pick<Ctx, 'policies' | 'clock' | 'request'>,
  caller: User,
  asked: z.output<typeof Explain>,
): Promise<Out> => {
  const subject = subjectOf({ ...asked.subject, id: uuidOf(asked.subject.id) ?? '' })
  const { policy, principal } = await ctx.policies.load(caller.tenantId, subject === undefined ? [] : [subject])
  const context = judgedBy(ctx, caller, subject, asked.context)
  const why = explain(policy, subject && principal(subject), questionOf(asked.resource, asked.action), context, ctx.clock.now().getTime())
  return {
    decision: why.allowed,
    trace: traceOf({ allowed: why.allowed, binding: why.decidedBy }),
    decided_by: why.decidedBy === undefined ? null : shown(why.decidedBy, 'grants'),
    considered: why.considered.slice(0, MAX_LISTED).map(({ binding, verdict }) => shown(binding, verdict)),
    considered_count: why.considered.length,
    missing: why.missing.slice(0, MAX_LISTED).map(missed),
  }
}
