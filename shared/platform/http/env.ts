// What one request carries from step to step.
import type { Context, MiddlewareHandler } from 'hono'
import type { RequestInfo } from '#shared/kernel/context'
import type { Caller } from '#shared/platform/principals/principal'
import type { Render } from './problem.ts'
import type { Peer } from './request.ts'
import type { Route } from './route.ts'

/** Names and values as the caller sent them, vetted and not yet judged by a schema. */
export type Sent = Readonly<Record<string, unknown>>

type Variables = {
  requestId: string
  originAllowed: boolean | undefined
  /** What the caller's origin is told, by lower-case names. */
  cors: Readonly<Record<string, string>> | undefined
  /** Whether the caller is told to come over TLS from now on (RFC 6797). */
  hsts: boolean | undefined
  /** Length of the answer's body, where it is known. */
  sentBytes: number | undefined
  route: Route<never> | undefined
  render: Render | undefined
  request: RequestInfo | undefined
  principal: Caller | undefined
  sentQuery: Sent | undefined
  sentBody: unknown
}
export type Env = { Bindings: { peer?: Peer }; Variables: Variables }
export type Exchange = Context<Env>
export type Step = MiddlewareHandler<Env>
/** A part of what happens before a route's rule; the next one follows by itself. */
export type Stage = (c: Exchange) => void | Promise<void>

/** What an earlier step set; asking before that is a mistake of ours. */
export const known = <T>(value: T | undefined, name: string): T => {
  if (value === undefined) throw new Error(`${name} is not known yet`)
  return value
}
