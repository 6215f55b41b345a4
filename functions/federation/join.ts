// Just-in-time provisioning: a person without an account gets one at the first sign-in, if the tenant enables that for its own provider. The account has no
// permissions.
import type * as z from 'zod'
import { atomically, forTenant, type TenantDb, type TenantId, type TenantTx } from '#db/engine/tenant'
import { consumeCode } from '#db/store/codes'
import { findIdentity } from '#db/store/identities'
import { findTenant, type Tenant } from '#db/store/tenants'
import { insertUser } from '#db/store/users'
import { findUpstream } from '#shared/domains/federation/upstream'
import { consumeQuota } from '#shared/domains/tenancy/quotas'
import { AppError } from '#shared/kernel/errors'
import { byAnonymous, recordEvent } from '#shared/platform/audit/audit-log'
import type { ConfirmJoin } from './exchange.schema.ts'
import type { Ctx } from './group.ts'
import { consumeProof, type FederatedProof, type HeldProof, loadHeldProof, storeProof } from './held-proof.ts'
import { linkIdentity } from './identity.ts'
import { mailFederationCode, requireFederationCode, wrongFederationCode } from './mailed-code.ts'
import type { EnteredAccount, PendingStep } from './outcome.ts'
import { provisionsAccounts } from './provisioning.ts'
import { noAccountError, signInWithIdentity } from './sign-in.ts'
import { isAdmitted, isOfOwnDomain } from './terms.ts'

/** Creates account and identity together; one of several concurrent requests succeeds. @throws AppError email_taken, identity_taken, quota_exceeded */
const addAccount = async (t: TenantTx, ctx: Ctx, tenant: Tenant, proof: FederatedProof): Promise<void> => {
  const { profile, provider, forClientId } = proof
  const [id, at, email] = [ctx.random.id(), ctx.clock.now(), profile.email ?? '']
  const { name = email, picture } = profile
  const row = { id, clientId: forClientId ?? null, email, emailVerifiedAt: at, name, passwordHash: null, provider, providerId: profile.subject }
  const times = { validFrom: at, createdAt: at, updatedAt: at }
  if (!(await insertUser(t, { ...row, ...(picture === undefined ? {} : { avatarUrl: picture }), ...times }))) throw new AppError('email_taken')
  await consumeQuota(t, tenant.settings, 'users')
  const target = { type: 'user', id } as const
  await recordEvent(t, ctx, { event: 'user.created', actor: byAnonymous, target, subjectId: id, after: { email, provider, verified: true } })
  await linkIdentity(t, ctx, { id, email }, proof, byAnonymous)
}

const comeInAsNew = async (ctx: Ctx, tenantId: TenantId, proof: FederatedProof): Promise<EnteredAccount> => {
  const identity = await findIdentity(forTenant(ctx.db, tenantId), proof.profile.issuer, proof.profile.subject)
  if (identity === undefined) throw noAccountError(tenantId)
  return signInWithIdentity(ctx, tenantId, identity, proof)
}

/**
 * Creates the account at once when the tenant has verified the domain of the address. Otherwise a mailed code must prove the address, because a tenant's own
 * provider cannot vouch for other mailboxes.
 * @throws AppError email_taken, quota_exceeded, …
 */
export const joinTenant = async (ctx: Ctx, tenant: Tenant, proof: FederatedProof, origin: string): Promise<EnteredAccount | PendingStep> => {
  const tenantId = tenant.tenantId as TenantId
  const t = forTenant(ctx.db, tenantId)
  if (!(await isOfOwnDomain(ctx, tenantId, proof.profile))) {
    const transactionToken = await atomically(t, (tx) => storeProof(tx, ctx, 'join', proof, { origin }))
    return { kind: 'step_required', step: 'join', transactionToken, proof, origin }
  }
  await atomically(t, (tx) => addAccount(tx, ctx, tenant, proof))
  return comeInAsNew(ctx, tenantId, proof)
}

const isWantedByUpstream = async (ctx: Ctx, t: TenantDb, proof: FederatedProof): Promise<boolean> => {
  const upstream = await findUpstream(ctx, t.tenantId, proof.provider)
  return upstream?.isOwn === true && upstream.terms.jitProvisioning && isAdmitted(upstream.terms, proof.profile)
}

/** Checks again that the tenant wants the account, because its settings may have changed. @throws AppError federation_ticket_invalid */
const requireStillWanted = async (ctx: Ctx, { t, proof }: HeldProof): Promise<Tenant> => {
  const tenant = await findTenant(t)
  const wanted = proof.samlProviderId === undefined ? await isWantedByUpstream(ctx, t, proof) : await provisionsAccounts(t, proof.samlProviderId)
  if (!wanted || tenant?.status !== 'active') throw new AppError('federation_ticket_invalid')
  return tenant
}

/** @throws AppError federation_ticket_invalid, too_many_codes, quota_exceeded */
export const sendJoinCode = async (ctx: Ctx, inBody: string | undefined) => {
  const heldProof = await loadHeldProof(ctx, 'join', inBody)
  await requireStillWanted(ctx, heldProof)
  return mailFederationCode(ctx, 'federation_registration', heldProof)
}

/** Creates the account with the mailed code and signs its owner in. @throws AppError federation_ticket_invalid, invalid_code, email_taken, quota_exceeded */
export const confirmJoin = async (ctx: Ctx, body: z.output<typeof ConfirmJoin>): Promise<EnteredAccount> => {
  const heldProof = await loadHeldProof(ctx, 'join', body.join_ticket)
  const tenant = await requireStillWanted(ctx, heldProof)
  const codeId = await requireFederationCode(ctx, 'federation_registration', heldProof, body.code)
  await atomically(heldProof.t, async (t) => {
    if (!(await consumeCode(t, codeId, ctx.clock.now()))) throw wrongFederationCode(heldProof)
    await consumeProof(t, ctx, heldProof)
    await addAccount(t, ctx, tenant, heldProof.proof)
  })
  return comeInAsNew(ctx, heldProof.t.tenantId, heldProof.proof)
}
