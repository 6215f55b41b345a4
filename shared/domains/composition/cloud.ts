// The context of a function in the cloud: PostgreSQL (TCP, or Neon's driver), Redis (TCP, or Upstash's REST), secrets from the environment or AWS, native
// argon2id where it loads, and a queue for tasks after a commit.
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
  /** Completes work that must not wait for the next request, because a function is frozen between requests. */
  readonly settle: () => Promise<void>
}

/** Chooses by host: Neon's hosts speak HTTP and WebSockets, all others TCP. Only the chosen driver is loaded. */
const openEngine = async ({ DATABASE_DRIVER: driver }: Config, url: string, options: PostgresOptions): Promise<Engine> => {
  const isNeon = driver === 'neon' || (driver === undefined && new URL(url).hostname.endsWith('.neon.tech'))
  return isNeon ? (await import('#db/engine/neon')).neonEngine(options) : (await import('#db/engine/postgres')).postgresEngine(options)
}

/** Upstash where its address is set, else Redis over TCP. Either is loaded on first use. */
const openCache = (config: Config, clock: Clock): Cache => {
  const { REDIS_URL: url, UPSTASH_REDIS_REST_URL: rest, UPSTASH_REDIS_REST_TOKEN: token } = config
  if (rest !== undefined && token !== undefined)
    return lazyCache(async () => (await import('#shared/platform/cache/upstash')).upstashCache({ url: rest, token }, clock))
  if (url === undefined) throw new ConfigError('REDIS_URL: must be set')
  return lazyCache(async () => (await import('#shared/platform/cache/redis')).redisCache(url, clock))
}

const openManagedSecrets = async (env: Environment, prefix: string) => {
  const { awsSecrets, functionSecrets } = await import('#shared/platform/secrets/aws')
  const access = awsAccessFrom(env)
  return access === undefined ? awsSecrets({ prefix }) : functionSecrets(access, prefix)
}

const withManagedEnvironment = async (env: Environment): Promise<Environment> =>
  env.SECRETS_MANAGER_NAMES
    ? (await import('#shared/platform/secrets/managed')).withManagedSecrets(env, async (prefix) => (await openManagedSecrets(env, prefix)).read)
    : env

/** AWS Secrets Manager when a prefix is set and the keys are not in the environment, else the environment. */
const openSecrets = async (env: Environment, { SECRETS_MANAGER_PREFIX: prefix, MASTER_KEYS, HASH_KEY }: Config): Promise<Secrets> =>
  prefix === undefined || (MASTER_KEYS !== undefined && HASH_KEY !== undefined)
    ? environmentSecrets({ MASTER_KEYS, HASH_KEY })
    : openManagedSecrets(env, prefix)

/** @throws ConfigError with one line that names the variable */
export const cloud = async (env: Environment): Promise<Cloud> => {
  // The two functions that send mail read SMTP_URL themselves.
  const config = readConfig(await withManagedEnvironment(env), ['SMTP_URL'])
  const { DATABASE_URL: url, TASK_QUEUE_URL: queueUrl } = config
  if (url === undefined) throw new ConfigError('DATABASE_URL: must be set')
  const clock = systemClock
  const log = stdoutLog(() => clock.now())
  for (const warning of deprecatedVariables(env)) log.warn('deprecated_setting', { warning })
  const engine = await openEngine(config, url, {
    url,
    maxConnections: config.DATABASE_POOL,
    onIdleError: (error) => log.warn('database_connection_lost', { error: error.name }),
    ...(config.DATABASE_JOBS_URL === undefined ? {} : { jobsUrl: config.DATABASE_JOBS_URL }),
    ...(config.DATABASE_OWNER_URL === undefined ? {} : { ownerUrl: config.DATABASE_OWNER_URL }),
  })
  const tasks = queueUrl === undefined ? undefined : createAfterCommit(sqsTasks({ queueUrl, access: awsAccessFrom(env) }))
  const db = openDb(engine)
  if (tasks !== undefined) db.onCommit(tasks.committed)
  const ctx = await compose({
    config,
    db,
    cache: openCache(config, clock),
    secrets: await openSecrets(env, config),
    passwords: passwordHash({ engine: lazyArgon2 }),
    clock,
    random: systemRandom(clock),
    log,
    // Without a queue the schedule sends, every 15 minutes.
    wakeOutbox: () => tasks?.wakeOutbox(),
  })
  return {
    ...ctx,
    settle: async () => {
      await tasks?.settle(ctx)
      await ctx.tracer.flush()
    },
  }
}
