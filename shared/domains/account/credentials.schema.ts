// Wire shapes of changing one's password and address.
import * as z from 'zod'
import { Email } from '#shared/kernel/email'

export const Password = z.string().min(1).max(1024)
const Code = z.string().regex(/^\d{6}$/, 'must be six digits')

export const ChangePassword = z.strictObject({ current_password: Password, new_password: Password }).meta({ id: 'ChangePassword' })
export const ChangeEmail = z.strictObject({ new_email: Email, current_password: Password }).meta({ id: 'ChangeEmail' })
export const EmailChangeStarted = z.object({ message: z.string(), change_ticket: z.string(), expires_in: z.int() }).meta({ id: 'EmailChangeStarted' })
export const ConfirmEmail = z
  .strictObject({ change_ticket: z.string().min(1).max(256), code_new: Code, code_current: Code })
  .meta({ id: 'ConfirmEmailChange' })
export const EmailChanged = z.object({ email: z.string() }).meta({ id: 'EmailChanged' })
