// Wire shapes to recover the access of a person who lost their factors.
import * as z from 'zod'
import { Email } from '#shared/kernel/email'

const Handle = z.string().min(1).max(256)
const optionalTransaction = { login_ticket: Handle.optional() }

export const UseRecoveryPass = z.strictObject({ pass: Handle, email: Email, ...optionalTransaction }).meta({ id: 'UseRecoveryPass' })
export const AccessRestored = z
  .object({
    /** A new login transaction, also set as a cookie. A required factor is enrolled in it. */
    login_ticket: z.string(),
    tenant_id: z.string(),
    message: z.string(),
  })
  .meta({ id: 'AccessRestored' })
export const StartRecovery = z
  .strictObject({ client_id: z.string().min(1).max(200), email: Email, ...optionalTransaction })
  .meta({ id: 'StartRecovery' })
export const RecoveryStarted = z.object({ recovery: z.string(), ready_at: z.string(), message: z.string() }).meta({ id: 'RecoveryStarted' })
export const RecoveryCodeRequest = z.strictObject({ recovery: Handle }).meta({ id: 'RecoveryCodeRequest' })
export const RecoveryCodeSent = z.object({ message: z.string(), expires_in: z.int() }).meta({ id: 'RecoveryCodeSent' })
export const FinishRecovery = z
  .strictObject({ recovery: Handle, code: z.string().regex(/^\d{6}$/, 'must be six digits') })
  .meta({ id: 'FinishRecovery' })
export const CancelQuery = z.object({ ticket: Handle.optional(), lang: z.string().max(8).optional() })
export const CancelForm = z.object({ ticket: Handle })
