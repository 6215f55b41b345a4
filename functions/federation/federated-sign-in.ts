// Signs in with an identity from a provider in a tenant: an existing account, an offer to link, or a new account.
import { atomically, forTenant, SYSTEM_TENANT, type TenantId } from '#db/engine/tenant'
import { findIdentity } from '#db/store/identities'
import { findTenant } from '#db/store/tenants'
import { findUserByEmail } from '#db/store/users'
import type { Ctx } from './group.ts'
import { type FederatedProof, storeProof } from './held-proof.ts'
import type { EnteredAccount, PendingStep } from './outcome.ts'
import { isUsable, type Missing, noAccountError, signInWithIdentity } from './sign-in.ts'

export type FederatedSignIn = {
  readonly proof: FederatedProof
  readonly origin: string
  readonly missing: Missing
  /** Whether the tenant creates accounts for people of this provider. */
  readonly provisions: boolean
}

/**
 * No account has the identity. If an account has the verified address, its owner must confirm the link; the address by itself never signs in. Platform administrators
 * are not found by address. An unknown address may get an account if the tenant wants that.
 */
const meet = async (ctx: Ctx, tenantId: TenantId, { proof, origin, missing, provisions }: FederatedSignIn): Promise<EnteredAccount | PendingStep> => {
  const { email, emailVerified } = proof.profile
  const t = forTenant(ctx.db, tenantId)
  const tenant = await findTenant(t)
  const isAsked = email !== undefined && emailVerified && tenantId !== SYSTEM_TENANT
  const user = isAsked ? await findUserByEmail(t, email) : undefined
  if (isAsked && user === undefined && provisions && tenant?.status === 'active') {
    const { joinTenant } = await import('./join.ts')
    return joinTenant(ctx, tenant, proof, origin)
  }
  if (!isUsable(user, tenant)) throw noAccountError(tenantId, undefined, missing)
  const transactionToken = await atomically(t, (tx) => storeProof(tx, ctx, 'link', proof, { userId: user.id, origin }))
  return { kind: 'step_required', step: 'link', transactionToken, proof, origin }
}

/** Signs in by issuer and subject in the tenant. @throws AppError federation_no_account, … */
export const signInFederated = async (ctx: Ctx, tenantId: TenantId, arrival: FederatedSignIn): Promise<EnteredAccount | PendingStep> => {
  const { issuer, subject } = arrival.proof.profile
  const identity = await findIdentity(forTenant(ctx.db, tenantId), issuer, subject)
  return identity === undefined ? meet(ctx, tenantId, arrival) : signInWithIdentity(ctx, tenantId, identity, arrival.proof)
}
