// Signs in a person whom a SAML identity provider proved, as through any other provider of the tenant.
import type * as z from 'zod'
import { atomically } from '#db/engine/tenant'
import { findIdentity } from '#db/store/identities'
import { refuseLoginTransaction } from '#db/store/login-transactions'
import { findSamlProvider } from '#db/store/saml-providers'
import { findUser } from '#db/store/users'
import { findApplication } from '#shared/domains/clients/application'
import type { FirstStep } from '#shared/domains/sign-in/login-response'
import { withSignInContext } from '#shared/domains/sign-in/sign-in-context'
import type { SignInContextRequest } from '#shared/domains/sign-in/sign-in-context.schema'
import { AppError } from '#shared/kernel/errors'
import { withPageOrigin } from '#shared/platform/http/pages/form'
import { HttpResult } from '#shared/platform/http/route'
import type { User } from '#shared/platform/principals/principal'
import { signInFederated } from './federated-sign-in.ts'
import type { Ctx } from './group.ts'
import { consumeProof, expiredProofCookie, type FederatedProof, type HeldProof, loadHeldProof } from './held-proof.ts'
import { type EnteredAccount, type PendingStep, toFederationResult } from './outcome.ts'
import { type PageRedirect, redirectByOutcome } from './page-end.ts'
import type { SamlLogin } from './saml.schema.ts'

const invalid = (heldProof: HeldProof): AppError =>
  new AppError('federation_ticket_invalid', undefined, { refusal: { tenantId: heldProof.t.tenantId, event: 'user.signed_in' } })

/**
 * Consumes the proof in every case. A proof of a provider that was deactivated meanwhile is refused.
 * @throws AppError federation_ticket_invalid, federation_no_account, email_not_verified, invalid_credentials, quota_exceeded, email_taken
 */
export const signInBySaml = async (
  ctx: Ctx,
  heldProof: HeldProof,
  proof: FederatedProof = heldProof.proof,
): Promise<EnteredAccount | PendingStep> => {
  const provider = proof.samlProviderId === undefined ? undefined : await findSamlProvider(heldProof.t, proof.samlProviderId)
  if (provider === undefined || !provider.isActive) throw invalid(heldProof)
  await atomically(heldProof.t, (t) => consumeProof(t, ctx, heldProof))
  return signInFederated(ctx, heldProof.t.tenantId, {
    proof,
    origin: heldProof.origin,
    missing: 'federation_no_account',
    provisions: provider.jitProvisioning,
  })
}

/** The address of the account with the identity, or the provider's address when there is no account. */
const addressOf = async ({ t, proof: { profile } }: HeldProof): Promise<string | undefined> => {
  const identity = await findIdentity(t, profile.issuer, profile.subject)
  return identity === undefined ? profile.email : (await findUser(t, identity.userId))?.email
}

/** Client and address of the body must match the proof; a wrong attempt counts. @throws AppError federation_ticket_invalid */
const requireSame = async (ctx: Ctx, heldProof: HeldProof, body: z.output<typeof SamlLogin>): Promise<void> => {
  const application = await findApplication(ctx, body.client_id)
  if (application.tenantId === heldProof.t.tenantId && (await addressOf(heldProof)) === body.email) return
  await atomically(heldProof.t, (t) => refuseLoginTransaction(t, heldProof.hash, ctx.clock.now()))
  throw invalid(heldProof)
}

/** @throws AppError invalid_client, link_confirmation_required, email_confirmation_required, and the errors of `signInBySaml` */
export const loginBySaml = async (ctx: Ctx, body: z.output<typeof SamlLogin>): Promise<HttpResult<z.input<typeof FirstStep>>> => {
  const heldProof = await loadHeldProof(ctx, 'sign_in', body.saml_ticket)
  await requireSame(ctx, heldProof, body)
  const answered = toFederationResult(ctx, await signInBySaml(ctx, heldProof, { ...heldProof.proof, mintsLater: true }))
  return new HttpResult(answered.result, { cookies: [...answered.cookies, expiredProofCookie(ctx)] })
}

/** Finishes on the hosted pages. Errors are displayed once on the sign-in page. @throws AppError as `signInBySaml` */
export const finishSamlOnPage = async (
  ctx: Ctx,
  { lang: _, ...contextRequest }: SignInContextRequest,
  before: User | undefined,
): Promise<PageRedirect> => {
  const [here, saidOn] = [withPageOrigin(ctx), withSignInContext('/signin', contextRequest)]
  const page = Object.fromEntries(Object.entries(contextRequest).filter(([, value]) => value !== undefined))
  try {
    const outcome = await signInBySaml(here, await loadHeldProof(here, 'sign_in', undefined))
    const { result, headers, cookies } = await redirectByOutcome(here, page, outcome, before)
    // A required step has set its own cookie.
    return new HttpResult(result, { headers, cookies: outcome.kind === 'entered' ? [...cookies, expiredProofCookie(ctx)] : cookies })
  } catch (error) {
    throw error instanceof AppError ? new AppError(error.code, error.message, { ...error.details, saidOn }) : error
  }
}
