// A phone is added on the account page. The number waits with the server, sealed, until its code is right.

import { enroller } from '#shared/domains/factors/enrolment'
import { beginSms, confirmSms, pendingPhone } from '#shared/domains/factors/sms'
import { AppError } from '#shared/kernel/errors'
import { onPage } from '#shared/platform/http/pages/form'
import { sendTo } from '#shared/platform/http/pages/go'
import { HOME } from '#shared/platform/http/pages/return-to'
import type { Sent } from '#shared/platform/http/route'
import { shownPhone } from '#shared/platform/outbox/sms/phone'
import type { User } from '#shared/platform/principals/principal'
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
