// A phone is added on the account page. The number waits with the server, sealed, until its code is right.

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

const here = (ctx: Ctx) => ({ ...withPageOrigin(ctx), sms: ctx.sms })

/** @throws AppError authentication_required, insufficient_user_authentication, mailbox_proof_required, too_many_sms, rate_limited, sms_* */
export const sendPhoneCode = async (ctx: Ctx, principal: User, phone: string): Promise<HttpResult<undefined>> => {
  await beginSms(here(ctx), await loadEnrolmentContext(here(ctx), principal, {}), phone)
  return redirect(ctx, PHONE_CODE_PATH)
}

/** The phone that waits for its code, as it may be shown. @throws AppError as `enroller` */
export const unconfirmedPhone = async (ctx: Ctx, principal: User): Promise<string | undefined> => {
  const phone = await pendingPhone(here(ctx), await loadEnrolmentContext(here(ctx), principal, {}))
  return phone === undefined ? undefined : maskedPhone(phone)
}

/** @throws AppError sms_not_initiated, invalid_sms_code, sms_code_expired, sms_attempts_used, factor_limit, and as `enroller` */
export const confirmPhone = async (ctx: Ctx, principal: User, code: string): Promise<HttpResult<undefined>> => {
  const factorContext = await loadEnrolmentContext(here(ctx), principal, {})
  const phone = await pendingPhone(here(ctx), factorContext)
  if (phone === undefined) throw new AppError('sms_not_initiated')
  await confirmSms(here(ctx), factorContext, phone, code)
  return redirect(ctx, HOME, { say: 'method_added' })
}
