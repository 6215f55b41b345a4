// What every function in the cloud is made of: PostgreSQL (TCP, or Neon's driver), Redis (TCP, or Upstash's REST), secrets from its environment or AWS, native
// argon2id where it loads, and a queue for what requests leave behind.
import { type Engine, openDb } from '#db/engine/client'
import type { PostgresOptions } from '#db/engine/pool'
import type { BaseCtx } from '#shared/domains/context'
import { type Clock, systemClock } from '#shared/kernel/clock'
import { type Config, ConfigError, deprecatedVariables, readConfig } from '#shared/kernel/config'
import { stdoutLog } from '#shared/kernel/log'
import { systemRandom } from '#shared/kernel/random'
import { awsAccessFrom } from '#shared/platform/aws/call'
import type { Cache } from '#shared/platform/cache/cache'
import { lazyCache } from '#shared/platform/cache/lazy'
import { lazyArgon2 } from '#shared/platform/crypto/lazy-argon2'
import { passwordHash } from '#shared/platform/crypto/password-hash'
import { createAfterCommit } from '#shared/platform/queue/after-commit'
import { sqsTasks } from '#shared/platform/queue/sqs'
import { environmentSecrets } from '#shared/platform/secrets/environment'
import type { Secrets } from '#shared/platform/secrets/secrets'
import { compose } from './compose.ts'

type Environment = Readonly<Record<string, string | undefined>>

export type Cloud = BaseCtx & {
  /** Hands over what must not wait for the next request: between two of them a function is frozen. */
  readonly settle: () => Promise<void>
}

/** By the address: Neon's own hosts speak HTTP and WebSockets, everything else TCP. The driver of that one is loaded. */
const engineOf = async ({ DATABASE_DRIVER: driver }: Config, url: string, options: PostgresOptions): Promise<Engine> => {
  const isNeon = driver === 'neon' || (driver === undefined && new URL(url).hostname.endsWith('.neon.tech'))
  return isNeon ? (await import('#db/engine/neon')).neonEngine(options) : (await import('#db/engine/postgres')).postgresEngine(options)
}

/** Upstash where its address is set, else Redis over TCP. Each is loaded at its first use. */
const cacheOf = (config: Config, clock: Clock): Cache => {
  const { REDIS_URL: url, UPSTASH_REDIS_REST_URL: rest, UPSTASH_REDIS_REST_TOKEN: token } = config
  if (rest !== undefined && token !== undefined)
    return lazyCache(async () => (await import('#shared/platform/cache/upstash')).upstashCache({ url: rest, token }, clock))
  if (url === undefined) throw new ConfigError('REDIS_URL: must be set')
  return lazyCache(async () => (await import('#shared/platform/cache/redis')).redisCache(url, clock))
}

const managed = async (env: Environment, prefix: string) => {
  const { awsSecrets, functionSecrets } = await import('#shared/platform/secrets/aws')
  const access = awsAccessFrom(env)
  return access === undefined ? awsSecrets({ prefix }) : functionSecrets(access, prefix)
}

const withSecrets = async (env: Environment): Promise<Environment> =>
  env.SECRETS_MANAGER_NAMES
    ? (await import('#shared/platform/secrets/managed')).withManagedSecrets(env, async (prefix) => (await managed(env, prefix)).read)
    : env

/** AWS Secrets Manager where a prefix is named and they were not read already, else the environment. */
const secretsOf = async (env: Environment, { SECRETS_MANAGER_PREFIX: prefix, MASTER_KEYS, HASH_KEY }: Config): Promise<Secrets> =>
  prefix === undefined || (MASTER_KEYS !== undefined && HASH_KEY !== undefined) ? environmentSecrets({ MASTER_KEYS, HASH_KEY }) : managed(env, prefix)

/** @throws ConfigError in one line that names the variable */
export const cloud = async (env: Environment): Promise<Cloud> => {
  // Mail is sent by two functions alone, and they ask for its server themselves.
  const config = readConfig(await withSecrets(env), ['SMTP_URL'])
  const { DATABASE_URL: url, TASK_QUEUE_URL: queueUrl } = config
  if (url === undefined) throw new ConfigError('DATABASE_URL: must be set')
  const clock = systemClock
  const log = stdoutLog(() => clock.now())
  for (const warning of deprecatedVariables(env)) log.warn('deprecated_setting', { warning })
  const engine = await engineOf(config, url, {
    url,
    maxConnections: config.DATABASE_POOL,
    onIdleError: (error) => log.warn('database_connection_lost', { error: error.name }),
    ...(config.DATABASE_JOBS_URL === undefined ? {} : { jobsUrl: config.DATABASE_JOBS_URL }),
    ...(config.DATABASE_OWNER_URL === undefined ? {} : { ownerUrl: config.DATABASE_OWNER_URL }),
  })
  const left = queueUrl === undefined ? undefined : createAfterCommit(sqsTasks({ queueUrl, access: awsAccessFrom(env) }))
  const db = openDb(engine)
  if (left !== undefined) db.onCommit(left.committed)
  const ctx = await compose({
    config,
    db,
    cache: cacheOf(config, clock),
    secrets: await secretsOf(env, config),
    passwords: passwordHash({ engine: lazyArgon2 }),
    clock,
    random: systemRandom(clock),
    log,
    // Without a queue the schedule sends within a quarter of an hour.
    wakeOutbox: () => left?.wakeOutbox(),
  })
  return {
    ...ctx,
    settle: async () => {
      await left?.settle(ctx)
      await ctx.tracer.flush()
    },
  }
}
