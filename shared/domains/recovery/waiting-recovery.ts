// Recovery of a person who lost every factor: wait as long as the tenant requires, with mails that can cancel it, then prove the mailbox.

import { atomically, forTenant, type TenantId, type TenantTx } from '#db/engine/tenant'
import { consumeCode } from '#db/store/codes'
import { consumeLoginTransaction, endLoginTransactions, type LoginTransaction } from '#db/store/login-transactions'
import { reminderKind } from '#db/store/outbox'
import { findTenant } from '#db/store/tenants'
import { findUser, findUserByEmail, lockUser, type User as UserRow } from '#db/store/users'
import { findApplication } from '#shared/domains/clients/application'
import type { RequestCtx } from '#shared/domains/context'
import { findRecoveryOffers } from '#shared/domains/factors/recovery-offers'
import {
  loadLoginTransaction,
  readTransactionHandle,
  startLoginTransaction,
  type TransactionHandle,
  transactionHandleHash,
} from '#shared/domains/login-transaction/login-transaction'
import { notify } from '#shared/domains/notifications/notify'
import { codeLockOf, createCode, matchCode } from '#shared/domains/sign-up/code'
import { secondsAfter } from '#shared/kernel/clock'
import { AppError } from '#shared/kernel/errors'
import { byAnonymous, recordEvent } from '#shared/platform/audit/audit-log'
import { commitOrRollBack } from './commit-or-roll-back.ts'
import { isUserUsable, restoreAccess } from './restore-access.ts'

const DAY = 24 * 3600
/** How long a recovery can be finished after the waiting period. */
const READY_DAYS = 7
const STARTS_A_DAY = 3
const CODE_SECONDS = 600
/** For the whole recovery, with five guesses each: a hundred guesses (NIST SP 800-63B-4 section 3.2.2). */
const MAX_CODES = 20

export const CANCEL_PATH = '/account/recovery/cancel'

const invalidRecovery = (about?: { readonly tenantId: string; readonly userId?: string }): AppError =>
  new AppError('invalid_recovery', undefined, { refusal: { event: 'recovery.completed', ...about } })

/** Counts by address, known or not. @throws AppError rate_limited */
const checkLimit = (ctx: RequestCtx, what: string, tenantId: TenantId, email: string, windowSeconds: number, max: number): Promise<void> => {
  const digest = Buffer.from(ctx.hash('limit:recovery', tenantId, email))
    .toString('base64url')
    .slice(0, 22)
  return ctx.limits.check([{ key: `${what}:${digest}`, windowSeconds, max, guardsCredential: true }])
}

/** Limits starts per day. A person who proved the password has a separate count that strangers cannot use up. @throws AppError rate_limited */
const limitStarts = (ctx: RequestCtx, tenantId: TenantId, email: string, isProved: boolean): Promise<void> =>
  checkLimit(ctx, isProved ? 'recovery:own' : 'recovery', tenantId, email, DAY, STARTS_A_DAY)

/** A person with a password must have proved it. Returns what counts as proved at the end; undefined when recovery is not allowed. */
const mayStart = async (ctx: RequestCtx, user: UserRow | undefined, inBody: string | undefined): Promise<readonly string[] | undefined> => {
  const loginTransaction = await loadLoginTransaction(ctx, 'login', readTransactionHandle(ctx, 'login', inBody))
  if (!isUserUsable(user)) return undefined
  if (user.passwordHash === null) return ['otp']
  return loginTransaction?.userId === user.id && loginTransaction.createdAt >= user.validFrom && loginTransaction.verified.includes('pwd')
    ? ['pwd']
    : undefined
}

/** Days of the reminders: half way, the day before the end, and the end. */
const remindersOf = (waitingDays: number): readonly number[] =>
  [...new Set([waitingDays / 2, waitingDays - 1, waitingDays])].filter((days) => days > 0)

type StartNotice = {
  readonly email: string
  readonly userId: string
  readonly waitingDays: number
  readonly readyAt: Date
  readonly cancelUrl: string
}
/** Mails the start and the reminders. Sealed under the tenant's key: loading the person's key would disclose the account by timing. */
const announceStart = async (t: TenantTx, ctx: RequestCtx, { email: to, userId, waitingDays, readyAt, cancelUrl }: StartNotice): Promise<void> => {
  await notify(t, ctx, { to, template: 'recovery_started', data: { readyAt, cancelUrl } })
  for (const days of remindersOf(waitingDays)) {
    const later = { at: secondsAfter(ctx.clock.now(), days * DAY), kind: reminderKind(userId) }
    const data = { stage: days === waitingDays ? 'ready' : 'waiting', readyAt, cancelUrl } as const
    await notify(t, ctx, { to, template: 'recovery_waiting', data, later })
  }
  const [target, after] = [{ type: 'user', id: userId }, { ready_at: readyAt.toISOString() }]
  await recordEvent(t, ctx, { event: 'recovery.started', actor: byAnonymous, target, subjectId: t.tenantId, after })
}

