// Web Push to browsers (RFC 8030) with VAPID (RFC 8292) and encrypted payloads (RFC 8291). The push service's URL comes from the browser, so requests use
// the guarded outbound client.
import * as z from 'zod'
import type { Clock } from '#shared/kernel/clock'
import { FetchFailure, type Outbound } from '#shared/platform/fetch/guarded'
import { PUSH_TIMEOUT_MS, type Push, type PushMessage, type PushOutcome, retryAfterSeconds } from './push.ts'

/** `PushSubscription.toJSON()` (Push API section 8). */
const Subscription = z.object({
  endpoint: z.url().max(1500),
  keys: z.object({ p256dh: z.string().regex(/^[\w-]{87,88}=?$/), auth: z.string().regex(/^[\w-]{22}={0,2}$/) }),
})
export type Subscription = z.output<typeof Subscription>

/** Undefined when the token is not a subscription. */
export const parseSubscription = (token: string): Subscription | undefined => {
  try {
    return Subscription.parse(JSON.parse(token))
  } catch {
    return undefined
  }
}

export type VapidKeys = { readonly subject: string; readonly publicKey: string; readonly privateKey: string }
type Options = { readonly vapid: VapidKeys; readonly outbound: Outbound; readonly clock: Clock; readonly timeoutMs?: number }

/** RFC 8030 section 5: 201 means accepted; 404 and 410 mean that the subscription has ended. */
const outcomeOf = (status: number, after: string | undefined, now: Date): PushOutcome => {
  if (status >= 200 && status < 300) return { result: 'sent' }
  if (status === 404 || status === 410) return { result: 'gone' }
  const seconds = retryAfterSeconds(after, now)
  return { result: 'failed', reason: `status_${status}`, ...(seconds === undefined ? {} : { retryAfterSeconds: seconds }) }
}

const LATE: PushOutcome = { result: 'failed', reason: 'timeout' }
/** The result of `work`, or a timeout. */
const within = async (timeoutMs: number, work: Promise<PushOutcome>): Promise<PushOutcome> => {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<PushOutcome>((resolve) => {
    timer = setTimeout(() => resolve(LATE), timeoutMs)
  })
  try {
    return await Promise.race([work, late])
  } finally {
    clearTimeout(timer)
  }
}

export const webPush = ({ vapid, outbound, clock, timeoutMs = PUSH_TIMEOUT_MS }: Options): Push => {
  const deliver = async (subscription: Subscription, { title, body, data, ttlSeconds }: PushMessage): Promise<PushOutcome> => {
    // Loaded with the first message to a browser: most functions never send one.
    const { default: library } = await import('web-push')
    const request = library.generateRequestDetails(subscription, JSON.stringify({ title, body, data }), {
      vapidDetails: { subject: vapid.subject, publicKey: vapid.publicKey, privateKey: vapid.privateKey },
      TTL: ttlSeconds,
      urgency: 'high',
      contentEncoding: 'aes128gcm',
    })
    const headers = Object.fromEntries(Object.entries(request.headers as Record<string, unknown>).map(([name, value]) => [name, String(value)]))
    const answer = await outbound.send({
      url: subscription.endpoint,
      method: 'POST',
      headers,
      ...(request.body === null ? {} : { body: request.body }),
    })
    return outcomeOf(answer.status, answer.header('retry-after'), clock.now())
  }
  return {
    send: async ({ token }, message) => {
      const subscription = parseSubscription(token)
      if (subscription === undefined) return { result: 'gone' }
      try {
        return await within(timeoutMs, deliver(subscription, message))
      } catch (error) {
        return { result: 'failed', reason: error instanceof FetchFailure ? error.reason : error instanceof Error ? error.name : 'unknown' }
      }
    },
  }
}
