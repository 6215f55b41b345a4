// A one-time recovery pass, issued by an administrator to a person who lost their factors: 256 random bits, valid 30 minutes. It replaces factors, not the password.

import { atomically, forTenant } from '#db/engine/tenant'
import { consumeLoginTransaction, endLoginTransactions } from '#db/store/login-transactions'
import { findTenant } from '#db/store/tenants'
import { findUser, type User as UserRow } from '#db/store/users'
import { actInTenant, requireRightsOver } from '#shared/domains/authority/acting-tenant'
import { lockPerson } from '#shared/domains/authority/person-status'
import type { RequestCtx } from '#shared/domains/context'
import { findRecoveryOffers } from '#shared/domains/factors/recovery-offers'
import {
  loadLoginTransaction,
  readTransactionHandle,
  startLoginTransaction,
  transactionHandleHash,
} from '#shared/domains/login-transaction/login-transaction'
import { notify } from '#shared/domains/notifications/notify'
import { AppError } from '#shared/kernel/errors'
import { byUser, recordEvent } from '#shared/platform/audit/audit-log'
import type { User } from '#shared/platform/principals/principal'
import { isUserUsable, restoreAccess } from './restore-access.ts'

const PASS_SECONDS = 1800

/**
 * Issues a pass for a person; requires every right that the person holds. It is shown once, and both are notified by mail.
 * Routes that call this emit `recovery_pass.issued`.
 * @throws AppError not_found, forbidden, cannot_grant, recovery_not_offered
 */
export const issuePass = async (ctx: RequestCtx, caller: User, userId: string): Promise<{ readonly pass: string; readonly expiresIn: number }> => {
  if (userId === caller.userId) throw new AppError('forbidden', 'You cannot issue a recovery pass to yourself.')
  const pass = await actInTenant(ctx, caller, caller.tenantId, async (t, grantable) => {
    if (!findRecoveryOffers(await findTenant(t)).administratorPass) throw new AppError('recovery_not_offered')
    const user = await lockPerson(t, userId)
    if (!isUserUsable(user)) throw new AppError('not_found')
    await requireRightsOver(t, ctx, grantable, userId)
    // One at a time: an earlier pass becomes invalid.
    await endLoginTransactions(t, userId, ctx.clock.now(), 'recovery_pass')
    const handle = await startLoginTransaction(t, ctx, {
      purpose: 'recovery_pass',
      userId,
      clientId: user.clientId,
      verified: [],
      seconds: PASS_SECONDS,
    })
    await recordEvent(t, ctx, { event: 'recovery_pass.issued', actor: byUser(caller), target: { type: 'user', id: userId } })
    const data = { email: user.email, issuedBy: caller.email, minutes: PASS_SECONDS / 60 }
    await notify(t, ctx, { to: user.email, subjectId: userId, template: 'recovery_pass_issued', data: { for: 'owner', ...data } })
    await notify(t, ctx, { to: caller.email, subjectId: caller.userId, template: 'recovery_pass_issued', data: { for: 'administrator', ...data } })
    return handle
  })
  ctx.wakeOutbox()
  return { pass, expiresIn: PASS_SECONDS }
}

const invalidRecovery = (about?: { readonly tenantId: string; readonly userId: string }): AppError =>
  new AppError('invalid_recovery', undefined, { refusal: { event: 'recovery_pass.used', ...about } })

/** A person with a password must have proved it: the pass replaces the factor only. */
const firstFactor = async (ctx: RequestCtx, user: UserRow, inBody: string | undefined): Promise<readonly string[] | undefined> => {
  if (user.passwordHash === null) return ['otp']
  const loginTransaction = await loadLoginTransaction(ctx, 'login', readTransactionHandle(ctx, 'login', inBody))
  const isTheirs = loginTransaction?.userId === user.id && loginTransaction.createdAt >= user.validFrom && loginTransaction.verified.includes('pwd')
  return isTheirs ? ['pwd'] : undefined
}

export type PassAttempt = { readonly pass: string; readonly email: string; readonly loginTicket: string | undefined }

/**
 * Uses a pass: removes the person's factors and starts a login transaction. Of concurrent uses one succeeds.
 * Routes that call this emit `recovery_pass.used`, `factors.reset`.
 * @throws AppError invalid_recovery for every failure
 */
export const recoverWithPass = async (ctx: RequestCtx, given: PassAttempt): Promise<string> => {
  const handle = readTransactionHandle(ctx, 'recovery_pass', given.pass)
  const pass = await loadLoginTransaction(ctx, 'recovery_pass', handle)
  if (handle === undefined || pass?.userId == null) throw invalidRecovery()
  const about = { tenantId: handle.tenantId, userId: pass.userId }
  const t = forTenant(ctx.db, handle.tenantId)
  // The tenant may have withdrawn the offer since.
  const { administratorPass } = findRecoveryOffers(await findTenant(t))
  const user = await findUser(t, pass.userId)
  const verified = administratorPass && isUserUsable(user) && user.email === given.email ? await firstFactor(ctx, user, given.loginTicket) : undefined
  if (user === undefined || verified === undefined) throw invalidRecovery(about)
  const transactionToken = await atomically(t, async (tx) => {
    if (!isUserUsable(await lockPerson(tx, user.id))) return undefined
    if ((await consumeLoginTransaction(tx, transactionHandleHash(ctx, handle.text), ctx.clock.now())) === undefined) return undefined
    const target = { type: 'user', id: user.id }
    await recordEvent(tx, ctx, { event: 'recovery_pass.used', actor: { type: 'user', id: user.id }, target })
    return restoreAccess(tx, ctx, { userId: user.id, by: 'pass', clientId: pass.clientId, verified, mailboxProvedAt: null })
  })
  if (transactionToken === undefined) throw invalidRecovery(about)
  ctx.wakeOutbox()
  return transactionToken
}
