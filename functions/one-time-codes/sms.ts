// Sets up and verifies a phone, in a session or in a login transaction.
import type * as z from 'zod'
import { loadEnrolmentContext } from '#shared/domains/factors/enrolment'
import { loadFactorContext } from '#shared/domains/factors/factor-context'
import { beginSms, confirmSms, requestSms, type SmsSent as Sent, verifySms } from '#shared/domains/factors/sms'
import { FACTOR_VERIFIED_EVENT, renewedToken } from '#shared/domains/factors/verify'
import type { User } from '#shared/platform/principals/principal'
import type { Ctx } from './group.ts'
import type { BeginSms, ConfirmSms, RequestSms, SmsConfirmed, SmsSent, SmsVerified, VerifySms } from './sms.schema.ts'

const sent = ({ display, minutes, guesses }: Sent): z.input<typeof SmsSent> => ({
  success: true,
  message: 'We sent a code to your phone.',
  phone_display: display,
  expires_in_minutes: minutes,
  attempts_remaining: guesses,
})

export const beginSmsFactor = async (ctx: Ctx, caller: User | undefined, body: z.output<typeof BeginSms>): Promise<z.input<typeof SmsSent>> =>
  sent(await beginSms(ctx, await loadEnrolmentContext(ctx, caller, body), body.phone_number))

export const confirmSmsFactor = async (
  ctx: Ctx,
  caller: User | undefined,
  body: z.output<typeof ConfirmSms>,
): Promise<z.input<typeof SmsConfirmed>> => {
  const { display } = await confirmSms(ctx, await loadEnrolmentContext(ctx, caller, body), body.phone_number, body.code)
  return { success: true, message: 'The phone is now a factor of your account.', phone_display: display }
}

export const requestSmsCode = async (ctx: Ctx, caller: User | undefined, body: z.output<typeof RequestSms>): Promise<z.input<typeof SmsSent>> =>
  sent(await requestSms(ctx, await loadFactorContext(ctx, caller, body, FACTOR_VERIFIED_EVENT)))

export const verifySmsCode = async (ctx: Ctx, caller: User | undefined, body: z.output<typeof VerifySms>): Promise<z.input<typeof SmsVerified>> => {
  const factorContext = await loadFactorContext(ctx, caller, body, FACTOR_VERIFIED_EVENT)
  const renewal = await verifySms(ctx, factorContext, body.code)
  const token = renewal === undefined ? undefined : await renewedToken(ctx, renewal)
  return {
    success: true,
    message: 'SMS code valid',
    method: 'sms',
    tenant_id: factorContext.tenantId,
    email: factorContext.user.email,
    ...(token === undefined ? {} : { access_token: token.access_token, token_type: token.token_type, expires_in: token.expires_in }),
  }
}
