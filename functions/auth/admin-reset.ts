// An administrator forgot the password.
import type * as z from 'zod'
import { asTenantId, SYSTEM_TENANT, type TenantId } from '#db/engine/tenant'
import { expiredTransactionCookie, tenantHint, tenantHintCookie } from '#shared/domains/login-transaction/login-transaction'
import { RESET_CODE_SECONDS, requestReset, requireGoodPassword, resetPassword, verifyResetCode } from '#shared/domains/recovery/reset'
import type { ForgotPassword, ResetBody, ResetMessage, ResetVerified, VerifyReset } from '#shared/domains/recovery/reset.schema'
import { chooseAdministratorTenant, namedDomain } from '#shared/domains/sign-in/choose-tenant'
import { type Cookie, HttpResult } from '#shared/platform/http/route'
import type { Ctx } from './group.ts'

const NEUTRAL = 'If the address belongs to an account, a code is on its way.'

type Named = { readonly email: string; readonly tenant_domain?: string | undefined }

const tenantOfRequest = (ctx: Ctx, body: Named): Promise<TenantId | undefined> =>
  chooseAdministratorTenant(ctx, { email: body.email, tenantDomain: body.tenant_domain })

/** The tenant that the first step named, else the one that a sign-in would choose. */
const tenantFor = async (ctx: Ctx, body: Named): Promise<TenantId> =>
  (namedDomain(ctx, body.tenant_domain) === undefined ? tenantHint(ctx) : undefined) ?? (await tenantOfRequest(ctx, body)) ?? SYSTEM_TENANT

/** The cookie holds only the tenant that the request named, never the one found by the address. An unknown domain gets an id that no tenant has. */
const namedTenantCookie = (ctx: Ctx, body: Named, tenantId: TenantId | undefined): Cookie =>
  namedDomain(ctx, body.tenant_domain) === undefined
    ? expiredTransactionCookie(ctx, 'registration')
    : tenantHintCookie(ctx, tenantId ?? asTenantId(ctx.random.id()), RESET_CODE_SECONDS)

export const forgotPassword = async (ctx: Ctx, body: z.output<typeof ForgotPassword>): Promise<HttpResult<z.input<typeof ResetMessage>>> => {
  const tenantId = await tenantOfRequest(ctx, body)
  await requestReset(ctx, 'admin_reset', tenantId, body.email)
  return new HttpResult({ message: NEUTRAL }, { cookies: [namedTenantCookie(ctx, body, tenantId)] })
}

/** @throws AppError invalid_otp */
export const verifyCode = async (ctx: Ctx, body: z.output<typeof VerifyReset>): Promise<HttpResult<z.input<typeof ResetVerified>>> => {
  const tenantId = await tenantFor(ctx, body)
  const { resetToken, cookie } = await verifyResetCode(ctx, {
    kind: 'admin_reset',
    tenantId,
    email: body.email,
    otp: body.otp,
    failure: 'invalid_otp',
  })
  return new HttpResult({ message: 'The code is right. Choose a new password.', reset_token: resetToken }, { cookies: [cookie] })
}

/** Verifies the code in this step, for clients that keep no cookie. Checks the password first, so a refused password does not use the code up. */
const tokenFor = async (ctx: Ctx, body: z.output<typeof ResetBody>, otp: string): Promise<string> => {
  const tenantId = await tenantFor(ctx, body)
  await requireGoodPassword(ctx, tenantId, { email: body.email, password: body.new_password })
  return (await verifyResetCode(ctx, { kind: 'admin_reset', tenantId, email: body.email, otp, failure: 'invalid_otp' })).resetToken
}

/** @throws AppError reset_not_verified, invalid_otp, password_* */
export const reset = async (ctx: Ctx, body: z.output<typeof ResetBody>): Promise<HttpResult<z.input<typeof ResetMessage>>> => {
  const cookie = await resetPassword(ctx, {
    email: body.email,
    newPassword: body.new_password,
    resetToken: body.otp === undefined ? body.reset_token : await tokenFor(ctx, body, body.otp),
    tenantId: namedDomain(ctx, body.tenant_domain) === undefined ? undefined : await tenantFor(ctx, body),
    failure: 'reset_not_verified',
  })
  return new HttpResult({ message: 'Your password was changed. Sign in with the new one.' }, { cookies: [cookie] })
}
