// The kernel's part of the context: process-wide services, and the current request. Higher layers extend it in shared/platform/context.ts and
// shared/domains/context.ts.
import type { Clock } from './clock.ts'
import type { Config } from './config.ts'
import type { Log } from './log.ts'
import type { Random } from './random.ts'

export type KernelCtx = { readonly config: Config; readonly clock: Clock; readonly random: Random; readonly log: Log }

/** The current request. */
export type RequestInfo = {
  readonly id: string
  /** The caller's address as the nearest trusted proxy reports it. */
  readonly address: string
  readonly userAgent: string
  readonly origin: string | undefined
  /** Whether credentialed requests from that origin are allowed: ours, a configured one, or a tenant's verified domain. */
  readonly originAllowed?: boolean
  readonly host: string
  /** Whether the caller used TLS, as the nearest trusted proxy reports it. */
  readonly secure: boolean
  /** The caller's place as the trusted edge names it; empty when unknown. */
  readonly place: string
  readonly method: string
  /** Path and query of the page: this request's own, or those of the page that holds the submitted form. */
  readonly page: string
  readonly route: string
  /** Names of the audit events that the route declares. */
  readonly emits: readonly string[] | 'nothing'
  /** A cookie's value; undefined when it is absent or sent twice. */
  cookie(name: string): string | undefined
  header(name: string): string | undefined
}
