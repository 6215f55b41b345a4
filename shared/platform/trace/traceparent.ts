// W3C Trace Context, version 00. @see https://www.w3.org/TR/trace-context/#traceparent-header

export type SpanContext = {
  /** 32 lower-case hex digits, not all zero. */
  readonly traceId: string
  /** 16 lower-case hex digits, not all zero. */
  readonly spanId: string
  readonly sampled: boolean
}

const FORM = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/
const isZero = (hex: string): boolean => /^0+$/.test(hex)

/** Parses the header; undefined when it is absent or malformed, and the trace then starts here. Only later versions may have data after the flags. */
export const parseTraceparent = (header: string | undefined): SpanContext | undefined => {
  const [, version, traceId, spanId, flags, more] = FORM.exec(header ?? '') ?? []
  if (version === undefined || traceId === undefined || spanId === undefined || flags === undefined) return undefined
  if (version === 'ff' || (version === '00' && more !== undefined) || isZero(traceId) || isZero(spanId)) return undefined
  return { traceId, spanId, sampled: (Number.parseInt(flags, 16) & 1) === 1 }
}

export const formatTraceparent = ({ traceId, spanId, sampled }: SpanContext): string => `00-${traceId}-${spanId}-${sampled ? '01' : '00'}`
