// The last step: mints a token for a login transaction in which this server verified every required factor. The caller's statements are ignored.

import { atomically, forTenant, SYSTEM_TENANT, type TenantTx } from '#db/engine/tenant'
import { consumeLoginTransaction, type LoginTransaction, refuseLoginTransaction } from '#db/store/login-transactions'
import { holdSource } from '#db/store/sessions'
import { type Account, lockAccountAndFindRequirements, type SessionRequirements } from '#db/store/sign-in'
import type { RequestCtx } from '#shared/domains/context'
import {
  loadLoginTransaction,
  readTransactionHandle,
  type TransactionHandle,
  transactionHandleHash,
} from '#shared/domains/login-transaction/login-transaction'
import { AppError } from '#shared/kernel/errors'
import { factorState, isSatisfied } from './factors.ts'
import { beginSession, type MintedSession, mintToken, type SessionRequest } from './session.ts'

export type MintRequest = {
  readonly email: string
  /** The tenant's id, or `admin` for the system tenant, as in the hybrid login. */
  readonly tenantId: string
  readonly transactionToken: string | undefined
  /** An additional condition of the route: an administrator, or a person of the application. */
  readonly admits: (t: TenantTx, user: Account) => Promise<boolean>
}

const refused = (handle: TransactionHandle | undefined, loginTransaction: LoginTransaction | undefined): AppError =>
  new AppError('mfa_verification_failed', undefined, {
    refusal: {
      event: 'session.created',
      ...(handle === undefined || loginTransaction === undefined ? {} : { tenantId: handle.tenantId }),
      ...(loginTransaction?.userId ? { userId: loginTransaction.userId } : {}),
    },
  })

type Validated = { readonly user: Account; readonly requirements: SessionRequirements }

/** Locks the person's row, so that a reset or a new factor happens either before or after this. */
const validate = async (t: TenantTx, loginTransaction: LoginTransaction, given: MintRequest, now: Date): Promise<Validated | undefined> => {
  if (loginTransaction.userId === null) return undefined
  const [user, requirements] = await lockAccountAndFindRequirements(t, loginTransaction.userId, now)
  if (user === undefined || !user.active || user.deletedAt !== null || user.email !== given.email) return undefined
  const named = given.tenantId === 'admin' ? SYSTEM_TENANT : given.tenantId.toLowerCase()
  if (named !== t.tenantId || loginTransaction.createdAt < user.validFrom || user.passwordResetRequired) return undefined
  const { tenant, required } = factorState(requirements)
  if (tenant?.status !== 'active') return undefined
  return isSatisfied(required, loginTransaction.verified) && (await given.admits(t, user)) ? { user, requirements } : undefined
}

/** The session from whose token the sign-in continued, while it is live. */
const sourceOf = async (t: TenantTx, { sourceSessionId, userId }: LoginTransaction, now: Date): Promise<SessionRequest['source'] | 'ended'> => {
  if (sourceSessionId === null || userId === null) return undefined
  const authTime = await holdSource(t, userId, sourceSessionId, now)
  return authTime === undefined ? 'ended' : { sessionId: sourceSessionId, authTime }
}

/**
 * Consumes the login transaction and begins the session in one transaction: of several concurrent requests exactly one mints. A login transaction ends with its
 * fifth refusal.
 * Routes that call this emit `session.created`, `user.signed_in`.
 * @throws AppError mfa_verification_failed
 */
export const mintFromLoginTransaction = async (ctx: RequestCtx, given: MintRequest): Promise<MintedSession & { readonly user: Account }> => {
  const handle = readTransactionHandle(ctx, 'login', given.transactionToken)
  const loginTransaction = await loadLoginTransaction(ctx, 'login', handle)
  if (handle === undefined || loginTransaction === undefined) throw refused(handle, loginTransaction)
  const t = forTenant(ctx.db, handle.tenantId)
  const hash = transactionHandleHash(ctx, handle.text)
  const started = await atomically(t, async (tx) => {
    const validated = await validate(tx, loginTransaction, given, ctx.clock.now())
    const consumed = validated === undefined ? undefined : await consumeLoginTransaction(tx, hash, ctx.clock.now())
    if (validated === undefined || consumed === undefined) return undefined
    const source = await sourceOf(tx, consumed, ctx.clock.now())
    if (source === 'ended') return undefined
    const session = await beginSession(tx, ctx, {
      ...validated,
      clientId: consumed.clientId ?? undefined,
      amr: consumed.verified,
      authTime: consumed.authTime ?? consumed.createdAt,
      source,
    })
    return { ...session, user: validated.user }
  })
  if (started !== undefined) return { ...(await mintToken(ctx, started)), user: started.user }
  await atomically(t, (tx) => refuseLoginTransaction(tx, hash, ctx.clock.now()))
  throw refused(handle, loginTransaction)
}
