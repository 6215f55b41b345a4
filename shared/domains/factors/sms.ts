// A phone as a factor: SMS codes are valid for five minutes and three tries; at most one a minute and five a day, per person and per number.

import { atomically, forTenant, type TenantDb, type TenantTx } from '#db/engine/tenant'
import { claimEnrolmentTry, consumeEnrolment, type EnrolmentKey, findEnrolment, type PendingEnrolment, putEnrolment } from '#db/store/enrolments'
import { type Factor, findFactors, markFactorUsed } from '#db/store/factors'
import {
  findLiveSmsCode,
  findPhones,
  findSmsTimes,
  insertPhone,
  putSmsCode,
  type SmsCode,
  type SmsPhone,
  spendSmsGuess,
  useSmsCode,
} from '#db/store/sms'
import { findTenant } from '#db/store/tenants'
import { lockUser } from '#db/store/users'
import type { RequestCtx } from '#shared/domains/context'
import { notificationLanguage } from '#shared/domains/notifications/notify'
import { secondsAfter } from '#shared/kernel/clock'
import { AppError, type ErrorCode } from '#shared/kernel/errors'
import { randomDigits } from '#shared/kernel/random'
import { recordEvent } from '#shared/platform/audit/audit-log'
import { constantTimeEqual } from '#shared/platform/crypto/equal'
import type { MailLanguage } from '#shared/platform/outbox/mail/language'
import { maskedPhone } from '#shared/platform/outbox/sms/phone'
import type { Sms } from '#shared/platform/outbox/sms/sms'
import { enrolFactor } from './enrolment.ts'
import { type FactorContext, factorContextActor, factorContextBinding } from './factor-context.ts'
import { requireNumberAllowed, useSmsQuotas } from './sms-limits.ts'
import { acceptProof, claimFactorAttempt, notifyPausedFactors, pauseSeconds, type SessionRenewal } from './verify.ts'

export type SmsCtx = RequestCtx & { readonly sms: Sms }

const CODE_SECONDS = 300
const PENDING_SECONDS = 600
export const SMS_GUESSES = 3
const RESEND_SECONDS = 60
const SENDS_A_DAY = 5
const DAY = 24 * 3600
/** A pending phone takes all its codes, each with all its guesses. */
const PENDING_TRIES = SENDS_A_DAY * SMS_GUESSES

const pendingContext = (id: string): string => `pending_enrolments:${id}`
/** The sealing context of a factor's number. */
export const phoneContext = (factorId: string): string => `sms_phones:${factorId}`
const keyOf = (ctx: RequestCtx, factorContext: FactorContext): EnrolmentKey => ({
  userId: factorContext.user.id,
  kind: 'sms',
  binding: factorContextBinding(ctx, factorContext),
})
const codeHash = (ctx: RequestCtx, lockId: string, code: string): Uint8Array => ctx.hash('sms-code', lockId, code)

/** @throws AppError too_many_sms */
const requireSendAllowed = async (t: TenantDb, ctx: SmsCtx, userId: string, phoneHash: Uint8Array): Promise<void> => {
  const now = ctx.clock.now()
  const sent = await findSmsTimes(t, userId, phoneHash, secondsAfter(now, -DAY))
  const [last] = sent
  const oldest = sent[SENDS_A_DAY - 1]
  const until = oldest ? secondsAfter(oldest, DAY) : last ? secondsAfter(last, RESEND_SECONDS) : now
  if (until > now) throw new AppError('too_many_sms', undefined, { retryAfterSeconds: Math.ceil((until.getTime() - now.getTime()) / 1000) })
}

/**
 * Whether a message may go to this number now, before anything is stored. The person's own limits come before the quotas: requests that they refuse use up
 * nothing that others need.
 * @throws AppError sms_number_refused, rate_limited, too_many_sms
 */
const requireMessageAllowed = async (ctx: SmsCtx, { tenantId, user }: FactorContext, phone: string): Promise<void> => {
  await requireNumberAllowed(ctx, phone)
  await requireSendAllowed(forTenant(ctx.db, tenantId), ctx, user.id, ctx.hash('phone', phone))
  await useSmsQuotas(ctx, tenantId)
}

type Sending = { readonly lockId: string; readonly phone: string }

/** Creates and stores a code, to be sent after the commit. Lock the person's row first. */
const createSmsCode = async (t: TenantTx, ctx: SmsCtx, factorContext: FactorContext, { lockId, phone }: Sending): Promise<string> => {
  const now = ctx.clock.now()
  const phoneHash = ctx.hash('phone', phone)
  await requireSendAllowed(t, ctx, factorContext.user.id, phoneHash)
  const code = randomDigits(ctx.random, 6)
  await putSmsCode(t, {
    id: ctx.random.id(),
    userId: factorContext.user.id,
    lockId,
    phoneHash,
    codeHash: codeHash(ctx, lockId, code),
    createdAt: now,
    expiresAt: secondsAfter(now, CODE_SECONDS),
  })
  const after = { phone: maskedPhone(phone) }
  await recordEvent(t, ctx, {
    event: 'sms_code.sent',
    actor: factorContextActor(factorContext),
    target: { type: 'user', id: factorContext.user.id },
    after,
  })
  return code
}

