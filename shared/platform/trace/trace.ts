// The interface of tracing. Tracing never fails or delays the traced work.
import type { AttributeValue } from './otlp.ts'

/** The only attributes of a span: ids, routes, codes. There is none for an address, a query or a person's text. */
export type AttributeName =
  | 'http.request.method'
  | 'http.route'
  | 'http.response.status_code'
  | 'authsec.request_id'
  | 'authsec.tenant_id'
  | 'authsec.principal_id'
  | 'authsec.client_id'
  | 'authsec.job'
  | 'db.system.name'
  | 'db.operation.name'
  | 'db.collection.name'
  /** The external service that was called, by our name for it. */
  | 'authsec.dependency'
export type Attributes = Readonly<Partial<Record<AttributeName, AttributeValue>>>
/** Adds attributes that become known later, such as the status. */
export type SetAttributes = (attributes: Attributes) => void

export type Tracer = {
  /**
   * Runs `work` inside a span and returns its result or error. Spans inside are its children. `from` is a request's `traceparent` header: its trace
   * is continued, and nothing is sent if it is not sampled.
   */
  span<T>(
    name: string,
    attributes: Attributes,
    work: (set: SetAttributes) => Promise<T>,
    from?: { readonly traceparent: string | undefined },
  ): Promise<T>
  /** The `traceparent` header of the current span, for calls to other services. */
  traceparent(): string | undefined
  /** Sends ended spans. Called by a local timer, before a function freezes, and at shutdown. Never throws. */
  flush(): Promise<void>
}

/** A tracer that does nothing. */
export const noTracer: Tracer = {
  span: (_name, _attributes, work) => work(() => undefined),
  traceparent: () => undefined,
  flush: async () => undefined,
}

/** Wraps a call to another service in a span with the service's name. Arguments and results are not recorded. */
export const traceOutbound = <Given extends readonly unknown[], T>(
  tracer: Tracer,
  dependency: string,
  call: (...given: Given) => Promise<T>,
): ((...given: Given) => Promise<T>) =>
  tracer === noTracer ? call : (...given) => tracer.span(dependency, { 'authsec.dependency': dependency }, () => call(...given))
