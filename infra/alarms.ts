// Eleven alarms, each with a page in docs/alarms that says what it means and what to do, and a dashboard of the same figures.
import type { Settings } from './settings.ts'

type Metric = {
  readonly namespace: string
  readonly name: string
  readonly dimensions?: Readonly<Record<string, In<string>>>
  readonly statistic: string
}
export type Alarm = {
  /** Also the file name of its page in docs/alarms. */
  readonly id: string
  readonly title: string
  readonly metric: Metric
  readonly over: number
  readonly periodSeconds: number
  readonly periods: number
  /** Missing data: either there was nothing to count, or the source of the figures has stopped. */
  readonly silence: 'notBreaching' | 'breaching'
}
type Watched = {
  readonly apiId: Out<string>
  readonly queueName: Out<string>
  readonly deadLettersName: Out<string>
  readonly functions: ReadonlyMap<string, sst.aws.Function>
}

/** Metric filters on the log of a function. */
type Counted = { readonly metric: string; readonly of: 'every' | 'scheduled'; readonly pattern: string; readonly value: string }
export const COUNTED: readonly Counted[] = [
  { metric: 'dependency_away', of: 'every', pattern: '{ $.event = "request" && $.status = 503 }', value: '1' },
  // Written by the platform: a failed start, a timeout. Errors of a request are handled and do not count as errors of the function.
  { metric: 'dead_invocations', of: 'every', pattern: '?"Status: error" ?"Status: timeout" ?"Task timed out"', value: '1' },
  { metric: 'key_age_days', of: 'scheduled', pattern: '{ $.event = "job.done" && $.job = "gauges" }', value: '$.key_age_days' },
  { metric: 'audit_gap', of: 'scheduled', pattern: '{ $.event = "audit.gap" }', value: '$.missing' },
  { metric: 'sms_refused', of: 'every', pattern: '{ $.event = "sms.quota_exceeded" }', value: '1' },
  { metric: 'job_failures', of: 'scheduled', pattern: '{ $.event = "job.failed" }', value: '1' },
]

const MINUTE = 60
const DAY = 86_400
/** Keys are promoted after thirty days; see shared/platform/tokens/key-rotation.ts. */
const KEY_DAYS = 35

export const alarmsOf = (namespace: string, { apiId, queueName, deadLettersName, functions }: Watched): readonly Alarm[] => {
  const api = (name: string, statistic: string): Metric => ({ namespace: 'AWS/ApiGateway', name, dimensions: { ApiId: apiId }, statistic })
  const own = (name: string, statistic: string): Metric => ({ namespace, name, statistic })
  const lambda = (name: string, of?: string): Metric => {
    const fn = of === undefined ? undefined : functions.get(of)
    return { namespace: 'AWS/Lambda', name, statistic: 'Sum', ...(fn === undefined ? {} : { dimensions: { FunctionName: fn.name } }) }
  }
  const queue = (name: string, of: Out<string>): Metric => ({ namespace: 'AWS/SQS', name, dimensions: { QueueName: of }, statistic: 'Maximum' })
  const often = { periodSeconds: 5 * MINUTE, periods: 1, silence: 'notBreaching' } as const
  return [
    { ...often, id: 'server-errors', title: 'Requests end in 5xx', metric: api('5xx', 'Sum'), over: 5 },
    { ...often, id: 'throttles', title: 'Functions are throttled', metric: lambda('Throttles'), over: 0 },
    { ...often, id: 'latency', title: 'Requests are slow', metric: api('Latency', 'p99'), over: 3000, periods: 3 },
    {
      ...often,
      id: 'dead-letters',
      title: 'A task failed five times',
      metric: queue('ApproximateNumberOfMessagesVisible', deadLettersName),
      over: 0,
    },
    { ...often, id: 'tasks-wait', title: 'Mail and webhooks wait', metric: queue('ApproximateAgeOfOldestMessage', queueName), over: 30 * MINUTE },
    { ...often, id: 'job-failures', title: 'A job failed', metric: own('job_failures', 'Sum'), over: 0 },
    { ...often, id: 'dependency-away', title: 'Database or cache is unavailable', metric: own('dependency_away', 'Sum'), over: 5 },
    { ...often, id: 'dead-functions', title: 'A function fails to start, or crashes', metric: own('dead_invocations', 'Sum'), over: 0 },
    { ...often, id: 'sms-quota', title: 'Text messages are refused by a quota', metric: own('sms_refused', 'Sum'), over: 0 },
    {
      id: 'key-age',
      title: 'A signing key is old, or its age is not measured',
      metric: own('key_age_days', 'Maximum'),
      over: KEY_DAYS,
      periodSeconds: 3600,
      periods: 2,
      silence: 'breaching',
    },
    { ...often, id: 'audit-gap', title: 'Events are missing in the audit log', metric: own('audit_gap', 'Sum'), over: 0, periodSeconds: DAY },
  ]
}

const widget = (region: Out<string>, { title, metric, over }: Alarm) => ({
  type: 'metric',
  width: 12,
  height: 6,
  properties: {
    title,
    region,
    stat: metric.statistic,
    period: 5 * MINUTE,
    metrics: [[metric.namespace, metric.name, ...Object.entries(metric.dimensions ?? {}).flat()]],
    annotations: { horizontal: [{ label: 'alarm', value: over }] },
  },
})

export const alarms = (settings: Settings, watched: Watched): void => {
  const namespace = `${$app.name}/${settings.stage}`
  for (const { metric, of, pattern, value } of COUNTED) {
    const counting = of === 'every' ? [...watched.functions] : [...watched.functions].filter(([name]) => name === of)
    for (const [name, fn] of counting) {
      new aws.cloudwatch.LogMetricFilter(`Count-${metric}-${name}`, {
        logGroupName: fn.nodes.logGroup.name,
        pattern,
        metricTransformation: { namespace, name: metric, value },
      })
    }
  }
  const topic = new aws.sns.Topic('Alarms', {})
  if (settings.alarmEmail !== undefined) {
    new aws.sns.TopicSubscription('AlarmMail', { topic: topic.arn, protocol: 'email', endpoint: settings.alarmEmail })
  }
  const all = alarmsOf(namespace, watched)
  for (const { id, title, metric, over, periodSeconds, periods, silence } of all) {
    new aws.cloudwatch.MetricAlarm(`Alarm-${id}`, {
      alarmDescription: `${title}. What to do: docs/alarms/${id}.md`,
      namespace: metric.namespace,
      metricName: metric.name,
      ...(metric.dimensions === undefined ? {} : { dimensions: metric.dimensions }),
      ...(metric.statistic.startsWith('p') ? { extendedStatistic: metric.statistic } : { statistic: metric.statistic }),
      comparisonOperator: 'GreaterThanThreshold',
      threshold: over,
      period: periodSeconds,
      evaluationPeriods: periods,
      treatMissingData: silence,
      alarmActions: [topic.arn],
      okActions: [topic.arn],
    })
  }
  const region = aws.getRegionOutput().name
  new aws.cloudwatch.Dashboard('Dashboard', {
    dashboardName: `${$app.name}-${settings.stage}`,
    dashboardBody: $jsonStringify({ widgets: all.map((alarm) => widget(region, alarm)) }),
  })
}
