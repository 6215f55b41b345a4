// A phone is added on the account page. The number waits with the server, sealed, until its code is right.
import { onPage } from '#shared/browser/form'
import { sendTo } from '#shared/browser/go'
import { HOME } from '#shared/browser/return-to'
import { AppError } from '#shared/errors'
import { enroller } from '#shared/factors/enrolment'
import { beginSms, confirmSms, pendingPhone } from '#shared/factors/sms'
import type { User } from '#shared/http/principal'
import type { Sent } from '#shared/http/route'
import { shownPhone } from '#shared/sms/phone'
import type { Ctx } from './group.ts'

export const PHONE_CODE = '/me/phone/code'

const here = (ctx: Ctx) => ({ ...onPage(ctx), sms: ctx.sms })

/** @throws AppError authentication_required, insufficient_user_authentication, mailbox_proof_required, too_many_sms, rate_limited, sms_* */
export const sendPhoneCode = async (ctx: Ctx, principal: User, phone: string): Promise<Sent<undefined>> => {
  await beginSms(here(ctx), await enroller(here(ctx), principal, {}), phone)
  return sendTo(ctx, PHONE_CODE)
}

/** The phone that waits for its code, as it may be shown. @throws AppError as `enroller` */
export const phoneToConfirm = async (ctx: Ctx, principal: User): Promise<string | undefined> => {
  const phone = await pendingPhone(here(ctx), await enroller(here(ctx), principal, {}))
  return phone === undefined ? undefined : shownPhone(phone)
}

/** @throws AppError sms_not_initiated, invalid_sms_code, sms_code_expired, sms_attempts_used, factor_limit, and as `enroller` */
export const confirmPhone = async (ctx: Ctx, principal: User, code: string): Promise<Sent<undefined>> => {
  const stage = await enroller(here(ctx), principal, {})
  const phone = await pendingPhone(here(ctx), stage)
  if (phone === undefined) throw new AppError('sms_not_initiated')
  await confirmSms(here(ctx), stage, phone, code)
  return sendTo(ctx, HOME, { say: 'method_added' })
}
