// The first factor was right: either that is enough and a session begins, or a ticket carries the proof to the next step.

import { atomically, forTenant, type TenantId, type TenantTx } from '#db/engine/tenant'
import { type Account, holdAndFindOwed } from '#db/store/sign-in'
import { isPending } from '#db/store/users'
import type { RequestCtx } from '#shared/domains/context'
import { LOGIN_SECONDS, openTicket, ticketCookie } from '#shared/domains/login-transaction/login-transaction'
import { record } from '#shared/platform/audit/record'
import type { Cookie } from '#shared/platform/http/route'
import { isUnchanged, type Judged, refused } from './check-password.ts'
import { type FactorState, factorState, isSatisfied } from './factors.ts'
import { beginAsJudged, beginSession, type Minted, tokenOf } from './session.ts'

export type FirstStepDone = { readonly state: FactorState; readonly minted?: Minted; readonly ticket?: string; readonly cookies: readonly Cookie[] }

type Given = {
  readonly tenantId: TenantId
  /** As read when the first factor was checked. */
  readonly user: Account
  readonly clientId: string | undefined
  /** Whether this door may answer a token by itself when no factor is owed. */
  readonly mayMint: boolean
  /** What was proved, by its RFC 8176 names; a password unless told. */
  readonly amr?: readonly string[]
  /** When it was proved; now unless told. */
  readonly authTime?: Date
  /** What was read with the password, where it was one. */
  readonly judged?: Judged | undefined
  /** More that belongs to the same transaction, before a session begins. */
  readonly also?: (t: TenantTx) => Promise<void>
}

const PASSWORD = ['pwd']

const beginTransaction = async (t: TenantTx, ctx: RequestCtx, { user, clientId, amr = PASSWORD, authTime }: Given): Promise<string> => {
  const ticket = await openTicket(t, ctx, {
    purpose: 'login',
    userId: user.id,
    clientId: clientId ?? null,
    verified: [...amr],
    mailboxProvedAt: user.emailVerifiedAt,
    seconds: LOGIN_SECONDS,
    ...(authTime === undefined ? {} : { authTime }),
  })
  await record(t, ctx, { event: 'login.first_factor_verified', actor: { type: 'user', id: user.id }, target: { type: 'user', id: user.id } })
  return ticket
}

/** The usual case: a password is enough, and nothing happened while it was checked. Undefined, and nothing is written, in any other. */
const mintAtOnce = async (ctx: RequestCtx, given: Given): Promise<FirstStepDone | undefined> => {
  const { tenantId, user, clientId, mayMint, judged, amr = PASSWORD } = given
  if (judged === undefined || !mayMint || given.also !== undefined || isPending(user)) return undefined
  const state = factorState(judged.owed)
  if (!isSatisfied(state.required, amr)) return undefined
  const mint = { user, clientId, amr, authTime: given.authTime ?? ctx.clock.now(), owed: judged.owed }
  const begun = await beginAsJudged(forTenant(ctx.db, tenantId), ctx, mint, judged.by)
  if (begun === undefined) return undefined
  const minted = await tokenOf(ctx, begun)
  return { state, minted, cookies: minted.cookies }
}

/**
 * Routes that call this emit `login.first_factor_verified`, and where they may mint `session.created`, `user.signed_in`.
 * @throws AppError invalid_credentials when the account was changed, disabled or reset while its first factor was checked
 */
export const afterFirstFactor = async (ctx: RequestCtx, given: Given): Promise<FirstStepDone> => {
  const { tenantId, user, clientId, mayMint, amr = PASSWORD } = given
  const atOnce = await mintAtOnce(ctx, given)
  if (atOnce !== undefined) return atOnce
  const done = await atomically(forTenant(ctx.db, tenantId), async (t) => {
    const [held, owed] = await holdAndFindOwed(t, user.id, ctx.clock.now())
    if (!isUnchanged(user, held)) throw refused(tenantId, user.id)
    await given.also?.(t)
    const state = factorState(owed)
    if (!mayMint || !isSatisfied(state.required, amr)) return { state, ticket: await beginTransaction(t, ctx, given) }
    return { state, begun: await beginSession(t, ctx, { user, clientId, amr, authTime: given.authTime ?? ctx.clock.now(), owed }) }
  })
  if (done.begun === undefined) return { state: done.state, ticket: done.ticket, cookies: [ticketCookie(ctx, 'login', done.ticket)] }
  const minted = await tokenOf(ctx, done.begun)
  return { state: done.state, minted, cookies: minted.cookies }
}

/** As `afterFirstFactor`, of a password. @throws AppError invalid_credentials */
export const afterPassword = (ctx: RequestCtx, given: Omit<Given, 'amr' | 'also'>): Promise<FirstStepDone> => afterFirstFactor(ctx, given)
