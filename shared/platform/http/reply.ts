// Turns a handler's result into a response that contains only what the declaration lists.
import type * as z from 'zod'
import type { RequestInfo } from '#shared/kernel/context'
import { UNAVAILABLE_HEADERS } from './problem.ts'
import { type PreparedResponse, preparedHeaders } from './response-headers.ts'
import { ConstantResult, type Cookie, HttpResult, type Route } from './route.ts'

/** Browsers keep a `__Host-` cookie only with `Secure` and `Path=/` (RFC 6265bis section 4.1.3.2). */
export const cookieLine = (cookie: Cookie, secure: boolean): string =>
  `${cookie.name}=${cookie.value}; Path=${cookie.path ?? '/'}; Max-Age=${cookie.maxAgeSeconds}; HttpOnly; SameSite=${cookie.sameSite}${secure ? '; Secure' : ''}`

const opaqueTag = (tag: string): string => tag.trim().replace(/^W\//, '')

/** Whether the client already has this version (RFC 9110 section 13.1.2): weak comparison with a list, or `*`. */
const hasCurrent = (etag: string, ifNoneMatch: string): boolean =>
  ifNoneMatch.trim() === '*' || ifNoneMatch.split(',').some((tag) => opaqueTag(tag) === opaqueTag(etag))

/** A 304 keeps the headers that caches need and describes no body (RFC 9110 section 15.4.5). */
export const notModified = (answer: PreparedResponse, request: Request): PreparedResponse => {
  const { ETag: etag } = answer.headers
  const isRead = request.method === 'GET' || request.method === 'HEAD'
  const wanted = etag !== undefined && isRead && answer.status === 200 ? request.headers.get('if-none-match') : null
  if (etag === undefined || wanted === null || !hasCurrent(etag, wanted)) return answer
  const { 'Content-Length': _, 'Content-Type': __, ...headers } = answer.headers
  return { ...answer, status: 304, body: null, headers, prepared: undefined }
}

type Variant = Route<never>['reply']['variants'][number]
type Chosen = { readonly variant: Variant; readonly value: unknown }

const chosenOf = (route: Route<never>, result: unknown): Chosen => {
  const { variants, bare } = route.reply
  const named = bare ? undefined : (result as { readonly status: number; readonly body: unknown })
  const variant = bare ? variants[0] : variants.find(({ status }) => status === named?.status)
  if (variant === undefined) throw new Error(`${route.id} answered a status that it did not declare`)
  return { variant, value: bare ? result : named?.body }
}

type Fixed = Required<Pick<PreparedResponse, 'headers' | 'prepared'>>
const fixedOf = new WeakMap<Route<never>, Map<Variant, Fixed>>()

/** The headers that all answers of a route with that variant share. */
const fixedHeaders = (route: Route<never>, variant: Variant): Fixed => {
  const known = fixedOf.get(route) ?? new Map<Variant, Fixed>()
  fixedOf.set(route, known)
  const made = known.get(variant)
  if (made !== undefined) return made
  const headers: Record<string, string> = {
    ...(variant.type !== '' && { 'Content-Type': variant.type }),
    ...(variant.status === 503 && UNAVAILABLE_HEADERS),
    ...(route.cache !== undefined && { 'Cache-Control': route.cache }),
    ...variant.headers,
  }
  const fixed = { headers, prepared: preparedHeaders(headers) }
  known.set(variant, fixed)
  return fixed
}

/** Builds the answer. A result that its schema refuses throws, and becomes `internal`. */
export const replyWith = (route: Route<never>, outcome: unknown, request: Pick<RequestInfo, 'secure'>): PreparedResponse => {
  const known = outcome instanceof ConstantResult ? outcome.answers.get(route) : undefined
  if (known !== undefined) return known
  const sent = outcome instanceof HttpResult ? (outcome as HttpResult<unknown>) : new HttpResult<unknown>(outcome)
  const { variant, value } = chosenOf(route, sent.result)
  const body = variant.schema === undefined ? (value ?? null) : JSON.stringify((variant.schema as z.ZodType).parse(value))
  const fixed = fixedHeaders(route, variant)
  const own = typeof body === 'string' ? { ...sent.headers, 'Content-Length': String(Buffer.byteLength(body)) } : sent.headers
  const cookies = sent.cookies.map((cookie) => cookieLine(cookie, request.secure))
  const answer = {
    status: variant.status,
    body: body as PreparedResponse['body'],
    headers: { ...fixed.headers, ...own },
    cookies,
    prepared: preparedHeaders(own, fixed.prepared),
  }
  if (outcome instanceof ConstantResult) outcome.answers.set(route, answer)
  return answer
}
