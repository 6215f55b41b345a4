// Keeps messages in memory, for the local server and tests.
import type { Clock } from '#shared/kernel/clock'
import type { Push, PushMessage, PushPlatform } from './push.ts'

export type CapturedPush = PushMessage & { readonly platform: PushPlatform; readonly token: string; readonly at: Date }
export type LocalPush = Push & {
  /** The last 500 messages, oldest first. */
  readonly outbox: readonly CapturedPush[]
  /** Makes the token unregistered. */
  unregister(token: string): void
  /** Makes deliveries to the token fail. */
  fail(token: string): void
}

const KEPT = 500

export const localPush = (clock: Clock): LocalPush => {
  const outbox: CapturedPush[] = []
  const [gone, failing] = [new Set<string>(), new Set<string>()]
  return {
    outbox,
    unregister: (token) => void gone.add(token),
    fail: (token) => void failing.add(token),
    send: async ({ platform, token }, message) => {
      if (gone.has(token)) return { result: 'gone' }
      if (failing.has(token)) return { result: 'failed', reason: 'told_to' }
      outbox.push({ ...message, platform, token, at: clock.now() })
      if (outbox.length > KEPT) outbox.shift()
      return { result: 'sent' }
    },
  }
}
