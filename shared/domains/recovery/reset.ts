// Password reset: a mailed code, then a one-time token, then the new password. No answer discloses whether the account exists.

import { atomically, forTenant, SYSTEM_TENANT, type TenantDb, type TenantId, type TenantTx } from '#db/engine/tenant'
import { consumeCode } from '#db/store/codes'
import { consumeLoginTransaction, endLoginTransactions } from '#db/store/login-transactions'
import { revokeSessions } from '#db/store/sessions'
import { findTenant } from '#db/store/tenants'
import { findUserByEmail, forgetDevices, lockUser, type User, updateUser, verifyAdministrator } from '#db/store/users'
import { isStillInvited } from '#shared/domains/authority/inviter'
import type { RequestCtx } from '#shared/domains/context'
import {
  expiredTransactionCookie,
  loadLoginTransaction,
  readTransactionHandle,
  startLoginTransaction,
  transactionCookie,
  transactionHandleHash,
} from '#shared/domains/login-transaction/login-transaction'
import { notify } from '#shared/domains/notifications/notify'
import type { BreachedPasswords } from '#shared/domains/passwords/breached'
import { checkNewPassword } from '#shared/domains/passwords/policy'
import { hasAdminAccess } from '#shared/domains/sign-in/admin-access'
import { codeLockOf, createCode, matchCode } from '#shared/domains/sign-up/code'
import { AppError, type ErrorCode } from '#shared/kernel/errors'
import { byAnonymous, recordEvent } from '#shared/platform/audit/audit-log'
import { emailHash } from '#shared/platform/crypto/email-hash'
import type { Cookie } from '#shared/platform/http/route'
import { commitOrRollBack } from './commit-or-roll-back.ts'
import { takeFromCreator } from './first-proof.ts'

export type ResetKind = 'admin_reset' | 'user_reset'
export type ResetCtx = RequestCtx & { readonly breached: BreachedPasswords }

export const RESET_CODE_SECONDS = 30 * 60
const RESET_SECONDS = 600

/** Accounts with a password here. A synced account gets one only from an administrator or by a mailed link. */
const mayReset = (user: User | undefined): user is User => user?.active === true && user.deletedAt === null && user.passwordHash !== null

/** The account that this kind of reset may change. Unknown addresses run the same statements. */
const findResettableAccount = async (t: TenantDb, ctx: ResetCtx, kind: ResetKind, email: string): Promise<User | undefined> => {
  const tenant = await findTenant(t)
  // Learned here, so that the quota check runs the same statements for known and unknown addresses.
  ctx.quotas.learn(t.tenantId, tenant?.settings.quotas)
  const user = await findUserByEmail(t, email)
  const isOfKind = kind === 'user_reset' || (await hasAdminAccess(t, ctx, user?.id ?? ctx.random.id()))
  return tenant?.status === 'active' && mayReset(user) && isOfKind ? user : undefined
}

/** Mails a code if the account exists. The caller's answer must not depend on that. */
export const requestReset = async (ctx: ResetCtx, kind: ResetKind, tenantId: TenantId | undefined, email: string): Promise<void> => {
  const t = forTenant(ctx.db, tenantId ?? SYSTEM_TENANT)
  const sent = await atomically(t, (tx) => createCode(tx, ctx, codeLockOf(ctx, kind, email), RESET_CODE_SECONDS, true))
  if (!('code' in sent)) return
  const found = await findResettableAccount(t, ctx, kind, email)
  // Above the tenant's mail quota no mail is sent, and the answer stays the same.
  if (!(await ctx.quotas.allows(t.tenantId, 'mailsPerHour'))) return
  const user = tenantId === undefined ? undefined : found
  // Sealed under the tenant's key: loading the person's key would disclose the account by timing.
  await commitOrRollBack(t, user !== undefined, async (tx) => {
    await notify(tx, ctx, { to: email, template: 'password_reset_code', data: { code: sent.code, minutes: RESET_CODE_SECONDS / 60 } })
    const target = { type: 'user', id: user?.id ?? ctx.random.id() }
    await recordEvent(tx, ctx, { event: 'user.password_reset_requested', actor: byAnonymous, target, subjectId: t.tenantId })
  })
  ctx.wakeOutbox()
}

const resetError = (code: ErrorCode, tenantId: TenantId, userId?: string): AppError =>
  new AppError(code, undefined, { refusal: { tenantId, event: 'user.password_reset', ...(userId === undefined ? {} : { userId }) } })

export type ResetCode = {
  readonly kind: ResetKind
  readonly tenantId: TenantId
  readonly email: string
  readonly otp: string
  /** The error for a wrong code. */
  readonly failure: ErrorCode
}

/**
 * Verifies the code and returns the one-time token for `resetPassword`, valid for ten minutes.
 * @throws AppError `failure`
 */
