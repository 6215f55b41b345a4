// The only reader of the environment. A missing or malformed variable stops the start with one line that names it. config-meaning.ts says
// what each of them means.
import { en } from 'zod/locales'
import * as z from 'zod/mini'
import { isAddressBlock } from './ip-address.ts'

z.config(en())

const split = (text: string): string[] => text.split(',').flatMap((part) => (part.trim() === '' ? [] : [part.trim()]))
const list = z.pipe(z.string(), z.transform(split))
const url = z.pipe(
  z.url({ protocol: /^https?$/ }),
  z.transform((text) => text.replace(/\/+$/, '')),
)
const isOrigin = (text: string): boolean => URL.canParse(text) && new URL(text).origin === text && /^https?:/.test(text)
const text = z.optional(z.string())
const matching = (pattern: RegExp) => z.string().check(z.regex(pattern))
const atLeast = (length: number) => z.string().check(z.minLength(length))
const flag = (standard: 'on' | 'off') => z._default(z.enum(['on', 'off']), standard)
const lists = z._default(list, [])
const listOf = (isEntry: (entry: string) => boolean, message: string) =>
  z._default(list.check(z.refine((entries) => entries.every(isEntry), message)), [])
const integer = (least: number, most: number) => z.coerce.number().check(z.int(), z.minimum(least), z.maximum(most))
const seconds = (standard: number, most = Number.MAX_SAFE_INTEGER) => z._default(integer(1, most), standard)

