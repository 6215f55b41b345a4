// What every process is made of, given its drivers. A composition root names the drivers (embedded, TCP, cloud) and calls this once.
import type { Db } from '#db/client'
import { bySystem, record } from './audit/record.ts'
import type { Cache } from './cache/cache.ts'
import type { Clock } from './clock.ts'
import type { Config } from './config.ts'
import { ConfigError } from './config.ts'
import type { BaseCtx } from './context.ts'
import { keyedHash, parseHashKey } from './crypto/keyed-hash.ts'
import { createKeyring } from './crypto/keyring.ts'
import { parseMasterKeys } from './crypto/master-keys.ts'
import type { PasswordHash } from './crypto/password-hash.ts'
import { clientAuthenticationOnDemand, policiesOnDemand } from './decision/on-demand.ts'
import { limitsOn } from './http/limits.ts'
import type { Log } from './log.ts'
import { createMetrics } from './metrics/metrics.ts'
import type { Random } from './random.ts'
import type { Secrets } from './secrets/secrets.ts'
import { createQuotas } from './tenancy/quotas.ts'
import { createPrincipals } from './token/principals.ts'
import { createSigningKeys } from './token/signing-keys.ts'
import { observedEngine } from './trace/observed-engine.ts'
import { noTracer } from './trace/trace.ts'

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

/** @throws ConfigError naming the secret that is missing or malformed */
export const compose = async (drivers: Drivers): Promise<BaseCtx> => {
  const { config, cache, secrets, clock, random, log } = drivers
  const metrics = createMetrics({ cache, clock })
  const endpoint = config.OTEL_EXPORTER_OTLP_ENDPOINT
  const tracer = endpoint === undefined ? noTracer : (await import('./trace/otlp-tracer.ts')).otlpTracer({ endpoint, clock, random, log })
  const db: Db = { ...drivers.db, engine: observedEngine(drivers.db.engine, { metrics, tracer, clock }) }
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
      record(t, { clock, random, keyring }, { event, actor: bySystem, target: { type: 'signing_key', id: kid }, after: { alg } }),
  })
  const limits = limitsOn({ cache, db, clock, enabled: config.RATE_LIMIT === 'on' })
  const quotas = createQuotas({ db, limits, clock })
  const policies = policiesOnDemand({ db, clock })
  return {
    config,
    db,
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
    clientAuthentication: clientAuthenticationOnDemand({ db, clock, policies }),
    limits,
    quotas,
    wakeOutbox: drivers.wakeOutbox,
  }
}
