// Wire shapes of an authenticator app as a second factor.
import * as z from 'zod'
import { Email } from '#shared/kernel/email'

/** The identity that clients repeat, and the ticket for clients without cookies. */
export const totpIdentityFields = {
  tenant_id: z.uuid(),
  email: Email,
  client_id: z.string().max(200).optional(),
  login_ticket: z.string().max(256).optional(),
}
export const SixDigits = z.string().regex(/^\d{6}$/, 'must be six digits')
/** Six digits, or a backup code with or without hyphens. */
export const AnyCode = z.string().trim().min(6).max(64)

export const BeginTotp = z.object(totpIdentityFields).meta({ id: 'BeginTotpSetup' })
export const TotpBegun = z
  .object({
    secret: z.string(),
    /** PNG, base64. */
    qr_code: z.string(),
    manual_entry: z.string(),
    issuer: z.string(),
    account: z.string(),
    otp_auth_url: z.string(),
  })
  .meta({ id: 'TotpSetup' })
export const ConfirmTotp = z.object({ ...totpIdentityFields, secret: z.string().min(1).max(128), code: SixDigits }).meta({ id: 'ConfirmTotpSetup' })
export const TotpConfirmed = z
  .object({ success: z.literal(true), message: z.string(), backup_codes: z.array(z.string()) })
  .meta({ id: 'TotpSetupConfirmed' })
export const VerifyTotp = z.object({ ...totpIdentityFields, code: AnyCode.optional(), backup_code: AnyCode.optional() }).meta({ id: 'VerifyTotp' })
export const TotpVerified = z
  .object({
    success: z.literal(true),
    message: z.string(),
    method: z.enum(['totp', 'backup_code']),
    tenant_id: z.string(),
    email: z.string(),
    /** In a session: the new token. The previous one is revoked. */
    access_token: z.string().optional(),
    token_type: z.literal('Bearer').optional(),
    expires_in: z.int().optional(),
  })
  .meta({ id: 'TotpVerified' })
