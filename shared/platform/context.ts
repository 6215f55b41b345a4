// What every group's context has: each part an interface, made once per process by the composition root. Rules ask for the parts they use.
import type { Db } from '#db/engine/client'
import type { AuditEvent } from '#shared/domains/audit/events'
import type { Policies } from '#shared/domains/decision/policies'
import type { Quotas } from '#shared/domains/tenancy/quotas'
import type { Clock } from '#shared/kernel/clock'
import type { Config } from '#shared/kernel/config'
import type { Log } from '#shared/kernel/log'
import type { Random } from '#shared/kernel/random'
import type { Cache } from '#shared/platform/cache/cache'
import type { KeyedHash } from '#shared/platform/crypto/keyed-hash'
import type { Keyring } from '#shared/platform/crypto/keyring'
import type { PasswordHash } from '#shared/platform/crypto/password-hash'
import type { ClientAuthentication } from '#shared/platform/http/client-authentication'
import type { Limits } from '#shared/platform/http/limits'
import type { Metrics } from '#shared/platform/metrics/metrics'
import type { Principals } from '#shared/platform/tokens/principals'
import type { SigningKeys } from '#shared/platform/tokens/signing-keys'
import type { Tracer } from '#shared/platform/trace/trace'

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
