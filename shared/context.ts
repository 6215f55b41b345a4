// What every group's context has: each part an interface, made once per process by the composition root. Rules ask for the parts they use.
import type { Db } from '#db/client'
import type { AuditEvent } from './audit/events.ts'
import type { Cache } from './cache/cache.ts'
import type { Clock } from './clock.ts'
import type { Config } from './config.ts'
import type { KeyedHash } from './crypto/keyed-hash.ts'
import type { Keyring } from './crypto/keyring.ts'
import type { PasswordHash } from './crypto/password-hash.ts'
import type { Policies } from './decision/policies.ts'
import type { ClientAuthentication } from './http/client-authentication.ts'
import type { Limits } from './http/limits.ts'
import type { Log } from './log.ts'
import type { Metrics } from './metrics/metrics.ts'
import type { Random } from './random.ts'
import type { Quotas } from './tenancy/quotas.ts'
import type { Principals } from './token/principals.ts'
import type { SigningKeys } from './token/signing-keys.ts'
import type { Tracer } from './trace/trace.ts'

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
  readonly emits: readonly AuditEvent[] | 'nothing'
  /** The one value of a cookie; undefined when absent or sent twice. */
  cookie(name: string): string | undefined
  header(name: string): string | undefined
}

export type BaseCtx = {
  readonly config: Config
  readonly db: Db
  readonly cache: Cache
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  readonly metrics: Metrics
  readonly tracer: Tracer
  readonly keyring: Keyring
  readonly hash: KeyedHash
  readonly passwords: PasswordHash
  readonly signingKeys: SigningKeys
  readonly principals: Principals
  readonly policies: Policies
  readonly clientAuthentication: ClientAuthentication
  readonly limits: Limits
  readonly quotas: Quotas
  /** Told after a commit that put something in the outbox; wakes the sender. */
  readonly wakeOutbox: () => void
}

/** The context of one request. */
export type RequestCtx = BaseCtx & { readonly request: RequestInfo }
