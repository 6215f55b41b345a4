// Adding a phone on the account page. The server keeps the number encrypted until its code is confirmed.
import { loadEnrolmentContext } from '#shared/domains/factors/enrolment'
import { beginSms, confirmSms, pendingPhone } from '#shared/domains/factors/sms'
import { AppError } from '#shared/kernel/errors'
import { withPageOrigin } from '#shared/platform/http/pages/form'
import { redirect } from '#shared/platform/http/pages/redirect'
import { HOME } from '#shared/platform/http/pages/return-to'
import type { HttpResult } from '#shared/platform/http/route'
import { maskedPhone } from '#shared/platform/outbox/sms/phone'
import type { User } from '#shared/platform/principals/principal'
import type { Ctx } from './group.ts'

export const PHONE_CODE_PATH = '/me/phone/code'

const pageContext = (ctx: Ctx) => ({ ...withPageOrigin(ctx), sms: ctx.sms })

/** @throws AppError authentication_required, insufficient_user_authentication, mailbox_proof_required, too_many_sms, rate_limited, sms_* */
export const sendPhoneCode = async (ctx: Ctx, principal: User, phone: string): Promise<HttpResult<undefined>> => {
  await beginSms(pageContext(ctx), await loadEnrolmentContext(pageContext(ctx), principal, {}), phone)
  return redirect(ctx, PHONE_CODE_PATH)
}

/** Returns the phone that awaits its code, masked for display. @throws AppError as `loadEnrolmentContext` */
export const unconfirmedPhone = async (ctx: Ctx, principal: User): Promise<string | undefined> => {
  const phone = await pendingPhone(pageContext(ctx), await loadEnrolmentContext(pageContext(ctx), principal, {}))
  return phone === undefined ? undefined : maskedPhone(phone)
}

/** @throws AppError sms_not_initiated, invalid_sms_code, sms_code_expired, sms_attempts_used, factor_limit, and as `loadEnrolmentContext` */
export const confirmPhone = async (ctx: Ctx, principal: User, code: string): Promise<HttpResult<undefined>> => {
  const factorContext = await loadEnrolmentContext(pageContext(ctx), principal, {})
  const phone = await pendingPhone(pageContext(ctx), factorContext)
  if (phone === undefined) throw new AppError('sms_not_initiated')
  await confirmSms(pageContext(ctx), factorContext, phone, code)
  return redirect(ctx, HOME, { say: 'method_added' })
}
