// A provider's proof of a person, stored in a login transaction for the next step, which reads it only from there.
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
/** The proved person and the provider. */
export const FederatedProof = z.object({
  profile: Profile,
  provider: z.string(),
  displayName: z.string(),
  isOwnProvider: z.boolean(),
  redirectAfter: z.string().exactOptional(),
  /** Whether the tenant trusts this provider's claim of several factors. */
  trusted: z.boolean().exactOptional(),
  /** The client at which the sign-in began. */
  forClientId: z.string().exactOptional(),
  /** A later step of the application mints the token. */
  mintsLater: z.boolean().exactOptional(),
  /** The provider's row, for SAML. */
  samlProviderId: z.string().exactOptional(),
  /** The provider's row, for any other; none for a provider of the environment. */
  providerId: z.string().exactOptional(),
})
export type FederatedProof = z.output<typeof FederatedProof>

/** `sign_in`: proved and complete. The other kinds need a further step before a session begins. */
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
