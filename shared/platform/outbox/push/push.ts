// Messages to a person's phones and browsers. They only wake: what is to be decided is read from us, and decided with us.

export type PushPlatform = 'ios' | 'android' | 'web'
/** The token is the provider's registration token, or of a browser its subscription as JSON. */
export type PushTarget = { readonly platform: PushPlatform; readonly token: string }
export type PushMessage = {
  readonly title: string
  readonly body: string
  /** For the application. No secret: providers read it. */
  readonly data: Readonly<Record<string, string>>
  /** After which it is worth nothing. */
  readonly ttlSeconds: number
}

export type PushOutcome =
  | { readonly result: 'sent' }
  /** Nobody is behind that token any more. */
  | { readonly result: 'gone' }
  | { readonly result: 'failed'; readonly reason: string; readonly retryAfterSeconds?: number }

/** Answers within `PUSH_TIMEOUT_MS`, and never throws. */
export type Push = { send(target: PushTarget, message: PushMessage): Promise<PushOutcome> }

export const PUSH_TIMEOUT_MS = 5000

/** Phones by one provider, browsers by another. Who has none is told so; nothing pretends to have sent. */
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
