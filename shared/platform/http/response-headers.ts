// An answer before it becomes a Response, and the headers that every response has.

export type PreparedResponse = {
  readonly status: number
  readonly body: string | ReadableStream<Uint8Array> | null
  readonly headers: Readonly<Record<string, string>>
  /** Lines of `Set-Cookie`. */
  readonly cookies?: readonly string[]
  /** All headers except those of the request, precomputed for answers that repeat. */
  readonly prepared?: Readonly<Record<string, string>> | undefined
}

/** Defaults that an answer may override. `vary` always includes Origin. */
const SURROUNDING: Readonly<Record<string, string>> = {
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'x-xss-protection': '0',
  'referrer-policy': 'strict-origin-when-cross-origin',
  'permissions-policy': 'camera=(), geolocation=(), microphone=(), payment=(), usb=()',
  'content-security-policy': "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; object-src 'none'",
  'cache-control': 'no-store',
  vary: 'Origin',
}
/** Headers by lower-case name, so that each appears once. They override `before`. */
export const preparedHeaders = (own: PreparedResponse['headers'], before = SURROUNDING): Readonly<Record<string, string>> => {
  const headers: Record<string, string> = { ...before }
  for (const [spelled, value] of Object.entries(own)) {
    const name = spelled.toLowerCase()
    headers[name] = name === 'vary' ? `${value}, Origin` : value
  }
  return headers
}
