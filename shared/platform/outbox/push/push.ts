// Push messages to a person's phones and browsers. A message only alerts: the person reads and decides on our pages.

export type PushPlatform = 'ios' | 'android' | 'web'
/** The provider's registration token, or a browser's subscription as JSON. */
export type PushTarget = { readonly platform: PushPlatform; readonly token: string }
export type PushMessage = {
  readonly title: string
  readonly body: string
  /** Data for the application. Must not contain secrets, because providers can read it. */
  readonly data: Readonly<Record<string, string>>
  /** Lifetime of the message in seconds. */
  readonly ttlSeconds: number
}

export type PushOutcome =
  | { readonly result: 'sent' }
  /** The token is no longer registered. */
  | { readonly result: 'gone' }
  | { readonly result: 'failed'; readonly reason: string; readonly retryAfterSeconds?: number }

/** Resolves within `PUSH_TIMEOUT_MS` and never throws. */
export type Push = { send(target: PushTarget, message: PushMessage): Promise<PushOutcome> }

export const PUSH_TIMEOUT_MS = 5000

/** Sends to phones by one provider and to browsers by another. Without a provider the result is `not_configured`. */
export const routedPush = (providers: Readonly<Record<'phones' | 'browsers', Push | undefined>>): Push => ({
  send: async (target, message) => {
    const provider = target.platform === 'web' ? providers.browsers : providers.phones
    return provider === undefined ? { result: 'failed', reason: 'not_configured' } : provider.send(target, message)
  },
})

/** `Retry-After` in seconds, as a number or a date (RFC 9110 section 10.2.3). */
export const retryAfterSeconds = (value: string | null | undefined, now: Date): number | undefined => {
  if (value === null || value === undefined || value === '') return undefined
  const seconds = /^\d+$/.test(value) ? Number(value) : Math.ceil((Date.parse(value) - now.getTime()) / 1000)
  return Number.isFinite(seconds) ? Math.max(0, seconds) : undefined
}
