// Sign-up, sign-in and password recovery of an end user at a client.
import type * as z from 'zod'
import type { TenantId } from '#db/engine/tenant'
import { findApplication } from '#shared/domains/clients/application'
import { tenantHint, tenantHintCookie } from '#shared/domains/login-transaction/login-transaction'
import { RESET_CODE_SECONDS, requestReset, requireGoodPassword, resetPassword, verifyResetCode } from '#shared/domains/recovery/reset'
import type { ResetBody, ResetMessage, ResetVerified, UserForgotPassword, VerifyReset } from '#shared/domains/recovery/reset.schema'
import { findApplicationUser } from '#shared/domains/sign-in/end-user'
import type { Attempt } from '#shared/domains/sign-up/attempt'
import { signUpDirectly, startEndUserSignUp } from '#shared/domains/sign-up/end-user'
import { disclosesAccounts } from '#shared/domains/tenancy/compatibility'
import { AppError } from '#shared/kernel/errors'
import { HttpResult } from '#shared/platform/http/route'
import type { Ctx } from './group.ts'
import type { StatusAnswer, UserRegister, UserRegistered, UserStatus } from './sign-in.schema.ts'

const CHECK_MAIL = 'Check your mailbox: we sent you a code.'
const NEUTRAL = 'If the address belongs to an account, a code is on its way.'

/** The same for every address, unless the deployment discloses accounts. */
export const loginStatus = async (ctx: Ctx, body: z.output<typeof UserStatus>): Promise<z.input<typeof StatusAnswer>> => {
  const application = await findApplication(ctx, body.client_id)
  if (!disclosesAccounts(ctx)) return { response: 'true', message: 'Continue to sign in.' }
  const known = (await findApplicationUser(ctx, application, body.email)) !== undefined
  return known ? { response: 'true', message: 'User exists' } : { response: 'false', message: 'User does not exist' }
}

const startedSignUp = (email: string, attempt: Attempt | undefined): HttpResult<z.input<typeof UserRegistered>> =>
  attempt === undefined
    ? new HttpResult({ message: CHECK_MAIL, email })
    : new HttpResult({ message: CHECK_MAIL, email, registration_ticket: attempt.ticket }, { cookies: [attempt.cookie] })

/** @throws AppError invalid_client, email_taken where accounts are disclosed, password_*, too_many_codes */
export const initiateUserRegistration = async (
  ctx: Ctx,
  body: z.output<typeof UserRegister>,
): Promise<HttpResult<z.input<typeof UserRegistered>>> => {
  const application = await findApplication(ctx, body.client_id)
  if (disclosesAccounts(ctx) && (await findApplicationUser(ctx, application, body.email)) !== undefined) throw new AppError('email_taken')
  return startedSignUp(body.email, await startEndUserSignUp(ctx, application, body))
}

/** @throws AppError invalid_client, password_*, too_many_codes, quota_exceeded */
export const registerUser = async (ctx: Ctx, body: z.output<typeof UserRegister>): Promise<HttpResult<z.input<typeof UserRegistered>>> => {
  const application = await findApplication(ctx, body.client_id)
  const known = disclosesAccounts(ctx) && (await findApplicationUser(ctx, application, body.email)) !== undefined
  const attempt = await signUpDirectly(ctx, application, body)
  return known ? new HttpResult({ response: 'true', message: 'User already exists' }) : startedSignUp(body.email, attempt)
}

export const forgotUserPassword = async (ctx: Ctx, body: z.output<typeof UserForgotPassword>): Promise<HttpResult<z.input<typeof ResetMessage>>> => {
  const { tenantId } = await findApplication(ctx, body.client_id)
  await requestReset(ctx, 'user_reset', tenantId, body.email)
  return new HttpResult({ message: NEUTRAL, email: body.email }, { cookies: [tenantHintCookie(ctx, tenantId, RESET_CODE_SECONDS)] })
}

/** The tenant of the named client, or else the tenant that the first step stored in a cookie. @throws AppError invalid_client, invalid_code */
const tenantFor = async (ctx: Ctx, clientId: string | undefined): Promise<TenantId> => {
  if (clientId !== undefined) return (await findApplication(ctx, clientId)).tenantId
  const hinted = tenantHint(ctx)
  if (hinted === undefined) throw new AppError('invalid_code')
  return hinted
}

/** @throws AppError invalid_client, invalid_code */
export const verifyUserResetCode = async (ctx: Ctx, body: z.output<typeof VerifyReset>): Promise<HttpResult<z.input<typeof ResetVerified>>> => {
  const tenantId = await tenantFor(ctx, body.client_id)
  const { resetToken, cookie } = await verifyResetCode(ctx, {
    kind: 'user_reset',
    tenantId,
    email: body.email,
    otp: body.otp,
    failure: 'invalid_code',
  })
  return new HttpResult({ message: 'The code is right. Choose a new password.', email: body.email, reset_token: resetToken }, { cookies: [cookie] })
}

/** Verifies the code in this step, for clients that keep no cookie. A password that will be refused does not consume the code. */
const tokenFor = async (ctx: Ctx, body: z.output<typeof ResetBody>, otp: string): Promise<string> => {
  const tenantId = await tenantFor(ctx, body.client_id)
  await requireGoodPassword(ctx, tenantId, { email: body.email, password: body.new_password })
  return (await verifyResetCode(ctx, { kind: 'user_reset', tenantId, email: body.email, otp, failure: 'invalid_code' })).resetToken
}

/** @throws AppError invalid_client, invalid_code, reset_code_missing, password_* */
export const resetUserPassword = async (ctx: Ctx, body: z.output<typeof ResetBody>): Promise<HttpResult<z.input<typeof ResetMessage>>> => {
  const cookie = await resetPassword(ctx, {
    email: body.email,
    newPassword: body.new_password,
    resetToken: body.otp === undefined ? body.reset_token : await tokenFor(ctx, body, body.otp),
    tenantId: body.client_id === undefined ? undefined : (await findApplication(ctx, body.client_id)).tenantId,
    failure: 'reset_code_missing',
  })
  return new HttpResult({ message: 'Your password was changed. Sign in with the new one.' }, { cookies: [cookie] })
}
