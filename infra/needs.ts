// What each function needs of the cloud, as data and in one place: the deployment program gives it that and nothing else, and needs.test.ts holds it to what its
// bundle reads. A group that needs no more than every group has no line here.

/** Variables that are kept as managed secrets. Everything else of docs/configuration.md is plain. */
export const SECRETS = [
  'DATABASE_URL',
  'DATABASE_JOBS_URL',
  'DATABASE_OWNER_URL',
  'REDIS_URL',
  'UPSTASH_REDIS_REST_TOKEN',
  'SMTP_URL',
  'MASTER_KEYS',
  'HASH_KEY',
  'JWT_DEF_SECRET',
  'GOOGLE_CLIENT_SECRET',
  'GITHUB_CLIENT_SECRET',
  'MICROSOFT_CLIENT_SECRET',
  'METRICS_TOKEN',
  'TWILIO_AUTH_TOKEN',
  'FCM_SERVICE_ACCOUNT',
  'VAPID_PRIVATE_KEY',
] as const
export type SecretVariable = (typeof SECRETS)[number]

/** What a function may do beside reading its secrets. The deployment program knows on which resource. */
export type Deed = 'tasks:send' | 'tasks:receive'

export type Sized = readonly [value: number, why: string]

export type Needs = {
  readonly secrets: readonly SecretVariable[]
  readonly deeds: readonly Deed[]
  /** MiB. The share of a processor grows with it: 1769 are a whole one. */
  readonly memory: Sized
  /** Seconds. */
  readonly timeout: Sized
  /** `http`: behind the API. `schedule` and `queue`: no path. `deploy`: called by the deployment alone, before everything else. */
  readonly trigger: 'http' | 'schedule' | 'queue' | 'deploy'
}

/** Of every function. JWT_DEF_SECRET is given where the deployment has one: sessions are signed with it. */
export const OF_EVERY_FUNCTION: Needs = {
  secrets: ['DATABASE_URL', 'REDIS_URL', 'UPSTASH_REDIS_REST_TOKEN', 'MASTER_KEYS', 'HASH_KEY', 'JWT_DEF_SECRET'],
  deeds: ['tasks:send'],
  memory: [512, 'A request waits for the database; a third of a processor starts a bundle of 420 KiB soon enough.'],
  timeout: [29, 'The gateway gives up after 30 seconds, and the request itself a second before its function.'],
  trigger: 'http',
}

const PASSWORDS: Sized = [1024, 'argon2id takes 19 MiB and half a processor for each password.']
const TEXTS: readonly SecretVariable[] = ['TWILIO_AUTH_TOKEN']
const PUSHES: readonly SecretVariable[] = ['FCM_SERVICE_ACCOUNT', 'VAPID_PRIVATE_KEY']
const PROVIDERS: readonly SecretVariable[] = ['GOOGLE_CLIENT_SECRET', 'GITHUB_CLIENT_SECRET', 'MICROSOFT_CLIENT_SECRET']

type More = Partial<Omit<Needs, 'secrets' | 'deeds'>> & { readonly secrets?: Needs['secrets']; readonly deeds?: Needs['deeds'] }

/** By folder, what a function needs beyond that. */
const MORE: Readonly<Record<string, More>> = {
  account: { memory: PASSWORDS },
  'account-pages': { memory: PASSWORDS, secrets: TEXTS },
  admin: { memory: PASSWORDS },
  auth: { memory: PASSWORDS },
  ciba: { secrets: PUSHES },
  'user-sign-in': { memory: PASSWORDS },
  factors: { memory: PASSWORDS },
  federation: { secrets: PROVIDERS },
  login: { memory: PASSWORDS, secrets: TEXTS },
  management: { memory: PASSWORDS },
  metrics: { secrets: ['METRICS_TOKEN'] },
  oauth: { secrets: PUSHES },
  'one-time-codes': { secrets: TEXTS },
  'sign-up': { memory: PASSWORDS },
  user: { memory: PASSWORDS },
  webauthn: { memory: [1024, 'Verifying a ceremony loads 560 KiB more and checks signatures.'] },

  outbox: {
    trigger: 'queue',
    secrets: ['SMTP_URL'],
    deeds: ['tasks:receive'],
    timeout: [120, 'A batch of ten mails or deliveries, ten seconds each at most, and a margin.'],
  },
  scheduled: {
    trigger: 'schedule',
    secrets: ['SMTP_URL', 'DATABASE_JOBS_URL', 'DATABASE_OWNER_URL'],
    timeout: [300, 'A job holds its lease for five minutes and stops half a minute before.'],
  },
  upgrade: {
    trigger: 'deploy',
    secrets: ['DATABASE_JOBS_URL', 'DATABASE_OWNER_URL'],
    timeout: [600, 'Migrations of a large database.'],
  },
}

/** Folders that `MORE` speaks of, for the test that none is left over. */
export const NAMED: readonly string[] = Object.keys(MORE)

const joined = <T>(a: readonly T[], b: readonly T[] = []): readonly T[] => [...new Set([...a, ...b])]

export const needsOf = (name: string): Needs => {
  const more = MORE[name] ?? {}
  return {
    ...OF_EVERY_FUNCTION,
    ...more,
    secrets: joined(OF_EVERY_FUNCTION.secrets, more.secrets),
    deeds: joined(OF_EVERY_FUNCTION.deeds, more.deeds),
  }
}
