// A forgotten password, on our own pages. Each step gives the same answer for every address.

import { SYSTEM_TENANT, type TenantId } from '#db/engine/tenant'
import { loadLoginTransaction, readTransactionHandle } from '#shared/domains/login-transaction/login-transaction'
import { requestReset, resetPassword, verifyResetCode } from '#shared/domains/recovery/reset'
import { chooseAdministratorTenant } from '#shared/domains/sign-in/choose-tenant'
import { findSignInContext, withSignInContext } from '#shared/domains/sign-in/sign-in-context'
import type { SignInContextRequest } from '#shared/domains/sign-in/sign-in-context.schema'
import { withPageOrigin } from '#shared/platform/http/pages/form'
import { redirect } from '#shared/platform/http/pages/redirect'
import { endedSessionCookie } from '#shared/platform/http/pages/session'
import { withPendingFlow } from '#shared/platform/http/pages/visit'
import type { HttpResult } from '#shared/platform/http/route'
import type { Ctx } from './group.ts'

type ResetTarget = { readonly kind: 'admin_reset' | 'user_reset'; readonly tenantId: TenantId | undefined }

const resetTarget = async (ctx: Ctx, contextRequest: SignInContextRequest, email: string): Promise<ResetTarget> => {
  const signInContext = await findSignInContext(ctx, contextRequest)
  if (signInContext.kind === 'platform') return { kind: 'admin_reset', tenantId: await chooseAdministratorTenant(withPageOrigin(ctx), { email }) }
  return { kind: 'user_reset', tenantId: signInContext.kind === 'tenant' ? signInContext.tenantId : undefined }
}

export const sendResetCode = async (ctx: Ctx, contextRequest: SignInContextRequest, email: string): Promise<HttpResult<undefined>> => {
  const { kind, tenantId } = await resetTarget(ctx, contextRequest, email)
  await requestReset(ctx, kind, tenantId, email)
  return redirect(ctx, withSignInContext('/recover/code', contextRequest), { remember: { email, ...withPendingFlow(ctx, { recover: email }) } })
}

/** @throws AppError invalid_code */
export const checkResetCode = async (ctx: Ctx, contextRequest: SignInContextRequest, email: string, otp: string): Promise<HttpResult<undefined>> => {
  const { kind, tenantId } = await resetTarget(ctx, contextRequest, email)
  const { cookie } = await verifyResetCode(withPageOrigin(ctx), { kind, tenantId: tenantId ?? SYSTEM_TENANT, email, otp, failure: 'invalid_code' })
  return redirect(ctx, withSignInContext('/recover/password', contextRequest), { cookies: [cookie], remember: { email } })
}

/** Whether this browser holds an unexpired proof of a mailed code. */
export const hasResetProof = async (ctx: Ctx): Promise<boolean> => {
  const here = withPageOrigin(ctx)
  return (await loadLoginTransaction(here, 'password_reset', readTransactionHandle(here, 'password_reset'))) !== undefined
}

/** Ends all sessions of the account, and the one of this browser. @throws AppError reset_not_verified, password_* */
export const saveNewPassword = async (
  ctx: Ctx,
  contextRequest: SignInContextRequest,
  email: string,
  newPassword: string,
): Promise<HttpResult<undefined>> => {
  const given = { email, newPassword, resetToken: undefined, tenantId: undefined, failure: 'reset_not_verified' } as const
  const cookie = await resetPassword(withPageOrigin(ctx), given)
  return redirect(ctx, withSignInContext('/signin/password', contextRequest), {
    cookies: [cookie, endedSessionCookie(ctx)],
    remember: { email },
    say: 'password_reset',
  })
}
