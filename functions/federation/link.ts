// An identity is connected with an account that was there before: by who is signed in to it, or by a code mailed to it. An address alone connects nothing.

import { atomically, forTenant, type TenantTx } from '#db/engine/tenant'
import { consumeCode } from '#db/store/codes'
import type { FederationState } from '#db/store/federation-states'
import { deleteOtherIdentities } from '#db/store/identities'
import { revokeSessions } from '#db/store/sessions'
import { findTenant } from '#db/store/tenants'
import { endTickets } from '#db/store/tickets'
import { findFactorKinds, findUser, forgetDevices, lockUser, type User as UserRow, updateUser } from '#db/store/users'
import { AppError } from '#shared/kernel/errors'
import { byUser, record } from '#shared/platform/audit/record'
import type { User } from '#shared/platform/principals/principal'
import type { Ctx } from './group.ts'
import { connect, noteSignIn } from './identity.ts'
import { mailCode, requireCode, wrongCode } from './mailed-code.ts'
import type { Connected, Entered } from './outcome.ts'
import { enter, noAccount } from './sign-in.ts'
import { type Held, heldProof, type Proof, spendProof } from './ticket.ts'

/** Whose session the call shows. @throws AppError authentication_required, invalid_token */
const callerOf = async (ctx: Ctx): Promise<User> => {
  const [scheme, token, ...rest] = (ctx.request.header('authorization') ?? '').split(' ')
  if (scheme?.toLowerCase() !== 'bearer' || token === undefined || rest.length > 0) throw new AppError('authentication_required')
  return ctx.principals.resolve(token)
}

/**
 * A link ends in the session in which it began, of the page or of the bearer: nobody is talked into connecting somebody else's sign-in.
 * @throws AppError authentication_required, federation_failed
 */
export const requireSameSession = async (ctx: Ctx, state: FederationState, onPage: User | undefined): Promise<User> => {
  const caller = onPage ?? (await callerOf(ctx))
  if (caller.tenantId === state.tenantId && caller.userId === state.userId && caller.sessionId === state.sessionId) return caller
  throw new AppError('federation_failed', undefined, {
    refusal: { tenantId: caller.tenantId, userId: caller.userId, event: 'identity.linked' },
  })
}

/** Under the person's row, so that an unlinking or an erasing comes before or after. @throws AppError identity_taken, federation_no_account */
const connectFor = (ctx: Ctx, caller: User, proof: Proof, also: (t: TenantTx) => Promise<void>): Promise<void> =>
  atomically(forTenant(ctx.db, caller.tenantId), async (t) => {
    const held = await lockUser(t, caller.userId)
    if (held === undefined || !held.active || held.deletedAt !== null) throw noAccount(caller.tenantId, caller.userId)
    await also(t)
    await connect(t, ctx, held, proof, byUser(caller))
  })

/** The link that began in this session ends. */
export const finishLink = async (ctx: Ctx, caller: User, proof: Proof): Promise<Connected> => {
  await connectFor(ctx, caller, proof, async () => undefined)
  ctx.wakeOutbox()
  return { kind: 'connected', tenantId: caller.tenantId, email: caller.email, proof }
}

/** Somebody whom a provider proved is signed in to the account with that address too: that confirms it. @throws AppError federation_ticket_invalid, identity_taken */
export const acceptLink = async (ctx: Ctx, caller: User, inBody: string): Promise<{ message: string }> => {
  const held = await heldProof(ctx, 'link', inBody)
  if (held.t.tenantId !== caller.tenantId || held.ticket.userId !== caller.userId) throw new AppError('federation_ticket_invalid')
  await connectFor(ctx, caller, held.proof, (t) => spendProof(t, ctx, held))
  ctx.wakeOutbox()
  return { message: `${held.proof.displayName} is connected with your account.` }
}

/** The account for which a ticket asks, as long as its address is still the one that the provider verified. @throws AppError federation_ticket_invalid */
const accountOf = async (held: Held): Promise<UserRow> => {
  const user = held.ticket.userId === null ? undefined : await findUser(held.t, held.ticket.userId)
  const tenant = await findTenant(held.t)
  const usable = user?.active === true && user.deletedAt === null && tenant?.status === 'active'
  if (!usable || user.email !== held.proof.profile.email) throw new AppError('federation_ticket_invalid')
  return user
}

/** Mails a code to the account. @throws AppError federation_ticket_invalid, too_many_codes, quota_exceeded */
export const askLinkCode = async (ctx: Ctx, inBody: string | undefined) => {
  const held = await heldProof(ctx, 'link', inBody)
  return mailCode(ctx, 'federation_link', held, (await accountOf(held)).id)
}

/**
 * An account whose address nobody had proved may have been made by somebody else, in wait for its owner: the owner, who proves it now, gets it without the
 * password, the sessions and the sign-ins of whoever made it. With a factor of theirs it is not handed over at all.
 */
const takeFromStranger = async (t: TenantTx, ctx: Ctx, user: UserRow, identityId: string): Promise<void> => {
  const at = ctx.clock.now()
  if ((await findFactorKinds(t, user.id)).length > 0) throw noAccount(t.tenantId, user.id)
  // Whatever hangs below the account and not below a session is over as well: clients that were let in for good, speakers.
  await updateUser(t, user.id, { emailVerifiedAt: at, passwordHash: null, validFrom: at, updatedAt: at })
  await revokeSessions(t, user.id, at, 'address_proved')
  await endTickets(t, user.id, at)
  await forgetDevices(t, user.id)
  await deleteOtherIdentities(t, user.id, identityId)
  await record(t, ctx, { event: 'user.email_verified', actor: { type: 'user', id: user.id }, target: { type: 'user', id: user.id } })
}

/** The ticket, where no cookie has it. */
type Confirmation = { readonly link_ticket?: string | undefined; readonly code: string }

/**
 * The mailed code is right: the identity is connected, and who it is comes in; a second factor that is owed stays owed.
 * @throws AppError federation_ticket_invalid, invalid_code, identity_taken, federation_no_account, invalid_credentials, quota_exceeded
 */
export const confirmLink = async (ctx: Ctx, body: Confirmation): Promise<Entered> => {
  const held = await heldProof(ctx, 'link', body.link_ticket)
  const user = await accountOf(held)
  const codeId = await requireCode(ctx, 'federation_link', held, body.code)
  const { tenantId } = held.t
  const tenant = await findTenant(held.t)
  return enter(ctx, { tenantId, user, tenant, proof: held.proof }, async (t) => {
    if (!(await consumeCode(t, codeId, ctx.clock.now()))) throw wrongCode(held)
    await spendProof(t, ctx, held)
    const id = await connect(t, ctx, user, held.proof, { type: 'user', id: user.id })
    if (user.emailVerifiedAt === null) await takeFromStranger(t, ctx, user, id)
    await noteSignIn(t, ctx, user, { id, provider: held.proof.provider }, held.proof)
  })
}