export const verifyResetCode = async (
  ctx: ResetCtx,
  { kind, tenantId, email, otp, failure }: ResetCode,
): Promise<{ readonly resetToken: string; readonly cookie: Cookie }> => {
  const codeId = await matchCode(ctx, tenantId, { lock: codeLockOf(ctx, kind, email), email, code: otp })
  if (codeId === undefined) throw resetError(failure, tenantId)
  const resetToken = await atomically(forTenant(ctx.db, tenantId), async (t) => {
    const user = await findResettableAccount(t, ctx, kind, email)
    const now = ctx.clock.now()
    if (user === undefined || !(await consumeCode(t, codeId, now))) return undefined
    await recordEvent(t, ctx, {
      event: 'user.password_reset_verified',
      actor: byAnonymous,
      target: { type: 'user', id: user.id },
      subjectId: user.id,
    })
    return startLoginTransaction(t, ctx, {
      purpose: 'password_reset',
      userId: user.id,
      clientId: null,
      verified: [],
      mailboxProvedAt: now,
      seconds: RESET_SECONDS,
    })
  })
  if (resetToken === undefined) throw resetError(failure, tenantId)
  return { resetToken, cookie: transactionCookie(ctx, 'password_reset', resetToken, RESET_SECONDS) }
}

/** Ends all access that the old password opened. */
const endAllAccess = async (t: TenantTx, ctx: RequestCtx, user: User): Promise<void> => {
  const now = ctx.clock.now()
  await revokeSessions(t, user.id, now, 'password_reset')
  await endLoginTransactions(t, user.id, now)
  await forgetDevices(t, user.id)
}

/** Sets a password, ends all sessions and, with `notifies`, mails the owner. Call in the transaction that records the event. */
export const replacePassword = async (t: TenantTx, ctx: RequestCtx, user: User, passwordHash: string, notifies = true): Promise<void> => {
  const now = ctx.clock.now()
  await updateUser(t, user.id, {
    passwordHash,
    temporaryPassword: false,
    temporaryPasswordExpiresAt: null,
    passwordResetRequired: false,
    failedAttempts: 0,
    lockedUntil: null,
    validFrom: now,
    updatedAt: now,
  })
  await endAllAccess(t, ctx, user)
  if (notifies) await notify(t, ctx, { to: user.email, subjectId: user.id, template: 'password_changed', data: {} })
}

/** Marks the mailbox as proved, which first sign-ins and first factors may wait for. */
const proveMailbox = async (t: TenantTx, ctx: RequestCtx, user: User, at: Date): Promise<void> => {
  await updateUser(t, user.id, { emailVerifiedAt: at })
  await verifyAdministrator(t, emailHash(ctx, user.email), at)
}

type NewPassword = { readonly email: string; readonly password: string; readonly name?: string }

/** Checks the password against the tenant's policy. @throws AppError password_* */
export const requireGoodPassword = async (ctx: ResetCtx, tenantId: TenantId, { email, password, name }: NewPassword): Promise<void> => {
  const tenant = await findTenant(forTenant(ctx.db, tenantId))
  await checkNewPassword(
    {
      password,
      email,
      ...(name === undefined ? {} : { name }),
      ...(tenant === undefined ? {} : { tenantDomain: tenant.domain }),
      secondFactorRequired: tenant?.settings.requireSecondFactor === true,
      field: 'body.new_password',
    },
    ctx.breached,
  )
}

export type Reset = {
  readonly email: string
  readonly newPassword: string
  readonly resetToken: string | undefined
  /** The tenant that the request names; the token must belong to it. */
  readonly tenantId: TenantId | undefined
  /** The error for a missing or foreign token. */
  readonly failure: ErrorCode
}

/**
 * Sets the new password with the one-time token.
 * @throws AppError `failure`, password_*
 */
export const resetPassword = async (ctx: ResetCtx, given: Reset): Promise<Cookie> => {
  const { failure } = given
  const handle = readTransactionHandle(ctx, 'password_reset', given.resetToken)
  const loginTransaction = await loadLoginTransaction(ctx, 'password_reset', handle)
  if (handle === undefined || loginTransaction?.userId == null) throw new AppError(failure, undefined, { refusal: { event: 'user.password_reset' } })
  const t = forTenant(ctx.db, handle.tenantId)
  const user = await findUserByEmail(t, given.email)
  if (!mayReset(user) || user.id !== loginTransaction.userId) throw resetError(failure, handle.tenantId, loginTransaction.userId)
  if (given.tenantId !== undefined && given.tenantId !== handle.tenantId) throw resetError(failure, handle.tenantId, user.id)
  await requireGoodPassword(ctx, handle.tenantId, { email: user.email, name: user.name, password: given.newPassword })
  const passwordHash = await ctx.passwords.hash(given.newPassword)
  await atomically(t, async (tx) => {
    const now = ctx.clock.now()
    const held = await lockUser(tx, user.id)
    if (
      !mayReset(held) ||
      !(await isStillInvited(tx, ctx, held)) ||
      (await consumeLoginTransaction(tx, transactionHandleHash(ctx, handle.text), now)) === undefined
    )
      throw resetError(failure, handle.tenantId, user.id)
    await takeFromCreator(tx, ctx, held)
    await replacePassword(tx, ctx, held, passwordHash)
    await proveMailbox(tx, ctx, held, loginTransaction.mailboxProvedAt ?? now)
    await recordEvent(tx, ctx, {
      event: 'user.password_reset',
      actor: byAnonymous,
      target: { type: 'user', id: user.id },
      subjectId: user.id,
      after: { email_verified: true },
    })
  })
  ctx.wakeOutbox()
  return expiredTransactionCookie(ctx, 'password_reset')
}
