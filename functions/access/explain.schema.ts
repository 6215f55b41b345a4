// Wire shapes of an explained decision.
import * as z from 'zod'
import { AccessContext } from './entities.schema.ts'

const name = z.string().min(1).max(200)
export const Explain = z
  .strictObject({
    subject: z.strictObject({ type: z.enum(['user', 'service_account']), id: z.uuid() }),
    action: z.strictObject({ name }),
    resource: z.strictObject({ type: name, id: z.string().min(1).max(500).optional() }),
    context: z.strictObject(AccessContext.shape).optional(),
  })
  .meta({ id: 'AccessExplain' })

export const Scope = z.object({ type: z.string(), id: z.string() })
const ConsideredBinding = z.object({
  binding_id: z.string(),
  role_id: z.string(),
  role: z.string(),
  /** The principal itself, or the group that carries the binding. */
  holder: z.object({ type: z.enum(['user', 'service_account', 'group']), id: z.string() }),
  /** Null: the whole tenant. */
  scope: Scope.nullable(),
  expires_at: z.string().nullable(),
  verdict: z.enum([
    'grants',
    'lacks_permission',
    'other_scope',
    'expired',
    'unusable_conditions',
    'mfa_required',
    'max_auth_age',
    'ip_ranges',
    'hours',
  ]),
})
export const Explanation = z
  .object({
    decision: z.boolean(),
    trace: z.string(),
    decided_by: ConsideredBinding.nullable(),
    /** In the order of evaluation, up to the binding that decided. */
    considered: z.array(ConsideredBinding),
    /** How many bindings were considered; `considered` lists at most 200 of them. */
    considered_count: z.int(),
    /** For a denial: each entry alone would allow it. */
    missing: z.array(
      z.object({
        kind: z.enum(['active_principal', 'role_with_permission', 'binding', 'fulfilment']),
        roles: z.array(z.string()).optional(),
        binding_id: z.string().optional(),
        of: z.string().optional(),
      }),
    ),
  })
  .meta({ id: 'AccessExplanation' })
