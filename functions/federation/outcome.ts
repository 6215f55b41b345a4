// The results of a federated sign-in and their API responses: signed in, a choice among accounts, or a required step.
import type * as z from 'zod'
import type { TenantId } from '#db/engine/tenant'
import type { Tenant } from '#db/store/tenants'
import type { User } from '#db/store/users'
import type { FirstStepResult } from '#shared/domains/sign-in/first-step'
import { factorMembers } from '#shared/domains/sign-in/login-response'
import { AppError } from '#shared/kernel/errors'
import { cookieLine } from '#shared/platform/http/reply'
import { HttpResult } from '#shared/platform/http/route'
import type { Exchanged } from './exchange.schema.ts'
import type { Ctx } from './group.ts'
import { type FederatedProof, proofCookie } from './held-proof.ts'

/** The first factor was proved: a session was created, or a login transaction waits for the second factor. */
export type EnteredAccount = {
  readonly kind: 'entered'
  readonly tenantId: TenantId
  readonly user: User
  readonly tenant: Tenant | undefined
  readonly proof: FederatedProof
  readonly done: FirstStepResult
}
export type OfferedAccount = { readonly tenant_id: string; readonly tenant_domain: string; readonly tenant_name: string; readonly email: string }
export type AccountChoice = { readonly kind: 'choice'; readonly transactionToken: string; readonly accounts: readonly OfferedAccount[] }
/**
 * A step before sign-in. `link`: an account has the address and must confirm; `join`: the address must be proved before it gets an account; `registration`: a
 * company may sign up, with a domain that is given or still to be chosen.
 */
export type PendingStep = {
  readonly kind: 'step_required'
  readonly step: 'link' | 'join' | 'registration'
  readonly transactionToken: string
  readonly proof: FederatedProof
  readonly origin: string
  readonly domain?: string
}
export type ConnectedIdentity = { readonly kind: 'connected'; readonly tenantId: TenantId; readonly email: string; readonly proof: FederatedProof }
export type FederationOutcome = EnteredAccount | AccountChoice | PendingStep | ConnectedIdentity

export type FederationResult = HttpResult<z.input<typeof Exchanged>>

const NOT_SIGNED_IN = { tenant_id: '', email: '', first_login: false, otp_required: false, mfa_required: false }

export const toEnteredResult = ({ tenantId, user, tenant, proof, done }: EnteredAccount): FederationResult =>
  new HttpResult(
    {
      tenant_id: tenantId as string,
      ...(tenant === undefined ? {} : { tenant_domain: tenant.domain }),
      email: user.email,
      first_login: user.lastLoginAt === null,
      ...factorMembers(done.state.kinds, done.minted === undefined),
      ...(done.minted === undefined ? {} : { token: done.minted.token }),
      ...(done.transactionToken === undefined ? {} : { login_ticket: done.transactionToken }),
      ...(proof.redirectAfter === undefined ? {} : { redirect_after: proof.redirectAfter }),
    },
    { cookies: done.cookies },
  )

const answerChoice = (ctx: Ctx, { transactionToken, accounts }: AccountChoice): FederationResult =>
  new HttpResult(
    { ...NOT_SIGNED_IN, message: 'Choose the account to sign in to.', accounts: [...accounts], choice_ticket: transactionToken },
    { cookies: [proofCookie(ctx, transactionToken)] },
  )

const answerConnected = ({ tenantId, email, proof }: ConnectedIdentity): FederationResult =>
  new HttpResult({ ...NOT_SIGNED_IN, tenant_id: tenantId as string, email, message: `${proof.displayName} is connected with your account.` })

const providerData = ({ provider, profile }: FederatedProof) => ({
  provider,
  provider_user_id: profile.subject,
  email: profile.email ?? '',
  name: profile.name ?? '',
  picture: profile.picture ?? '',
})

const stepRequiredError = (ctx: Ctx, { step, transactionToken, proof, origin, domain }: PendingStep): AppError => {
  if (step === 'link') {
    const extra = { link_ticket: transactionToken, provider: proof.provider, confirm_with: ['mailed_code', 'session'] }
    return new AppError('link_confirmation_required', undefined, { extra })
  }
  if (step === 'join')
    return new AppError('email_confirmation_required', undefined, { extra: { join_ticket: transactionToken, provider: proof.provider } })
  if (domain !== undefined)
    return new AppError('email_confirmation_required', undefined, { extra: { registration_ticket: transactionToken, tenant_domain: domain } })
  return new AppError('federation_unknown', undefined, {
    extra: {
      needs_domain: true,
      message: 'No account is connected with this sign-in. Choose a domain to sign up.',
      origin_domain: new URL(origin).hostname,
      email_confirmation_required: !proof.profile.emailVerified,
      provider_data: { ...providerData(proof), registration_ticket: transactionToken },
    },
    // Error responses cannot set cookies otherwise.
    headers: { 'Set-Cookie': cookieLine(proofCookie(ctx, transactionToken), ctx.request.secure) },
  })
}

/** @throws AppError link_confirmation_required, email_confirmation_required, federation_unknown: with the handle of the required step */
export const toFederationResult = (ctx: Ctx, outcome: FederationOutcome): FederationResult => {
  switch (outcome.kind) {
    case 'entered':
      return toEnteredResult(outcome)
    case 'choice':
      return answerChoice(ctx, outcome)
    case 'connected':
      return answerConnected(outcome)
    case 'step_required':
      throw stepRequiredError(ctx, outcome)
  }
}
