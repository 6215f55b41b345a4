// Secrets of a deployment: two that a person sets (`npx sst secret set DatabaseUrl …`, `CacheUrl …`), those that the first deployment generates, and the stage's
// EXTRA_SECRETS. Each is a separate managed secret, so that a function is granted only those that it needs.
import type { SecretVariable } from './needs.ts'
import { isProduction, type Settings } from './settings.ts'

export type Secrets = {
  /** `PREFIX/NAME` is the id of a managed secret. */
  readonly prefix: string
  readonly arns: ReadonlyMap<SecretVariable, Out<string>>
  /** Dependencies of every resource that reads the secrets. */
  readonly versions: readonly unknown[]
}

/** The longest recovery window that Secrets Manager allows. */
const RECOVERY_DAYS = 30

/** `TWILIO_AUTH_TOKEN` is set as `TwilioAuthToken`. */
export const secretName = (variable: string): string => variable.toLowerCase().replace(/(?:^|_)([a-z])/g, (_, letter: string) => letter.toUpperCase())

/** The owner's database URL with another role's login. */
const loginOf =
  (role: string) =>
  ([owner, password]: readonly [string, string]): string => {
    const url = new URL(owner)
    url.username = role
    url.password = password
    return url.href
  }

const together = (a: Out<string>, b: Out<string>): Out<readonly [string, string]> =>
  $interpolate`${a}\n${b}`.apply((both) => {
    const [first = '', second = ''] = both.split('\n')
    return [first, second] as const
  })

/** An SMTP login of Amazon SES that may only send mail from that address. */
const sesUrl = (settings: Settings): Out<string> => {
  new sst.aws.Email('Mail', { sender: settings.mailFrom.slice(settings.mailFrom.indexOf('@') + 1) })
  const user = new aws.iam.User('MailUser', {})
  new aws.iam.UserPolicy('MailPolicy', {
    user: user.name,
    policy: JSON.stringify({
      Version: '2012-10-17',
      Statement: [
        { Effect: 'Allow', Action: 'ses:SendRawEmail', Resource: '*', Condition: { StringEquals: { 'ses:FromAddress': settings.mailFrom } } },
      ],
    }),
  })
  const key = new aws.iam.AccessKey('MailKey', { user: user.name })
  const encoded = key.sesSmtpPasswordV4.apply(encodeURIComponent)
  return $interpolate`smtps://${key.id}:${encoded}@email-smtp.${aws.getRegionOutput().name}.amazonaws.com:465`
}

export const secrets = (settings: Settings): Secrets => {
  const prefix = `${$app.name}/${settings.stage}`
  const set = (variable: string): Out<string> => new sst.Secret(secretName(variable)).value
  const made = (name: string, length = 32) => new random.RandomBytes(name, { length })
  const owner = set('DATABASE_URL')
  const cache: SecretVariable = settings.variables.UPSTASH_REDIS_REST_URL === undefined ? 'REDIS_URL' : 'UPSTASH_REDIS_REST_TOKEN'
  const values: readonly (readonly [SecretVariable, Out<string>])[] = [
    ['DATABASE_OWNER_URL', owner],
    ['DATABASE_URL', together(owner, made('AppPassword').hex).apply(loginOf('authsec_app'))],
    ['DATABASE_JOBS_URL', together(owner, made('JobsPassword').hex).apply(loginOf('authsec_jobs'))],
    [cache, set('CACHE_URL')],
    ['MASTER_KEYS', masterKeys(made('MasterKey').base64)],
    ['HASH_KEY', made('HashKey').base64],
    ['METRICS_TOKEN', made('MetricsToken').hex],
    ['SMTP_URL', settings.mailBy === 'ses' ? sesUrl(settings) : set('SMTP_URL')],
    ...settings.extraSecrets.map((name) => [name, set(name)] as const),
  ]
  const kept = values.map(([name, value]) => {
    // The name is fixed, because functions read a secret by name; a stage that is removed and created again within days needs the same name, so there is no recovery
    // window. Production keeps one: without its keys its database cannot be read.
    const secret = new aws.secretsmanager.Secret(`Secret${secretName(name)}`, {
      name: `${prefix}/${name}`,
      recoveryWindowInDays: isProduction(settings.stage) ? RECOVERY_DAYS : 0,
    })
    const version = new aws.secretsmanager.SecretVersion(`Secret${secretName(name)}Version`, { secretId: secret.id, secretString: value })
    return { name, arn: secret.arn, version }
  })
  return { prefix, arns: new Map(kept.map(({ name, arn }) => [name, arn])), versions: kept.map(({ version }) => version) }
}

/** `OLDER_MASTER_KEYS` is set while keys are being changed: see docs/rotating.md. */
const masterKeys = (base64: Out<string>): Out<string> =>
  together(base64, new sst.Secret('MasterKeys', 'none').value).apply(([own, given]) => (given === 'none' ? `m1:${own}` : given))
