// After the first factor: either it suffices and a session begins, or a login transaction carries the proof to the next step.

import { atomically, forTenant, type TenantId, type TenantTx } from '#db/engine/tenant'
import { type Account, findSignInSnapshot, lockSnapshot, type SignInSnapshot } from '#db/store/sign-in'
import type { RequestCtx } from '#shared/domains/context'
import { LOGIN_SECONDS, startLoginTransaction, transactionCookie } from '#shared/domains/login-transaction/login-transaction'
import { onSnapshot, SnapshotChanged } from '#shared/kernel/snapshot'
import { recordEvent } from '#shared/platform/audit/audit-log'
import type { Cookie } from '#shared/platform/http/route'
import { invalidCredentials, isUnchanged } from './check-password.ts'
import { type FactorState, factorState, isSatisfied } from './factors.ts'
import { beginSession, type MintedSession, mintToken } from './session.ts'

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
  /** Whether this route may return a token if no further factor is required. */
  readonly mayMint: boolean
  /** RFC 8176 names of the verified factors; a password by default. */
  readonly amr?: readonly string[]
  /** The time of their verification; now by default. */
  readonly authTime?: Date
  /** The session whose token was the first factor; the new session is derived from it. */
  readonly sourceSessionId?: string
  /** The snapshot that was read with the password, if the factor was one. */
  readonly snapshot?: SignInSnapshot | undefined
  /** Further work of the same transaction, before a session begins. */
  readonly also?: (t: TenantTx) => Promise<void>
}

const PASSWORD = ['pwd']

const beginTransaction = async (
  t: TenantTx,
  ctx: RequestCtx,
  { user, clientId, amr = PASSWORD, authTime, sourceSessionId = undefined }: Given,
): Promise<string> => {
  const transactionToken = await startLoginTransaction(t, ctx, {
    purpose: 'login',
    userId: user.id,
    clientId: clientId ?? null,
    verified: [...amr],
    mailboxProvedAt: user.emailVerifiedAt,
    seconds: LOGIN_SECONDS,
    sourceSessionId: sourceSessionId ?? null,
    ...(authTime === undefined ? {} : { authTime }),
  })
  await recordEvent(t, ctx, { event: 'login.first_factor_verified', actor: { type: 'user', id: user.id }, target: { type: 'user', id: user.id } })
  return transactionToken
}

/** Whether the first factor suffices for a session, or a further step is required. Pure. */
const decide = ({ mayMint, amr = PASSWORD }: Given, { requirements }: SignInSnapshot) => {
  const state = factorState(requirements)
  return { state, mints: mayMint && isSatisfied(state.required, amr) }
}

/**
 * Routes that call this emit `login.first_factor_verified`, and where they may mint `session.created`, `user.signed_in`.
 * @throws AppError invalid_credentials when the account was changed, disabled or reset while its first factor was checked
 */
export const afterFirstFactor = async (ctx: RequestCtx, given: Given): Promise<FirstStepResult> => {
  const { tenantId, user, clientId, also, amr = PASSWORD } = given
  const t = forTenant(ctx.db, tenantId)
  const now = ctx.clock.now()
  const done = await onSnapshot(async (isFirst) => {
    const snapshot = (isFirst ? given.snapshot : undefined) ?? (await findSignInSnapshot(t, user.id, now))
    if (snapshot === undefined || !isUnchanged(user, snapshot.user)) throw invalidCredentials(tenantId, user.id)
    const { state, mints } = decide(given, snapshot)
    const mint = { user, clientId, amr, authTime: given.authTime ?? now, requirements: snapshot.requirements }
    if (mints && also === undefined) return { state, startedSession: await beginSession(t, ctx, { ...mint, version: snapshot.version }) }
    return atomically(t, async (tx) => {
      if (!(await lockSnapshot(tx, user.id, snapshot.version, now))) throw new SnapshotChanged()
      await also?.(tx)
      return mints
        ? { state, startedSession: await beginSession(tx, ctx, mint) }
        : { state, transactionToken: await beginTransaction(tx, ctx, given) }
    })
  })
  if (done.startedSession === undefined)
    return { state: done.state, transactionToken: done.transactionToken, cookies: [transactionCookie(ctx, 'login', done.transactionToken)] }
  const minted = await mintToken(ctx, done.startedSession)
  return { state: done.state, minted, cookies: minted.cookies }
}

/** As `afterFirstFactor`, for a password. @throws AppError invalid_credentials */
export const afterPassword = (ctx: RequestCtx, given: Omit<Given, 'amr' | 'also'>): Promise<FirstStepResult> => afterFirstFactor(ctx, given)
