// Latency in the function's own log, from where CloudWatch takes it without an agent or a call.
// @see https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html

export type RequestLatency = {
  readonly at: Date
  readonly durationMs: number
  readonly method: string
  /** The route template. */
  readonly endpoint: string
  readonly statusCode: number
  readonly tenantId: string
  readonly requestId: string
}

/**
 * One embedded metric format line, of one metric: each value of a dimension is billed as a metric of its own, and whoever asks every route once would make
 * some five hundred. Method, endpoint, status, tenant and request are properties, which can be searched and cost nothing.
 */
export const emfLine = (namespace: string, request: RequestLatency): string =>
  JSON.stringify({
    _aws: {
      Timestamp: request.at.getTime(),
      CloudWatchMetrics: [{ Namespace: namespace, Dimensions: [['service']], Metrics: [{ Name: 'http_request_duration', Unit: 'Milliseconds' }] }],
    },
    service: namespace,
    method: request.method,
    endpoint: request.endpoint,
    http_request_duration: request.durationMs,
    status_code: request.statusCode,
    tenant_id: request.tenantId,
    request_id: request.requestId,
  })
