// Lost passkeys and second factors, on our own pages: a pass from an administrator, or the waiting period. The rules are those of /account/recovery.

import { forTenant, type TenantId } from '#db/engine/tenant'
import { findDefaultClient } from '#db/store/clients'
import { findTenant } from '#db/store/tenants'
import type { FactorContext } from '#shared/domains/factors/factor-context'
import { findRecoveryOffers, type RecoveryOffers } from '#shared/domains/factors/recovery-offers'
import { expiredTransactionCookie, readTransactionHandle, transactionCookie } from '#shared/domains/login-transaction/login-transaction'
import { recoverWithPass } from '#shared/domains/recovery/pass'
import { finishWaitingRecovery, requestRecoveryCode, startWaitingRecovery, waitingRecoveryReadyAt } from '#shared/domains/recovery/waiting-recovery'
import { findSignInContext, withSignInContext } from '#shared/domains/sign-in/sign-in-context'
import type { SignInContextRequest } from '#shared/domains/sign-in/sign-in-context.schema'
import { AppError } from '#shared/kernel/errors'
import { withPageOrigin } from '#shared/platform/http/pages/form'
import { redirect } from '#shared/platform/http/pages/redirect'
import type { HttpResult } from '#shared/platform/http/route'
import type { User } from '#shared/platform/principals/principal'
import { loadSignInFactorContext, mintSessionFrom } from './factor.ts'
import type { Ctx } from './group.ts'

/** The longest waiting period and the week after it. */
const KEPT_SECONDS = 37 * 24 * 3600

export type LostAccess = {
  /** The login transaction of this browser, in which the password was proved. */
  readonly factorContext: FactorContext | undefined
  readonly tenantId: TenantId | undefined
  readonly clientId: string | undefined
  readonly offers: RecoveryOffers
}

/** On the platform's own page the tenant is unknown before the password, so only a pass is offered: it names its person. */
const PLATFORM_OFFERS: RecoveryOffers = { backupCodes: false, administratorPass: true, waitingDays: undefined }

const halfSignedIn = (ctx: Ctx): Promise<FactorContext | undefined> =>
  loadSignInFactorContext(ctx).catch((error: unknown) => {
    if (error instanceof AppError && error.code === 'authentication_required') return undefined
    throw error
  })

export const findLostAccess = async (ctx: Ctx, contextRequest: SignInContextRequest): Promise<LostAccess> => {
  const factorContext = await halfSignedIn(ctx)
  const signInContext = await findSignInContext(ctx, contextRequest)
  const tenantId = factorContext?.tenantId ?? (signInContext.kind === 'tenant' ? signInContext.tenantId : undefined)
  if (tenantId === undefined) return { factorContext, tenantId, clientId: undefined, offers: PLATFORM_OFFERS }
  const t = forTenant(ctx.db, tenantId)
  const pageClientId = signInContext.kind === 'tenant' && signInContext.tenantId === tenantId ? signInContext.clientId : undefined
  const clientId = pageClientId ?? factorContext?.user.clientId ?? (await findDefaultClient(t))?.id
  return { factorContext, tenantId, clientId, offers: findRecoveryOffers(await findTenant(t)) }
}

/** Signs in after the lost factors were removed; where a second factor is required, the person adds a new one first. */
const goOn = async (
  ctx: Ctx,
  contextRequest: SignInContextRequest,
  transactionToken: string,
  before: User | undefined,
): Promise<HttpResult<undefined>> => {
  const here = withPageOrigin(ctx)
  try {
    return await mintSessionFrom(ctx, contextRequest, transactionToken, before)
  } catch (error) {
    if (!(error instanceof AppError) || error.code !== 'mfa_verification_failed') throw error
  }
  const cookies = [transactionCookie(here, 'login', transactionToken), expiredTransactionCookie(here, 'recovery_wait')]
  return redirect(ctx, withSignInContext('/signin/enrol', contextRequest), { cookies, say: 'factors_gone' })
}

type Pass = { readonly email: string; readonly pass: string }

/** @throws AppError invalid_recovery, quota_exceeded */
export const useRecoveryPass = async (
  ctx: Ctx,
  contextRequest: SignInContextRequest,
  { email, pass }: Pass,
  before: User | undefined,
): Promise<HttpResult<undefined>> =>
  goOn(ctx, contextRequest, await recoverWithPass(withPageOrigin(ctx), { pass: pass.trim(), email, loginTicket: undefined }), before)

const WAITING = '/recover/access/waiting'

/** The same for every address. @throws AppError recovery_not_offered, rate_limited */
export const beginWaitingRecovery = async (ctx: Ctx, contextRequest: SignInContextRequest, email: string): Promise<HttpResult<undefined>> => {
  const { clientId } = await findLostAccess(ctx, contextRequest)
  if (clientId === undefined) throw new AppError('recovery_not_offered')
  const here = withPageOrigin(ctx)
  const { recovery } = await startWaitingRecovery(here, { clientId, email, loginTicket: undefined })
  return redirect(ctx, withSignInContext(WAITING, contextRequest), { cookies: [transactionCookie(here, 'recovery_wait', recovery, KEPT_SECONDS)] })
}

/** The key of the recovery that this browser began or resumed. */
export const currentRecovery = (ctx: Ctx): string | undefined => readTransactionHandle(ctx, 'recovery_wait')?.text

/** @throws AppError invalid_recovery unless the key belongs to a waiting recovery */
export const resumeRecovery = async (ctx: Ctx, contextRequest: SignInContextRequest, key: string): Promise<HttpResult<undefined>> => {
  const text = key.trim()
  if ((await waitingRecoveryReadyAt(withPageOrigin(ctx), text)) === undefined)
    throw new AppError('invalid_recovery', undefined, { field: 'form.recovery', refusal: { event: 'recovery.completed' } })
  return redirect(ctx, withSignInContext(WAITING, contextRequest), {
    cookies: [transactionCookie(withPageOrigin(ctx), 'recovery_wait', text, KEPT_SECONDS)],
  })
}

const required = (ctx: Ctx): string => {
  const held = currentRecovery(ctx)
  if (held === undefined) throw new AppError('invalid_recovery')
  return held
}

/** @throws AppError invalid_recovery, recovery_waiting */
export const mailRecoveryCode = async (ctx: Ctx, contextRequest: SignInContextRequest): Promise<HttpResult<undefined>> => {
  await requestRecoveryCode(withPageOrigin(ctx), required(ctx))
  return redirect(ctx, withSignInContext(WAITING, contextRequest), { say: 'code_sent' })
}

/** @throws AppError invalid_recovery, recovery_waiting, quota_exceeded */
export const finishRecoveryWithCode = async (
  ctx: Ctx,
  contextRequest: SignInContextRequest,
  otp: string,
  before: User | undefined,
): Promise<HttpResult<undefined>> => goOn(ctx, contextRequest, await finishWaitingRecovery(withPageOrigin(ctx), required(ctx), otp), before)
