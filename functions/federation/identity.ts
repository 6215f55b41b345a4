// Links an identity to a person in the transaction that proved it, and notifies the owner.
import type { TenantTx } from '#db/engine/tenant'
import { findIdentity, type Identity, insertIdentity, updateIdentity } from '#db/store/identities'
import type { Profile } from '#shared/domains/federation/engine/profile'
import { notify } from '#shared/domains/notifications/notify'
import { AppError } from '#shared/kernel/errors'
import { type Actor, recordEvent } from '#shared/platform/audit/audit-log'
import type { Ctx } from './group.ts'
import type { FederatedProof } from './held-proof.ts'

type Owner = { readonly id: string; readonly email: string }

/** The hash that finds the tenants of an identity. */
export const identityHash = (ctx: Pick<Ctx, 'hash'>, { issuer, subject }: Pick<Profile, 'issuer' | 'subject'>): Uint8Array =>
  ctx.hash('federation:identity', issuer, subject)

/** The provider's latest data about the identity. */
export const identityDetails = (profile: Profile) => ({
  email: profile.email ?? null,
  profile: {
    email_verified: profile.emailVerified,
    ...(profile.name === undefined ? {} : { name: profile.name }),
    ...(profile.picture === undefined ? {} : { picture: profile.picture }),
  },
})

/**
 * Links the identity to the person and returns its id. An identity that the person already has is unchanged.
 * @throws AppError identity_taken
 */
export const linkIdentity = async (t: TenantTx, ctx: Ctx, owner: Owner, proof: FederatedProof, actor: Actor): Promise<string> => {
  const { profile, provider, isOwnProvider } = proof
  const [id, at] = [ctx.random.id(), ctx.clock.now()]
  const row = { id, userId: owner.id, issuer: profile.issuer, subject: profile.subject, provider, isOwnProvider, createdAt: at, updatedAt: at }
  // An identity of a tenant's own provider is not in the directory, because only that tenant vouches for it; account choices must not list it.
  const added = await insertIdentity(t, { ...row, ...identityDetails(profile) }, isOwnProvider ? undefined : identityHash(ctx, profile))
  if (!added) return requireSameOwner(t, owner, proof)
  await recordEvent(t, ctx, {
    event: 'identity.linked',
    actor,
    target: { type: 'identity', id },
    subjectId: owner.id,
    after: { provider, issuer: profile.issuer, subject: profile.subject },
  })
  await notify(t, ctx, {
    to: owner.email,
    subjectId: owner.id,
    template: 'provider_sign_in',
    data: { change: 'linked', provider: proof.displayName },
  })
  return id
}

const requireSameOwner = async (t: TenantTx, owner: Owner, { profile }: FederatedProof): Promise<string> => {
  const known = await findIdentity(t, profile.issuer, profile.subject)
  if (known?.userId === owner.id) return known.id
  throw new AppError('identity_taken', undefined, { refusal: { tenantId: t.tenantId, userId: owner.id, event: 'identity.linked' } })
}

/** Records a sign-in, and notifies the owner of the first one. Returns false when the identity was removed meanwhile. */
export const recordIdentityUse = async (
  t: TenantTx,
  ctx: Ctx,
  owner: Owner,
  identity: Pick<Identity, 'id' | 'provider'>,
  proof: FederatedProof,
): Promise<boolean> => {
  const { profile } = proof
  const held = await findIdentity(t, profile.issuer, profile.subject)
  if (held === undefined || held.id !== identity.id || held.userId !== owner.id) return false
  const at = ctx.clock.now()
  await updateIdentity(t, held.id, { ...identityDetails(profile), lastLoginAt: at, updatedAt: at })
  // Linking and signing in at the same moment notifies the owner once.
  if (held.lastLoginAt !== null || held.createdAt.getTime() === at.getTime()) return true
  await recordEvent(t, ctx, {
    event: 'identity.used_first',
    actor: { type: 'user', id: owner.id },
    target: { type: 'identity', id: held.id },
    subjectId: owner.id,
    after: { provider: held.provider },
  })
  const data = { change: 'used_first', provider: proof.displayName } as const
  await notify(t, ctx, { to: owner.email, subjectId: owner.id, template: 'provider_sign_in', data })
  return true
}
