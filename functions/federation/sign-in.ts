// A person whom a provider proved comes in: as with a password, a factor that is owed stays owed.

import { atomically, forTenant, SYSTEM_TENANT, type TenantId, type TenantTx } from '#db/engine/tenant'
import { findIdentity, type Identity } from '#db/store/identities'
import { findTenant, type Tenant } from '#db/store/tenants'
import { findUser, findUserByEmail, type User } from '#db/store/users'
import { requireProvedAddress } from '#shared/domains/sign-in/check-password'
import { afterFirstFactor } from '#shared/domains/sign-in/first-step'
import { AppError } from '#shared/kernel/errors'
import type { Ctx } from './group.ts'
import { type FederatedProof, storeProof } from './held-proof.ts'
import { recordIdentityUse } from './identity.ts'
import type { EnteredAccount, PendingStep } from './outcome.ts'

/** Where the tenant was named, and on a tenant's own domain. */
type Missing = 'federation_no_account' | 'federation_not_here'

/** Generic, whatever was wrong with the account. */
export const noAccountError = (tenantId: TenantId, userId?: string, code: Missing = 'federation_no_account'): AppError =>
  new AppError(code, undefined, { refusal: { tenantId, ...(userId === undefined ? {} : { userId }), event: 'user.signed_in' } })

const isUsable = (user: User | undefined, tenant: Tenant | undefined): user is User =>
  user?.active === true && user.deletedAt === null && tenant?.status === 'active'

/**
 * A provider's word is one factor (`fed`), whatever was proved there: only where the tenant says that it trusts the provider for more does `mfa` stand beside it.
 */
export const federatedAmr = (tenant: Pick<Tenant, 'settings'> | undefined, { provider, profile, trusted }: FederatedProof): readonly string[] =>
  profile.severalFactors && (trusted === true || tenant?.settings.trustFactorsOf?.includes(provider) === true) ? ['fed', 'mfa'] : ['fed']

type Entering = { readonly tenantId: TenantId; readonly user: User; readonly tenant: Tenant | undefined; readonly proof: FederatedProof }

/** The first factor was proved; `also` belongs to the same transaction. @throws AppError invalid_credentials, quota_exceeded */
export const enterAccount = async (ctx: Ctx, who: Entering, also: (t: TenantTx) => Promise<void>): Promise<EnteredAccount> => {
  const { tenantId, user, tenant, proof } = who
  const done = await afterFirstFactor(ctx, {
    tenantId,
    user,
    clientId: proof.forClientId,
    mayMint: proof.mintsLater !== true,
    amr: federatedAmr(tenant, proof),
    also,
  })
  // The owner may have been told something.
  ctx.wakeOutbox()
  return { kind: 'entered', ...who, done }
}

/** Whose the identity is comes in. @throws AppError federation_no_account, email_not_verified, invalid_credentials, quota_exceeded */
export const signInWithIdentity = async (ctx: Ctx, tenantId: TenantId, identity: Identity, proof: FederatedProof): Promise<EnteredAccount> => {
  const t = forTenant(ctx.db, tenantId)
  const [tenant, user] = [await findTenant(t), await findUser(t, identity.userId)]
  if (tenant === undefined || !isUsable(user, tenant)) throw noAccountError(tenantId, identity.userId)
  requireProvedAddress(ctx, tenant, user)
  return enterAccount(ctx, { tenantId, user, tenant, proof }, async (tx) => {
    if (!(await recordIdentityUse(tx, ctx, user, identity, proof))) throw noAccountError(tenantId, user.id)
  })
}

export type FederatedSignIn = {
  readonly proof: FederatedProof
  readonly origin: string
  readonly missing: Missing
  /** Whether the tenant gives an account to whom this provider proves. */
  readonly provisions: boolean
}

/**
 * Nobody has the identity, but somebody has the address that the provider verified: that is a reason to ask, never to let in. The platform's own administrators
 * are not found by an address at all. An address that nobody has may get an account, where the tenant wants that.
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
  const ticket = await atomically(t, (tx) => storeProof(tx, ctx, 'link', proof, { userId: user.id, origin }))
  return { kind: 'owed', step: 'link', ticket, proof, origin }
}

/** By issuer and subject, in that tenant. @throws AppError federation_no_account, … */
export const signInFederated = async (ctx: Ctx, tenantId: TenantId, arrival: FederatedSignIn): Promise<EnteredAccount | PendingStep> => {
  const { issuer, subject } = arrival.proof.profile
  const identity = await findIdentity(forTenant(ctx.db, tenantId), issuer, subject)
  return identity === undefined ? meet(ctx, tenantId, arrival) : signInWithIdentity(ctx, tenantId, identity, arrival.proof)
}
