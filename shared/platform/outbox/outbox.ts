// The outbox: a mail is written in the transaction that causes it and sent afterwards, so that no request waits for a mail server and no mail is lost.
// Logout tokens for clients' back channels use the same queue.
import * as z from 'zod'
import { isDatabaseUnavailable } from '#db/engine/client'
import { asTenantId, atomically, directory, forTenant, type TenantDb, type TenantTx } from '#db/engine/tenant'
import { findPageBranding } from '#db/store/branding'
import {
  abandonMessage,
  deleteFromQueue,
  findWaitingMessage,
  insertMessage,
  type LeasedMessage,
  leaseDueMessages,
  type MessageKind,
  markMessageSent,
  postponeMessage,
  releaseMessage,
} from '#db/store/outbox'
import { secondsAfter } from '#shared/kernel/clock'
import { AppError } from '#shared/kernel/errors'
import type { PlatformCtx } from '#shared/platform/context'
import type { MailLanguage } from './mail/language.ts'
import type { Mail, MailMessage } from './mail/mail.ts'
import type { MailContent } from './mail/mail-data.ts'

export type OutgoingMail = MailContent & {
  readonly to: string
  /** Name of the tenant for sender, heading and subject. */
  readonly tenantName: string
  readonly language?: MailLanguage
  /** The person whose data key seals the message, so that erasing the person erases the message; without one, the tenant's key. */
  readonly subjectId?: string
  /** Earliest time of sending. */
  readonly notBefore?: Date
  /** Allows waiting messages to be withdrawn by kind: `dropWaiting`. */
  readonly kind?: MessageKind
}

const BATCH = 20
/** Concurrent sends. A batch in which every message times out must end well within its lease. */
const AT_ONCE = 5
const LEASE_SECONDS = 60
/** Minimum rest of a lease before a message is sent, longer than sending may take; with less, another sender could take it. */
const MARGIN_SECONDS = 15
const ATTEMPTS = 12
const FIRST_DELAY_SECONDS = 30
const LONGEST_DELAY_SECONDS = 6 * 3600
/** Time limit of one call; a function lives 29 seconds. */
const SENDING_MS = 15_000

const Sealed = z.object({
  to: z.string(),
  subject: z.string(),
  text: z.string(),
  html: z.string(),
  fromName: z.string(),
  messageId: z.string(),
}) satisfies z.ZodType<MailMessage>

const contextOf = (id: string): string => `outbox_messages:${id}`