export type WaitingRecoveryRequest = { readonly clientId: string; readonly email: string; readonly loginTicket: string | undefined }
export type WaitingRecovery = { readonly recovery: string; readonly readyAt: Date }

/**
 * Starts the waiting period and mails the owner a link to cancel it. Unknown addresses get the same answer, and a recovery that leads nowhere.
 * Routes that call this emit `recovery.started`.
 * @throws AppError invalid_client, recovery_not_offered, rate_limited
 */
export const startWaitingRecovery = async (ctx: RequestCtx, given: WaitingRecoveryRequest): Promise<WaitingRecovery> => {
  const { tenantId, clientId } = await findApplication(ctx, given.clientId)
  const t = forTenant(ctx.db, tenantId)
  const { waitingDays } = findRecoveryOffers(await findTenant(t))
  if (waitingDays === undefined) throw new AppError('recovery_not_offered')
  const user = await findUserByEmail(t, given.email)
  const verified = await mayStart(ctx, user, given.loginTicket)
  await limitStarts(ctx, tenantId, given.email, verified?.includes('pwd') === true)
  const readyAt = secondsAfter(ctx.clock.now(), waitingDays * DAY)
  const owner = verified === undefined ? undefined : user
  const common = { userId: owner?.id ?? null, clientId, verified: [], seconds: (waitingDays + READY_DAYS) * DAY }
  const data = { ready_at: readyAt.toISOString(), verified: verified ?? [] }
  // The handle is returned only after both the recovery and its mail committed.
  const { recovery, cancel } = await atomically(t, async (tx) => ({
    recovery: await startLoginTransaction(tx, ctx, { purpose: 'recovery_wait', data, ...common }),
    cancel: await startLoginTransaction(tx, ctx, { purpose: 'recovery_cancel', ...common }),
  }))
  const cancelUrl = `${ctx.config.BASE_URL}${CANCEL_PATH}?ticket=${cancel}`
  const userId = owner?.id ?? ctx.random.id()
  await commitOrRollBack(t, owner !== undefined, (tx) => announceStart(tx, ctx, { email: given.email, userId, waitingDays, readyAt, cancelUrl }))
  ctx.wakeOutbox()
  return { recovery, readyAt }
}

type Live = { readonly handle: TransactionHandle; readonly loginTransaction: LoginTransaction; readonly user: UserRow | undefined }

/** A sign-in or password change since then ends the recovery. */
const isOver = (user: UserRow, { createdAt }: LoginTransaction): boolean =>
  !isUserUsable(user) || (user.lastLoginAt !== null && user.lastLoginAt > createdAt) || user.validFrom > createdAt

/** A recovery after its waiting period, while the tenant still offers it. @throws AppError invalid_recovery, recovery_waiting */
const readyRecovery = async (ctx: RequestCtx, text: string): Promise<Live> => {
  const handle = readTransactionHandle(ctx, 'recovery_wait', text)
  const loginTransaction = await loadLoginTransaction(ctx, 'recovery_wait', handle)
  if (handle === undefined || loginTransaction === undefined) throw invalidRecovery()
  const readyAt = new Date(String(loginTransaction.data?.ready_at))
  if (!(readyAt <= ctx.clock.now())) throw new AppError('recovery_waiting', undefined, { extra: { ready_at: readyAt.toISOString() } })
  const t = forTenant(ctx.db, handle.tenantId)
  const { waitingDays } = findRecoveryOffers(await findTenant(t))
  const user = await findUser(t, loginTransaction.userId ?? ctx.random.id())
  const isUsable = user !== undefined && waitingDays !== undefined && !isOver(user, loginTransaction)
  return { handle, loginTransaction, user: isUsable ? user : undefined }
}

