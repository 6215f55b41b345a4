// Keeps messages in memory, for the local server and tests.
import type { Clock } from '#shared/kernel/clock'
import { AppError } from '#shared/kernel/errors'
import { isPhoneNumber } from './phone.ts'
import type { Sms, SmsMessage } from './sms.ts'

export type CapturedSms = SmsMessage & { readonly at: Date }
export type LocalSms = Sms & {
  /** The last 500 messages, oldest first. */
  readonly outbox: readonly CapturedSms[]
}

const KEPT = 500

export const localSms = (clock: Clock): LocalSms => {
  const outbox: CapturedSms[] = []
  return {
    outbox,
    send: async (message) => {
      if (!isPhoneNumber(message.to)) throw new AppError('sms_number_refused')
      outbox.push({ ...message, at: clock.now() })
      if (outbox.length > KEPT) outbox.shift()
    },
  }
}
