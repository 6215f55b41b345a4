// Changing a person's own password or e-mail address. A new address is proved at both mailboxes.
import type * as z from 'zod'
import { isUniqueViolation } from '#db/engine/client'
import { atomically, forTenant, type TenantTx } from '#db/engine/tenant'
import { consumeCode } from '#db/store/codes'
import { consumeLoginTransaction, endLoginTransactions } from '#db/store/login-transactions'
import { revokeAuthorizationsOf, revokeSessions } from '#db/store/sessions'
import type { Account } from '#db/store/sign-in'
import { findTenant } from '#db/store/tenants'
import { findUser, findUserByEmail, forgetDevices, lockUser, moveAdministrator, updateUser } from '#db/store/users'
import {
  loadLoginTransaction,
  readTransactionHandle,
  startLoginTransaction,
  transactionHandleHash,
} from '#shared/domains/login-transaction/login-transaction'
import { notify } from '#shared/domains/notifications/notify'
import { checkPassword, isUnchanged } from '#shared/domains/sign-in/check-password'
import { codeLockOf, createCode, matchCode, type SentCode } from '#shared/domains/sign-up/code'
import { AppError } from '#shared/kernel/errors'
import { byUser, recordEvent } from '#shared/platform/audit/audit-log'
import { emailHash } from '#shared/platform/crypto/email-hash'
import type { User } from '#shared/platform/principals/principal'
import type { ChangeEmail, ChangePassword, ConfirmEmail, EmailChanged, EmailChangeStarted } from './credentials.schema.ts'
import { type AccountCtx as Ctx, hashNewPassword } from './new-password.ts'

const CHANGE_SECONDS = 30 * 60
const CHANGE_MINUTES = CHANGE_SECONDS / 60

/** Requires the password again, also in a valid session. @throws AppError invalid_credentials, password_reset_required, temporary_password_expired */
const reauthenticate = async (ctx: Ctx, caller: User, password: string): Promise<Account> => {
  const { user } = await checkPassword(ctx, caller.tenantId, caller.email, password)
  // The caller may be cached for a second: the address may belong to another person by now.
  if (user.id !== caller.userId) throw new AppError('invalid_credentials')
  return user
}

/** Ends every other session, grant and login transaction of the person, and forgets known browsers. */
const closeOthers = async (t: TenantTx, caller: User, now: Date, reason: string): Promise<readonly string[]> => {
  const ended = await revokeSessions(t, caller.userId, now, reason, caller.sessionId)
  await revokeAuthorizationsOf(t, caller.userId, now, reason, caller.sessionId)
  await endLoginTransactions(t, caller.userId, now)
  await forgetDevices(t, caller.userId)
  return ended
}

/**
 * Changes the password. This session continues, all others end, known browsers are forgotten, and the owner gets a mail.
 * @throws AppError invalid_credentials, password_reset_required, temporary_password_expired, password_unchanged, password_*
 */
export const changePassword = async (ctx: Ctx, caller: User, body: z.output<typeof ChangePassword>): Promise<undefined> => {
  const user = await reauthenticate(ctx, caller, body.current_password)
  if (body.current_password === body.new_password) throw new AppError('password_unchanged', undefined, { field: 'body.new_password' })
  const tenant = await findTenant(forTenant(ctx.db, caller.tenantId))
  const passwordHash = await hashNewPassword(ctx, tenant, user, body.new_password)
  await atomically(forTenant(ctx.db, caller.tenantId), async (t) => {
    const now = ctx.clock.now()
    // A password checked a moment ago must not undo a reset that committed meanwhile.
    if (!isUnchanged(user, await lockUser(t, user.id))) throw new AppError('invalid_credentials')
    const cleared = { temporaryPassword: false, temporaryPasswordExpiresAt: null, failedAttempts: 0, lockedUntil: null }
    await updateUser(t, user.id, { passwordHash, ...cleared, updatedAt: now })
    const ended = await closeOthers(t, caller, now, 'password_changed')
    await notify(t, ctx, { to: user.email, subjectId: user.id, template: 'password_changed', data: {} })
    const target = { type: 'user', id: user.id }
    await recordEvent(t, ctx, { event: 'user.password_changed', actor: byUser(caller), target, after: { ended_sessions: ended.length } })
  })
  ctx.wakeOutbox()
  return undefined
}

/** Creates a code for the new address, or for the old one's consent. Separate locks, so that neither stands for the other. */
const createAddressCode = async (t: TenantTx, ctx: Ctx, purpose: 'email_change' | 'email_change_consent', email: string): Promise<SentCode> => {
  const sent = await createCode(t, ctx, codeLockOf(ctx, purpose, email), CHANGE_SECONDS, true)
  if (!('code' in sent)) throw new AppError('too_many_codes', undefined, sent)
  return sent
}

