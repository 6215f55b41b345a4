// A phone is set up and verified, inside a session or inside a login transaction.
import type * as z from 'zod'
import { enroller } from '#shared/domains/factors/enrolment'
import { beginSms, confirmSms, requestSms, type SmsSent as Sent, verifySms } from '#shared/domains/factors/sms'
import { stageOf } from '#shared/domains/factors/stage'
import { renewedToken, VERIFIED } from '#shared/domains/factors/verify'
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

export const begin = async (ctx: Ctx, caller: User | undefined, body: z.output<typeof BeginSms>): Promise<z.input<typeof SmsSent>> =>
  sent(await beginSms(ctx, await enroller(ctx, caller, body), body.phone_number))

export const confirm = async (ctx: Ctx, caller: User | undefined, body: z.output<typeof ConfirmSms>): Promise<z.input<typeof SmsConfirmed>> => {
  const { display } = await confirmSms(ctx, await enroller(ctx, caller, body), body.phone_number, body.code)
  return { success: true, message: 'The phone is a factor of your account now.', phone_display: display }
}

export const request = async (ctx: Ctx, caller: User | undefined, body: z.output<typeof RequestSms>): Promise<z.input<typeof SmsSent>> =>
  sent(await requestSms(ctx, await stageOf(ctx, caller, body, VERIFIED)))

export const verify = async (ctx: Ctx, caller: User | undefined, body: z.output<typeof VerifySms>): Promise<z.input<typeof SmsVerified>> => {
  const stage = await stageOf(ctx, caller, body, VERIFIED)
  const renewal = await verifySms(ctx, stage, body.code)
  const token = renewal === undefined ? undefined : await renewedToken(ctx, renewal)
  return {
    success: true,
    message: 'SMS code valid',
    method: 'sms',
    tenant_id: stage.tenantId,
    email: stage.user.email,
    ...(token === undefined ? {} : { access_token: token.access_token, token_type: token.token_type, expires_in: token.expires_in }),
  }
}
