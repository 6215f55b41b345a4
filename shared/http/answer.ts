// What leaves becomes a response once, with all its headers: what surrounds every answer, and what this one says.
import type { Exchange } from './env.ts'

/** An answer before it is a response. */
export type Answer = {
  readonly status: number
  readonly body: string | ReadableStream<Uint8Array> | null
  readonly headers: Readonly<Record<string, string>>
  /** Lines of `Set-Cookie`. */
  readonly cookies: readonly string[]
}

/** Unless the answer says otherwise. */
const SECURITY_HEADERS = {
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'x-xss-protection': '0',
  'referrer-policy': 'strict-origin-when-cross-origin',
  'permissions-policy': 'camera=(), geolocation=(), microphone=(), payment=(), usb=()',
  'content-security-policy': "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; object-src 'none'",
  'cache-control': 'no-store',
}
const HSTS = 'max-age=31536000; includeSubDomains'

const NONE: Answer['headers'] = {}

/** By lower-case name, so that each stands there once however it is spelled. */
const headersOf = (c: Exchange, own: Answer['headers']): Record<string, string> => {
  const headers: Record<string, string> = { ...SECURITY_HEADERS }
  for (const name of Object.keys(own)) headers[name.toLowerCase()] = own[name] ?? ''
  const cors = c.get('cors') ?? NONE
  for (const name of Object.keys(cors)) headers[name.toLowerCase()] = cors[name] ?? ''
  headers['x-request-id'] = c.get('requestId')
  headers.vary = headers.vary === undefined ? 'Origin' : `${headers.vary}, Origin`
  if (c.get('strictTransport') === true) headers['strict-transport-security'] = HSTS
  return headers
}

export const respond = (c: Exchange, { status, body, headers: own, cookies }: Answer): Response => {
  const headers = headersOf(c, own)
  c.set('sentBytes', Number(headers['content-length'] ?? '0'))
  if (cookies.length === 0) return new Response(body, { status, headers })
  const withCookies = new Headers(headers)
  for (const cookie of cookies) withCookies.append('set-cookie', cookie)
  return new Response(body, { status, headers: withCookies })
}
