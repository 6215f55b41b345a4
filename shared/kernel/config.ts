// The only reader of the environment. A missing or malformed variable stops the start with one line that names it. config-meaning.ts says
// what each of them means.
import * as z from 'zod'
import { isAddressBlock } from './ip-address.ts'

const list = z.string().transform((text) => text.split(',').flatMap((part) => (part.trim() === '' ? [] : [part.trim()])))
const url = z.url({ protocol: /^https?$/ }).transform((text) => text.replace(/\/+$/, ''))
const isOrigin = (text: string): boolean => URL.canParse(text) && new URL(text).origin === text && /^https?:/.test(text)
const seconds = z.coerce.number().int().positive()

export const BaseConfig = z.object({
  ENVIRONMENT: z.enum(['development', 'test', 'production']).default('development'),
  PORT: z.coerce.number().int().min(0).max(65535).default(7468),
  HOST: z.string().default('127.0.0.1'),
  BASE_URL: url.optional(),
  PUBLIC_UI_ORIGIN: url.optional(),
  HOSTS: list.default([]),
  REQUEST_SECONDS: seconds.max(29).default(29),
  STOP_NOTICE_SECONDS: z.coerce.number().min(0).max(60).default(5),
  TRUSTED_PROXIES: list
    .refine((entries) => entries.every(isAddressBlock), 'must hold addresses and CIDR blocks alone, none of them everything')
    .default([]),
  PLACE_HEADERS: list.default([]),
  CORS_ALLOWED_ORIGINS: list.default([]),
  RATE_LIMIT: z.enum(['on', 'off']).default('on'),

  DATA_DIR: z.string().default('.data'),
  DATABASE_URL: z.string().optional(),
  DATABASE_JOBS_URL: z.string().optional(),
  DATABASE_OWNER_URL: z.string().optional(),
  DATABASE_POOL: z.coerce.number().int().min(1).max(100).default(10),
  DATABASE_DRIVER: z.enum(['tcp', 'neon']).optional(),
  SKIP_MIGRATIONS: z.stringbool().default(false),
  REDIS_URL: z.string().optional(),
  UPSTASH_REDIS_REST_URL: url.optional(),
  UPSTASH_REDIS_REST_TOKEN: z.string().min(1).optional(),
  TASK_QUEUE_URL: z.url().optional(),

  MASTER_KEYS: z.string().optional(),
  HASH_KEY: z.string().optional(),
  SECRETS_MANAGER_PREFIX: z
    .string()
    .regex(/^[\w/+=.@-]+$/)
    .optional(),
  SECRETS_MANAGER_NAMES: list.default([]),
  JWT_DEF_SECRET: z.string().optional(),
  AUTH_EXPECT_ISS: z.string().min(1).default('authsec-ai/auth-manager'),
  AUTH_EXPECT_AUD: z.string().min(1).default('authsec-api'),

  SIGN_UP: z.enum(['open', 'invite', 'closed']).optional(),
  TENANCY: z.enum(['multi', 'single']).default('multi'),
  TENANT_DOMAIN_SUFFIX: z
    .string()
    .regex(/^[a-z0-9.-]+$/)
    .default('localhost'),
  PLATFORM_ADMIN_EMAIL: z.email().optional(),
  COMPATIBILITY: z.enum(['strict', 'authsec']).default('strict'),
  SESSION_IDLE_SECONDS: seconds.default(8 * 3600),
  SESSION_ABSOLUTE_SECONDS: seconds.max(24 * 3600).default(24 * 3600),
  BREACHED_PASSWORDS_URL: url.optional(),
  DNS_SERVERS: list.default([]),

  SMTP_URL: z.string().optional(),
  MAIL_FROM: z.string().default('no-reply@localhost'),
  TWILIO_ACCOUNT_SID: z
    .string()
    .regex(/^AC[0-9a-f]{32}$/i)
    .optional(),
  TWILIO_AUTH_TOKEN: z.string().min(16).optional(),
  TWILIO_FROM_NUMBER: z
    .string()
    .regex(/^(?:\+[1-9]\d{6,14}|MG[0-9a-f]{32})$/i)
    .optional(),
  FCM_SERVICE_ACCOUNT: z.string().optional(),
  VAPID_PUBLIC_KEY: z.string().optional(),
  VAPID_PRIVATE_KEY: z.string().optional(),
  VAPID_SUBJECT: z
    .string()
    .regex(/^(mailto:|https:)/)
    .optional(),

  DEVICE_CODE_SECONDS: seconds.max(900).default(300),
  DEVICE_VERIFICATION_URI: url.optional(),
  RFC_POLL_STATUSES: z.enum(['on', 'off']).default('off'),
  GOOGLE_CLIENT_ID: z.string().optional(),
  GOOGLE_CLIENT_SECRET: z.string().optional(),
  GITHUB_CLIENT_ID: z.string().optional(),
  GITHUB_CLIENT_SECRET: z.string().optional(),
  MICROSOFT_CLIENT_ID: z.string().optional(),
  MICROSOFT_CLIENT_SECRET: z.string().optional(),
  WEBAUTHN_RP_ID: z
    .string()
    .max(253)
    .regex(/^[a-z0-9-]+(\.[a-z0-9-]+)*$/)
    .optional(),
  WEBAUTHN_ORIGIN: list.refine((origins) => origins.every(isOrigin), 'must hold origins alone: scheme, host and port').default([]),
  WEBAUTHN_RP_NAME: z.string().min(1).max(64).default('AuthSec MFA Service'),
  SPIFFE_TRUST_DOMAIN: z
    .string()
    .transform((text) => text.replace(/^spiffe:\/\//, ''))
    .pipe(z.string().regex(/^[a-z0-9._-]{1,255}$/))
    .default('localhost'),
  AUTHSEC_REQUIRE_SESSION_ID: z.stringbool().default(false),
  AUTHSEC_ALWAYS_EXPOSE_PROTECTED_TOOLS: z.stringbool().default(true),
  AUTHSEC_HIDE_UNAUTHORIZED_TOOLS: z.stringbool().default(false),
  OUTBOUND_LOOPBACK: z.enum(['on', 'off']).default('off'),
  IMPORT_TOTP_ENCRYPTION_KEYS: z.string().optional(),

  METRICS_TOKEN: z.string().min(16).optional(),
  METRICS_EMF: z.enum(['on', 'off']).default('off'),
  OTEL_EXPORTER_OTLP_ENDPOINT: url.optional(),
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
