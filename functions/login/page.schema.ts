// The queries and forms of the hosted pages.
import * as z from 'zod'
import { signInContextFields } from '#shared/domains/sign-in/sign-in-context.schema'
import { Email } from '#shared/kernel/email'
import { form, Lang, Otp, Password, ReturnTo } from '#shared/platform/http/pages/fields.schema'

export const ConfirmQuery = z.strictObject({
  lang: Lang,
  return_to: ReturnTo,
  max_age: z
    .string()
    .regex(/^\d{1,9}$/)
    .optional(),
  acr_values: z.string().max(100).optional(),
})

/** `other`: shows the page even to a signed-in person, so that they can choose another account. */
export const SignInQuery = z.strictObject({ ...signInContextFields, other: z.enum(['1']).optional() })

export const FactorQuery = z.strictObject({ ...signInContextFields, by: z.enum(['app', 'sms', 'backup']).optional() })

export const EmailForm = z.strictObject({ ...form, email: Email }).meta({ id: 'EmailForm' })
export const SignInForm = z.strictObject({ ...form, email: Email, password: Password }).meta({ id: 'SignInForm' })
export const ConfirmForm = z.strictObject({ ...form, email: Email, password: Password }).meta({ id: 'ConfirmForm' })
export const SignUpForm = z
  .strictObject({
    ...form,
    // An invalid address is accepted here, so that the rule reports the errors of all fields together. A valid one is normalised.
    email: z.union([Email, z.string().max(320)]),
    password: z.string().max(1024),
    name: z.string().trim().max(200).optional(),
    tenant_domain: z.string().max(253).optional(),
  })
  .meta({ id: 'SignUpForm' })
export const CodeForm = z.strictObject({ ...form, email: Email, otp: Otp }).meta({ id: 'CodeForm' })
export const NewPasswordForm = z.strictObject({ ...form, email: Email, new_password: Password }).meta({ id: 'NewPasswordForm' })

/** A code of an app or a text message as people type it, or a backup code. */
const Code = z
  .string()
  .max(60)
  .overwrite((text) => (/^[\d\s-]+$/.test(text) ? text.replace(/[\s-]/g, '') : text.trim()))
  .min(1)
export const FactorForm = z.strictObject({ ...form, code: Code }).meta({ id: 'FactorForm' })
export const PassForm = z.strictObject({ ...form, email: Email, pass: z.string().min(1).max(256) }).meta({ id: 'PassForm' })
export const KeyForm = z.strictObject({ ...form, recovery: z.string().min(1).max(256) }).meta({ id: 'RecoveryKeyForm' })
export const OtpForm = z.strictObject({ ...form, otp: Otp }).meta({ id: 'OtpForm' })
