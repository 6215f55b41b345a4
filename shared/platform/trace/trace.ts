// Spans. Tracing never fails or holds up what it traces.
import type { AttributeValue } from './otlp.ts'

/** All that a span may carry: ids, routes, codes. There is no name for an address, a query or a text of a person's. */
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
  /** What was called outside, in our words. */
  | 'authsec.dependency'
export type Attributes = Readonly<Partial<Record<AttributeName, AttributeValue>>>
/** Adds what is known only later, such as the status. */
export type SetAttributes = (attributes: Attributes) => void

export type Tracer = {
  /**
   * Runs `work` inside a span; its result and its error are `work`'s. Spans inside are its children. `from` is the `traceparent` header of a request: its
   * trace is continued, and when it says not to sample, nothing is sent.
   */
  span<T>(
    name: string,
    attributes: Attributes,
    work: (set: SetAttributes) => Promise<T>,
    from?: { readonly traceparent: string | undefined },
  ): Promise<T>
  /** The header that carries the running span to another service. */
  traceparent(): string | undefined
  /** Sends what has ended. Called by a timer locally, before a function freezes, and at shutdown. Never throws. */
  flush(): Promise<void>
}

/** Traces nothing. */
export const noTracer: Tracer = {
  span: (_name, _attributes, work) => work(() => undefined),
  traceparent: () => undefined,
  flush: async () => undefined,
}

/** A call to another service, as a span with the service's name in our words. What it asks and is told stays out. */
export const traceOutbound = <Given extends readonly unknown[], T>(
  tracer: Tracer,
  dependency: string,
  call: (...given: Given) => Promise<T>,
): ((...given: Given) => Promise<T>) =>
  tracer === noTracer ? call : (...given) => tracer.span(dependency, { 'authsec.dependency': dependency }, () => call(...given))
