// The person at a factor endpoint, identified by a session or by a login transaction that proved the first factor.

import { forTenant, type TenantId } from '#db/engine/tenant'
import type { LoginTransaction } from '#db/store/login-transactions'
import { findUser, type User as UserRow } from '#db/store/users'
import type { RequestCtx } from '#shared/domains/context'
import {
  loadLoginTransaction,
  readTransactionHandle,
  type TransactionHandle,
  transactionHandleHash,
} from '#shared/domains/login-transaction/login-transaction'
import { AppError } from '#shared/kernel/errors'
import { type Actor, byUser } from '#shared/platform/audit/audit-log'
import type { User } from '#shared/platform/principals/principal'

export type BySession = { readonly kind: 'session'; readonly caller: User }
export type ByLoginTransaction = {
  readonly kind: 'login_transaction'
  readonly handle: TransactionHandle
  readonly loginTransaction: LoginTransaction
}

export type FactorContext = {
  readonly tenantId: TenantId
  /** As read at the start of the request. */
  readonly user: UserRow
  readonly by: BySession | ByLoginTransaction
}

/** What the body may repeat about the person; it must match, and proves nothing. */
export type ClaimedIdentity = {
  readonly login_ticket?: string | undefined
  readonly email?: string | undefined
  readonly tenant_id?: string | undefined
}

type Deps = Pick<RequestCtx, 'db' | 'clock' | 'hash' | 'request'>

/** One answer for a missing, foreign or expired proof. */
export const authenticationRequired = (event: string, about?: { readonly tenantId: string; readonly userId?: string }): AppError =>
  new AppError('authentication_required', undefined, { refusal: { event, ...about } })

const findIdentity = async (
  ctx: Deps,
  caller: User | undefined,
  inBody: string | undefined,
): Promise<(Omit<FactorContext, 'user'> & { readonly userId: string }) | undefined> => {
  if (caller !== undefined) return { tenantId: caller.tenantId, userId: caller.userId, by: { kind: 'session', caller } }
  const handle = readTransactionHandle(ctx, 'login', inBody)
  const loginTransaction = await loadLoginTransaction(ctx, 'login', handle)
  if (handle === undefined || loginTransaction?.userId == null) return undefined
  return { tenantId: handle.tenantId, userId: loginTransaction.userId, by: { kind: 'login_transaction', handle, loginTransaction } }
}

const matchesClaim = ({ tenantId, user, by }: FactorContext, { email, tenant_id }: ClaimedIdentity): boolean => {
  if (!user.active || user.deletedAt !== null || user.passwordResetRequired) return false
  if (by.kind === 'login_transaction' && by.loginTransaction.createdAt < user.validFrom) return false
  return (email === undefined || email === user.email) && (tenant_id === undefined || tenant_id.toLowerCase() === tenantId)
}

/**
 * The person of the session, or else of the login transaction. `event` names the refused action in the audit log.
 * @throws AppError authentication_required
 */
export const loadFactorContext = async (ctx: Deps, caller: User | undefined, claimed: ClaimedIdentity, event: string): Promise<FactorContext> => {
  const found = await findIdentity(ctx, caller, claimed.login_ticket)
  if (found === undefined) throw authenticationRequired(event)
  const { userId, ...rest } = found
  const user = await findUser(forTenant(ctx.db, found.tenantId), userId)
  if (user === undefined || !matchesClaim({ ...rest, user }, claimed)) throw authenticationRequired(event, { tenantId: found.tenantId, userId })
  return { ...rest, user }
}

/** The digest that binds an enrolment or challenge to this session or login transaction; another one of the same person cannot finish it. */
export const factorContextBinding = (ctx: Pick<RequestCtx, 'hash'>, { by }: Pick<FactorContext, 'by'>): Uint8Array =>
  by.kind === 'session' ? ctx.hash('binding:session', by.caller.sessionId) : ctx.hash('binding:ticket', by.handle.text)

export const loginTransactionHash = (ctx: Pick<RequestCtx, 'hash'>, by: ByLoginTransaction): Uint8Array => transactionHandleHash(ctx, by.handle.text)

/** The actor for the audit log. */
export const factorContextActor = ({ user, by }: FactorContext): Actor => (by.kind === 'session' ? byUser(by.caller) : { type: 'user', id: user.id })
