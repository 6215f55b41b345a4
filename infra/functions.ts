// A function a folder, with what infra/needs.ts says it needs and nothing else.
import { type Deed, needsOf, type SecretVariable } from './needs.ts'
import type { Secrets } from './secrets.ts'
import type { Settings } from './settings.ts'

type Queue = { readonly arn: Out<string>; readonly url: Out<string> }
type Around = { readonly settings: Settings; readonly secrets: Secrets; readonly queue: Queue; readonly baseUrl: Out<string> }

const ACTIONS: Readonly<Record<Deed, readonly string[]>> = {
  'tasks:send': ['sqs:SendMessage'],
  'tasks:receive': ['sqs:ReceiveMessage', 'sqs:DeleteMessage', 'sqs:GetQueueAttributes', 'sqs:ChangeMessageVisibility'],
}

/** A request ends before its function does, so that it is answered. */
const MARGIN_SECONDS = 1
const LONGEST_REQUEST_SECONDS = 29

const pascal = (name: string): string => name.replace(/(?:^|-)([a-z])/g, (_, letter: string) => letter.toUpperCase())

/** Those of its needs that this deployment has: JWT_DEF_SECRET, providers, texts and pushes are a deployment's choice. */
const secretsOf = (name: string, { arns }: Secrets): readonly (readonly [SecretVariable, Out<string>])[] =>
  needsOf(name).secrets.flatMap((secret) => {
    const arn = arns.get(secret)
    return arn === undefined ? [] : [[secret, arn] as const]
  })

/** `before` is what has to be done before it may answer. */
export const makeFunction = (name: string, { settings, secrets, queue, baseUrl }: Around, before: readonly unknown[]): sst.aws.Function => {
  const { deeds, memory, timeout } = needsOf(name)
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
        ...settings.variables,
        ENVIRONMENT: 'production',
        BASE_URL: baseUrl,
        MAIL_FROM: settings.mailFrom,
        // One request at a time, so a second connection serves what goes on beside it.
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
        ...deeds.map((deed) => ({ actions: ACTIONS[deed], resources: [queue.arn] })),
      ],
      logging: { format: 'text', retention: settings.logRetention },
    },
    { dependsOn: before },
  )
}