const TEXT: Readonly<Record<MailLanguage, (code: string, host: string) => string>> = {
  en: (code, host) => `${code} is your code for ${host}. It is valid for 5 minutes. Do not share it.`,
  de: (code, host) => `${code} ist Ihr Code für ${host}. Er gilt 5 Minuten. Geben Sie ihn niemandem.`,
}

const sendCode = async (ctx: SmsCtx, { tenantId, user }: FactorContext, phone: string, code: string): Promise<void> => {
  const language = await notificationLanguage(ctx, await findTenant(forTenant(ctx.db, tenantId)), user.language)
  await ctx.sms.send({ to: phone, text: TEXT[language](code, new URL(ctx.config.BASE_URL).host) })
}

export type SmsSent = { readonly display: string; readonly minutes: number; readonly guesses: number }
const toSmsSent = (phone: string): SmsSent => ({ display: maskedPhone(phone), minutes: CODE_SECONDS / 60, guesses: SMS_GUESSES })

/**
 * Starts the enrolment of a phone. An enrolled phone stays a factor; the new one is added once it is proved.
 * Routes that call this emit `sms_code.sent`, `sms.quota_exceeded`.
 * @throws AppError too_many_sms, rate_limited, sms_failed, sms_number_refused, sms_not_configured
 */
export const beginSms = async (ctx: SmsCtx, factorContext: FactorContext, phone: string): Promise<SmsSent> => {
  await requireMessageAllowed(ctx, factorContext, phone)
  const id = ctx.random.id()
  const now = ctx.clock.now()
  const code = await atomically(forTenant(ctx.db, factorContext.tenantId), async (t) => {
    await lockUser(t, factorContext.user.id)
    const sealed = await ctx.keyring.seal(t, factorContext.user.id, phone, pendingContext(id))
    await putEnrolment(t, { id, ...keyOf(ctx, factorContext), sealed, createdAt: now, expiresAt: secondsAfter(now, PENDING_SECONDS) })
    return createSmsCode(t, ctx, factorContext, { lockId: id, phone })
  })
  await sendCode(ctx, factorContext, phone, code)
  return toSmsSent(phone)
}

/** The number that this session or login transaction started with, while a code can still confirm it. For our own page. */
export const pendingPhone = async (ctx: SmsCtx, factorContext: FactorContext): Promise<string | undefined> => {
  const t = forTenant(ctx.db, factorContext.tenantId)
  const pending = await findEnrolment(t, keyOf(ctx, factorContext), ctx.clock.now(), PENDING_TRIES)
  return pending === undefined ? undefined : ctx.keyring.open(t, factorContext.user.id, pending.sealed, pendingContext(pending.id))
}

type Guess = { readonly code: SmsCode } | { readonly failure: ErrorCode; readonly left?: number }

/** Counts a guess against the code and compares. */
const checkGuess = async (t: TenantTx, ctx: SmsCtx, lockId: string, code: string): Promise<Guess> => {
  const now = ctx.clock.now()
  const live = await spendSmsGuess(t, lockId, now, SMS_GUESSES)
  if (live === undefined) return { failure: (await findLiveSmsCode(t, lockId, now)) === undefined ? 'sms_code_expired' : 'sms_attempts_used' }
  return constantTimeEqual(live.codeHash, codeHash(ctx, lockId, code))
    ? { code: live }
    : { failure: 'invalid_sms_code', left: SMS_GUESSES - live.attempts }
}

const smsError = (
  factorContext: FactorContext,
  event: string,
  { failure, left }: { readonly failure: ErrorCode; readonly left?: number },
): AppError =>
  new AppError(failure, undefined, {
    refusal: { tenantId: factorContext.tenantId, userId: factorContext.user.id, event },
    ...(left === undefined ? {} : { extra: { attempts_remaining: left } }),
  })

/** The try counts whatever the outcome, so it commits on its own. */
const tryPhone = (
  ctx: SmsCtx,
  factorContext: FactorContext,
  phone: string,
  code: string,
): Promise<(Guess & { readonly pending: PendingEnrolment }) | undefined> =>
  atomically(forTenant(ctx.db, factorContext.tenantId), async (t) => {
    const pending = await claimEnrolmentTry(t, keyOf(ctx, factorContext), ctx.clock.now(), PENDING_TRIES)
    const kept = pending === undefined ? undefined : await ctx.keyring.open(t, factorContext.user.id, pending.sealed, pendingContext(pending.id))
    if (pending === undefined || kept !== phone) return undefined
    return { ...(await checkGuess(t, ctx, pending.id, code)), pending }
  })

/**
 * Confirms the code; the phone becomes a factor.
 * Routes that call this emit `factor.added`.
 * @throws AppError sms_not_initiated, invalid_sms_code, sms_code_expired, sms_attempts_used, authentication_required, factor_limit
 */
