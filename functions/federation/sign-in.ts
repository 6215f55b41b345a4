// Signs in a person whom a provider proved. As with a password, a required second factor stays required.

import { forTenant, type TenantId, type TenantTx } from '#db/engine/tenant'
import type { Identity } from '#db/store/identities'
import { findTenant, type Tenant } from '#db/store/tenants'
import { findUser, type User } from '#db/store/users'
import { requireProvedAddress } from '#shared/domains/sign-in/check-password'
import { afterFirstFactor } from '#shared/domains/sign-in/first-step'
import { AppError } from '#shared/kernel/errors'
import type { Ctx } from './group.ts'
import type { FederatedProof } from './held-proof.ts'
import { recordIdentityUse } from './identity.ts'
import type { EnteredAccount } from './outcome.ts'

/** `federation_no_account` for a named tenant; `federation_not_here` on a tenant's own domain. */
export type Missing = 'federation_no_account' | 'federation_not_here'

/** The same error for every problem with the account. */
export const noAccountError = (tenantId: TenantId, userId?: string, code: Missing = 'federation_no_account'): AppError =>
  new AppError(code, undefined, { refusal: { tenantId, ...(userId === undefined ? {} : { userId }), event: 'user.signed_in' } })

export const isUsable = (user: User | undefined, tenant: Tenant | undefined): user is User =>
  user?.active === true && user.deletedAt === null && tenant?.status === 'active'

/** A federated sign-in is one factor (`fed`), whatever the provider checked. `mfa` is added only if the tenant trusts the provider for it. */
export const federatedAmr = (tenant: Pick<Tenant, 'settings'> | undefined, proof: FederatedProof): readonly string[] => {
  const providerId = proof.samlProviderId ?? proof.providerId
  const isTrusted = proof.trusted === true || (providerId !== undefined && tenant?.settings.trustFactorsOf?.includes(providerId) === true)
  return proof.profile.severalFactors && isTrusted ? ['fed', 'mfa'] : ['fed']
}

type Entering = { readonly tenantId: TenantId; readonly user: User; readonly tenant: Tenant | undefined; readonly proof: FederatedProof }

/** Continues after the first factor; `also` runs in the same transaction. @throws AppError invalid_credentials, quota_exceeded */
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
  // A notification for the owner may be queued.
  ctx.wakeOutbox()
  return { kind: 'entered', ...who, done }
}

/** Signs in the owner of the identity. @throws AppError federation_no_account, email_not_verified, invalid_credentials, quota_exceeded */
export const signInWithIdentity = async (ctx: Ctx, tenantId: TenantId, identity: Identity, proof: FederatedProof): Promise<EnteredAccount> => {
  const t = forTenant(ctx.db, tenantId)
  const [tenant, user] = [await findTenant(t), await findUser(t, identity.userId)]
  if (tenant === undefined || !isUsable(user, tenant)) throw noAccountError(tenantId, identity.userId)
  requireProvedAddress(ctx, tenant, user)
  return enterAccount(ctx, { tenantId, user, tenant, proof }, async (tx) => {
    if (!(await recordIdentityUse(tx, ctx, user, identity, proof))) throw noAccountError(tenantId, user.id)
  })
}
