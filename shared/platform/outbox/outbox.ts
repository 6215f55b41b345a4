// The outbox: a mail is written in the transaction that causes it, and sent afterwards. No request waits for a mail server, and no mail is lost with one. What
// clients are told of a sign-out goes the same way.
import * as z from 'zod'
import { isDatabaseUnavailable } from '#db/engine/client'
import { asTenantId, atomically, directory, forTenant, type TenantDb, type TenantTx } from '#db/engine/tenant'
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
  /** In whose name it is sent: sender, heading, subject. */
  readonly tenantName: string
  readonly language?: MailLanguage
  /** The person whose data key seals the message, so that erasing the person erases it too. Without one the tenant's key seals it. */
  readonly subjectId?: string
  /** Sent then, not before. */
  readonly notBefore?: Date
  /** By which those that wait can be taken back: `deleteWaitingMessages`. */
  readonly kind?: MessageKind
}

const BATCH = 20
/** How many are sent at once. A batch of messages that all time out must end well within its lease. */
const AT_ONCE = 5
const LEASE_SECONDS = 60
/** Longer than a message may take. What is left of a lease when a message's turn comes; with less, another sender may take it. */
const MARGIN_SECONDS = 15
const ATTEMPTS = 12
const FIRST_DELAY_SECONDS = 30
const LONGEST_DELAY_SECONDS = 6 * 3600
/** Of one call; a function lives 29 seconds. */
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

/** The sealed column begins with the id of the subject (16 bytes), without which its key is not found. */
const SUBJECT_BYTES = 16
const withSubject = (subjectId: string, sealed: Uint8Array): Uint8Array => Buffer.concat([Buffer.from(subjectId.replaceAll('-', ''), 'hex'), sealed])
const subjectOf = (stored: Uint8Array): string => {
  const hex = Buffer.from(stored.subarray(0, SUBJECT_BYTES)).toString('hex')
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`
}

export type SealedMail = Parameters<typeof insertMessage>[1]

/** A mail's words, fixed and sealed, for a statement that puts it in the outbox beside the change: a later version of a template does not change a mail that waits. */
export const sealMail = async (
  t: TenantTx,
  ctx: Pick<PlatformCtx, 'keyring' | 'clock' | 'random' | 'config'>,
  mail: OutgoingMail,
): Promise<SealedMail> => {
  const id = ctx.random.id()
  // The words of all languages are loaded with the first mail: most requests send none.
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

/** Puts a mail in the outbox, inside the transaction of what it tells about. Call `ctx.wakeOutbox()` once that has committed. A quota of mails is counted by who calls. */
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
 * Seconds until the next try after the given number of failures: doubling from half a minute to six hours, anywhere (`jitter`, 0 to 1) in the upper half of
 * the step, so that what failed together does not come back together.
 */
export const retryDelaySeconds = (failures: number, jitter: number): number => {
  const least = Math.min(FIRST_DELAY_SECONDS * 2 ** (failures - 1), LONGEST_DELAY_SECONDS / 2)
  return Math.round(least * (1 + jitter))
}

/** The class of a failure. Never its text, which may repeat an address. */
const classOf = (error: unknown): string => {
  if (!(error instanceof AppError)) return error instanceof Error ? error.name : 'unknown'
  return error.cause instanceof Error && error.cause.name === 'SmtpFailure' ? `${error.code}: ${error.cause.message}` : error.code
}

/** Sends a logout token to a client's back channel. Implemented in shared/domains/oauth. @throws AppError delivery_failed */
export type DeliverLogoutToken = (t: TenantDb, messageId: string, data: Readonly<Record<string, string>>) => Promise<void>

/** What a sender needs: the context of every group, and the ways out. */
export type OutboxContext = Pick<PlatformCtx, 'db' | 'clock' | 'random' | 'keyring' | 'log' | 'config' | 'signingKeys'> & {
  readonly mail: Mail
  readonly deliverLogoutToken: DeliverLogoutToken
}

type Opened = { readonly state: 'ready'; readonly send: () => Promise<void> } | { readonly state: 'gone' } | { readonly state: 'erased' }
/** @throws on a payload that was changed or moved, or whose master key is not there */
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
  return { state: 'ready', send: () => ctx.mail.send(message) }
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
    // Every sender that took it died before it could say what became of it.
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
 * Sends what is due, for at most 15 seconds and the messages in hand. Each message is sent at least once, always under the same Message-ID, and never by two
 * senders at a time. One message that fails, or cannot be read, holds up no other.
 * @throws DatabaseAway when nothing can be leased
 */
export const sendDueMail = async (ctx: OutboxContext): Promise<SentMail> => {
  const started = ctx.clock.elapsed()
  const isOver = (): boolean => ctx.clock.elapsed() - started > SENDING_MS
  const count: Record<Outcome, number> = { sent: 0, postponed: 0, given_up: 0, left: 0 }
  const attempt = async (leased: LeasedMessage): Promise<Outcome> => {
    try {
      // No time left to send it, or, in a function that was frozen meanwhile, no certainty that it is still ours when it is sent.
      const isLate = isOver() || secondsAfter(ctx.clock.now(), MARGIN_SECONDS) > leased.until
      if (!isLate) return await sendOne(ctx, leased)
      await releaseMessage(directory(ctx.db), leased)
    } catch (error) {
      // Whatever could not be written down: the lease runs out, and the message goes again under its Message-ID.
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
