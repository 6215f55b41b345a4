// Chooses the real or the embedded implementation of each dependency of this process; each choice depends on one variable.
import { join } from 'node:path'
import { type Db, openDb } from '#db/engine/client'
import { openFolder } from '#db/engine/folder'
import { postgresEngine } from '#db/engine/postgres'
import { migrate } from '#db/migrations/migrate'
import type { BaseCtx } from '#shared/domains/context'
import type { Clock } from '#shared/kernel/clock'
import type { Config } from '#shared/kernel/config'
import type { Log } from '#shared/kernel/log'
import type { Random } from '#shared/kernel/random'
import type { Cache } from '#shared/platform/cache/cache'
import { memoryCache } from '#shared/platform/cache/memory'
import { localMail } from '#shared/platform/outbox/mail/local'
import type { Mail } from '#shared/platform/outbox/mail/mail'
import { smtpMail } from '#shared/platform/outbox/mail/smtp'
import type { LocalPush } from '#shared/platform/outbox/push/local'
import type { Push } from '#shared/platform/outbox/push/push'
import { configuredSms } from '#shared/platform/outbox/sms/configured'
import { localSms } from '#shared/platform/outbox/sms/local'
import type { Sms } from '#shared/platform/outbox/sms/sms'
import { environmentSecrets } from '#shared/platform/secrets/environment'
import { generatePushKeys, generateSecrets } from '#shared/platform/secrets/generate'
import { sealedFileSecrets } from '#shared/platform/secrets/sealed-file'
import type { Secrets } from '#shared/platform/secrets/secrets'

type Parts = { readonly config: Config; readonly clock: Clock; readonly random: Random; readonly log: Log }

/** PostgreSQL where DATABASE_URL is set, else the embedded engine on its folder. */
export const openDatabase = async ({ config, clock, log }: Parts): Promise<Db> => {
  const url = config.DATABASE_URL
  const engine =
    url === undefined
      ? (await openFolder(join(config.DATA_DIR, 'db'))).engine
      : postgresEngine({
          url,
          maxConnections: config.DATABASE_POOL,
          onIdleError: (error) => log.warn('database_connection_lost', { error: error.name }),
          ...(config.DATABASE_JOBS_URL === undefined ? {} : { jobsUrl: config.DATABASE_JOBS_URL }),
          ...(config.DATABASE_OWNER_URL === undefined ? {} : { ownerUrl: config.DATABASE_OWNER_URL }),
        })
  const db = openDb(engine)
  if (!config.SKIP_MIGRATIONS) await migrate(db, clock.now())
  return db
}

/** Redis where REDIS_URL is set, else an in-memory cache. */
export const openCache = async ({ config, clock }: Parts): Promise<Cache> => {
  if (config.REDIS_URL === undefined) return memoryCache(clock)
  const { redisCache } = await import('#shared/platform/cache/redis')
  return redisCache(config.REDIS_URL, clock)
}

/** The environment where MASTER_KEYS is set, else a sealed file next to the data, created at the first start. */
export const openSecrets = async ({ config, random }: Parts): Promise<Secrets> => {
  if (config.MASTER_KEYS !== undefined) return environmentSecrets({ MASTER_KEYS: config.MASTER_KEYS, HASH_KEY: config.HASH_KEY })
  const secrets = sealedFileSecrets(join(config.DATA_DIR, 'secrets'), random)
  await generateSecrets(secrets, random)
  return secrets
}

/** Includes Web Push keys, so that a browser on this machine can receive pushes: from the environment, else a generated pair where secrets are kept in a file. */
export const withPushKeys = async (config: Config, secrets: Secrets): Promise<Config> => {
  const { VAPID_PUBLIC_KEY: known, MASTER_KEYS: fromOutside, ENVIRONMENT } = config
  if (known !== undefined || fromOutside !== undefined || ENVIRONMENT === 'production') return config
  const { publicKey, privateKey } = await generatePushKeys(secrets)
  return { ...config, VAPID_PUBLIC_KEY: publicKey, VAPID_PRIVATE_KEY: privateKey, VAPID_SUBJECT: 'mailto:push@authsec.example' }
}

/** Captured pushes are also sent to browsers. Without a network a captured push counts as sent, unless the subscription is gone. */
export const withBrowserPush = (captured: LocalPush, real: Push): Push => ({
  send: async (target, message) => {
    const sent = await captured.send(target, message)
    if (target.platform !== 'web' || sent.result !== 'sent') return sent
    const outcome = await real.send(target, message)
    return outcome.result === 'gone' ? outcome : sent
  },
})

export type OpenedSms = { readonly sms: Sms; readonly captured: ReturnType<typeof localSms> | undefined }

/** Twilio where TWILIO_* is set; no text messages in production without it; captured otherwise. */
export const openSms = (ctx: Pick<BaseCtx, 'config' | 'tracer' | 'clock'>): OpenedSms => {
  if (ctx.config.TWILIO_ACCOUNT_SID !== undefined || ctx.config.ENVIRONMENT === 'production') return { sms: configuredSms(ctx), captured: undefined }
  const captured = localSms(ctx.clock)
  return { sms: captured, captured }
}

export type LocalMail = { readonly mail: Mail; readonly captured: ReturnType<typeof localMail> | undefined }

/** SMTP where SMTP_URL is set, else captured. */
export const openMail = ({ config, clock }: Parts): LocalMail => {
  if (config.SMTP_URL !== undefined) return { mail: smtpMail({ url: config.SMTP_URL, from: config.MAIL_FROM }), captured: undefined }
  const captured = localMail(clock)
  return { mail: captured, captured }
}