/** The sealed column starts with the subject's id (16 bytes), which is needed to find its key. */
const SUBJECT_BYTES = 16
const withSubject = (subjectId: string, sealed: Uint8Array): Uint8Array => Buffer.concat([Buffer.from(subjectId.replaceAll('-', ''), 'hex'), sealed])
const subjectOf = (stored: Uint8Array): string => {
  const hex = Buffer.from(stored.subarray(0, SUBJECT_BYTES)).toString('hex')
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`
}

export type SealedMail = Parameters<typeof insertMessage>[1]

/** Renders and seals a mail, for a statement that inserts it together with the change. Later template versions do not affect a waiting mail. */
export const sealMail = async (
  t: TenantTx,
  ctx: Pick<PlatformCtx, 'keyring' | 'clock' | 'random' | 'config'>,
  mail: OutgoingMail,
): Promise<SealedMail> => {
  const id = ctx.random.id()
  // The texts of all languages are loaded with the first mail: most requests send none.
  const { safeDisplayName, renderMail } = await import('./mail/templates.ts')
  const message: MailMessage = {
    ...renderMail(mail, mail.tenantName, mail.language),
    to: mail.to,
    fromName: safeDisplayName(mail.tenantName),
    messageId: `<${id}@${new URL(ctx.config.BASE_URL).hostname}>`,
  }
  const subjectId = asTenantId(mail.subjectId ?? t.tenantId)
  const sealed = await ctx.keyring.seal(t, subjectId, JSON.stringify(message), contextOf(id))
  const createdAt = ctx.clock.now()
  return { id, kind: mail.kind ?? 'mail', sealed: withSubject(subjectId, sealed), createdAt, dueAt: mail.notBefore ?? createdAt }
}

/** Inserts a mail in the caller's transaction. Call `ctx.wakeOutbox()` after the commit. The caller counts mail quotas. */
export const enqueueMail = async (
  t: TenantTx,
  ctx: Pick<PlatformCtx, 'keyring' | 'clock' | 'random' | 'config'>,
  mail: OutgoingMail,
): Promise<{ readonly id: string }> => {
  const sealed = await sealMail(t, ctx, mail)
  await insertMessage(t, sealed)
  return { id: sealed.id }
}

/**
 * Seconds until the next attempt after the given number of failures: doubling from half a minute to six hours, with `jitter` (0 to 1) choosing a
 * point in the upper half of the step, so that simultaneous failures are not retried together.
 */
export const retryDelaySeconds = (failures: number, jitter: number): number => {
  const least = Math.min(FIRST_DELAY_SECONDS * 2 ** (failures - 1), LONGEST_DELAY_SECONDS / 2)
  return Math.round(least * (1 + jitter))
}

/** The class of a failure, never its text, which may contain an address. */
const classOf = (error: unknown): string => {
  if (!(error instanceof AppError)) return error instanceof Error ? error.name : 'unknown'
  return error.cause instanceof Error && error.cause.name === 'SmtpFailure' ? `${error.code}: ${error.cause.message}` : error.code
}

/**
 * Sends a logout token to a client's back channel. Implemented in shared/domains/oauth.
 * @throws AppError delivery_failed
 */
export type DeliverLogoutToken = (t: TenantDb, messageId: string, data: Readonly<Record<string, string>>) => Promise<void>

/** Dependencies of the sender. */
export type OutboxContext = Pick<PlatformCtx, 'db' | 'clock' | 'random' | 'keyring' | 'log' | 'config' | 'signingKeys'> & {
  readonly mail: Mail
  readonly deliverLogoutToken: DeliverLogoutToken
}

type Opened = { readonly state: 'ready'; readonly send: () => Promise<void> } | { readonly state: 'gone' } | { readonly state: 'erased' }
/** @throws on an altered or moved payload, or a missing master key */
const openMessage = async (ctx: OutboxContext, t: TenantDb, id: string): Promise<Opened> => {
  const waiting = await findWaitingMessage(t, id)
  const { kind, data, sealed: stored } = waiting ?? {}
  if (kind === 'logout_token' && data) {
    return { state: 'ready', send: () => ctx.deliverLogoutToken(t, id, data) }
  }
  if (stored === undefined || stored === null) return { state: 'gone' }
  const plain = await ctx.keyring.open(t, subjectOf(stored), stored.subarray(SUBJECT_BYTES), contextOf(id))
  if (plain === undefined) return { state: 'erased' }
  const message = Sealed.parse(JSON.parse(plain))
  const { branding } = await findPageBranding(t)
  // The texts of the letter are loaded with the first mail.
  const { brandMail } = await import('./mail/brand-mail.ts')
  return { state: 'ready', send: () => ctx.mail.send(brandMail(message, branding)) }
}

type Outcome = 'sent' | 'postponed' | 'given_up' | 'left'

const failed = async (ctx: OutboxContext, t: TenantDb, leased: LeasedMessage, error: unknown): Promise<Outcome> => {
  const failures = leased.attempts
  const isLast = failures >= ATTEMPTS
  ctx.log.warn(isLast ? 'mail.given_up' : 'mail.postponed', { tenant_id: t.tenantId, message_id: leased.id, failures, error: classOf(error) })
  const now = ctx.clock.now()
  if (isLast) {
    const mine = await atomically(t, (tx) => abandonMessage(tx, leased, now, classOf(error), false))
    return mine ? 'given_up' : 'left'
  }
  const jitter = (ctx.random.bytes(1)[0] ?? 0) / 255
  const mine = await atomically(t, (tx) => postponeMessage(tx, leased, secondsAfter(now, retryDelaySeconds(failures, jitter)), classOf(error)))
  return mine ? 'postponed' : 'left'
}

const sendOne = async (ctx: OutboxContext, leased: LeasedMessage): Promise<Outcome> => {
  const t = forTenant(ctx.db, leased.tenantId)
  if (leased.attempts > ATTEMPTS) {
    // Every sender that leased it crashed before recording an outcome.
    await atomically(t, (tx) => abandonMessage(tx, leased, ctx.clock.now(), 'unsettled', false))
    return 'given_up'
  }
  try {
    const opened = await openMessage(ctx, t, leased.id)
    if (opened.state === 'gone') {
      await deleteFromQueue(t, leased)
      return 'left'
    }
    if (opened.state === 'erased') {
      await atomically(t, (tx) => abandonMessage(tx, leased, ctx.clock.now(), 'erased', true))
      return 'given_up'
    }
    await opened.send()
  } catch (error) {
    if (isDatabaseUnavailable(error)) throw error
    return failed(ctx, t, leased, error)
  }
  await atomically(t, (tx) => markMessageSent(tx, leased, ctx.clock.now()))
  return 'sent'
}

export type SentMail = { readonly [K in Outcome]: number }

/**
 * Sends due messages for at most 15 seconds plus those in progress. Each message is sent at least once, always with the same Message-ID, and never by
 * two senders at a time. A failing or unreadable message does not block others.
 * @throws DatabaseUnavailable when nothing can be leased
 */
export const sendDueMail = async (ctx: OutboxContext): Promise<SentMail> => {
  const started = ctx.clock.elapsed()
  const isOver = (): boolean => ctx.clock.elapsed() - started > SENDING_MS
  const count: Record<Outcome, number> = { sent: 0, postponed: 0, given_up: 0, left: 0 }
  const attempt = async (leased: LeasedMessage): Promise<Outcome> => {
    try {
      // Either no time is left to send it, or the function was frozen and the lease may end during sending.
      const isLate = isOver() || secondsAfter(ctx.clock.now(), MARGIN_SECONDS) > leased.until
      if (!isLate) return await sendOne(ctx, leased)
      await releaseMessage(directory(ctx.db), leased)
    } catch (error) {
      // The outcome could not be stored: the lease expires, and the message is sent again with its Message-ID.
      ctx.log.error('mail.unsettled', error, { tenant_id: leased.tenantId, message_id: leased.id })
    }
    return 'left'
  }
  for (;;) {
    const now = ctx.clock.now()
    const leased = [...(await leaseDueMessages(directory(ctx.db), now, secondsAfter(now, LEASE_SECONDS), BATCH))]
    const isLast = leased.length < BATCH
    const worker = async (): Promise<void> => {
      for (let next = leased.shift(); next !== undefined; next = leased.shift()) count[await attempt(next)] += 1
    }
    await Promise.all(Array.from({ length: AT_ONCE }, worker))
    if (isLast || isOver()) return count
  }
}
