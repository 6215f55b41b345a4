// A response before it is sent, and the headers that surround every response.

/** An answer before it is a response. */
export type PreparedResponse = {
  readonly status: number
  readonly body: string | ReadableStream<Uint8Array> | null
  readonly headers: Readonly<Record<string, string>>
  /** Lines of `Set-Cookie`. */
  readonly cookies?: readonly string[]
  /** All headers but those of the request, where the same answer goes out again and again. */
  readonly prepared?: Readonly<Record<string, string>> | undefined
}

/** Unless the answer says otherwise; whatever else an answer varies by, it varies by the origin. */
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
/** By lower-case name, so that each stands there once however it is spelled. `before`: what was prepared already, which these go over. */
export const preparedHeaders = (own: PreparedResponse['headers'], before = SURROUNDING): Readonly<Record<string, string>> => {
  const headers: Record<string, string> = { ...before }
  for (const [spelled, value] of Object.entries(own)) {
    const name = spelled.toLowerCase()
    headers[name] = name === 'vary' ? `${value}, Origin` : value
  }
  return headers
}
