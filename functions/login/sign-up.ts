// Signing up on our own page: a company at the platform's door, a person at a company's. The mailed code finishes both.

import type { Door } from '#shared/domains/clients/application'
import { at, findDoor, type PageDoor } from '#shared/domains/sign-in/sign-in-context'
import type { DoorAsked } from '#shared/domains/sign-in/sign-in-context.schema'
import { completeSignUp, resendCode, startSignUp } from '#shared/domains/sign-up/company'
import { completeEndUserSignUp, startEndUserSignUp } from '#shared/domains/sign-up/end-user'
import { AppError } from '#shared/kernel/errors'
import { onPage } from '#shared/platform/http/pages/form'
import { sendTo } from '#shared/platform/http/pages/go'
import { heldAlso } from '#shared/platform/http/pages/visit'
import type { Sent } from '#shared/platform/http/route'
import type { Ctx } from './group.ts'

type Given = { readonly email: string; readonly password: string; readonly name?: string | undefined; readonly tenant_domain?: string | undefined }

/** @throws AppError invalid_client */
const clientAt = (door: PageDoor): Door => {
  if (door.kind !== 'tenant' || door.clientId === undefined) throw new AppError('invalid_client')
  return { tenantId: door.tenantId, clientId: door.clientId }
}

/** @throws AppError sign_up_closed, single_tenant, tenant_domain_invalid, tenant_domain_taken, invalid_client, password_*, too_many_codes, quota_exceeded */
export const startOnPage = async (ctx: Ctx, asked: DoorAsked, given: Given): Promise<Sent<undefined>> => {
  const { email, password, name = '', tenant_domain = '' } = given
  const door = await findDoor(ctx, asked)
  const next = at('/signup/code', asked)
  const remember = { email, ...heldAlso(ctx, { sign_up: email }) }
  if (door.kind !== 'platform') {
    await startEndUserSignUp(ctx, clientAt(door), { email, password })
    return sendTo(ctx, next, { remember })
  }
  const started = await startSignUp(onPage(ctx), { email, password, name, tenantDomain: tenant_domain })
  return sendTo(ctx, next, { remember, cookies: [started.cookie] })
}

/** @throws AppError sign_up_closed, single_tenant, tenant_domain_taken, registration_expired, invalid_otp, invalid_client, email_taken, quota_exceeded */
export const finishOnPage = async (ctx: Ctx, asked: DoorAsked, email: string, otp: string): Promise<Sent<undefined>> => {
  const door = await findDoor(ctx, asked)
  if (door.kind === 'platform') await completeSignUp(onPage(ctx), email, otp)
  else await completeEndUserSignUp(ctx, clientAt(door), email, otp)
  return sendTo(ctx, at('/signin/password', asked), { remember: { email }, say: 'account_ready' })
}

/** A person's sign-up begins again with its password, which is not kept in clear; a company's gets another code. @throws AppError sign_up_closed, too_many_codes */
export const anotherCode = async (ctx: Ctx, asked: DoorAsked, email: string): Promise<Sent<undefined>> => {
  const door = await findDoor(ctx, asked)
  if (door.kind !== 'platform') return sendTo(ctx, at('/signup', asked), { remember: { email } })
  await resendCode(onPage(ctx), email)
  return sendTo(ctx, at('/signup/code', asked), { say: 'code_sent' })
}
