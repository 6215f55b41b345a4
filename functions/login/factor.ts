// The second step of a sign-in on our own pages: a second factor after the password. The rules are those of every other entry point.

import { forTenant } from '#db/engine/tenant'
import { findFactors } from '#db/store/factors'
import { findPhones } from '#db/store/sms'
import { finishPageSignIn } from '#shared/domains/account/page-session'
import { type FactorContext, loadFactorContext } from '#shared/domains/factors/factor-context'
import { verifyTotp } from '#shared/domains/factors/totp'
import { FACTOR_VERIFIED_EVENT } from '#shared/domains/factors/verify'
import { expiredTransactionCookie } from '#shared/domains/login-transaction/login-transaction'
import { hasAdminAccess } from '#shared/domains/sign-in/admin-access'
import { mintFromLoginTransaction } from '#shared/domains/sign-in/mint-from-login-transaction'
import { findSignInContext, withSignInContext } from '#shared/domains/sign-in/sign-in-context'
import type { SignInContextRequest } from '#shared/domains/sign-in/sign-in-context.schema'
import { withPageOrigin } from '#shared/platform/http/pages/form'
import { redirect } from '#shared/platform/http/pages/redirect'
import { withPendingFlow } from '#shared/platform/http/pages/visit'
import type { HttpResult } from '#shared/platform/http/route'
import type { User } from '#shared/platform/principals/principal'
import type { Ctx } from './group.ts'

/** Imported only when a code is sent. */
const sms = () => import('#shared/domains/factors/sms')
const mailbox = () => import('#shared/domains/factors/mailbox')

export type FactorPageRequest = SignInContextRequest & { readonly by?: 'app' | 'sms' | 'backup' | undefined }

/** The person of this browser's login transaction. A session of the same browser is ignored. @throws AppError authentication_required */
export const loadSignInFactorContext = (ctx: Ctx): Promise<FactorContext> =>
  loadFactorContext(withPageOrigin(ctx), undefined, {}, FACTOR_VERIFIED_EVENT)

export type AvailableFactors = { readonly kinds: ReadonlySet<string>; readonly phone: string | undefined }
export const factorsOf = async (ctx: Ctx, { tenantId, user }: Pick<FactorContext, 'tenantId' | 'user'>): Promise<AvailableFactors> => {
  const t = forTenant(ctx.db, tenantId)
  const factors = await findFactors(t, user.id)
  const sms = factors.find(({ kind }) => kind === 'sms')
  const [phone] = sms === undefined ? [] : await findPhones(t, [sms.id])
  return { kinds: new Set(factors.map(({ kind }) => kind)), phone: phone?.display }
}

/** Creates the session if every required factor was verified in the login transaction: `transactionToken`, or this browser's own. */
const begin = async (
  ctx: Ctx,
  contextRequest: SignInContextRequest,
  who: Pick<FactorContext, 'tenantId' | 'user'>,
  transactionToken: string | undefined,
  before: User | undefined,
) => {
  const here = withPageOrigin(ctx)
  const { tenantId, user } = who
  const signInContext = await findSignInContext(ctx, contextRequest)
  const minted = await mintFromLoginTransaction(here, {
    email: user.email,
    tenantId,
    transactionToken,
    // The platform's sign-in page admits administrators, and a person who confirms their own session.
    admits: async (t, who) => signInContext.kind !== 'platform' || before?.userId === who.id || hasAdminAccess(t, ctx, who.id),
  })
  return finishPageSignIn(ctx, {
    minted,
    clientId: signInContext.kind === 'tenant' ? signInContext.clientId : undefined,
    cookies: [expiredTransactionCookie(here, 'login')],
    returnTo: contextRequest.return_to,
    before,
    temporaryPassword: user.temporaryPassword,
  })
}

