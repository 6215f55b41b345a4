// Wire shapes of a phone as a second factor.
import * as z from 'zod'
import { isPhoneNumber, normalisePhone } from '#shared/platform/outbox/sms/phone'
import { SixDigits, totpIdentityFields } from './totp.schema.ts'

const Phone = z
  .string()
  .max(40)
  .overwrite(normalisePhone)
  .refine(isPhoneNumber, 'must be a number in E.164 form: a plus sign, the country code, the number')
  .meta({ examples: ['+15005550006'] })

export const BeginSms = z.object({ ...totpIdentityFields, phone_number: Phone }).meta({ id: 'BeginSmsSetup' })
export const SmsSent = z
  .object({ success: z.literal(true), message: z.string(), phone_display: z.string(), expires_in_minutes: z.int(), attempts_remaining: z.int() })
  .meta({ id: 'SmsCodeSent' })
export const ConfirmSms = z.object({ ...totpIdentityFields, phone_number: Phone, code: SixDigits }).meta({ id: 'ConfirmSmsSetup' })
export const SmsConfirmed = z.object({ success: z.literal(true), message: z.string(), phone_display: z.string() }).meta({ id: 'SmsSetupConfirmed' })
export const RequestSms = z.object(totpIdentityFields).meta({ id: 'RequestSmsCode' })
export const VerifySms = z.object({ ...totpIdentityFields, code: SixDigits }).meta({ id: 'VerifySms' })
export const SmsVerified = z
  .object({
    success: z.literal(true),
    message: z.string(),
    method: z.literal('sms'),
    tenant_id: z.string(),
    email: z.string(),
    /** In a session: the new token. The previous one is revoked. */
    access_token: z.string().optional(),
    token_type: z.literal('Bearer').optional(),
    expires_in: z.int().optional(),
  })
  .meta({ id: 'SmsVerified' })
