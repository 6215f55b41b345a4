// What the account pages take: addresses and forms.
import * as z from 'zod'
import { form, Lang, Otp, Password, ReturnTo } from '#shared/browser/fields.schema'
import { Email } from '#shared/email'
import { isPhoneNumber, normalisePhone } from '#shared/sms/phone'

export const ActivateQuery = z.strictObject({ lang: Lang, user_code: z.string().max(32).optional() })
export const MethodQuery = z.strictObject({ lang: Lang, id: z.uuid() })
export const DecidedQuery = z.strictObject({ lang: Lang, state: z.enum(['approved', 'denied']).optional() })
export const SessionForm = z.strictObject({ ...form, session_id: z.uuid() }).meta({ id: 'SessionForm' })
export const ChangePasswordForm = z
  .strictObject({ ...form, email: Email.optional(), current_password: Password, new_password: Password })
  .meta({ id: 'ChangePasswordForm' })
export const ChangeEmailForm = z.strictObject({ ...form, new_email: Email, current_password: Password }).meta({ id: 'ChangeEmailForm' })
export const EmailCodesForm = z.strictObject({ ...form, code_new: Otp, code_current: Otp }).meta({ id: 'EmailCodesForm' })
export const FactorIdForm = z.strictObject({ ...form, factor_id: z.uuid(), accept_weaker: z.literal('yes').optional() }).meta({ id: 'FactorIdForm' })
export const UserCodeForm = z.strictObject({ ...form, user_code: z.string().trim().min(1).max(32) }).meta({ id: 'UserCodeForm' })
export const DecisionForm = z
  .strictObject({ ...form, user_code: z.string().trim().min(1).max(32), decision: z.enum(['approve', 'deny']) })
  .meta({ id: 'DecisionForm' })
export const ReturnQuery = z.strictObject({ lang: Lang, return_to: ReturnTo })
export const ApproveQuery = z.strictObject({ lang: Lang, id: z.uuid().optional() })
export const ApprovedQuery = z.strictObject({ lang: Lang, state: z.enum(['approved', 'denied', 'wrong_number']).optional() })
export const ApproveForm = z
  .strictObject({ ...form, id: z.uuid(), decision: z.enum(['approve', 'deny']), match_number: z.string().trim().max(8).optional() })
  .meta({ id: 'ApproveForm' })
export const AlarmForm = z.strictObject({ ...form, factor_id: z.uuid() }).meta({ id: 'AlarmForm' })
export const PhoneForm = z
  .strictObject({
    ...form,
    phone_number: z
      .string()
      .max(40)
      .overwrite(normalisePhone)
      .refine(isPhoneNumber, 'must be a number in E.164 form')
      .meta({ examples: ['+4915112345678'] }),
  })
  .meta({ id: 'PhoneForm' })
