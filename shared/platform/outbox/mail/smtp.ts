// Mail over SMTP (RFC 5321). The only importer of nodemailer, which is loaded with the first message.
import type { SMTPTransportOptions } from 'nodemailer/lib/smtp-transport'
import { importCommonJs } from '#shared/kernel/common-js'
import { ConfigError } from '#shared/kernel/config'
import { AppError } from '#shared/kernel/errors'
import { isMailbox, singleLine } from './header.ts'
import { LOGO_ID } from './letter.ts'
import type { Mail, MailMessage } from './mail.ts'

export type SmtpOptions = {
  /**
   * `smtp://` or `smtps://`. The former uses STARTTLS when offered, and requires it with `?requireTLS=true` or when the URL has credentials for
   * another machine.
   */
  readonly url: string
  /** Address of the sender; the message has the display name. */
  readonly from: string
  /** Time limit for one message including the retry; 10 seconds by default. */
  readonly timeoutMs?: number
}

const TIMEOUT_MS = 10_000
const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|\[?::1\]?)$/

/** Why a message was refused, without the server's text, which repeats addresses. */
export class SmtpFailure extends Error {
  readonly permanent: boolean
  constructor(code: string, replyCode: number | undefined) {
    super(replyCode === undefined ? code : `${code} ${replyCode}`)
    this.name = 'SmtpFailure'
    this.permanent = replyCode !== undefined && replyCode >= 500
  }
}

const failureOf = (error: unknown): SmtpFailure => {
  if (error instanceof SmtpFailure) return error
  const { code, responseCode } = (error instanceof Error ? error : {}) as { code?: unknown; responseCode?: unknown }
  return new SmtpFailure(
    typeof code === 'string' && /^E[A-Z]{2,30}$/.test(code) ? code : 'EUNKNOWN',
    typeof responseCode === 'number' ? responseCode : undefined,
  )
}

/** @throws ConfigError */
export const transportOptions = (text: string, timeoutMs: number): SMTPTransportOptions => {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url === undefined || !/^smtps?:$/.test(url.protocol) || url.hostname === '')
    throw new ConfigError('SMTP_URL: must be smtp://[user:password@]host[:port][?requireTLS=true] or smtps://')
  if (!/^(\?requireTLS=(true|false))?$/.test(url.search)) throw new ConfigError('SMTP_URL: takes no option but requireTLS')
  const secure = url.protocol === 'smtps:'
  const signsIn = url.username !== ''
  return {
    host: url.hostname.replace(/^\[|\]$/g, ''),
    port: Number(url.port) || (secure ? 465 : 587),
    secure,
    requireTLS: !secure && (url.search === '?requireTLS=true' || (signsIn && !LOOPBACK.test(url.hostname))),
    ...(signsIn ? { auth: { user: decodeURIComponent(url.username), pass: decodeURIComponent(url.password) } } : {}),
    connectionTimeout: timeoutMs,
    greetingTimeout: timeoutMs,
    socketTimeout: timeoutMs,
    dnsTimeout: timeoutMs,
    disableFileAccess: true,
    disableUrlAccess: true,
  }
}

/** Rejects when `work` takes longer; the socket's timeouts end the work itself. */
const withinMs = async <T>(ms: number, work: Promise<T>): Promise<T> => {
  let timer: ReturnType<typeof setTimeout> | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new SmtpFailure('ETIMEDOUT', undefined)), ms)
  })
  try {
    return await Promise.race([work, late])
  } finally {
    clearTimeout(timer)
  }
}

const sendOnce = async (options: SMTPTransportOptions, from: string, message: MailMessage): Promise<void> => {
  const { createTransport } = await importCommonJs(import('nodemailer'))
  await createTransport(options).sendMail({
    // Objects, because a string would be parsed as a list of addresses.
    from: { name: singleLine(message.fromName), address: from },
    to: { name: '', address: message.to },
    envelope: { from, to: [message.to] },
    subject: singleLine(message.subject),
    text: message.text,
    html: message.html,
    messageId: singleLine(message.messageId),
    ...(message.logo === undefined
      ? {}
      : {
          attachments: [
            {
              cid: LOGO_ID,
              filename: 'logo',
              contentType: message.logo.type,
              content: Buffer.from(message.logo.content),
              contentDisposition: 'inline' as const,
            },
          ],
        }),
    headers: { 'Auto-Submitted': 'auto-generated' },
  })
}

/** @throws ConfigError at once when the URL or the sender is malformed */
export const smtpMail = ({ url, from, timeoutMs = TIMEOUT_MS }: SmtpOptions): Mail => {
  const options = transportOptions(url, timeoutMs)
  if (!isMailbox(from)) throw new ConfigError('MAIL_FROM: must be one address')

  /** An immediate retry helps when a connection broke; later retries belong to the outbox. */
  const sendWithRetry = async (message: MailMessage, isLate: () => boolean): Promise<void> => {
    try {
      await sendOnce(options, from, message)
    } catch (error) {
      if (failureOf(error).permanent || isLate()) throw error
      await sendOnce(options, from, message)
    }
  }
  return {
    send: async (message) => {
      if (!isMailbox(message.to)) throw new AppError('delivery_failed', undefined, {}, new SmtpFailure('EENVELOPE', undefined))
      let isLate = false
      const sending = sendWithRetry(message, () => isLate)
      try {
        await withinMs(timeoutMs, sending)
      } catch (error) {
        isLate = true
        throw new AppError('delivery_failed', undefined, {}, failureOf(error))
      }
    },
  }
}
