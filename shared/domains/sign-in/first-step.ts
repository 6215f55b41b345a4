// The first factor was right: either that is enough and a session begins, or a ticket carries the proof to the next step.

import { atomically, forTenant, type TenantId, type TenantTx } from '#db/engine/tenant'
import { type Account, lockAccountAndFindRequirements } from '#db/store/sign-in'
import { isInvitationPending } from '#db/store/users'
import type { RequestCtx } from '#shared/domains/context'
import { LOGIN_SECONDS, startLoginTransaction, transactionCookie } from '#shared/domains/login-transaction/login-transaction'
import { recordEvent } from '#shared/platform/audit/audit-log'
import type { Cookie } from '#shared/platform/http/route'
import { invalidCredentials, isUnchanged, type SignInSnapshot } from './check-password.ts'
import { type FactorState, factorState, isSatisfied } from './factors.ts'
import { beginSession, beginSessionFromSnapshot, type MintedSession, mintToken } from './session.ts'

export type FirstStepResult = {
  readonly state: FactorState
  readonly minted?: MintedSession
  readonly transactionToken?: string
  readonly cookies: readonly Cookie[]
}

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
  readonly snapshot?: SignInSnapshot | undefined
  /** More that belongs to the same transaction, before a session begins. */
  readonly also?: (t: TenantTx) => Promise<void>
}

const PASSWORD = ['pwd']

const beginTransaction = async (t: TenantTx, ctx: RequestCtx, { user, clientId, amr = PASSWORD, authTime }: Given): Promise<string> => {
  const transactionToken = await startLoginTransaction(t, ctx, {
    purpose: 'login',
    userId: user.id,
    clientId: clientId ?? null,
    verified: [...amr],
    mailboxProvedAt: user.emailVerifiedAt,
    seconds: LOGIN_SECONDS,
    ...(authTime === undefined ? {} : { authTime }),
  })
  await recordEvent(t, ctx, { event: 'login.first_factor_verified', actor: { type: 'user', id: user.id }, target: { type: 'user', id: user.id } })
  return transactionToken
}

/** The usual case: a password is enough, and nothing happened while it was checked. Undefined, and nothing is written, in any other. */
const mintAtOnce = async (ctx: RequestCtx, given: Given): Promise<FirstStepResult | undefined> => {
  const { tenantId, user, clientId, mayMint, snapshot, amr = PASSWORD } = given
  if (snapshot === undefined || !mayMint || given.also !== undefined || isInvitationPending(user)) return undefined
  const state = factorState(snapshot.requirements)
  if (!isSatisfied(state.required, amr)) return undefined
  const mint = { user, clientId, amr, authTime: given.authTime ?? ctx.clock.now(), requirements: snapshot.requirements }
  const startedSession = await beginSessionFromSnapshot(forTenant(ctx.db, tenantId), ctx, mint, snapshot.by)
  if (startedSession === undefined) return undefined
  const minted = await mintToken(ctx, startedSession)
  return { state, minted, cookies: minted.cookies }
}

/**
 * Routes that call this emit `login.first_factor_verified`, and where they may mint `session.created`, `user.signed_in`.
 * @throws AppError invalid_credentials when the account was changed, disabled or reset while its first factor was checked
 */
export const afterFirstFactor = async (ctx: RequestCtx, given: Given): Promise<FirstStepResult> => {
  const { tenantId, user, clientId, mayMint, amr = PASSWORD } = given
  const atOnce = await mintAtOnce(ctx, given)
  if (atOnce !== undefined) return atOnce
  const done = await atomically(forTenant(ctx.db, tenantId), async (t) => {
    const [held, requirements] = await lockAccountAndFindRequirements(t, user.id, ctx.clock.now())
    if (!isUnchanged(user, held)) throw invalidCredentials(tenantId, user.id)
    await given.also?.(t)
    const state = factorState(requirements)
    if (!mayMint || !isSatisfied(state.required, amr)) return { state, ticket: await beginTransaction(t, ctx, given) }
    return { state, begun: await beginSession(t, ctx, { user, clientId, amr, authTime: given.authTime ?? ctx.clock.now(), requirements }) }
  })
  if (done.begun === undefined) return { state: done.state, transactionToken: done.ticket, cookies: [transactionCookie(ctx, 'login', done.ticket)] }
  const minted = await mintToken(ctx, done.begun)
  return { state: done.state, minted, cookies: minted.cookies }
}

/** As `afterFirstFactor`, of a password. @throws AppError invalid_credentials */
export const afterPassword = (ctx: RequestCtx, given: Omit<Given, 'amr' | 'also'>): Promise<FirstStepResult> => afterFirstFactor(ctx, given)
