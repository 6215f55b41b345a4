// Writes request latency to the function's log, from which CloudWatch reads it without an agent or a call.
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
 * One embedded metric format line with one metric. CloudWatch bills each value of a dimension as a metric, which would be some five hundred for all
 * routes; method, endpoint, status, tenant and request are therefore searchable properties.
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
