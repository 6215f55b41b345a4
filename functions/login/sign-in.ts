// A person signs in on our own page, with a password first. The rules are those of the API's entry points.

import type { TenantId } from '#db/engine/tenant'
import type { Account, SignInSnapshot } from '#db/store/sign-in'
import { finishPageSignIn } from '#shared/domains/account/page-session'
import { checkPassword, invalidCredentials, requireProvedAddress } from '#shared/domains/sign-in/check-password'
import { chooseAdministratorTenant } from '#shared/domains/sign-in/choose-tenant'
import { afterPassword } from '#shared/domains/sign-in/first-step'
import { findSignInContext, type SignInContext, withSignInContext } from '#shared/domains/sign-in/sign-in-context'
import type { SignInContextRequest } from '#shared/domains/sign-in/sign-in-context.schema'
import { AppError } from '#shared/kernel/errors'
import { withPageOrigin } from '#shared/platform/http/pages/form'
import { redirect } from '#shared/platform/http/pages/redirect'
import { applicationOf } from '#shared/platform/http/pages/sign-in-path'
import type { HttpResult } from '#shared/platform/http/route'
import type { User } from '#shared/platform/principals/principal'
import { atLeast } from '#shared/platform/tokens/acr'
import type { Ctx } from './group.ts'

type Credentials = { readonly email: string; readonly password: string }
type Identified = {
  readonly tenantId: TenantId
  readonly user: Account
  readonly clientId: string | undefined
  readonly snapshot: SignInSnapshot | undefined
}

/** @throws AppError invalid_credentials, password_reset_required, temporary_password_expired, email_not_verified */
const identify = async (ctx: Ctx, signInContext: SignInContext, { email, password }: Credentials): Promise<Identified> => {
  const tenantId =
    signInContext.kind === 'tenant'
      ? signInContext.tenantId
      : signInContext.kind === 'platform'
        ? await chooseAdministratorTenant(withPageOrigin(ctx), { email })
        : undefined
  const { user, tenant, hasAdminAccess, snapshot } = await checkPassword(ctx, tenantId, email, password)
  if (tenantId === undefined) throw invalidCredentials(undefined, undefined)
  if (signInContext.kind === 'platform' && !hasAdminAccess) throw invalidCredentials(tenantId, user.id)
  requireProvedAddress(ctx, tenant, user)
  return { tenantId, user, snapshot, clientId: signInContext.kind === 'tenant' ? signInContext.clientId : undefined }
}

/** @throws AppError invalid_credentials, password_reset_required, temporary_password_expired, email_not_verified, quota_exceeded */
export const signInOnPage = async (
  ctx: Ctx,
  contextRequest: SignInContextRequest,
  credentials: Credentials,
  before: User | undefined,
): Promise<HttpResult<undefined>> => {
  const who = await identify(ctx, await findSignInContext(ctx, contextRequest), credentials)
  const done = await afterPassword(withPageOrigin(ctx), { ...who, mayMint: true })
  if (done.minted === undefined)
    return redirect(ctx, withSignInContext('/signin/factor', contextRequest), { cookies: done.cookies, remember: { email: who.user.email } })
  return finishPageSignIn(ctx, {
    minted: done.minted,
    clientId: who.clientId,
    cookies: [],
    returnTo: contextRequest.return_to,
    before,
    temporaryPassword: who.user.temporaryPassword,
  })
}

/** The next page depends only on the owner of the address's domain, so it does not disclose whether an account exists. */
export const submitAddress = async (ctx: Ctx, contextRequest: SignInContextRequest, email: string): Promise<HttpResult<undefined>> => {
  const { homeRealm } = await import('#shared/domains/federation/home-realm')
  const realm = await homeRealm(ctx, email, await findSignInContext(ctx, contextRequest))
  return redirect(ctx, withSignInContext(realm === undefined ? '/signin/password' : '/signin/company', contextRequest), { remember: { email } })
}

export type ReauthenticationDemand = {
  readonly max_age?: string | undefined
  readonly acr_values?: string | undefined
  readonly return_to?: string | undefined
}

/** Whether the session is as recent and as strong as the demand requires (RFC 9470 section 3). */
export const meetsReauthentication = (ctx: Pick<Ctx, 'clock'>, principal: User, { max_age, acr_values }: ReauthenticationDemand): boolean => {
  const age = (ctx.clock.now().getTime() - principal.authTime.getTime()) / 1000
  const wanted = acr_values?.split(' ') ?? []
  return (max_age === undefined || age <= Number(max_age)) && (wanted.length === 0 || wanted.some((acr) => atLeast(principal.acr, acr)))
}

/**
 * The signed-in person enters the password again: a new session replaces this one.
 * @throws AppError invalid_credentials, password_reset_required, temporary_password_expired, quota_exceeded
 */
export const confirmPassword = async (
  ctx: Ctx,
  principal: User,
  demand: ReauthenticationDemand,
  password: string,
): Promise<HttpResult<undefined>> => {
  const { tenantId, clientId, email } = principal
  const { user, snapshot } = await checkPassword(ctx, tenantId, email, password)
  // The principal may be up to a second old; meanwhile the address may belong to another person.
  if (user.id !== principal.userId) throw new AppError('invalid_credentials')
  const done = await afterPassword(withPageOrigin(ctx), { tenantId, user, snapshot, clientId, mayMint: true })
  if (done.minted === undefined) {
    return redirect(ctx, withSignInContext('/signin/factor', { client_id: applicationOf(ctx.request), return_to: demand.return_to }), {
      cookies: done.cookies,
      remember: { email },
    })
  }
  return finishPageSignIn(ctx, {
    minted: done.minted,
    clientId: applicationOf(ctx.request),
    cookies: [],
    returnTo: demand.return_to,
    before: principal,
  })
}
