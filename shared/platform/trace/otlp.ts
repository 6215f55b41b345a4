// The JSON of OTLP/HTTP: protobuf's JSON mapping, except that ids are hexadecimal.
// @see https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding
import type { SpanContext } from './traceparent.ts'

export type AttributeValue = string | number | boolean
export type EndedSpan = {
  readonly context: SpanContext
  readonly parentSpanId: string | undefined
  readonly name: string
  readonly kind: 'server' | 'internal' | 'client'
  /** Unix time in nanoseconds. */
  readonly startedAt: bigint
  readonly endedAt: bigint
  readonly attributes: Readonly<Record<string, AttributeValue | undefined>>
  /** Class of the error with which the work ended. */
  readonly error: string | undefined
}

const KIND = { internal: 1, server: 2, client: 3 } as const
const STATUS_ERROR = 2

/** 64-bit integers are strings in protobuf's JSON. */
const anyValue = (value: AttributeValue): object => {
  if (typeof value === 'string') return { stringValue: value }
  if (typeof value === 'boolean') return { boolValue: value }
  return Number.isSafeInteger(value) ? { intValue: String(value) } : { doubleValue: value }
}

const attributesOf = (attributes: EndedSpan['attributes']): object[] =>
  Object.entries(attributes).flatMap(([key, value]) => (value === undefined ? [] : [{ key, value: anyValue(value) }]))

const spanOf = (span: EndedSpan): object => ({
  traceId: span.context.traceId,
  spanId: span.context.spanId,
  ...(span.parentSpanId === undefined ? {} : { parentSpanId: span.parentSpanId }),
  name: span.name,
  kind: KIND[span.kind],
  startTimeUnixNano: String(span.startedAt),
  endTimeUnixNano: String(span.endedAt),
  attributes: attributesOf(span.error === undefined ? span.attributes : { ...span.attributes, 'error.type': span.error }),
  status: span.error === undefined ? {} : { code: STATUS_ERROR },
})

/** An ExportTraceServiceRequest. */
export const exportRequest = (spans: readonly EndedSpan[], service: { readonly name: string; readonly version: string }): object => ({
  resourceSpans: [
    {
      resource: { attributes: attributesOf({ 'service.name': service.name, 'service.version': service.version }) },
      scopeSpans: [{ scope: { name: service.name, version: service.version }, spans: spans.map(spanOf) }],
    },
  ],
})
