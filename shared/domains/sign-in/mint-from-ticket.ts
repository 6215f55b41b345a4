// The last step: a token against a login transaction in which this server verified everything that is owed. What the caller says of itself is never enough.

import { atomically, forTenant, SYSTEM_TENANT, type TenantTx } from '#db/engine/tenant'
import { type Account, holdAndFindOwed, type Owed } from '#db/store/sign-in'
import { consumeTicket, refuseTicket, type Ticket } from '#db/store/tickets'
import type { RequestCtx } from '#shared/domains/context'
import { type Handle, handleHash, loadTicket, readHandle } from '#shared/domains/login-transaction/login-transaction'
import { AppError } from '#shared/kernel/errors'
import { factorState, isSatisfied } from './factors.ts'
import { beginSession, type Minted, tokenOf } from './session.ts'

export type MintRequest = {
  readonly email: string
  /** Its id, or `admin` for the platform's own, as the hybrid door says. */
  readonly tenantId: string
  readonly ticket: string | undefined
  /** More that the person must be: an administrator, a person of that door. */
  readonly admits: (t: TenantTx, user: Account) => Promise<boolean>
}

const refused = (handle: Handle | undefined, ticket: Ticket | undefined): AppError =>
  new AppError('mfa_verification_failed', undefined, {
    refusal: {
      event: 'session.created',
      ...(handle === undefined || ticket === undefined ? {} : { tenantId: handle.tenantId }),
      ...(ticket?.userId ? { userId: ticket.userId } : {}),
    },
  })

type Judged = { readonly user: Account; readonly owed: Owed }

/** Holds the person's row, so that a reset or a new factor comes either before this or after it. */
const judge = async (t: TenantTx, ticket: Ticket, given: MintRequest, now: Date): Promise<Judged | undefined> => {
  if (ticket.userId === null) return undefined
  const [user, owed] = await holdAndFindOwed(t, ticket.userId, now)
  if (user === undefined || !user.active || user.deletedAt !== null || user.email !== given.email) return undefined
  const named = given.tenantId === 'admin' ? SYSTEM_TENANT : given.tenantId.toLowerCase()
  if (named !== t.tenantId || ticket.createdAt < user.validFrom || user.passwordResetRequired) return undefined
  const { tenant, required } = factorState(owed)
  if (tenant?.status !== 'active') return undefined
  return isSatisfied(required, ticket.verified) && (await given.admits(t, user)) ? { user, owed } : undefined
}

/**
 * Consumes the ticket and begins the session in one transaction: of many at once exactly one mints. A refused try leaves the ticket until its fifth.
 * Routes that call this emit `session.created`, `user.signed_in`.
 * @throws AppError mfa_verification_failed
 */
export const mintFromTicket = async (ctx: RequestCtx, given: MintRequest): Promise<Minted & { readonly user: Account }> => {
  const handle = readHandle(ctx, 'login', given.ticket)
  const ticket = await loadTicket(ctx, 'login', handle)
  if (handle === undefined || ticket === undefined) throw refused(handle, ticket)
  const t = forTenant(ctx.db, handle.tenantId)
  const hash = handleHash(ctx, handle.text)
  const begun = await atomically(t, async (tx) => {
    const judged = await judge(tx, ticket, given, ctx.clock.now())
    const consumed = judged === undefined ? undefined : await consumeTicket(tx, hash, ctx.clock.now())
    if (judged === undefined || consumed === undefined) return undefined
    const session = await beginSession(tx, ctx, {
      ...judged,
      clientId: consumed.clientId ?? undefined,
      amr: consumed.verified,
      authTime: consumed.authTime ?? consumed.createdAt,
    })
    return { ...session, user: judged.user }
  })
  if (begun !== undefined) return { ...(await tokenOf(ctx, begun)), user: begun.user }
  await atomically(t, (tx) => refuseTicket(tx, hash, ctx.clock.now()))
  throw refused(handle, ticket)
}
