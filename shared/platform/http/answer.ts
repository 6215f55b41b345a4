// What leaves becomes a response once, with all its headers: what surrounds every answer, and what this one says.
import type { Exchange } from './env.ts'

/** An answer before it is a response. */
export type Answer = {
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
const HSTS = 'max-age=31536000; includeSubDomains'

/** By lower-case name, so that each stands there once however it is spelled. `before`: what was prepared already, which these go over. */
export const preparedHeaders = (own: Answer['headers'], before = SURROUNDING): Readonly<Record<string, string>> => {
  const headers: Record<string, string> = { ...before }
  for (const [spelled, value] of Object.entries(own)) {
    const name = spelled.toLowerCase()
    headers[name] = name === 'vary' ? `${value}, Origin` : value
  }
  return headers
}

export const respond = (c: Exchange, { status, body, headers: own, cookies = [], prepared = preparedHeaders(own) }: Answer): Response => {
  const headers: Record<string, string> = { ...prepared, ...c.get('cors'), 'x-request-id': c.get('requestId') }
  if (c.get('hsts')) headers['strict-transport-security'] = HSTS
  c.set('sentBytes', Number(headers['content-length'] ?? '0'))
  const lines = cookies.map((cookie): [string, string] => ['set-cookie', cookie])
  return new Response(body, { status, headers: lines.length === 0 ? headers : [...Object.entries(headers), ...lines] })
}
