// What a provider proved, kept under a ticket for the step that comes next. That step reads it here, never from its body.
import * as z from 'zod'
import type { TenantTx } from '#db/engine/tenant'
import type { RequestCtx } from '#shared/domains/context'
import { LOGIN_SECONDS, startLoginTransaction, transactionCookie } from '#shared/domains/login-transaction/login-transaction'
import type { Cookie } from '#shared/platform/http/route'

const Profile = z.object({
  issuer: z.string(),
  subject: z.string(),
  email: z.string().exactOptional(),
  emailVerified: z.boolean(),
  name: z.string().exactOptional(),
  picture: z.string().exactOptional(),
  severalFactors: z.boolean(),
})
/** Who was proved, through which provider. */
export const FederatedProof = z.object({
  profile: Profile,
  provider: z.string(),
  displayName: z.string(),
  isOwnProvider: z.boolean(),
  redirectAfter: z.string().exactOptional(),
  /** Whether the tenant believes this provider of its own that several factors were proved. */
  trusted: z.boolean().exactOptional(),
  /** Our client at whose door it began. */
  forClientId: z.string().exactOptional(),
  /** The token comes from a later step of the door that somebody stands at. */
  mintsLater: z.boolean().exactOptional(),
  /** The provider's row, where it speaks SAML. */
  samlProviderId: z.string().exactOptional(),
})
export type FederatedProof = z.output<typeof FederatedProof>

/** `sign_in`: proved, and not yet anybody here. The others: what is owed before somebody is in. */
export const StoredProof = z.object({
  kind: z.enum(['sign_in', 'link', 'registration', 'choice', 'join']),
  proof: FederatedProof,
  origin: z.string(),
})
export type StoredProofKind = z.output<typeof StoredProof>['kind']

export const storeProof = (
  t: TenantTx,
  ctx: RequestCtx,
  kind: StoredProofKind,
  proof: FederatedProof,
  more: { readonly userId?: string; readonly origin: string },
): Promise<string> =>
  startLoginTransaction(t, ctx, {
    purpose: 'federation',
    userId: more.userId ?? null,
    clientId: null,
    verified: [],
    data: { kind, proof, origin: more.origin },
    seconds: LOGIN_SECONDS,
  })

export const proofCookie = (ctx: Pick<RequestCtx, 'config' | 'request'>, handle: string): Cookie => transactionCookie(ctx, 'federation', handle)
