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
const clientAt = (signInContext: SignInContext): Application => {
  if (signInContext.kind !== 'tenant' || signInContext.clientId === undefined) throw new AppError('invalid_client')
  return { tenantId: signInContext.tenantId, clientId: signInContext.clientId }
}

/** @throws AppError sign_up_closed, single_tenant, tenant_domain_invalid, tenant_domain_taken, invalid_client, password_*, too_many_codes, quota_exceeded */
export const startSignUpOnPage = async (ctx: Ctx, contextRequest: SignInContextRequest, given: Given): Promise<HttpResult<undefined>> => {
  const { email, password, name = '', tenant_domain = '' } = given
  const signInContext = await findSignInContext(ctx, contextRequest)
  const next = withSignInContext('/signup/code', contextRequest)
  const remember = { email, ...withPendingFlow(ctx, { sign_up: email }) }
  if (signInContext.kind !== 'platform') {
    const { cookie } = await startEndUserSignUp(ctx, clientAt(signInContext), { email, password })
    return redirect(ctx, next, { remember, cookies: [cookie] })
  }
  const started = await startSignUp(withPageOrigin(ctx), { email, password, name, tenantDomain: tenant_domain })
  return redirect(ctx, next, { remember, cookies: started.cookies })
}

/** @throws AppError sign_up_closed, single_tenant, tenant_domain_taken, registration_expired, invalid_otp, invalid_client, email_taken, quota_exceeded */
export const finishSignUpOnPage = async (
  ctx: Ctx,
  contextRequest: SignInContextRequest,
  email: string,
  otp: string,
): Promise<HttpResult<undefined>> => {
  const signInContext = await findSignInContext(ctx, contextRequest)
  if (signInContext.kind === 'platform') await completeSignUp(withPageOrigin(ctx), email, otp)
  else await completeEndUserSignUp(ctx, clientAt(signInContext), { email, otp })
  return redirect(ctx, withSignInContext('/signin/password', contextRequest), { remember: { email }, say: 'account_ready' })
}

/** A person's sign-up begins again with its password, which is not kept in clear; a company's gets another code. @throws AppError sign_up_closed, too_many_codes */
export const resendSignUpCode = async (ctx: Ctx, contextRequest: SignInContextRequest, email: string): Promise<HttpResult<undefined>> => {
  const signInContext = await findSignInContext(ctx, contextRequest)
  if (signInContext.kind !== 'platform') return redirect(ctx, withSignInContext('/signup', contextRequest), { remember: { email } })
  await resendCode(withPageOrigin(ctx), email)
  return redirect(ctx, withSignInContext('/signup/code', contextRequest), { say: 'code_sent' })
}
