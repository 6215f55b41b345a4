// An identity becomes a person's, in the transaction of what proved it; the owner is told.

import type { TenantTx } from '#db/engine/tenant'
import { findIdentity, type Identity, insertIdentity, updateIdentity } from '#db/store/identities'
import type { Profile } from '#shared/domains/federation/engine/profile'
import { notify } from '#shared/domains/notifications/notify'
import { AppError } from '#shared/kernel/errors'
import { type Actor, recordEvent } from '#shared/platform/audit/audit-log'
import type { Ctx } from './group.ts'
import type { FederatedProof } from './held-proof.ts'

type Owner = { readonly id: string; readonly email: string }

/** What an identity is found by before a tenant is known. */
export const identityHash = (ctx: Pick<Ctx, 'hash'>, { issuer, subject }: Pick<Profile, 'issuer' | 'subject'>): Uint8Array =>
  ctx.hash('federation:identity', issuer, subject)

/** As the provider last said it. */
export const identityDetails = (profile: Profile) => ({
  email: profile.email ?? null,
  profile: {
    email_verified: profile.emailVerified,
    ...(profile.name === undefined ? {} : { name: profile.name }),
    ...(profile.picture === undefined ? {} : { picture: profile.picture }),
  },
})

/**
 * Connects what a provider proved with a person; answers the identity. One that is the person's already is left as it is.
 * @throws AppError identity_taken
 */
export const linkIdentity = async (t: TenantTx, ctx: Ctx, owner: Owner, proof: FederatedProof, actor: Actor): Promise<string> => {
  const { profile, provider, isOwnProvider } = proof
  const [id, at] = [ctx.random.id(), ctx.clock.now()]
  const row = { id, userId: owner.id, issuer: profile.issuer, subject: profile.subject, provider, isOwnProvider, createdAt: at, updatedAt: at }
  // What a tenant's own provider says is listed nowhere else: a chooser must not show what only that tenant vouches for.
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

/** Notes a sign-in; of the first one the owner is told. False when the identity was taken away meanwhile. */
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
  // Who connects and comes in at once is told of it once.
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
