// Queries and forms of the account pages.
import * as z from 'zod'
import { Email } from '#shared/kernel/email'
import { form, Lang, Otp, Password, ReturnTo } from '#shared/platform/http/pages/fields.schema'
import { isPhoneNumber, normalisePhone } from '#shared/platform/outbox/sms/phone'

export const ActivateQuery = z.strictObject({ lang: Lang, user_code: z.string().max(32).optional() })
export const MethodQuery = z.strictObject({ lang: Lang, id: z.uuid() })
export const DecidedQuery = z.strictObject({ lang: Lang, state: z.enum(['approved', 'denied']).optional() })
export const SessionForm = z.strictObject({ ...form, session_id: z.uuid() }).meta({ id: 'SessionForm' })
export const ApplicationForm = z.strictObject({ ...form, client_id: z.uuid() }).meta({ id: 'ApplicationForm' })
export const ChangePasswordForm = z
  .strictObject({ ...form, email: Email.optional(), current_password: Password, new_password: Password })
  .meta({ id: 'ChangePasswordForm' })
export const ChangeEmailForm = z.strictObject({ ...form, new_email: Email, current_password: Password }).meta({ id: 'ChangeEmailForm' })
export const EmailCodesForm = z.strictObject({ ...form, code_new: Otp, code_current: Otp }).meta({ id: 'EmailCodesForm' })
export const LanguageForm = z.strictObject({ ...form, lang: z.enum(['en', 'de']), return_to: ReturnTo }).meta({ id: 'LanguageForm' })
export const FactorIdForm = z.strictObject({ ...form, factor_id: z.uuid(), accept_weaker: z.literal('yes').optional() }).meta({ id: 'FactorIdForm' })
export const UserCodeForm = z.strictObject({ ...form, user_code: z.string().trim().min(1).max(32) }).meta({ id: 'UserCodeForm' })
export const DecisionForm = z
  .strictObject({ ...form, user_code: z.string().trim().min(1).max(32), decision: z.enum(['approve', 'deny']) })
  .meta({ id: 'DecisionForm' })
export const ReturnQuery = z.strictObject({ lang: Lang, return_to: ReturnTo })
/** `client_id`: where a signed-out person signs in. */
export const ApproveQuery = z.strictObject({ lang: Lang, id: z.uuid().optional(), client_id: z.uuid().optional() })
export const ApprovedQuery = z.strictObject({ lang: Lang, state: z.enum(['approved', 'denied', 'wrong_number']).optional() })
export const ApproveForm = z
  .strictObject({ ...form, id: z.uuid(), decision: z.enum(['approve', 'deny']), match_number: z.string().trim().max(8).optional() })
  .meta({ id: 'ApproveForm' })
/** Maximum length of a push subscription in characters: the endpoint and its keys. */
const MAX_SUBSCRIPTION_LENGTH = 2000
const SUBSCRIPTION = {
  endpoint: 'https://push.example.com/send/1',
  keys: { p256dh: `B${'A'.repeat(86)}`, auth: 'A'.repeat(22) },
}
export const SubscriptionForm = z
  .strictObject({
    ...form,
    /** `PushSubscription.toJSON()`, as text. */
    subscription: z
      .string()
      .max(MAX_SUBSCRIPTION_LENGTH)
      .meta({ examples: [JSON.stringify(SUBSCRIPTION)] }),
  })
  .meta({ id: 'SubscriptionForm' })
export const DeviceForm = z.strictObject({ ...form, device_id: z.uuid() }).meta({ id: 'DeviceForm' })
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
