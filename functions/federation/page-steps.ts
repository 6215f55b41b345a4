// The steps of a federated sign-in on hosted pages. The browser's cookie holds the handle; the rules are those of the API.
import { asTenantId, forTenant } from '#db/engine/tenant'
import { findIdentity } from '#db/store/identities'
import { withSignInContext } from '#shared/domains/sign-in/sign-in-context'
import type { SignInContextRequest } from '#shared/domains/sign-in/sign-in-context.schema'
import { AppError } from '#shared/kernel/errors'
import { withPageOrigin } from '#shared/platform/http/pages/form'
import { redirect } from '#shared/platform/http/pages/redirect'
import type { HttpResult } from '#shared/platform/http/route'
import type { User } from '#shared/platform/principals/principal'
import { enterChosenAccount } from './discover.ts'
import type { Ctx } from './group.ts'
import { expiredProofCookie, type HeldProof, loadHeldProof, type StoredProofKind } from './held-proof.ts'
import { confirmJoin, sendJoinCode } from './join.ts'
import { confirmLink, sendLinkCode } from './link.ts'
import { finishFederatedSignIn } from './page-end.ts'
import { completeRegistration, sendRegistrationCode } from './register.ts'
import { noAccountError, signInWithIdentity } from './sign-in.ts'

/** Returns the proof in the browser's cookie if it is of that kind and still valid. */
export const findHeldProof = (ctx: Ctx, kind: StoredProofKind): Promise<HeldProof | undefined> =>
  loadHeldProof(withPageOrigin(ctx), kind, undefined).catch((error: unknown) => {
    if (error instanceof AppError && error.code === 'federation_ticket_invalid') return undefined
    throw error
  })

type Step = SignInContextRequest

/** Confirms a link or a join with the mailed code and signs in. @throws AppError federation_ticket_invalid, invalid_code, … */
export const connectAccount = async (ctx: Ctx, asked: Step, code: string, before: User | undefined): Promise<HttpResult<undefined>> => {
  const here = withPageOrigin(ctx)
  const isJoin = (await findHeldProof(ctx, 'join')) !== undefined
  const entered = isJoin ? await confirmJoin(here, { code }) : await confirmLink(here, { code })
  return finishFederatedSignIn(ctx, asked, entered, before, [expiredProofCookie(ctx)])
}

/** @throws AppError federation_ticket_invalid, too_many_codes, quota_exceeded */
export const resendFederationCode = async (ctx: Ctx, asked: Step): Promise<HttpResult<undefined>> => {
  const here = withPageOrigin(ctx)
  const isJoin = (await findHeldProof(ctx, 'join')) !== undefined
  await (isJoin ? sendJoinCode(here, undefined) : sendLinkCode(here, undefined))
  return redirect(ctx, withSignInContext('/signin/connect', asked), { say: 'code_sent' })
}

/** @throws AppError federation_ticket_invalid, federation_no_account, … */
export const chooseAccount = async (ctx: Ctx, asked: Step, tenantId: string, before: User | undefined): Promise<HttpResult<undefined>> =>
  finishFederatedSignIn(ctx, asked, await enterChosenAccount(withPageOrigin(ctx), undefined, tenantId), before, [expiredProofCookie(ctx)])

type Company = { readonly tenant_domain: string; readonly otp?: string | undefined }

/** Signs up a company with the proved identity as administrator, and signs in. @throws AppError tenant_domain_*, email_confirmation_required, … */
export const registerCompany = async (ctx: Ctx, asked: Step, company: Company, before: User | undefined): Promise<HttpResult<undefined>> => {
  const here = withPageOrigin(ctx)
  const { proof } = await loadHeldProof(here, 'registration', undefined)
  const { issuer, subject, email = '' } = proof.profile
  const { tenant_domain, otp } = company
  const body = { tenant_domain, provider: proof.provider, email, provider_user_id: subject, ...(otp === undefined ? {} : { otp }) }
  const { result } = await completeRegistration(here, body)
  const tenantId = asTenantId(result.tenant_id)
  const identity = await findIdentity(forTenant(ctx.db, tenantId), issuer, subject)
  if (identity === undefined) throw noAccountError(tenantId)
  const entered = await signInWithIdentity(here, tenantId, identity, proof)
  return finishFederatedSignIn(ctx, asked, entered, before, [expiredProofCookie(ctx)])
}

/** @throws AppError federation_ticket_invalid, email_missing, sign_up_closed, too_many_codes, quota_exceeded */
export const sendCompanyCode = async (ctx: Ctx, asked: Step): Promise<HttpResult<undefined>> => {
  await sendRegistrationCode(withPageOrigin(ctx), undefined)
  return redirect(ctx, withSignInContext('/signup/provider', asked), { say: 'code_sent' })
}