export const confirmSms = async (ctx: SmsCtx, factorContext: FactorContext, phone: string, code: string): Promise<SmsSent> => {
  const tried = await tryPhone(ctx, factorContext, phone, code)
  if (tried === undefined) throw smsError(factorContext, 'factor.added', { failure: 'sms_not_initiated' })
  if (!('code' in tried)) throw smsError(factorContext, 'factor.added', tried)
  const { id } = tried.pending
  await atomically(forTenant(ctx.db, factorContext.tenantId), async (t) => {
    const now = ctx.clock.now()
    const userId = factorContext.user.id
    await lockUser(t, userId)
    const isFirst = (await useSmsCode(t, tried.code.id, now)) && (await consumeEnrolment(t, id, now)) !== undefined
    if (!isFirst) throw smsError(factorContext, 'factor.added', { failure: 'sms_not_initiated' })
    const store = async (tx: TenantTx): Promise<void> => {
      const sealed = await ctx.keyring.seal(tx, userId, phone, phoneContext(id))
      await insertPhone(tx, { factorId: id, userId, sealed, phoneHash: ctx.hash('phone', phone), display: maskedPhone(phone) })
    }
    await enrolFactor(t, ctx, factorContext, { id, kind: 'sms', name: '', amr: ['sms'], store })
  })
  ctx.wakeOutbox()
  return toSmsSent(phone)
}

type EnrolledPhone = { readonly factor: Factor; readonly phone: SmsPhone }

/** The person's phone: the primary one, else the first. */
const findPhone = async (ctx: SmsCtx, factorContext: FactorContext): Promise<EnrolledPhone> => {
  const t = forTenant(ctx.db, factorContext.tenantId)
  const factor = (await findFactors(t, factorContext.user.id)).find(({ kind }) => kind === 'sms')
  const [phone] = factor === undefined ? [] : await findPhones(t, [factor.id])
  if (factor === undefined || phone === undefined) throw smsError(factorContext, 'factor.verified', { failure: 'sms_not_enabled' })
  const seconds = pauseSeconds(ctx, [factor])
  if (seconds !== undefined) throw new AppError('factor_paused', undefined, { retryAfterSeconds: seconds })
  return { factor, phone }
}

/**
 * Sends a code to the enrolled phone.
 * Routes that call this emit `sms_code.sent`, `sms.quota_exceeded`.
 * @throws AppError sms_not_enabled, factor_paused, too_many_sms, rate_limited, sms_failed, sms_number_refused, sms_not_configured
 */
export const requestSms = async (ctx: SmsCtx, factorContext: FactorContext): Promise<SmsSent> => {
  const { factor, phone: kept } = await findPhone(ctx, factorContext)
  const phone = await ctx.keyring.open(forTenant(ctx.db, factorContext.tenantId), factorContext.user.id, kept.sealed, phoneContext(factor.id))
  if (phone === undefined) throw smsError(factorContext, 'factor.verified', { failure: 'sms_not_enabled' })
  await requireMessageAllowed(ctx, factorContext, phone)
  const code = await atomically(forTenant(ctx.db, factorContext.tenantId), async (t) => {
    await lockUser(t, factorContext.user.id)
    return createSmsCode(t, ctx, factorContext, { lockId: factor.id, phone })
  })
  await sendCode(ctx, factorContext, phone, code)
  return toSmsSent(phone)
}

type Verified = { readonly failure: ErrorCode; readonly left?: number } | { readonly renewal: SessionRenewal | undefined }

/** Counts against the code and against the factor; a new code does not reset the factor's count. */
const tryCode = async (t: TenantTx, ctx: SmsCtx, factorContext: FactorContext, factor: Factor, code: string): Promise<Verified> => {
  const { user } = factorContext
  const now = ctx.clock.now()
  await lockUser(t, user.id)
  const tried = await claimFactorAttempt(t, ctx, user, { id: factor.id })
  if (tried.length === 0) return { failure: 'factor_paused' }
  const guessed = await checkGuess(t, ctx, factor.id, code)
  if (!('code' in guessed)) {
    await notifyPausedFactors(t, ctx, user, tried)
    return guessed
  }
  if (!(await useSmsCode(t, guessed.code.id, now))) return { failure: 'sms_code_expired' }
  await markFactorUsed(t, user.id, factor.id, now)
  return { renewal: await acceptProof(t, ctx, factorContext, { factorId: factor.id, kind: 'sms', amr: ['sms'] }) }
}

/**
 * Verifies a code. Routes that call this emit `factor.verified`, `factor.paused`, `session.stepped_up`.
 * @throws AppError sms_not_enabled, factor_paused, invalid_sms_code, sms_code_expired, sms_attempts_used, authentication_required
 */
export const verifySms = async (ctx: SmsCtx, factorContext: FactorContext, code: string): Promise<SessionRenewal | undefined> => {
  const { factor } = await findPhone(ctx, factorContext)
  const outcome = await atomically(forTenant(ctx.db, factorContext.tenantId), (t) => tryCode(t, ctx, factorContext, factor, code))
  ctx.wakeOutbox()
  if ('failure' in outcome) throw smsError(factorContext, 'factor.verified', outcome)
  return outcome.renewal
}
