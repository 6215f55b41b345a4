// Finds the accounts of an issuer and subject in all tenants. Accounts are never found by e-mail address.

import { asTenantId, atomically, directory, forTenant, SYSTEM_TENANT, type TenantId } from '#db/engine/tenant'
import { findIdentity, findTenantsOfIdentity, type Identity } from '#db/store/identities'
import { findTenant, type Tenant } from '#db/store/tenants'
import { findUser, type User } from '#db/store/users'
import { acceptsCompanies } from '#shared/domains/sign-up/open-sign-up'
import { AppError } from '#shared/kernel/errors'
import type { Ctx } from './group.ts'
import { consumeProof, type FederatedProof, type HeldProof, loadHeldProof, storeProof } from './held-proof.ts'
import { identityHash } from './identity.ts'
import type { AccountChoice, EnteredAccount, FederationOutcome, OfferedAccount, PendingStep } from './outcome.ts'
import { signInWithIdentity } from './sign-in.ts'

type Account = { readonly tenantId: TenantId; readonly identity: Identity; readonly user: User; readonly tenant: Tenant }

const accountIn = async (ctx: Ctx, tenantId: TenantId, { profile }: FederatedProof): Promise<Account | undefined> => {
  const t = forTenant(ctx.db, tenantId)
  const identity = await findIdentity(t, profile.issuer, profile.subject)
  if (identity === undefined || identity.isOwnProvider) return undefined
  const [tenant, user] = [await findTenant(t), await findUser(t, identity.userId)]
  if (tenant?.status !== 'active' || user?.active !== true || user.deletedAt !== null) return undefined
  return { tenantId, identity, user, tenant }
}

const accountsOf = async (ctx: Ctx, proof: FederatedProof): Promise<Account[]> => {
  const accounts: Account[] = []
  for (const tenantId of await findTenantsOfIdentity(directory(ctx.db), identityHash(ctx, proof.profile))) {
    const account = await accountIn(ctx, tenantId, proof)
    if (account !== undefined) accounts.push(account)
  }
  return accounts
}

const offerChoice = async (ctx: Ctx, proof: FederatedProof, accounts: readonly Account[], origin: string): Promise<AccountChoice> => {
  const transactionToken = await atomically(forTenant(ctx.db, SYSTEM_TENANT), (t) => storeProof(t, ctx, 'choice', proof, { origin }))
  return { kind: 'choice', transactionToken, accounts: accounts.map(toResponse) }
}

const toResponse = ({ tenant, user }: Pick<Account, 'tenant' | 'user'>) => ({
  tenant_id: tenant.tenantId,
  tenant_domain: tenant.domain,
  tenant_name: tenant.name,
  email: user.email,
})

/** The accounts that a choice offers. */
export const accountsOfTransaction = async (ctx: Ctx, heldProof: HeldProof): Promise<readonly OfferedAccount[]> =>
  (await accountsOf(ctx, heldProof.proof)).map(toResponse)

/** No account exists: a company may sign up with the proved identity, after it names its domain. @throws AppError federation_unknown */
const offerSignUp = async (ctx: Ctx, proof: FederatedProof, origin: string): Promise<PendingStep> => {
  if (!(await acceptsCompanies(ctx)) || proof.profile.email === undefined) throw new AppError('federation_unknown')
  const transactionToken = await atomically(forTenant(ctx.db, SYSTEM_TENANT), (t) => storeProof(t, ctx, 'registration', proof, { origin }))
  return { kind: 'step_required', step: 'registration', transactionToken, proof, origin }
}

/** Signs in on the platform's own domain. @throws AppError federation_unknown, and the errors of signing in */
export const discoverAccounts = async (ctx: Ctx, proof: FederatedProof, origin: string): Promise<FederationOutcome> => {
  const accounts = await accountsOf(ctx, proof)
  const [first] = accounts
  if (first === undefined) return offerSignUp(ctx, proof, origin)
  if (accounts.length > 1) return offerChoice(ctx, proof, accounts, origin)
  return signInWithIdentity(ctx, first.tenantId, first.identity, proof)
}

/** Signs in to an offered account. Consumes the handle, and reads the identity's accounts again. @throws AppError federation_ticket_invalid, federation_no_account, … */
export const enterChosenAccount = async (ctx: Ctx, inBody: string | undefined, tenantId: string): Promise<EnteredAccount> => {
  const heldProof = await loadHeldProof(ctx, 'choice', inBody)
  const known = await findTenantsOfIdentity(directory(ctx.db), identityHash(ctx, heldProof.proof.profile))
  const chosen = known.find((one) => one === tenantId.toLowerCase())
  const account = chosen === undefined ? undefined : await accountIn(ctx, asTenantId(chosen), heldProof.proof)
  if (account === undefined) throw new AppError('federation_no_account', undefined, { refusal: { event: 'user.signed_in' } })
  await atomically(heldProof.t, (t) => consumeProof(t, ctx, heldProof))
  return signInWithIdentity(ctx, account.tenantId, account.identity, heldProof.proof)
}
