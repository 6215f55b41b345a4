// Settings of a stage, read from the environment of `npx sst deploy`. Every setting has a default that is safe in production; a deployment needs only two secrets, the
// URLs of its database and its cache.
import { SECRETS, type SecretVariable } from './needs.ts'

export type Settings = {
  readonly stage: string
  /** Custom domain; without it the API has the gateway's own host. */
  readonly domain: string | undefined
  /** Sender of all mail. With SmtpUrl unset its domain is verified at Amazon SES. */
  readonly mailFrom: string
  /** Whether mail is sent by SES, or by the server that the secret SmtpUrl names. */
  readonly mailBy: 'ses' | 'smtp'
  /** Recipient of alarms. */
  readonly alarmEmail: string | undefined
  /** Optional secrets that this deployment sets. */
  readonly extraSecrets: readonly SecretVariable[]
  /** Plain variables of docs/configuration.md, passed to every function unchanged. */
  readonly variables: Readonly<Record<string, string>>
  readonly logRetention: '1 month' | '1 week'
}

export const isProduction = (stage: string): boolean => stage === 'production'

/** Variables that are passed on. Secrets and values that the program sets itself are excluded. */
const PLAIN = [
  'AUTH_EXPECT_AUD',
  'AUTH_EXPECT_ISS',
  'AUTHSEC_ALWAYS_EXPOSE_PROTECTED_TOOLS',
  'AUTHSEC_HIDE_UNAUTHORIZED_TOOLS',
  'AUTHSEC_REQUIRE_SESSION_ID',
  'BREACHED_PASSWORDS_URL',
  'COMPATIBILITY',
  'CORS_ALLOWED_ORIGINS',
  'DATABASE_DRIVER',
  'DEVICE_CODE_SECONDS',
  'DEVICE_VERIFICATION_URI',
  'DNS_SERVERS',
  'GITHUB_CLIENT_ID',
  'GOOGLE_CLIENT_ID',
  'HOSTS',
  'MICROSOFT_CLIENT_ID',
  'OTEL_EXPORTER_OTLP_ENDPOINT',
  'PLACE_HEADERS',
  'PLATFORM_ADMIN_EMAIL',
  'PUBLIC_UI_ORIGIN',
  'RFC_POLL_STATUSES',
  'SESSION_ABSOLUTE_SECONDS',
  'SESSION_IDLE_SECONDS',
  'SIGN_UP',
  'SMS_COUNTRY_PREFIXES',
  'SMS_PER_DAY',
  'SMS_PER_HOUR',
  'SPIFFE_TRUST_DOMAIN',
  'AUTHSEC_SPIFFE_AUDIENCE',
  'TENANCY',
  'TENANT_DOMAIN_SUFFIX',
  'TRUSTED_PROXIES',
  'TWILIO_ACCOUNT_SID',
  'TWILIO_FROM_NUMBER',
  'UPSTASH_REDIS_REST_URL',
  'VAPID_PUBLIC_KEY',
  'VAPID_SUBJECT',
  'WEBAUTHN_ORIGIN',
  'WEBAUTHN_RP_ID',
  'WEBAUTHN_RP_NAME',
] as const

const isSecret = (name: string): name is SecretVariable => SECRETS.some((known) => known === name)

/** @throws Error naming the variable that is malformed */
export const readSettings = (stage: string, env: Readonly<Record<string, string | undefined>>): Settings => {
  const extra = (env.EXTRA_SECRETS ?? '').split(',').flatMap((part) => (part.trim() === '' ? [] : [part.trim()]))
  const unknown = extra.filter((name) => !isSecret(name))
  if (unknown.length > 0) throw new Error(`EXTRA_SECRETS: ${unknown.join(', ')} is no secret of a function`)
  if (!/^[\w-]{1,40}$/.test(stage)) throw new Error('stage: only letters, digits, _ and -')
  const domain = env.DOMAIN === '' ? undefined : env.DOMAIN
  const mailFrom = env.MAIL_FROM ?? (domain === undefined ? undefined : `no-reply@${domain}`)
  if (mailFrom === undefined || !/^[^\s@]+@[^\s@]+$/.test(mailFrom)) throw new Error('MAIL_FROM: must be an address (or DOMAIN be set)')
  const suffix = domain === undefined ? {} : { TENANT_DOMAIN_SUFFIX: domain }
  return {
    stage,
    domain,
    mailFrom,
    mailBy: extra.includes('SMTP_URL') ? 'smtp' : 'ses',
    alarmEmail: env.ALARM_EMAIL ?? env.PLATFORM_ADMIN_EMAIL,
    extraSecrets: extra.filter(isSecret).filter((name) => name !== 'SMTP_URL'),
    variables: {
      SIGN_UP: 'invite',
      ...suffix,
      ...Object.fromEntries(PLAIN.flatMap((name) => (env[name] ? [[name, env[name]]] : []))),
    },
    logRetention: isProduction(stage) ? '1 month' : '1 week',
  }
}