/** Starts the pending change. An earlier one ends, so that the old address cannot consent to another new address than its mail named. */
const startPendingChange = async (t: TenantTx, ctx: Ctx, user: Account, newEmail: string): Promise<string> => {
  await endLoginTransactions(t, user.id, ctx.clock.now(), 'email_change')
  return startLoginTransaction(t, ctx, {
    purpose: 'email_change',
    userId: user.id,
    clientId: null,
    verified: [],
    data: { new_email: newEmail },
    seconds: CHANGE_SECONDS,
  })
}

/**
 * Starts a change of address: mails a code to the new address and one to the old. A taken address gets the same answer but no code.
 * @throws AppError invalid_credentials, password_reset_required, temporary_password_expired, too_many_codes, conflict, quota_exceeded
 */
export const startEmailChange = async (ctx: Ctx, caller: User, body: z.output<typeof ChangeEmail>): Promise<z.input<typeof EmailChangeStarted>> => {
  const user = await reauthenticate(ctx, caller, body.current_password)
  if (body.new_email === user.email) throw new AppError('conflict', 'This is your address already.', { field: 'body.new_email' })
  await ctx.quotas.use(caller.tenantId, 'mailsPerHour')
  const transactionToken = await atomically(forTenant(ctx.db, caller.tenantId), async (t) => {
    const toNew = await createAddressCode(t, ctx, 'email_change', body.new_email)
    const toOld = await createAddressCode(t, ctx, 'email_change_consent', user.email)
    const taken = (await findUserByEmail(t, body.new_email)) !== undefined
    const data = { code: toNew.code, minutes: CHANGE_MINUTES }
    if (!taken) await notify(t, ctx, { to: body.new_email, subjectId: user.id, template: 'email_change_code', data })
    const agree = { code: toOld.code, minutes: CHANGE_MINUTES }
    await notify(t, ctx, { to: user.email, subjectId: user.id, template: 'email_change_notice', data: { newEmail: body.new_email, agree } })
    await recordEvent(t, ctx, {
      event: 'user.email_change_requested',
      actor: byUser(caller),
      target: { type: 'user', id: user.id },
      before: { email: user.email },
      after: { email: body.new_email },
    })
    return startPendingChange(t, ctx, user, body.new_email)
  })
  ctx.wakeOutbox()
  return { message: 'We sent a code to both addresses.', change_ticket: transactionToken, expires_in: CHANGE_SECONDS }
}

/**
 * Confirms a change of address with both codes: all other sessions end, and the old address gets a mail.
 * @throws AppError invalid_code, email_taken
 */
export const confirmEmailChange = async (ctx: Ctx, caller: User, body: z.output<typeof ConfirmEmail>): Promise<z.input<typeof EmailChanged>> => {
  const wrong = new AppError('invalid_code', undefined, {
    refusal: { tenantId: caller.tenantId, userId: caller.userId, event: 'user.email_changed' },
  })
  const handle = readTransactionHandle(ctx, 'email_change', body.change_ticket)
  const loginTransaction = handle?.tenantId === caller.tenantId ? await loadLoginTransaction(ctx, 'email_change', handle) : undefined
  const newEmail = loginTransaction?.data?.new_email
  if (handle === undefined || loginTransaction?.userId !== caller.userId || typeof newEmail !== 'string') throw wrong
  const codeNew = await matchCode(ctx, caller.tenantId, { lock: codeLockOf(ctx, 'email_change', newEmail), email: newEmail, code: body.code_new })
  const codeOld = await matchCode(ctx, caller.tenantId, {
    lock: codeLockOf(ctx, 'email_change_consent', caller.email),
    email: caller.email,
    code: body.code_current,
  })
  if (codeNew === undefined || codeOld === undefined) throw wrong
  await atomically(forTenant(ctx.db, caller.tenantId), async (t) => {
    const now = ctx.clock.now()
    await lockUser(t, caller.userId)
    const both = (await consumeCode(t, codeNew, now)) && (await consumeCode(t, codeOld, now))
    if (!both || (await consumeLoginTransaction(t, transactionHandleHash(ctx, handle.text), now)) === undefined) throw wrong
    await moveAddress(t, ctx, caller, newEmail, now)
  }).catch((error: unknown) => {
    throw isUniqueViolation(error) ? new AppError('email_taken') : error
  })
  ctx.wakeOutbox()
  return { email: newEmail }
}

const moveAddress = async (t: TenantTx, ctx: Ctx, caller: User, newEmail: string, now: Date): Promise<void> => {
  const { userId } = caller
  const before = await findUser(t, userId)
  // A username equal to the address follows it.
  const username = before?.username === caller.email ? { username: newEmail } : {}
  await updateUser(t, userId, { email: newEmail, emailVerifiedAt: now, updatedAt: now, ...username })
  await moveAdministrator(t, userId, emailHash(ctx, newEmail), now)
  const ended = await closeOthers(t, caller, now, 'email_changed')
  await notify(t, ctx, { to: caller.email, subjectId: userId, template: 'email_change_notice', data: { newEmail } })
  await recordEvent(t, ctx, {
    event: 'user.email_changed',
    actor: byUser(caller),
    target: { type: 'user', id: userId },
    before: { email: caller.email },
    after: { email: newEmail, ended_sessions: ended.length },
  })
}
