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
 * One embedded metric format line. Method and endpoint are dimensions, and so cost a metric each; status, tenant and request are properties, that can be
 * searched and cost nothing.
 */
export const emfLine = (namespace: string, request: RequestLatency): string =>
  JSON.stringify({
    _aws: {
      Timestamp: request.at.getTime(),
      CloudWatchMetrics: [
        { Namespace: namespace, Dimensions: [['method', 'endpoint']], Metrics: [{ Name: 'http_request_duration', Unit: 'Milliseconds' }] },
      ],
    },
    method: request.method,
    endpoint: request.endpoint,
    http_request_duration: request.durationMs,
    status_code: request.statusCode,
    tenant_id: request.tenantId,
    request_id: request.requestId,
  })
