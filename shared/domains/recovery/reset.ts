// Forgotten password: a mailed code, then a one-time value, then the new password. The answer never tells whether the account exists.

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

export type ResetKind = 'admin_reset' | 'user_reset'
export type ResetCtx = RequestCtx & { readonly breached: BreachedPasswords }

export const RESET_CODE_SECONDS = 30 * 60
const RESET_SECONDS = 600

/** Accounts whose password is kept here; a synced one gets a password from an administrator or a mailed link alone. */
const mayReset = (user: User | undefined): user is User => user?.active === true && user.deletedAt === null && user.passwordHash !== null

/** The account that this door resets. The same statements run for nobody. */
const accountBehind = async (t: TenantDb, ctx: ResetCtx, kind: ResetKind, email: string): Promise<User | undefined> => {
  const tenant = await findTenant(t)
  // Known here, so that asking whether the tenant has mails left never costs a statement for one and none for another.
  ctx.quotas.learn(t.tenantId, tenant?.settings.quotas)
  const user = await findUserByEmail(t, email)
  const atRightDoor = kind === 'user_reset' || (await hasAdminAccess(t, ctx, user?.id ?? ctx.random.id()))
  return tenant?.status === 'active' && mayReset(user) && atRightDoor ? user : undefined
}

/** Mails a code if there is an account. The caller answers the same either way. */
export const requestReset = async (ctx: ResetCtx, kind: ResetKind, tenantId: TenantId | undefined, email: string): Promise<void> => {
  const t = forTenant(ctx.db, tenantId ?? SYSTEM_TENANT)
  const sent = await atomically(t, (tx) => createCode(tx, ctx, codeLockOf(ctx, kind, email), RESET_CODE_SECONDS, true))
  if (!('code' in sent)) return
  const found = await accountBehind(t, ctx, kind, email)
  // Where the tenant's mails are used up none goes out, and the answer is the same as ever.
  if (!(await ctx.quotas.allows(t.tenantId, 'mailsPerHour'))) return
  const user = tenantId === undefined ? undefined : found
  // Sealed under the tenant's key, not the person's: fetching that one would tell the two apart.
  await commitOrRollBack(t, user !== undefined, async (tx) => {
    await notify(tx, ctx, { to: email, template: 'password_reset_code', data: { code: sent.code, minutes: RESET_CODE_SECONDS / 60 } })
    const target = { type: 'user', id: user?.id ?? ctx.random.id() }
    await recordEvent(tx, ctx, { event: 'user.password_reset_requested', actor: byAnonymous, target, subjectId: t.tenantId })
  })
  ctx.wakeOutbox()
}

const wrong = (code: ErrorCode, tenantId: TenantId, userId?: string): AppError =>
  new AppError(code, undefined, { refusal: { tenantId, event: 'user.password_reset', ...(userId === undefined ? {} : { userId }) } })

export type ResetCode = {
  readonly kind: ResetKind
  readonly tenantId: TenantId
  readonly email: string
  readonly otp: string
  /** What a wrong code is answered with. */
  readonly failure: ErrorCode
}

/**
 * The code is right: answers a one-time value that `resetPassword` asks for, good for ten minutes.
 * @throws AppError `failure`
 */
export const verifyResetCode = async (
  ctx: ResetCtx,
  { kind, tenantId, email, otp, failure }: ResetCode,
): Promise<{ readonly resetToken: string; readonly cookie: Cookie }> => {
  const codeId = await matchCode(ctx, tenantId, { lock: codeLockOf(ctx, kind, email), email, code: otp })
  if (codeId === undefined) throw wrong(failure, tenantId)
  const resetToken = await atomically(forTenant(ctx.db, tenantId), async (t) => {
    const user = await accountBehind(t, ctx, kind, email)
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
  if (resetToken === undefined) throw wrong(failure, tenantId)
  return { resetToken, cookie: transactionCookie(ctx, 'password_reset', resetToken, RESET_SECONDS) }
}

/** Everything that the old password opened is closed. */
const closeEverything = async (t: TenantTx, ctx: RequestCtx, user: User): Promise<void> => {
  const now = ctx.clock.now()
  await revokeSessions(t, user.id, now, 'password_reset')
  await endLoginTransactions(t, user.id, now)
  await forgetDevices(t, user.id)
}

/** Sets a person's password, ends all sessions and, unless told otherwise, tells the owner. Inside the caller's transaction, which records what it was. */
export const replacePassword = async (t: TenantTx, ctx: RequestCtx, user: User, passwordHash: string, tells = true): Promise<void> => {
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
  await closeEverything(t, ctx, user)
  if (tells) await notify(t, ctx, { to: user.email, subjectId: user.id, template: 'password_changed', data: {} })
}

/** The mailbox was proved a moment ago: what waits for that (a first sign-in, a first factor, being found by the address) may go on. */
const proveMailbox = async (t: TenantTx, ctx: RequestCtx, user: User, at: Date): Promise<void> => {
  await updateUser(t, user.id, { emailVerifiedAt: at })
  await verifyAdministrator(t, emailHash(ctx, user.email), at)
}

type Chosen = { readonly email: string; readonly password: string; readonly name?: string }

/** @throws AppError password_* */
export const requireGoodPassword = async (ctx: ResetCtx, tenantId: TenantId, { email, password, name }: Chosen): Promise<void> => {
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
  /** The tenant that the request named; the one-time value has to be of that one. */
  readonly tenantId: TenantId | undefined
  /** What a missing or foreign value is answered with. */
  readonly failure: ErrorCode
}

/**
 * The new password, against the one-time value.
 * @throws AppError `failure`, password_*
 */
export const resetPassword = async (ctx: ResetCtx, given: Reset): Promise<Cookie> => {
  const { failure } = given
  const handle = readTransactionHandle(ctx, 'password_reset', given.resetToken)
  const loginTransaction = await loadLoginTransaction(ctx, 'password_reset', handle)
  if (handle === undefined || loginTransaction?.userId == null) throw new AppError(failure, undefined, { refusal: { event: 'user.password_reset' } })
  const t = forTenant(ctx.db, handle.tenantId)
  const user = await findUserByEmail(t, given.email)
  if (!mayReset(user) || user.id !== loginTransaction.userId) throw wrong(failure, handle.tenantId, loginTransaction.userId)
  if (given.tenantId !== undefined && given.tenantId !== handle.tenantId) throw wrong(failure, handle.tenantId, user.id)
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
      throw wrong(failure, handle.tenantId, user.id)
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
