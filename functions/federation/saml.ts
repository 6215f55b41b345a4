// Whom a SAML identity provider proved, by the ticket of its answer: the person comes in as through any other provider of the tenant.
import type * as z from 'zod'
import { atomically, type TenantDb } from '#db/engine/tenant'
import { findIdentity } from '#db/store/identities'
import { findSamlProvider } from '#db/store/saml-providers'
import { refuseTicket } from '#db/store/tickets'
import { findUser } from '#db/store/users'
import { doorOf } from '#shared/domains/clients/application'
import type { FirstStep } from '#shared/domains/sign-in/login-response'
import { at } from '#shared/domains/sign-in/sign-in-context'
import type { DoorAsked } from '#shared/domains/sign-in/sign-in-context.schema'
import { AppError } from '#shared/kernel/errors'
import { onPage } from '#shared/platform/http/pages/form'
import { Sent } from '#shared/platform/http/route'
import type { User } from '#shared/platform/principals/principal'
import type { Ctx } from './group.ts'
import { answerOf, type Entered, type Owed } from './outcome.ts'
import { type Gone, lead } from './page-end.ts'
import type { SamlLogin } from './saml.schema.ts'
import { signIn } from './sign-in.ts'
import { type Held, heldProof, type Proof, spendProof, spentProofCookie } from './ticket.ts'

/** Whether the tenant still wants accounts for whom this provider proves. */
export const givesAccounts = async (t: TenantDb, providerId: string): Promise<boolean> => {
  const row = await findSamlProvider(t, providerId)
  return row?.isActive === true && row.jitProvisioning
}

const invalid = (held: Held): AppError =>
  new AppError('federation_ticket_invalid', undefined, { refusal: { tenantId: held.t.tenantId, event: 'user.signed_in' } })

/**
 * The ticket is spent, whatever comes of it. One of a provider that was switched off meanwhile proves nothing.
 * @throws AppError federation_ticket_invalid, federation_no_account, email_not_verified, invalid_credentials, quota_exceeded, email_taken
 */
export const arrive = async (ctx: Ctx, held: Held, proof: Proof = held.proof): Promise<Entered | Owed> => {
  const provider = proof.samlProviderId === undefined ? undefined : await findSamlProvider(held.t, proof.samlProviderId)
  if (provider === undefined || !provider.isActive) throw invalid(held)
  await atomically(held.t, (t) => spendProof(t, ctx, held))
  return signIn(ctx, held.t.tenantId, { proof, origin: held.origin, missing: 'federation_no_account', provisions: provider.jitProvisioning })
}

/** The address of the account that the proof opens; of who has none yet, what the provider said. */
const addressOf = async ({ t, proof: { profile } }: Held): Promise<string | undefined> => {
  const identity = await findIdentity(t, profile.issuer, profile.subject)
  return identity === undefined ? profile.email : (await findUser(t, identity.userId))?.email
}

/** What a body repeats must be what was proved; a wrong guess counts. @throws AppError federation_ticket_invalid */
const requireSame = async (ctx: Ctx, held: Held, body: z.output<typeof SamlLogin>): Promise<void> => {
  const door = await doorOf(ctx, body.client_id)
  if (door.tenantId === held.t.tenantId && (await addressOf(held)) === body.email) return
  await atomically(held.t, (t) => refuseTicket(t, held.hash, ctx.clock.now()))
  throw invalid(held)
}

/** @throws AppError invalid_client, link_confirmation_required, email_confirmation_required, and what arriving throws */
export const loginBySaml = async (ctx: Ctx, body: z.output<typeof SamlLogin>): Promise<Sent<z.input<typeof FirstStep>>> => {
  const held = await heldProof(ctx, 'sign_in', body.saml_ticket)
  await requireSame(ctx, held, body)
  const answered = answerOf(ctx, await arrive(ctx, held, { ...held.proof, mintsLater: true }))
  return new Sent(answered.result, { cookies: [...answered.cookies, spentProofCookie(ctx)] })
}

/** On our own pages. What is refused is told on the sign-in page, once. @throws AppError whatever arriving throws */
export const finishOnPage = async (ctx: Ctx, { lang: _, ...asked }: DoorAsked, before: User | undefined): Promise<Gone> => {
  const [here, saidOn] = [onPage(ctx), at('/signin', asked)]
  const page = Object.fromEntries(Object.entries(asked).filter(([, value]) => value !== undefined))
  try {
    const outcome = await arrive(here, await heldProof(here, 'sign_in', undefined))
    const { result, headers, cookies } = await lead(here, page, outcome, before)
    // A step that is owed has put its own ticket into the cookie.
    return new Sent(result, { headers, cookies: outcome.kind === 'entered' ? [...cookies, spentProofCookie(ctx)] : cookies })
  } catch (error) {
    throw error instanceof AppError ? new AppError(error.code, error.message, { ...error.details, saidOn }) : error
  }
}
