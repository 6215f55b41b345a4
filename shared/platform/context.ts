// The platform's context. Each part is an interface, created once per process by the composition root; functions ask for the parts they use.
import type { Db } from '#db/engine/client'
import type { KernelCtx, RequestInfo } from '#shared/kernel/context'
import type { Principals } from '#shared/platform/principals/principals'
import type { Cache } from './cache/cache.ts'
import type { KeyedHash } from './crypto/keyed-hash.ts'
import type { Keyring } from './crypto/keyring.ts'
import type { PasswordHash } from './crypto/password-hash.ts'
import type { ClientAuthentication } from './http/client-authentication.ts'
import type { Limits, RequestQuotas } from './http/limits.ts'
import type { ErrorRenderer } from './http/problem.ts'
import type { WorkloadAuthentication } from './http/workload-authentication.ts'
import type { Metrics } from './metrics/metrics.ts'
import type { Storage } from './storage/storage.ts'
import type { SigningKeys } from './tokens/signing-keys.ts'
import type { Tracer } from './trace/trace.ts'

export type PlatformCtx = KernelCtx & {
  readonly db: Db
  readonly storage: Storage
  readonly cache: Cache
  readonly metrics: Metrics
  readonly tracer: Tracer
  readonly keyring: Keyring
  readonly hash: KeyedHash
  readonly passwords: PasswordHash
  readonly signingKeys: SigningKeys
  readonly principals: Principals
  readonly clientAuthentication: ClientAuthentication
  readonly workloadAuthentication: WorkloadAuthentication
  readonly limits: Limits
  readonly quotas: RequestQuotas
  /** Renders errors for a person who opened an address that is meant for programs, or for nothing. */
  readonly errorPage: ErrorRenderer
  /** Wakes the outbox sender; called after a commit that enqueued a message. */
  readonly wakeOutbox: () => void
}

/** The platform's context of one request. */
export type PlatformRequestCtx = PlatformCtx & { readonly request: RequestInfo }