/** When a recovery becomes ready; undefined when it is over or unknown. Unknown addresses have one as well. */
export const waitingRecoveryReadyAt = async (ctx: RequestCtx, text: string): Promise<Date | undefined> => {
  const loginTransaction = await loadLoginTransaction(ctx, 'recovery_wait', readTransactionHandle(ctx, 'recovery_wait', text))
  return loginTransaction === undefined ? undefined : new Date(String(loginTransaction.data?.ready_at))
}

/** An unused address stands in for an unknown person. */
const addressOf = ({ user, loginTransaction }: Live): string => user?.email ?? `${loginTransaction.id}@unknown.invalid`

/** Mails a code after the waiting period. Unknown people cost the same work. @throws AppError invalid_recovery, recovery_waiting, rate_limited */
export const requestRecoveryCode = async (ctx: RequestCtx, text: string): Promise<{ readonly expiresIn: number }> => {
  const live = await readyRecovery(ctx, text)
  const [t, email] = [forTenant(ctx.db, live.handle.tenantId), addressOf(live)]
  await checkLimit(ctx, 'recovery:codes', t.tenantId, email, READY_DAYS * DAY, MAX_CODES)
  if (await ctx.quotas.allows(t.tenantId, 'mailsPerHour')) {
    const sent = await atomically(t, (tx) => createCode(tx, ctx, codeLockOf(ctx, 'recovery', email), CODE_SECONDS, true))
    if ('code' in sent) {
      const data = { code: sent.code, minutes: CODE_SECONDS / 60 }
      await commitOrRollBack(t, live.user !== undefined, (tx) => notify(tx, ctx, { to: email, template: 'recovery_code', data }))
    }
    ctx.wakeOutbox()
  }
  return { expiresIn: CODE_SECONDS }
}

/**
 * Verifies the mailed code: removes the lost factors and starts a login transaction.
 * Routes that call this emit `recovery.completed`, `factors.reset`.
 * @throws AppError invalid_recovery, recovery_waiting
 */
export const finishWaitingRecovery = async (ctx: RequestCtx, text: string, code: string): Promise<string> => {
  const live = await readyRecovery(ctx, text)
  const { handle, loginTransaction, user } = live
  const email = addressOf(live)
  const codeId = await matchCode(ctx, handle.tenantId, { lock: codeLockOf(ctx, 'recovery', email), email, code })
  if (user === undefined || codeId === undefined)
    throw invalidRecovery({ tenantId: handle.tenantId, ...(user === undefined ? {} : { userId: user.id }) })
  const login = await atomically(forTenant(ctx.db, handle.tenantId), async (t) => {
    const now = ctx.clock.now()
    const held = await lockUser(t, user.id)
    if (held === undefined || isOver(held, loginTransaction)) return undefined
    const isFirst =
      (await consumeCode(t, codeId, now)) && (await consumeLoginTransaction(t, transactionHandleHash(ctx, handle.text), now)) !== undefined
    if (!isFirst) return undefined
    await endLoginTransactions(t, user.id, now, 'recovery_wait')
    await endLoginTransactions(t, user.id, now, 'recovery_cancel')
    await recordEvent(t, ctx, { event: 'recovery.completed', actor: { type: 'user', id: user.id }, target: { type: 'user', id: user.id } })
    const verified = Array.isArray(loginTransaction.data?.verified) ? loginTransaction.data.verified.map(String) : []
    return restoreAccess(t, ctx, { userId: user.id, by: 'waiting', clientId: loginTransaction.clientId, verified, mailboxProvedAt: now })
  })
  if (login === undefined) throw invalidRecovery({ tenantId: handle.tenantId, userId: user.id })
  ctx.wakeOutbox()
  return login
}

/** The owner cancels by the mailed link. An ended link gets the same answer. Routes that call this emit `recovery.cancelled`. */
export const cancelWaitingRecovery = async (ctx: RequestCtx, text: string): Promise<void> => {
  const handle = readTransactionHandle(ctx, 'recovery_cancel', text)
  const loginTransaction = await loadLoginTransaction(ctx, 'recovery_cancel', handle)
  const userId = loginTransaction?.userId
  if (handle === undefined || userId == null) return
  await atomically(forTenant(ctx.db, handle.tenantId), async (t) => {
    const now = ctx.clock.now()
    await endLoginTransactions(t, userId, now, 'recovery_wait')
    await endLoginTransactions(t, userId, now, 'recovery_cancel')
    await recordEvent(t, ctx, { event: 'recovery.cancelled', actor: { type: 'user', id: userId }, target: { type: 'user', id: userId } })
  })
}
