// One function for each folder, with exactly the needs that infra/needs.ts declares.
import { compileCacheVariables } from './bundle/compile-cache.ts'
import { type FunctionPermission, needsOf, type SecretVariable } from './needs.ts'
import type { Secrets } from './secrets.ts'
import type { Settings } from './settings.ts'

type Queue = { readonly arn: Out<string>; readonly url: Out<string> }
type Environment = { readonly settings: Settings; readonly secrets: Secrets; readonly queue: Queue; readonly baseUrl: Out<string> }

const ACTIONS: Readonly<Record<FunctionPermission, readonly string[]>> = {
  'tasks:send': ['sqs:SendMessage'],
  'tasks:receive': ['sqs:ReceiveMessage', 'sqs:DeleteMessage', 'sqs:GetQueueAttributes', 'sqs:ChangeMessageVisibility'],
}

/** A request times out before its function, so that the caller gets an answer. */
const MARGIN_SECONDS = 1
const LONGEST_REQUEST_SECONDS = 29

const pascal = (name: string): string => name.replace(/(?:^|-)([a-z])/g, (_, letter: string) => letter.toUpperCase())

/** The declared secrets that this deployment sets: JWT_DEF_SECRET and those of providers, text messages and pushes are optional. */
const secretsOf = (name: string, { arns }: Secrets): readonly (readonly [SecretVariable, Out<string>])[] =>
  needsOf(name).secrets.flatMap((secret) => {
    const arn = arns.get(secret)
    return arn === undefined ? [] : [[secret, arn] as const]
  })

/** `before`: resources that must exist before the function answers. */
export const makeFunction = (name: string, { settings, secrets, queue, baseUrl }: Environment, before: readonly unknown[]): sst.aws.Function => {
  const { permissions, memory, timeout } = needsOf(name)
  const readable = secretsOf(name, secrets)
  return new sst.aws.Function(
    pascal(name),
    {
      bundle: `.build/${name}`,
      handler: `${name}.handler`,
      description: `${name} of authsec-serverless`,
      runtime: 'nodejs22.x',
      architecture: 'arm64',
      memory: `${memory[0]} MB`,
      timeout: `${timeout[0]} seconds`,
      url: false,
      environment: {
        ...compileCacheVariables('/var/task'),
        ...settings.variables,
        ENVIRONMENT: 'production',
        BASE_URL: baseUrl,
        MAIL_FROM: settings.mailFrom,
        // A function handles one request at a time; the second connection is for work in the background.
        DATABASE_POOL: '2',
        SKIP_MIGRATIONS: 'true',
        METRICS_EMF: 'on',
        REQUEST_SECONDS: String(Math.min(timeout[0], LONGEST_REQUEST_SECONDS) - MARGIN_SECONDS),
        TASK_QUEUE_URL: queue.url,
        SECRETS_MANAGER_PREFIX: secrets.prefix,
        SECRETS_MANAGER_NAMES: readable.map(([secret]) => secret).join(),
      },
      permissions: [
        { actions: ['secretsmanager:GetSecretValue'], resources: readable.map(([, arn]) => arn) },
        ...permissions.map((permission) => ({ actions: ACTIONS[permission], resources: [queue.arn] })),
      ],
      logging: { format: 'text', retention: settings.logRetention },
    },
    { dependsOn: before },
  )
}
