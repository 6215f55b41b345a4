// Builds the context that every process shares. A composition root names the drivers (embedded, TCP, cloud) and calls this once.
import type { Db } from '#db/engine/client'
import { lazyClientAuthentication } from '#shared/domains/clients/lazy-client-authentication'
import type { BaseCtx } from '#shared/domains/context'
import { lazyPolicies } from '#shared/domains/decision/lazy-policies'
import { lazyWorkloadAuthentication } from '#shared/domains/spiffe/lazy-workload-authentication'
import { createQuotas } from '#shared/domains/tenancy/quotas'
import type { Clock } from '#shared/kernel/clock'
import type { Config } from '#shared/kernel/config'
import { ConfigError } from '#shared/kernel/config'
import type { Log } from '#shared/kernel/log'
import type { Random } from '#shared/kernel/random'
import { bySystem, recordEvent } from '#shared/platform/audit/audit-log'
import type { Cache } from '#shared/platform/cache/cache'
import { keyedHash, parseHashKey } from '#shared/platform/crypto/keyed-hash'
import { createKeyring } from '#shared/platform/crypto/keyring'
import { parseMasterKeys } from '#shared/platform/crypto/master-keys'
import type { PasswordHash } from '#shared/platform/crypto/password-hash'
import { limitsOn } from '#shared/platform/http/limits'
import { createMetrics } from '#shared/platform/metrics/metrics'
import { lazyPageError } from '#shared/platform/pages/lazy-error.tsx'
import { createPrincipals } from '#shared/platform/principals/principals'
import type { Secrets } from '#shared/platform/secrets/secrets'
import { watchStorage } from '#shared/platform/storage/storage'
import { createSigningKeys } from '#shared/platform/tokens/signing-keys'
import { observedEngine } from '#shared/platform/trace/observed-engine'
import { noTracer } from '#shared/platform/trace/trace'

export type Drivers = {
  readonly config: Config
  readonly db: Db
  readonly cache: Cache
  readonly secrets: Secrets
  readonly passwords: PasswordHash
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  readonly wakeOutbox: () => void
}

/** @throws ConfigError naming the missing or malformed secret */
export const compose = async (drivers: Drivers): Promise<BaseCtx> => {
  const { config, cache, secrets, clock, random, log } = drivers
  const metrics = createMetrics({ cache, clock })
  const endpoint = config.OTEL_EXPORTER_OTLP_ENDPOINT
  const tracer = endpoint === undefined ? noTracer : (await import('#shared/platform/trace/otlp-tracer')).otlpTracer({ endpoint, clock, random, log })
  const { engine, storage } = watchStorage(observedEngine(drivers.db.engine, { metrics, tracer, clock }), clock)
  const db: Db = { ...drivers.db, engine }
  const required = async (name: 'MASTER_KEYS' | 'HASH_KEY'): Promise<string> => {
    const value = await secrets.read(name)
    if (value === undefined) throw new ConfigError(`${name}: must be set`)
    return value
  }
  const keyring = createKeyring({ masterKeys: parseMasterKeys(await required('MASTER_KEYS')), clock, random })
  const hash = keyedHash(parseHashKey(await required('HASH_KEY')))
  const signingKeys = createSigningKeys({
    db,
    keyring,
    clock,
    record: (t, { event, kid, alg }) =>
      recordEvent(t, { clock, random, keyring, hash }, { event, actor: bySystem, target: { type: 'signing_key', id: kid }, after: { alg } }),
  })
  const limits = limitsOn({ cache, db, clock, enabled: config.RATE_LIMIT === 'on' })
  const quotas = createQuotas({ db, limits, clock })
  const policies = lazyPolicies({ db, clock })
  return {
    config,
    db,
    storage,
    cache,
    clock,
    random,
    log,
    keyring,
    hash,
    signingKeys,
    passwords: drivers.passwords,
    metrics,
    tracer,
    principals: createPrincipals({ config, db, clock, signingKeys, quotas }),
    policies,
    clientAuthentication: lazyClientAuthentication({ db, clock, policies }),
    workloadAuthentication: lazyWorkloadAuthentication({ config, db, clock, keyring, cache, hash, signingKeys }),
    limits,
    quotas,
    errorPage: lazyPageError,
    wakeOutbox: drivers.wakeOutbox,
  }
}
