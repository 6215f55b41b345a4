// Sign-up on our own pages: of a company on the platform's page, of a person on a company's page. The mailed code finishes both.

import type { Application } from '#shared/domains/clients/application'
import { findSignInContext, type SignInContext, withSignInContext } from '#shared/domains/sign-in/sign-in-context'
import type { SignInContextRequest } from '#shared/domains/sign-in/sign-in-context.schema'
import { completeSignUp, resendCode, signUpErrors, startSignUp } from '#shared/domains/sign-up/company'
import { completeEndUserSignUp, startEndUserSignUp } from '#shared/domains/sign-up/end-user'
import { Email } from '#shared/kernel/email'
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

/** @throws AppError invalid_request */
const requireEmail = (email: string): void => {
  if (!Email.safeParse(email).success) throw new AppError('invalid_request', 'form.email: must be an e-mail address', { field: 'form.email' })
}

/** Several errors become one that names every field. @throws AppError invalid_request */
const requireFields = (errors: readonly AppError[]): void => {
  if (errors.length < 2) return
  const fields = Object.fromEntries(errors.map(({ code, details }) => [details.field?.split('.').at(-1) ?? '', code]))
  throw new AppError('invalid_request', undefined, { fields })
}

/** @throws AppError invalid_request, sign_up_closed, single_tenant, tenant_domain_invalid, tenant_domain_taken, invalid_client, password_*, too_many_codes, quota_exceeded */
export const startSignUpOnPage = async (ctx: Ctx, contextRequest: SignInContextRequest, given: Given): Promise<HttpResult<undefined>> => {
  const { email, password, name = '', tenant_domain = '' } = given
  const signInContext = await findSignInContext(ctx, contextRequest)
  const next = withSignInContext('/signup/code', contextRequest)
  const remember = { email, ...withPendingFlow(ctx, { sign_up: email }) }
  if (signInContext.kind !== 'platform') {
    requireEmail(email)
    const { cookie } = await startEndUserSignUp(ctx, clientAt(signInContext), { email, password })
    return redirect(ctx, next, { remember, cookies: [cookie] })
  }
  const company = { email, password, name, tenantDomain: tenant_domain }
  const isAddress = Email.safeParse(email).success
  const errors = await signUpErrors(ctx, company)
  requireFields([...errors, ...(isAddress ? [] : [new AppError('invalid_request', undefined, { field: 'form.email' })])])
  requireEmail(email)
  const started = await startSignUp(withPageOrigin(ctx), company)
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

/** A person begins again, because the password is not kept in clear; the sign-up of a company gets another code. @throws AppError sign_up_closed, too_many_codes */
export const resendSignUpCode = async (ctx: Ctx, contextRequest: SignInContextRequest, email: string): Promise<HttpResult<undefined>> => {
  const signInContext = await findSignInContext(ctx, contextRequest)
  if (signInContext.kind !== 'platform') return redirect(ctx, withSignInContext('/signup', contextRequest), { remember: { email } })
  await resendCode(withPageOrigin(ctx), email)
  return redirect(ctx, withSignInContext('/signup/code', contextRequest), { say: 'code_sent' })
}
