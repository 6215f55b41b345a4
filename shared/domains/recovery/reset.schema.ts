// Wire shapes of a password reset.
import * as z from 'zod'
import { Email } from '#shared/kernel/email'

const Otp = z.string().regex(/^\d{6}$/, 'must be six digits')
const Password = z.string().min(1).max(1024)

export const ForgotPassword = z.object({ email: Email, tenant_domain: z.string().max(253).optional() }).meta({ id: 'ForgotPassword' })
export const UserForgotPassword = z.object({ client_id: z.string().min(1).max(200), email: Email }).meta({ id: 'UserForgotPassword' })
export const VerifyReset = z
  .object({ email: Email, otp: Otp, tenant_domain: z.string().max(253).optional(), client_id: z.string().max(200).optional() })
  .meta({ id: 'VerifyResetCode' })
export const ResetVerified = z
  .object({ message: z.string(), email: z.string().optional(), reset_token: z.string() })
  .meta({ id: 'ResetCodeVerified' })
export const ResetBody = z
  .object({
    email: Email,
    new_password: Password,
    otp: Otp.optional(),
    reset_token: z.string().max(256).optional(),
    tenant_domain: z.string().max(253).optional(),
    client_id: z.string().max(200).optional(),
  })
  .meta({ id: 'ResetPassword' })
export const ResetMessage = z.object({ message: z.string(), email: z.string().optional() }).meta({ id: 'Message' })
