// Keeps messages in memory, for the local server and tests.
import type { Clock } from '#shared/kernel/clock'
import { AppError } from '#shared/kernel/errors'
import { isMailbox, singleLine } from './header.ts'
import type { Mail, MailMessage } from './mail.ts'

export type CapturedMail = MailMessage & { readonly at: Date }
export type LocalMail = Mail & {
  /** The last 500 messages, oldest first. */
  readonly outbox: readonly CapturedMail[]
}

const KEPT = 500

export const localMail = (clock: Clock): LocalMail => {
  const outbox: CapturedMail[] = []
  return {
    outbox,
    send: async (message) => {
      if (!isMailbox(message.to)) throw new AppError('delivery_failed')
      outbox.push({ ...message, subject: singleLine(message.subject), fromName: singleLine(message.fromName), at: clock.now() })
      if (outbox.length > KEPT) outbox.shift()
    },
  }
}
