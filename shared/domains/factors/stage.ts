// Who stands at an endpoint of a factor, and by what: a live session, or a login transaction whose first factor was proved.

import { forTenant, type TenantId } from '#db/engine/tenant'
import type { Ticket } from '#db/store/tickets'
import { findUser, type User as UserRow } from '#db/store/users'
import type { RequestCtx } from '#shared/domains/context'
import { type Handle, handleHash, loadTicket, readHandle } from '#shared/domains/login-transaction/login-transaction'
import { AppError } from '#shared/kernel/errors'
import { type Actor, byUser } from '#shared/platform/audit/record'
import type { User } from '#shared/platform/principals/principal'

export type BySession = { readonly kind: 'session'; readonly caller: User }
export type ByTicket = { readonly kind: 'ticket'; readonly handle: Handle; readonly ticket: Ticket }

export type Stage = {
  readonly tenantId: TenantId
  /** As read when the request came. */
  readonly user: UserRow
  readonly by: BySession | ByTicket
}

/** What the body may repeat of whose it is; it must match, and proves nothing. */
export type Claimed = { readonly login_ticket?: string | undefined; readonly email?: string | undefined; readonly tenant_id?: string | undefined }

type Deps = Pick<RequestCtx, 'db' | 'clock' | 'hash' | 'request'>

/** One answer for no proof, another's proof and a proof that is over. */
export const proofNeeded = (event: string, about?: { readonly tenantId: string; readonly userId?: string }): AppError =>
  new AppError('authentication_required', undefined, { refusal: { event, ...about } })

const proved = async (
  ctx: Deps,
  caller: User | undefined,
  inBody: string | undefined,
): Promise<(Omit<Stage, 'user'> & { readonly userId: string }) | undefined> => {
  if (caller !== undefined) return { tenantId: caller.tenantId, userId: caller.userId, by: { kind: 'session', caller } }
  const handle = readHandle(ctx, 'login', inBody)
  const ticket = await loadTicket(ctx, 'login', handle)
  if (handle === undefined || ticket?.userId == null) return undefined
  return { tenantId: handle.tenantId, userId: ticket.userId, by: { kind: 'ticket', handle, ticket } }
}

const isWhoIsMeant = ({ tenantId, user, by }: Stage, { email, tenant_id }: Claimed): boolean => {
  if (!user.active || user.deletedAt !== null || user.passwordResetRequired) return false
  if (by.kind === 'ticket' && by.ticket.createdAt < user.validFrom) return false
  return (email === undefined || email === user.email) && (tenant_id === undefined || tenant_id.toLowerCase() === tenantId)
}

/**
 * The person behind the session, or behind the login ticket where there is none. `event` is what a refusal keeps from happening.
 * @throws AppError authentication_required
 */
export const stageOf = async (ctx: Deps, caller: User | undefined, claimed: Claimed, event: string): Promise<Stage> => {
  const found = await proved(ctx, caller, claimed.login_ticket)
  if (found === undefined) throw proofNeeded(event)
  const { userId, ...rest } = found
  const user = await findUser(forTenant(ctx.db, found.tenantId), userId)
  if (user === undefined || !isWhoIsMeant({ ...rest, user }, claimed)) throw proofNeeded(event, { tenantId: found.tenantId, userId })
  return { ...rest, user }
}

/** Digest of what an enrolment or a challenge is bound to: another session or transaction of the same person does not finish it. */
export const bindingOf = (ctx: Pick<RequestCtx, 'hash'>, { by }: Pick<Stage, 'by'>): Uint8Array =>
  by.kind === 'session' ? ctx.hash('binding:session', by.caller.sessionId) : ctx.hash('binding:ticket', by.handle.text)

export const ticketHash = (ctx: Pick<RequestCtx, 'hash'>, by: ByTicket): Uint8Array => handleHash(ctx, by.handle.text)

/** Who acts at this stage, for the record. */
export const actorOf = ({ user, by }: Stage): Actor => (by.kind === 'session' ? byUser(by.caller) : { type: 'user', id: user.id })
