// Every metric, declared once: name, type, help, labels and buckets. Names and labels are AuthSec's, so that its dashboards keep working.

type Described = { readonly help: string; readonly labels: readonly string[] }
export type Definition =
  | (Described & { readonly type: 'counter' })
  | (Described & { readonly type: 'histogram'; readonly buckets: readonly number[] })
  /**
   * `instance`: a value of the process that answers the scrape. `fleet`: one value for all instances, set by a job and stored in the shared cache.
   */
  | (Described & { readonly type: 'gauge'; readonly of: 'instance' | 'fleet' })

/** The default buckets of the Prometheus client libraries, in seconds. */
const SECONDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10] as const

export const METRICS = {
  http_requests_total: {
    type: 'counter',
    help: 'HTTP requests answered.',
    labels: ['method', 'endpoint', 'status_code', 'tenant_id'],
  },
  http_request_duration_seconds: {
    type: 'histogram',
    help: 'Time from the first byte of a request to its response.',
    labels: ['method', 'endpoint', 'status_code', 'tenant_id'],
    buckets: SECONDS,
  },
  http_response_size_bytes: {
    type: 'histogram',
    help: 'Size of the responses.',
    labels: ['method', 'endpoint', 'tenant_id'],
    buckets: [100, 1e3, 1e4, 1e5, 1e6],
  },
  db_query_duration_seconds: {
    type: 'histogram',
    help: 'Time of database statements.',
    labels: ['operation', 'table', 'tenant_id'],
    buckets: SECONDS,
  },
  db_connection_pool_size: {
    type: 'gauge',
    of: 'instance',
    help: 'Connections that this instance may open. Tenants share them.',
    labels: ['database_type', 'tenant_id'],
  },
  auth_requests_total: {
    type: 'counter',
    help: 'Attempts to authenticate.',
    labels: ['auth_type', 'result', 'tenant_id'],
  },
  auth_failures_total: {
    type: 'counter',
    help: 'Refused attempts to authenticate, by error code.',
    labels: ['auth_type', 'reason', 'tenant_id'],
  },
  tenant_operations_total: {
    type: 'counter',
    help: 'Tenants created, changed and removed.',
    labels: ['operation', 'result'],
  },
  active_tenants: { type: 'gauge', of: 'fleet', help: 'Tenants that are active, as of the last run of the gauges job.', labels: [] },
  memory_usage_bytes: { type: 'gauge', of: 'instance', help: 'Resident memory of the instance that answered this scrape.', labels: [] },
  /** A compatibility name: this is not Go. */
  goroutines_count: {
    type: 'gauge',
    of: 'instance',
    help: 'Active handles (timers, sockets, requests) of the instance that answered this scrape.',
    labels: [],
  },

  // Ours
  user_code_failures_total: { type: 'counter', help: 'Unknown user codes of device grants that were entered.', labels: [] },
  push_sent_total: { type: 'counter', help: 'Push messages by result.', labels: ['provider', 'result'] },
  job_runs_total: { type: 'counter', help: 'Runs of scheduled jobs.', labels: ['job', 'result'] },
  metrics_flush_failures_total: { type: 'counter', help: 'Transfers of increments to the cache that failed and were retried.', labels: [] },
  metrics_dropped_total: { type: 'counter', help: 'Increments that were dropped because an instance reached its bound of series.', labels: [] },
} as const satisfies Record<string, Definition>

export type MetricName = keyof typeof METRICS
type Named<Type extends Definition['type']> = { [N in MetricName]: (typeof METRICS)[N]['type'] extends Type ? N : never }[MetricName]
export type CounterName = Named<'counter'>
export type HistogramName = Named<'histogram'>
export type GaugeName = Named<'gauge'>
/** A value for each declared label. */
export type LabelsOf<N extends MetricName> = Readonly<Record<(typeof METRICS)[N]['labels'][number], string>>

/** The declaration with its general type. */
export const definitionOf = (name: MetricName): Definition => METRICS[name]
export const isMetricName = (name: string): name is MetricName => Object.hasOwn(METRICS, name)
