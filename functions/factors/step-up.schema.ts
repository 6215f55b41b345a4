// Wire shapes of step-up and mailbox proof.
import * as z from 'zod'
import { Email } from '#shared/kernel/email'

export const StepUpMethods = z
  .object({
    acr: z.string(),
    amr: z.array(z.string()),
    auth_time: z.string(),
    /** Methods that can be proved now, strongest first. */
    ways: z.array(z.enum(['webauthn', 'totp', 'sms', 'backup_code', 'password'])),
  })
  .meta({ id: 'StepUpWays' })
export const StepUpPassword = z.strictObject({ password: z.string().min(1).max(1024) }).meta({ id: 'StepUpPassword' })
export const StepUpCode = z.strictObject({ code: z.string().trim().min(6).max(64) }).meta({ id: 'StepUpCode' })
export const RenewedSession = z
  .object({ access_token: z.string(), token_type: z.literal('Bearer'), expires_in: z.int(), amr: z.array(z.string()), acr: z.string() })
  .meta({ id: 'RenewedSession' })

const proof = { email: Email.optional(), login_ticket: z.string().max(256).optional() }
export const MailboxProofRequest = z.strictObject(proof).meta({ id: 'AskMailboxProof' })
export const MailboxProofSent = z.object({ message: z.string(), expires_in: z.int() }).meta({ id: 'MailboxProofSent' })
export const ConfirmMailboxProof = z
  .strictObject({ ...proof, code: z.string().regex(/^\d{6}$/, 'must be six digits') })
  .meta({ id: 'ConfirmMailboxProof' })
