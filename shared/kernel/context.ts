// What the lowest layer knows of a process and of the request it is serving. Higher layers add their parts: shared/platform/context.ts, shared/domains/context.ts.
import type { Clock } from './clock.ts'
import type { Config } from './config.ts'
import type { Log } from './log.ts'
import type { Random } from './random.ts'

export type KernelCtx = { readonly config: Config; readonly clock: Clock; readonly random: Random; readonly log: Log }

/** What is known of the request that is being served. */
export type RequestInfo = {
  readonly id: string
  /** The caller's address, from the trusted hop alone. */
  readonly address: string
  readonly userAgent: string
  readonly origin: string | undefined
  /** Whether that origin's calls are answered with credentials: ours, a configured one, a tenant's verified domain. */
  readonly originAllowed?: boolean
  readonly host: string
  /** Whether the caller came over TLS, by the trusted hop. */
  readonly secure: boolean
  /** Where the caller is, in the words of the trusted edge; empty where none says. */
  readonly place: string
  readonly method: string
  /** Path and query of the page: of this request, or where the form stands that it sends. */
  readonly page: string
  readonly route: string
  /** Names of the audit events that the route declares. */
  readonly emits: readonly string[] | 'nothing'
  /** The one value of a cookie; undefined when absent or sent twice. */
  cookie(name: string): string | undefined
  header(name: string): string | undefined
}
