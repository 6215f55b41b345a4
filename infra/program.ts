// The deployment of one stage: an API with a function a group, a queue with a place for dead letters, a schedule a job, alarms. Everything that lists groups or jobs
// comes from the manifest, so a new one is deployed without a line here.

import { alarms } from './alarms.ts'
import { makeFunction } from './functions.ts'
import type { Manifest } from './manifest.ts'
import { routeKeys } from './routes.ts'
import { secrets } from './secrets.ts'
import { isProduction, type Settings } from './settings.ts'

/** Requests a second over all callers, and at once. Limits of our own count by address and account; this one bounds the bill. */
const REQUESTS_PER_SECOND = 500
const REQUESTS_AT_ONCE = 1000
/** A gateway's longest. */
const GATEWAY_MS = 30_000
const KEPT_SECONDS = 14 * 86_400
/** SQS wants six times the function's time, and a failing task should not come back before it is over. */
const TASK_SECONDS = 6 * 120
const TRIES = 5
const BATCH = 10

const tasks = () => {
  const dead = new aws.sqs.Queue('DeadTasks', { messageRetentionSeconds: KEPT_SECONDS, sqsManagedSseEnabled: true })
  const queue = new aws.sqs.Queue('Tasks', {
    visibilityTimeoutSeconds: TASK_SECONDS,
    messageRetentionSeconds: KEPT_SECONDS,
    sqsManagedSseEnabled: true,
    redrivePolicy: $jsonStringify({ deadLetterTargetArn: dead.arn, maxReceiveCount: TRIES }),
  })
  return { queue, dead }
}

/** The gateway's own host is closed where there is a domain: one door, with one name. */
const openApi = ({ domain }: Settings) =>
  new sst.aws.ApiGatewayV2('Api', {
    ...(domain === undefined ? {} : { domain }),
    // Answered by the functions: which origins there are is known to the database alone.
    cors: false,
    accessLog: { retention: '1 month' },
    transform: {
      api: (args) => {
        args.disableExecuteApiEndpoint = domain !== undefined
      },
      stage: (args) => {
        args.defaultRouteSettings = {
          throttlingRateLimit: REQUESTS_PER_SECOND,
          throttlingBurstLimit: REQUESTS_AT_ONCE,
          detailedMetricsEnabled: false,
        }
      },
    },
  })

const rate = (seconds: number): string => {
  const minutes = Math.max(1, Math.round(seconds / 60))
  return minutes === 1 ? 'rate(1 minute)' : `rate(${minutes} minutes)`
}

export const program = (manifest: Manifest, settings: Settings, release: string) => {
  const api = openApi(settings)
  const { queue, dead } = tasks()
  const kept = secrets(settings)
  const baseUrl = settings.domain === undefined ? api.url : $interpolate`https://${settings.domain}`
  const around = { settings, secrets: kept, queue, baseUrl }

  // First the database, then whoever reads it: see "Migrations" in docs/deploying.md.
  const upgrade = makeFunction('upgrade', around, kept.versions)
  const upgraded = new aws.lambda.Invocation('Upgrade', {
    functionName: upgrade.name,
    input: JSON.stringify({ upgrade: release }),
    triggers: { release },
  })
  const functions = new Map<string, sst.aws.Function>([['upgrade', upgrade]])
  const make = (name: string): sst.aws.Function => {
    const made = makeFunction(name, around, [upgraded])
    functions.set(name, made)
    return made
  }

  const integrations = new Map(
    manifest.groups.map(({ name }) => {
      const fn = make(name)
      new aws.lambda.Permission(`Call-${name}`, {
        action: 'lambda:InvokeFunction',
        function: fn.arn,
        principal: 'apigateway.amazonaws.com',
        sourceArn: $interpolate`${api.nodes.api.executionArn}/*`,
      })
      const integration = new aws.apigatewayv2.Integration(`To-${name}`, {
        apiId: api.nodes.api.id,
        integrationType: 'AWS_PROXY',
        integrationUri: fn.arn,
        payloadFormatVersion: '2.0',
        timeoutMilliseconds: GATEWAY_MS,
      })
      return [name, integration] as const
    }),
  )
  for (const { path, group } of routeKeys(manifest.groups)) {
    const integration = integrations.get(group)
    if (integration === undefined) throw new Error(`${path} belongs to ${group}, which is no group`)
    new aws.apigatewayv2.Route(`ANY ${path}`, {
      apiId: api.nodes.api.id,
      routeKey: `ANY ${path}`,
      target: $interpolate`integrations/${integration.id}`,
      authorizationType: 'NONE',
    })
  }

  new aws.lambda.EventSourceMapping('TasksToOutbox', {
    eventSourceArn: queue.arn,
    functionName: make('outbox').arn,
    batchSize: BATCH,
    functionResponseTypes: ['ReportBatchItemFailures'],
  })

  const scheduled = make('scheduled')
  for (const { id, everySeconds } of manifest.jobs) {
    const rule = new aws.cloudwatch.EventRule(`Every-${id}`, { scheduleExpression: rate(everySeconds) })
    new aws.cloudwatch.EventTarget(`Run-${id}`, {
      rule: rule.name,
      arn: scheduled.arn,
      input: JSON.stringify({ job: id }),
      retryPolicy: { maximumRetryAttempts: 0, maximumEventAgeInSeconds: 300 },
    })
    new aws.lambda.Permission(`Allow-${id}`, {
      action: 'lambda:InvokeFunction',
      function: scheduled.arn,
      principal: 'events.amazonaws.com',
      sourceArn: rule.arn,
    })
  }

  alarms(settings, { apiId: api.nodes.api.id, queueName: queue.name, deadLettersName: dead.name, functions })
  return { url: baseUrl, protected: isProduction(settings.stage) }
}
