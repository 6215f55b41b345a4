// Signing up on our own page: a company at the platform's door, a person at a company's. The mailed code finishes both.

import type { Application } from '#shared/domains/clients/application'
import { findSignInContext, type SignInContext, withSignInContext } from '#shared/domains/sign-in/sign-in-context'
import type { SignInContextRequest } from '#shared/domains/sign-in/sign-in-context.schema'
import { completeSignUp, resendCode, startSignUp } from '#shared/domains/sign-up/company'
import { completeEndUserSignUp, startEndUserSignUp } from '#shared/domains/sign-up/end-user'
import { AppError } from '#shared/kernel/errors'
import { withPageOrigin } from '#shared/platform/http/pages/form'
import { redirect } from '#shared/platform/http/pages/redirect'
import { withPendingFlow } from '#shared/platform/http/pages/visit'
import type { HttpResult } from '#shared/platform/http/route'
import type { Ctx } from './group.ts'

type Given = { readonly email: string; readonly password: string; readonly name?: string | undefined; readonly tenant_domain?: string | undefined }

/** @throws AppError invalid_client */
const clientAt = (door: SignInContext): Application => {
  if (door.kind !== 'tenant' || door.clientId === undefined) throw new AppError('invalid_client')
  return { tenantId: door.tenantId, clientId: door.clientId }
}

/** @throws AppError sign_up_closed, single_tenant, tenant_domain_invalid, tenant_domain_taken, invalid_client, password_*, too_many_codes, quota_exceeded */
export const startSignUpOnPage = async (ctx: Ctx, asked: SignInContextRequest, given: Given): Promise<HttpResult<undefined>> => {
  const { email, password, name = '', tenant_domain = '' } = given
  const door = await findSignInContext(ctx, asked)
  const next = withSignInContext('/signup/code', asked)
  const remember = { email, ...withPendingFlow(ctx, { sign_up: email }) }
  if (door.kind !== 'platform') {
    await startEndUserSignUp(ctx, clientAt(door), { email, password })
    return redirect(ctx, next, { remember })
  }
  const started = await startSignUp(withPageOrigin(ctx), { email, password, name, tenantDomain: tenant_domain })
  return redirect(ctx, next, { remember, cookies: [started.cookie] })
}

/** @throws AppError sign_up_closed, single_tenant, tenant_domain_taken, registration_expired, invalid_otp, invalid_client, email_taken, quota_exceeded */
export const finishSignUpOnPage = async (ctx: Ctx, asked: SignInContextRequest, email: string, otp: string): Promise<HttpResult<undefined>> => {
  const door = await findSignInContext(ctx, asked)
  if (door.kind === 'platform') await completeSignUp(withPageOrigin(ctx), email, otp)
  else await completeEndUserSignUp(ctx, clientAt(door), email, otp)
  return redirect(ctx, withSignInContext('/signin/password', asked), { remember: { email }, say: 'account_ready' })
}

/** A person's sign-up begins again with its password, which is not kept in clear; a company's gets another code. @throws AppError sign_up_closed, too_many_codes */
export const resendSignUpCode = async (ctx: Ctx, asked: SignInContextRequest, email: string): Promise<HttpResult<undefined>> => {
  const door = await findSignInContext(ctx, asked)
  if (door.kind !== 'platform') return redirect(ctx, withSignInContext('/signup', asked), { remember: { email } })
  await resendCode(withPageOrigin(ctx), email)
  return redirect(ctx, withSignInContext('/signup/code', asked), { say: 'code_sent' })
}
