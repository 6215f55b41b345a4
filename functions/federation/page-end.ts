// Finishes a sign-in that started on a hosted page: signs in, or continues with the required step.
import type * as z from 'zod'
import type { FederationPage } from '#db/store/federation-states'
import { finishPageSignIn } from '#shared/domains/account/page-session'
import { withSignInContext } from '#shared/domains/sign-in/sign-in-context'
import type { SignInContextRequest } from '#shared/domains/sign-in/sign-in-context.schema'
import { AppError } from '#shared/kernel/errors'
import { withPageOrigin } from '#shared/platform/http/pages/form'
import { redirectResult } from '#shared/platform/http/pages/redirect'
import { type Cookie, HttpResult, type StatusResult, withStatus } from '#shared/platform/http/route'
import type { User } from '#shared/platform/principals/principal'
import type { CallbackQuery } from './callback.schema.ts'
import { redeemExchangeCode } from './exchange.ts'
import type { Ctx } from './group.ts'
import { proofCookie } from './held-proof.ts'
import { sendJoinCode } from './join.ts'
import { sendLinkCode } from './link.ts'
import type { EnteredAccount, FederationOutcome, PendingStep } from './outcome.ts'

export type PageRedirect = HttpResult<StatusResult<303, undefined>>

/** A person who signed in on the platform continues in the context of their own tenant. */
const doorOf = (page: SignInContextRequest, { tenant }: EnteredAccount): SignInContextRequest =>
  page.tenant !== undefined || page.client_id !== undefined || tenant === undefined ? page : { ...page, tenant: tenant.domain }

/** Starts the session in this browser, or continues with the second factor. Routes that call this emit `user.signed_out`. */
export const finishFederatedSignIn = async (
  ctx: Ctx,
  page: SignInContextRequest,
  entered: EnteredAccount,
  before: User | undefined,
  cookies: readonly Cookie[] = [],
): Promise<HttpResult<undefined>> => {
  const here = withPageOrigin(ctx)
  const { done, user } = entered
  if (done.minted !== undefined) {
    // The platform's page names neither.
    const clientId = page.client_id ?? (page.tenant === undefined ? undefined : done.minted.grant.clientId)
    return finishPageSignIn(here, { minted: done.minted, clientId, cookies, returnTo: page.return_to, before })
  }
  const path = withSignInContext('/signin/factor', doorOf(page, entered))
  const { headers, cookies: own } = redirectResult(here, path, { cookies: [...done.cookies, ...cookies], remember: { email: user.email } })
  return new HttpResult(undefined, { headers, cookies: own })
}

/** Mails the code at once, because the provider has just confirmed that the address belongs to the person. */
const startStep = async (ctx: Ctx, page: FederationPage, pending: PendingStep): Promise<PageRedirect> => {
  const cookies = [proofCookie(ctx, pending.transactionToken)]
  if (pending.step === 'registration') return redirectResult(ctx, withSignInContext('/signup/provider', page), { cookies })
  await (pending.step === 'link' ? sendLinkCode(ctx, pending.transactionToken) : sendJoinCode(ctx, pending.transactionToken))
  return redirectResult(ctx, withSignInContext('/signin/connect', page), { cookies })
}

export const redirectByOutcome = async (
  ctx: Ctx,
  page: FederationPage,
  outcome: FederationOutcome,
  before: User | undefined,
): Promise<PageRedirect> => {
  switch (outcome.kind) {
    case 'entered': {
      const { headers, cookies } = await finishFederatedSignIn(ctx, page, outcome, before)
      return new HttpResult(withStatus(303, undefined), { headers, cookies })
    }
    case 'choice':
      return redirectResult(ctx, withSignInContext('/signin/accounts', page), { cookies: [proofCookie(ctx, outcome.transactionToken)] })
    case 'step_required':
      return startStep(ctx, page, outcome)
    case 'connected':
      return redirectResult(ctx, withSignInContext('/signin', page))
  }
}

/** Errors are displayed once on the sign-in page. @throws AppError as `redeemExchangeCode`, displayed on the sign-in page of the context */
export const finishPageFlow = async (
  ctx: Ctx,
  page: FederationPage,
  { code = '', state = '' }: z.output<typeof CallbackQuery>,
  isAnswered: boolean,
  before: User | undefined,
): Promise<PageRedirect> => {
  const [here, saidOn] = [withPageOrigin(ctx), withSignInContext('/signin', page)]
  // The person denied the request, or the response was invalid; `receiveCallback` has ended the flow.
  if (!isAnswered) return redirectResult(here, saidOn, { say: 'federation_failed' })
  try {
    return await redirectByOutcome(here, page, await redeemExchangeCode(here, { code, state }), before)
  } catch (error) {
    throw error instanceof AppError ? new AppError(error.code, error.message, { ...error.details, saidOn }) : error
  }
}
