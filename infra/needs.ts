// Secrets, permissions, memory and time of each function. The deployment grants exactly these; needs.test.ts compares them with the sources in its bundle.
// A group that needs only the defaults has no line here.

/** Variables that are managed secrets. All others in docs/configuration.md are plain. */
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

/** Permissions of a function besides reading its secrets. infra/functions.ts maps each to actions on a resource. */
export type FunctionPermission = 'tasks:send' | 'tasks:receive'

export type Reasoned = readonly [value: number, reason: string]

export type Needs = {
  readonly secrets: readonly SecretVariable[]
  readonly permissions: readonly FunctionPermission[]
  /** MiB. Processor time is proportional to it: 1769 MiB give one whole processor. */
  readonly memory: Reasoned
  /** Seconds. */
  readonly timeout: Reasoned
  /** `http`: routed by the API. `schedule` and `queue`: no path. `deploy`: invoked by the deployment before any other function. */
  readonly trigger: 'http' | 'schedule' | 'queue' | 'deploy'
}

/** Every function has these. JWT_DEF_SECRET, which signs sessions, is granted where the deployment sets it. */
export const DEFAULT_NEEDS: Needs = {
  secrets: ['DATABASE_URL', 'REDIS_URL', 'UPSTASH_REDIS_REST_TOKEN', 'MASTER_KEYS', 'HASH_KEY', 'JWT_DEF_SECRET'],
  permissions: ['tasks:send'],
  memory: [512, 'A request waits for the database; a third of a processor is enough to start a bundle of 420 KiB.'],
  timeout: [29, 'The gateway times out after 30 seconds; a request ends one second before its function.'],
  trigger: 'http',
}

const PASSWORDS: Reasoned = [1024, 'argon2id uses 19 MiB and half a processor for each password.']
const TEXTS: readonly SecretVariable[] = ['TWILIO_AUTH_TOKEN']
const PUSHES: readonly SecretVariable[] = ['FCM_SERVICE_ACCOUNT', 'VAPID_PRIVATE_KEY']
const PROVIDERS: readonly SecretVariable[] = ['GOOGLE_CLIENT_SECRET', 'GITHUB_CLIENT_SECRET', 'MICROSOFT_CLIENT_SECRET']

type Additions = Partial<Needs>

/** By folder: needs in addition to the defaults; memory, timeout and trigger replace them. */
const ADDITIONS: Readonly<Record<string, Additions>> = {
  account: { memory: PASSWORDS },
  'account-pages': { memory: PASSWORDS, secrets: TEXTS },
  admin: { memory: PASSWORDS },
  auth: { memory: PASSWORDS },
  ciba: { secrets: PUSHES },
  factors: { memory: PASSWORDS },
  federation: { secrets: PROVIDERS },
  login: { memory: PASSWORDS, secrets: TEXTS },
  management: { memory: PASSWORDS },
  metrics: { secrets: ['METRICS_TOKEN'] },
  oauth: { secrets: PUSHES },
  'one-time-codes': { secrets: TEXTS },
  'sign-up': { memory: PASSWORDS },
  user: { memory: PASSWORDS },
  'user-sign-in': { memory: PASSWORDS },
  webauthn: { memory: [1024, 'Verifying a ceremony loads 560 KiB more and checks signatures.'] },

  outbox: {
    trigger: 'queue',
    secrets: ['SMTP_URL'],
    permissions: ['tasks:receive'],
    timeout: [120, 'A batch holds ten mails or deliveries of at most ten seconds each, plus a margin.'],
  },
  scheduled: {
    trigger: 'schedule',
    secrets: ['SMTP_URL', 'DATABASE_JOBS_URL', 'DATABASE_OWNER_URL'],
    timeout: [300, 'A job holds its lease for five minutes and stops half a minute before it expires.'],
  },
  upgrade: {
    trigger: 'deploy',
    secrets: ['DATABASE_JOBS_URL', 'DATABASE_OWNER_URL'],
    timeout: [600, 'Migrations of a large database take minutes.'],
  },
}

/** Folders with additions, so that a test can find a line for a function that no longer exists. */
export const FUNCTIONS_WITH_ADDITIONS: readonly string[] = Object.keys(ADDITIONS)

const union = <T>(a: readonly T[], b: readonly T[] = []): readonly T[] => [...new Set([...a, ...b])]

export const needsOf = (name: string): Needs => {
  const additions = ADDITIONS[name] ?? {}
  return {
    ...DEFAULT_NEEDS,
    ...additions,
    secrets: union(DEFAULT_NEEDS.secrets, additions.secrets),
    permissions: union(DEFAULT_NEEDS.permissions, additions.permissions),
  }
}