export const BaseConfig = z.object({
  ENVIRONMENT: z._default(z.enum(['development', 'test', 'production']), 'development'),
  PORT: z._default(integer(0, 65535), 7468),
  HOST: z._default(z.string(), '127.0.0.1'),
  BASE_URL: z.optional(url),
  PUBLIC_UI_ORIGIN: z.optional(url),
  HOSTS: lists,
  REQUEST_SECONDS: seconds(29, 29),
  STOP_NOTICE_SECONDS: z._default(z.coerce.number().check(z.minimum(0), z.maximum(60)), 5),
  TRUSTED_PROXIES: listOf(isAddressBlock, 'must hold only addresses and CIDR blocks, none of them everything'),
  PLACE_HEADERS: lists,
  CORS_ALLOWED_ORIGINS: lists,
  RATE_LIMIT: flag('on'),

  DATA_DIR: z._default(z.string(), '.data'),
  DATABASE_URL: text,
  DATABASE_JOBS_URL: text,
  DATABASE_OWNER_URL: text,
  DATABASE_POOL: z._default(integer(1, 100), 10),
  DATABASE_DRIVER: z.optional(z.enum(['tcp', 'neon'])),
  SKIP_MIGRATIONS: z._default(z.stringbool(), false),
  REDIS_URL: text,
  UPSTASH_REDIS_REST_URL: z.optional(url),
  UPSTASH_REDIS_REST_TOKEN: z.optional(atLeast(1)),
  TASK_QUEUE_URL: z.optional(z.url()),

  MASTER_KEYS: text,
  HASH_KEY: text,
  SECRETS_MANAGER_PREFIX: z.optional(matching(/^[\w/+=.@-]+$/)),
  SECRETS_MANAGER_NAMES: lists,
  JWT_DEF_SECRET: text,
  AUTH_EXPECT_ISS: z._default(atLeast(1), 'authsec-ai/auth-manager'),
  AUTH_EXPECT_AUD: z._default(atLeast(1), 'authsec-api'),

  SIGN_UP: z.optional(z.enum(['open', 'invite', 'closed'])),
  TENANCY: z._default(z.enum(['multi', 'single']), 'multi'),
  TENANT_DOMAIN_SUFFIX: z._default(matching(/^[a-z0-9.-]+$/), 'localhost'),
  PLATFORM_ADMIN_EMAIL: z.optional(z.email()),
  COMPATIBILITY: z._default(z.enum(['strict', 'authsec']), 'strict'),
  SESSION_IDLE_SECONDS: seconds(8 * 3600),
  SESSION_ABSOLUTE_SECONDS: seconds(24 * 3600, 24 * 3600),
  BREACHED_PASSWORDS_URL: z.optional(url),
  DNS_SERVERS: lists,

  SMTP_URL: text,
  MAIL_FROM: z._default(z.string(), 'no-reply@localhost'),
  TWILIO_ACCOUNT_SID: z.optional(matching(/^AC[0-9a-f]{32}$/i)),
  TWILIO_AUTH_TOKEN: z.optional(atLeast(16)),
  TWILIO_FROM_NUMBER: z.optional(matching(/^(?:\+[1-9]\d{6,14}|MG[0-9a-f]{32})$/i)),
  SMS_COUNTRY_PREFIXES: listOf((entry) => /^\+[1-9]\d{0,6}$/.test(entry), 'must hold only prefixes of telephone numbers, such as +49'),
  SMS_PER_HOUR: z._default(integer(0, 1_000_000), 1000),
  SMS_PER_DAY: z._default(integer(0, 10_000_000), 5000),
  FCM_SERVICE_ACCOUNT: text,
  VAPID_PUBLIC_KEY: text,
  VAPID_PRIVATE_KEY: text,
  VAPID_SUBJECT: z.optional(matching(/^(mailto:|https:)/)),

  DEVICE_CODE_SECONDS: seconds(300, 900),
  DEVICE_VERIFICATION_URI: z.optional(url),
  RFC_POLL_STATUSES: flag('off'),
  GOOGLE_CLIENT_ID: text,
  GOOGLE_CLIENT_SECRET: text,
  GITHUB_CLIENT_ID: text,
  GITHUB_CLIENT_SECRET: text,
  MICROSOFT_CLIENT_ID: text,
  MICROSOFT_CLIENT_SECRET: text,
  WEBAUTHN_RP_ID: z.optional(matching(/^[a-z0-9-]+(\.[a-z0-9-]+)*$/).check(z.maxLength(253))),
  WEBAUTHN_ORIGIN: listOf(isOrigin, 'must hold only origins: scheme, host and port'),
  WEBAUTHN_RP_NAME: z._default(atLeast(1).check(z.maxLength(64)), 'AuthSec MFA Service'),
  SPIFFE_TRUST_DOMAIN: z._default(
    z.pipe(
      z.pipe(
        z.string(),
        z.transform((id) => id.replace(/^spiffe:\/\//, '')),
      ),
      matching(/^[a-z0-9._-]{1,255}$/),
    ),
    'localhost',
  ),
  AUTHSEC_SPIFFE_AUDIENCE: z._default(list.check(z.refine((entries) => entries.length > 0, 'must hold an audience')), ['authsec-api']),
  AUTHSEC_REQUIRE_SESSION_ID: z._default(z.stringbool(), false),
  AUTHSEC_ALWAYS_EXPOSE_PROTECTED_TOOLS: z._default(z.stringbool(), true),
  AUTHSEC_HIDE_UNAUTHORIZED_TOOLS: z._default(z.stringbool(), false),
  OUTBOUND_LOOPBACK: flag('off'),
  IMPORT_TOTP_ENCRYPTION_KEYS: text,

  METRICS_TOKEN: z.optional(atLeast(16)),
  METRICS_EMF: flag('off'),
  OTEL_EXPORTER_OTLP_ENDPOINT: z.optional(url),
})

/** Production has no default for these. */
export const REQUIRED_IN_PRODUCTION = ['BASE_URL', 'DATABASE_URL', 'REDIS_URL', 'SMTP_URL', 'SIGN_UP', 'MASTER_KEYS', 'HASH_KEY'] as const

export type Config = Omit<z.output<typeof BaseConfig>, 'BASE_URL' | 'SIGN_UP'> & {
  readonly BASE_URL: string
  readonly SIGN_UP: 'open' | 'invite' | 'closed'
}

type Environment = Readonly<Record<string, string | undefined>>

/** Former names, accepted for one release. */
const RENAMED = { ERRAND_QUEUE_URL: 'TASK_QUEUE_URL' } as const

/** One line for each variable that the environment sets by a former name. */
export const deprecatedVariables = (env: Environment): readonly string[] =>
  Object.entries(RENAMED).flatMap(([former, name]) => (env[former] ? [`${former} is deprecated and will be removed: set ${name}.`] : []))

/** Names of AuthSec and former names that are accepted beside ours. */
const withAliases = (env: Environment): Environment => {
  const out: Record<string, string | undefined> = {}
  for (const [name, value] of Object.entries(env)) if (value !== '') out[name] = value
  if (out.DATABASE_URL === undefined && out.DB_HOST !== undefined) {
    const address = new URL(`postgres://${out.DB_HOST}:${out.DB_PORT ?? '5432'}/${encodeURIComponent(out.DB_NAME ?? 'authsec')}`)
    address.username = encodeURIComponent(out.DB_USER ?? 'postgres')
    address.password = encodeURIComponent(out.DB_PASSWORD ?? '')
    if (out.DB_SSL_MODE !== undefined && out.DB_SSL_MODE !== 'disable') address.searchParams.set('sslmode', out.DB_SSL_MODE)
    out.DATABASE_URL = address.href
  }
  if (out.SMTP_URL === undefined && out.SMTP_HOST !== undefined) {
    const address = new URL(`smtp://${out.SMTP_HOST}:${out.SMTP_PORT ?? '587'}`)
    address.username = encodeURIComponent(out.SMTP_USER ?? '')
    address.password = encodeURIComponent(out.SMTP_PASSWORD ?? '')
    out.SMTP_URL = address.href
  }
  out.CORS_ALLOWED_ORIGINS ??= out.CORS_ALLOW_ORIGIN
  for (const [former, name] of Object.entries(RENAMED)) out[name] ??= out[former]
  return out
}

/** Stops the start. The message names the variable and never its value. */
export class ConfigError extends Error {}

const refuse = (names: readonly string[], why: string): never => {
  throw new ConfigError(`${names.join(', ')}: ${why}`)
}

const requireConsistent = (config: z.output<typeof BaseConfig>, without: readonly string[]): void => {
  for (const name of ['JWT_DEF_SECRET'] as const) {
    const value = config[name]
    if (value !== undefined && Buffer.byteLength(value) < 32) refuse([name], 'must be at least 32 bytes')
  }
  if ((config.UPSTASH_REDIS_REST_URL === undefined) !== (config.UPSTASH_REDIS_REST_TOKEN === undefined)) {
    refuse(['UPSTASH_REDIS_REST_URL', 'UPSTASH_REDIS_REST_TOKEN'], 'must be set together')
  }
  const twilio = (['TWILIO_ACCOUNT_SID', 'TWILIO_AUTH_TOKEN', 'TWILIO_FROM_NUMBER'] as const).filter((name) => config[name] === undefined)
  if (twilio.length === 1 || twilio.length === 2) refuse(twilio, 'must be set with the other two of TWILIO_*')
  if (config.ENVIRONMENT !== 'production') return
  const isReplaced = (name: (typeof REQUIRED_IN_PRODUCTION)[number]): boolean =>
    (name === 'REDIS_URL' && config.UPSTASH_REDIS_REST_URL !== undefined) ||
    ((name === 'MASTER_KEYS' || name === 'HASH_KEY') && config.SECRETS_MANAGER_PREFIX !== undefined)
  const missing = REQUIRED_IN_PRODUCTION.filter((name) => config[name] === undefined && !isReplaced(name) && !without.includes(name))
  if (missing.length > 0) refuse(missing, 'must be set in production')
  if (config.TWILIO_ACCOUNT_SID !== undefined && config.SMS_COUNTRY_PREFIXES.length === 0)
    refuse(['SMS_COUNTRY_PREFIXES'], 'must be set in production where TWILIO_* is set')
  if (config.OUTBOUND_LOOPBACK === 'on') refuse(['OUTBOUND_LOOPBACK'], 'cannot be on in production')
  if (config.WEBAUTHN_ORIGIN.some((origin) => !origin.startsWith('https:'))) refuse(['WEBAUTHN_ORIGIN'], 'must hold https origins in production')
  if (config.RATE_LIMIT === 'off') refuse(['RATE_LIMIT'], 'cannot be off in production')
  if (config.COMPATIBILITY === 'authsec' && config.TENANCY === 'multi')
    refuse(['COMPATIBILITY'], 'authsec is refused in production with TENANCY=multi')
  if (config.CORS_ALLOWED_ORIGINS.includes('*')) refuse(['CORS_ALLOWED_ORIGINS'], '* cannot be combined with credentials')
}

/**
 * Parses the environment once, at cold start. `without` names variables that this process never uses and that production may therefore omit.
 * @throws ConfigError
 */
export const readConfig = (env: Environment, without: readonly (typeof REQUIRED_IN_PRODUCTION)[number][] = []): Config => {
  // It runs once, so compiling the schema would cost more than it saves.
  const parsed = BaseConfig.safeParse(withAliases(env), { jitless: true })
  if (!parsed.success) {
    const names = [...new Set(parsed.error.issues.map((issue) => String(issue.path[0])))]
    return refuse(names, parsed.error.issues[0]?.message ?? 'malformed')
  }
  requireConsistent(parsed.data, without)
  return { ...parsed.data, BASE_URL: parsed.data.BASE_URL ?? `http://localhost:${parsed.data.PORT}`, SIGN_UP: parsed.data.SIGN_UP ?? 'open' }
}
