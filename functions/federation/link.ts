// Links an identity to an existing account: by a session of the account or by a code mailed to it. A matching address by itself links nothing.

import { atomically, forTenant, type TenantTx } from '#db/engine/tenant'
import { consumeCode } from '#db/store/codes'
import type { FederationState } from '#db/store/federation-states'
import { deleteOtherIdentities } from '#db/store/identities'
import { endLoginTransactions } from '#db/store/login-transactions'
import { revokeSessions } from '#db/store/sessions'
import { findTenant } from '#db/store/tenants'
import { findFactorKinds, findUser, forgetDevices, lockUser, type User as UserRow, updateUser } from '#db/store/users'
import { AppError } from '#shared/kernel/errors'
import { byUser, recordEvent } from '#shared/platform/audit/audit-log'
import type { User } from '#shared/platform/principals/principal'
import type { Ctx } from './group.ts'
import { consumeProof, type FederatedProof, type HeldProof, loadHeldProof } from './held-proof.ts'
import { linkIdentity, recordIdentityUse } from './identity.ts'
import { mailFederationCode, requireFederationCode, wrongFederationCode } from './mailed-code.ts'
import type { ConnectedIdentity, EnteredAccount } from './outcome.ts'
import { enterAccount, noAccountError } from './sign-in.ts'

/** Resolves the bearer of the request. @throws AppError authentication_required, invalid_token */
const callerOf = async (ctx: Ctx): Promise<User> => {
  const [scheme, token, ...rest] = (ctx.request.header('authorization') ?? '').split(' ')
  if (scheme?.toLowerCase() !== 'bearer' || token === undefined || rest.length > 0) throw new AppError('authentication_required')
  return ctx.principals.resolve(token)
}

/**
 * A link must be finished by the session that started it (page or bearer), so that a person cannot be tricked into connecting the identity of another.
 * @throws AppError authentication_required, federation_failed
 */
export const requireSameSession = async (ctx: Ctx, state: FederationState, onPage: User | undefined): Promise<User> => {
  const caller = onPage ?? (await callerOf(ctx))
  if (caller.tenantId === state.tenantId && caller.userId === state.userId && caller.sessionId === state.sessionId) return caller
  throw new AppError('federation_failed', undefined, {
    refusal: { tenantId: caller.tenantId, userId: caller.userId, event: 'identity.linked' },
  })
}

/** Links under a lock on the person's row, so that a concurrent unlink or erasure comes before or after. @throws AppError identity_taken, federation_no_account */
const connectFor = (ctx: Ctx, caller: User, proof: FederatedProof, also: (t: TenantTx) => Promise<void>): Promise<void> =>
  atomically(forTenant(ctx.db, caller.tenantId), async (t) => {
    const held = await lockUser(t, caller.userId)
    if (held === undefined || !held.active || held.deletedAt !== null) throw noAccountError(caller.tenantId, caller.userId)
    await also(t)
    await linkIdentity(t, ctx, held, proof, byUser(caller))
  })

/** Finishes the link that the session started. */
export const finishLink = async (ctx: Ctx, caller: User, proof: FederatedProof): Promise<ConnectedIdentity> => {
  await connectFor(ctx, caller, proof, async () => undefined)
  ctx.wakeOutbox()
  return { kind: 'connected', tenantId: caller.tenantId, email: caller.email, proof }
}

/** Confirms a link by a session of the account that has the verified address. @throws AppError federation_ticket_invalid, identity_taken */
export const acceptLink = async (ctx: Ctx, caller: User, inBody: string): Promise<{ message: string }> => {
  const heldProof = await loadHeldProof(ctx, 'link', inBody)
  if (heldProof.t.tenantId !== caller.tenantId || heldProof.loginTransaction.userId !== caller.userId) throw new AppError('federation_ticket_invalid')
  await connectFor(ctx, caller, heldProof.proof, (t) => consumeProof(t, ctx, heldProof))
  ctx.wakeOutbox()
  return { message: `${heldProof.proof.displayName} is connected with your account.` }
}

/** Loads the account of a pending link, if its address is still the one that the provider verified. @throws AppError federation_ticket_invalid */
const accountOf = async (heldProof: HeldProof): Promise<UserRow> => {
  const user = heldProof.loginTransaction.userId === null ? undefined : await findUser(heldProof.t, heldProof.loginTransaction.userId)
  const tenant = await findTenant(heldProof.t)
  const usable = user?.active === true && user.deletedAt === null && tenant?.status === 'active'
  if (!usable || user.email !== heldProof.proof.profile.email) throw new AppError('federation_ticket_invalid')
  return user
}

/** Mails a code to the account. @throws AppError federation_ticket_invalid, too_many_codes, quota_exceeded */
export const sendLinkCode = async (ctx: Ctx, inBody: string | undefined) => {
  const heldProof = await loadHeldProof(ctx, 'link', inBody)
  return mailFederationCode(ctx, 'federation_link', heldProof, (await accountOf(heldProof)).id)
}

/**
 * Pre-hijacking: an account with an unverified address may have been created by another person to wait for its owner. The owner, who now proves the address, gets
 * it without the password, sessions and identities of the creator. An account with an enrolled factor is not handed over at all.
 */
const takeFromStranger = async (t: TenantTx, ctx: Ctx, user: UserRow, identityId: string): Promise<void> => {
  const at = ctx.clock.now()
  if ((await findFactorKinds(t, user.id)).length > 0) throw noAccountError(t.tenantId, user.id)
  // `validFrom` also ends what does not belong to a session: offline access of clients and voice devices.
  await updateUser(t, user.id, { emailVerifiedAt: at, passwordHash: null, validFrom: at, updatedAt: at })
  await revokeSessions(t, user.id, at, 'address_proved')
  await endLoginTransactions(t, user.id, at)
  await forgetDevices(t, user.id)
  await deleteOtherIdentities(t, user.id, identityId)
  await recordEvent(t, ctx, { event: 'user.email_verified', actor: { type: 'user', id: user.id }, target: { type: 'user', id: user.id } })
}

/** `link_ticket` is for callers without the cookie. */
type Confirmation = { readonly link_ticket?: string | undefined; readonly code: string }

/**
 * Links the identity with the mailed code and signs in. A required second factor stays required.
 * @throws AppError federation_ticket_invalid, invalid_code, identity_taken, federation_no_account, invalid_credentials, quota_exceeded
 */
export const confirmLink = async (ctx: Ctx, body: Confirmation): Promise<EnteredAccount> => {
  const heldProof = await loadHeldProof(ctx, 'link', body.link_ticket)
  const user = await accountOf(heldProof)
  const codeId = await requireFederationCode(ctx, 'federation_link', heldProof, body.code)
  const { tenantId } = heldProof.t
  const tenant = await findTenant(heldProof.t)
  return enterAccount(ctx, { tenantId, user, tenant, proof: heldProof.proof }, async (t) => {
    if (!(await consumeCode(t, codeId, ctx.clock.now()))) throw wrongFederationCode(heldProof)
    await consumeProof(t, ctx, heldProof)
    const id = await linkIdentity(t, ctx, user, heldProof.proof, { type: 'user', id: user.id })
    if (user.emailVerifiedAt === null) await takeFromStranger(t, ctx, user, id)
    await recordIdentityUse(t, ctx, user, { id, provider: heldProof.proof.provider }, heldProof.proof)
  })
}
