// Limits of the deployment: request rate, retention, permission to send mail, and thresholds of alarms.
import { expect, test } from 'vitest'
import { COUNTED } from './alarms.ts'
import { manifest } from './manifest.ts'
import { program } from './program.ts'
import { record } from './recorder.ts'
import { readSettings } from './settings.ts'

const OWNER = 'postgres://owner:secret@db.example.com/authsec'
const deployment = record('production', () => program(manifest(), readSettings('production', { DOMAIN: 'auth.example.com' }), 'release-1'), {
  '{DatabaseUrl.value}': OWNER,
  '{MasterKeys.value}': 'none',
})

test('the gateway limits the request rate before it starts a function', () => {
  const [api] = deployment.of('sst.aws.ApiGatewayV2')
  expect(api?.args['transformed stage']).toMatchObject({ defaultRouteSettings: { throttlingRateLimit: 500, throttlingBurstLimit: 1000 } })
})

test('tasks and dead letters are encrypted and kept for two weeks', () => {
  const queues = deployment.of('aws.sqs.Queue')
  expect(queues.map(({ name }) => name).toSorted()).toEqual(['DeadTasks', 'Tasks'])
  for (const { args, name } of queues) expect(args, name).toMatchObject({ sqsManagedSseEnabled: true, messageRetentionSeconds: 14 * 86_400 })
})

test('a missed schedule is not repeated: the next run does the work', () => {
  for (const { args, name } of deployment.of('aws.cloudwatch.EventTarget'))
    expect(args.retryPolicy, name).toEqual({ maximumRetryAttempts: 0, maximumEventAgeInSeconds: 300 })
})

test('the password of the mail user allows only sending from the one address', () => {
  const [policy, ...others] = deployment.of('aws.iam.UserPolicy')
  expect(others).toEqual([])
  expect(JSON.parse(String(policy?.args.policy))).toEqual({
    Version: '2012-10-17',
    Statement: [
      {
        Effect: 'Allow',
        Action: 'ses:SendRawEmail',
        Resource: '*',
        Condition: { StringEquals: { 'ses:FromAddress': 'no-reply@auth.example.com' } },
      },
    ],
  })
})

test('each alarm has the threshold that its page states', () => {
  const alarms = deployment
    .of('aws.cloudwatch.MetricAlarm')
    .map(({ name, args }) => [
      name.replace('Alarm-', ''),
      `${args.metricName} ${args.statistic ?? args.extendedStatistic} over ${args.threshold} in ${args.evaluationPeriods} x ${args.period} s, silence is ${args.treatMissingData}`,
    ])
  expect(Object.fromEntries(alarms)).toEqual({
    'server-errors': '5xx Sum over 5 in 1 x 300 s, silence is notBreaching',
    throttles: 'Throttles Sum over 0 in 1 x 300 s, silence is notBreaching',
    latency: 'Latency p99 over 3000 in 3 x 300 s, silence is notBreaching',
    'dead-letters': 'ApproximateNumberOfMessagesVisible Maximum over 0 in 1 x 300 s, silence is notBreaching',
    'tasks-wait': 'ApproximateAgeOfOldestMessage Maximum over 1800 in 1 x 300 s, silence is notBreaching',
    'job-failures': 'job_failures Sum over 0 in 1 x 300 s, silence is notBreaching',
    'dependency-away': 'dependency_away Sum over 5 in 1 x 300 s, silence is notBreaching',
    'dead-functions': 'dead_invocations Sum over 0 in 1 x 300 s, silence is notBreaching',
    'sms-quota': 'sms_refused Sum over 0 in 1 x 300 s, silence is notBreaching',
    'key-age': 'key_age_days Maximum over 35 in 2 x 3600 s, silence is breaching',
    'audit-gap': 'audit_gap Sum over 0 in 1 x 86400 s, silence is notBreaching',
  })
})

/** Evaluates a pattern as CloudWatch does: `{ $.a = "x" && $.b = 1 }`. */
const fits = (pattern: string, line: Readonly<Record<string, unknown>>): boolean =>
  [...pattern.matchAll(/\$\.(\w+) = ("[^"]*"|\d+)/g)].every(([, name = '', value = '']) => line[name] === JSON.parse(value))

test('each metric filter counts the log line that it is for, and no other', () => {
  const lines = [
    { event: 'request', status: 503 },
    { event: 'request', status: 500 },
    { event: 'request', status: 200 },
    { event: 'job.done', job: 'gauges', key_age_days: 3 },
    { event: 'job.done', job: 'expiry' },
    { event: 'job.failed', job: 'expiry' },
    { event: 'audit.gap', missing: 2 },
    { event: 'sms.quota_exceeded', scope: 'tenant' },
  ]
  const counted = COUNTED.filter(({ pattern }) => pattern.startsWith('{')).map(({ metric, pattern }) => [
    metric,
    lines.flatMap((line, at) => (fits(pattern, line) ? [at] : [])),
  ])
  expect(Object.fromEntries(counted)).toEqual({ dependency_away: [0], key_age_days: [3], audit_gap: [6], sms_refused: [7], job_failures: [5] })
})