/** Creates the session once every required factor is verified. @throws AppError authentication_required, mfa_verification_failed, quota_exceeded */
export const mintSession = async (ctx: Ctx, contextRequest: SignInContextRequest, before: User | undefined): Promise<HttpResult<undefined>> =>
  begin(ctx, contextRequest, await loadSignInFactorContext(ctx), undefined, before)

/** The same with a login transaction that was just opened. @throws AppError authentication_required, mfa_verification_failed, quota_exceeded */
export const mintSessionFrom = async (
  ctx: Ctx,
  contextRequest: SignInContextRequest,
  transactionToken: string,
  before: User | undefined,
): Promise<HttpResult<undefined>> =>
  begin(
    ctx,
    contextRequest,
    await loadFactorContext(withPageOrigin(ctx), undefined, { login_ticket: transactionToken }, FACTOR_VERIFIED_EVENT),
    transactionToken,
    before,
  )

/** @throws AppError authentication_required, invalid_totp_code, totp_not_enabled, invalid_sms_code, sms_*, factor_paused, mfa_verification_failed */
export const checkFactor = async (
  ctx: Ctx,
  pageRequest: FactorPageRequest,
  code: string,
  before: User | undefined,
): Promise<HttpResult<undefined>> => {
  const factorContext = await loadSignInFactorContext(ctx)
  const here = withPageOrigin(ctx)
  if (pageRequest.by === 'sms') await (await sms()).verifySms({ ...here, sms: ctx.sms }, factorContext, code)
  else await verifyTotp(here, factorContext, code)
  return mintSession(ctx, pageRequest, before)
}

export const factorPath = (pageRequest: FactorPageRequest, by: FactorPageRequest['by']): string => {
  const path = withSignInContext('/signin/factor', pageRequest)
  return by === undefined ? path : `${path}${path.includes('?') ? '&' : '?'}by=${by}`
}

/** @throws AppError authentication_required, sms_not_enabled, factor_paused, too_many_sms, rate_limited, sms_failed, sms_number_refused, sms_not_configured */
export const sendSms = async (ctx: Ctx, contextRequest: SignInContextRequest): Promise<HttpResult<undefined>> => {
  await (await sms()).requestSms({ ...withPageOrigin(ctx), sms: ctx.sms }, await loadSignInFactorContext(ctx))
  return redirect(ctx, factorPath(contextRequest, 'sms'), { say: 'code_sent' })
}

/** The person whose mailbox is to be proved: of the login transaction, otherwise of the session. @throws AppError authentication_required */
export const loadMailboxContext = async (ctx: Ctx, principal: User | undefined): Promise<FactorContext> =>
  loadSignInFactorContext(ctx).catch((error: unknown) => {
    if (principal === undefined) throw error
    return loadFactorContext(withPageOrigin(ctx), principal, {}, 'mailbox.proved')
  })

/** @throws AppError authentication_required, too_many_codes, quota_exceeded */
export const sendMailboxProof = async (
  ctx: Ctx,
  contextRequest: SignInContextRequest,
  principal: User | undefined,
): Promise<HttpResult<undefined>> => {
  const factorContext = await loadMailboxContext(ctx, principal)
  await (await mailbox()).sendMailboxCode(withPageOrigin(ctx), factorContext)
  const remember = withPendingFlow(ctx, { mailbox: factorContext.user.email })
  return redirect(ctx, withSignInContext('/signin/mailbox', contextRequest), { say: 'code_sent', remember })
}

/** @throws AppError authentication_required, invalid_code */
export const proveMailbox = async (
  ctx: Ctx,
  contextRequest: SignInContextRequest,
  otp: string,
  principal: User | undefined,
): Promise<HttpResult<undefined>> => {
  const factorContext = await loadMailboxContext(ctx, principal)
  await (await mailbox()).confirmMailbox(withPageOrigin(ctx), factorContext, otp)
  return redirect(ctx, factorContext.by.kind === 'session' ? '/me/app' : withSignInContext('/signin/enrol', contextRequest))
}
