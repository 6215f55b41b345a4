// State of one request, passed from step to step.
import type { Context, MiddlewareHandler } from 'hono'
import type { RequestInfo } from '#shared/kernel/context'
import type { Caller } from '#shared/platform/principals/principal'
import type { ErrorRenderer } from './problem.ts'
import type { Peer } from './request.ts'
import type { Route } from './route.ts'

/** Names and values as the caller sent them, vetted but not yet validated by a schema. */
export type RequestPart = Readonly<Record<string, unknown>>

type Variables = {
  requestId: string
  originAllowed: boolean | undefined
  /** CORS headers for the caller's origin, by lower-case names. */
  cors: Readonly<Record<string, string>> | undefined
  /** Whether the response carries Strict-Transport-Security (RFC 6797). */
  hsts: boolean | undefined
  /** Length of the response body, when known. */
  sentBytes: number | undefined
  route: Route<never> | undefined
  render: ErrorRenderer | undefined
  request: RequestInfo | undefined
  principal: Caller | undefined
  sentQuery: RequestPart | undefined
  sentBody: unknown
  /** The text of the body, where a declared body was read. */
  bodyText: string | undefined
}
export type Env = { Bindings: { peer?: Peer }; Variables: Variables }
export type HttpContext = Context<Env>
export type Middleware = MiddlewareHandler<Env>
/** A step before the route's rule; the next one follows by itself. */
export type RequestStage = (c: HttpContext) => void | Promise<void>

/** A value that an earlier step has set. Reading it too early is a programming error. */
export const requireDefined = <T>(value: T | undefined, name: string): T => {
  if (value === undefined) throw new Error(`${name} is not set yet`)
  return value
}
