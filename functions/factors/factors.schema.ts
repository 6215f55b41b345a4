// Wire shapes of a person's own factors.
import * as z from 'zod'

export const FactorPath = z.object({ factor_id: z.uuid() })
export const FactorPersonPath = z.object({ user_id: z.uuid() })
export const PersonFactorPath = z.object({ user_id: z.uuid(), factor_id: z.uuid() })
export const OwnFactor = z
  .object({
    id: z.uuid(),
    kind: z.enum(['webauthn', 'totp', 'sms']),
    name: z.string(),
    /** For SMS: the masked phone number. */
    phone: z.string().optional(),
    is_primary: z.boolean(),
    created_at: z.string(),
    last_used_at: z.string().nullable(),
    /** Set while wrong codes pause the factor. */
    paused_until: z.string().nullable(),
  })
  .meta({ id: 'OwnFactor' })
export const OwnFactors = z
  .object({
    factors: z.array(OwnFactor),
    backup_codes_left: z.int(),
    has_password: z.boolean(),
    /** Whether the tenant requires a factor. */
    required: z.boolean(),
  })
  .meta({ id: 'OwnFactors' })
export const ChangeFactor = z
  .strictObject({ name: z.string().trim().min(1).max(100).optional(), is_primary: z.literal(true).optional() })
  .refine(({ name, is_primary }) => name !== undefined || is_primary !== undefined, 'must have name or is_primary')
  .meta({ id: 'ChangeFactor' })
export const RemoveQuery = z.object({ accept_weaker: z.enum(['true', 'false']).optional() })
export const FactorRemoved = z.object({ factors_left: z.int() }).meta({ id: 'FactorRemoved' })
export const NewBackupCodes = z.object({ backup_codes: z.array(z.string()) }).meta({ id: 'NewBackupCodes' })
export const FactorsReset = z.object({ removed: z.int() }).meta({ id: 'FactorsReset' })
export const RecoveryPass = z.object({ pass: z.string(), expires_in: z.int() }).meta({ id: 'RecoveryPass' })
