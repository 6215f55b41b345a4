// Sends spans to an OpenTelemetry collector.
import { AsyncLocalStorage } from 'node:async_hooks'
import type { Clock } from '#shared/kernel/clock'
import { AppError } from '#shared/kernel/errors'
import type { Log } from '#shared/kernel/log'
import type { Random } from '#shared/kernel/random'
import { VERSION } from '#shared/kernel/version'
import { type EndedSpan, exportRequest } from './otlp.ts'
import type { Attributes, Tracer } from './trace.ts'
import { formatTraceparent, parseTraceparent, type SpanContext } from './traceparent.ts'

const SERVICE = { name: 'authsec-serverless', version: VERSION }
const BATCH = 512
/** Spans kept while the collector is unavailable; further ones are lost and counted in the log. */
const MAX_WAITING = 2048
const TIMEOUT_MS = 2000
const RETRY_AFTER_SECONDS = 30

type Options = { readonly endpoint: string; readonly clock: Clock; readonly random: Random; readonly log: Log }

/** Sends ended spans in batches. A batch that the collector refuses is lost: newer spans matter more, and memory is bounded. */
const exporter = ({ endpoint, clock, log }: Options) => {
  let waiting: EndedSpan[] = []
  let lost = 0
  let retryAt = Number.NEGATIVE_INFINITY
  let inFlight: Promise<void> | undefined

  const post = async (spans: readonly EndedSpan[]): Promise<void> => {
    const response = await fetch(`${endpoint}/v1/traces`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify(exportRequest(spans, SERVICE)),
      signal: AbortSignal.timeout(TIMEOUT_MS),
      // A redirect is not a success; `error` is not supported at the edge.
      redirect: 'manual',
    })
    await response.body?.cancel()
    if (!response.ok) throw new Error(`The collector answered ${response.status}.`)
  }

  const send = async (): Promise<void> => {
    while (waiting.length > 0 && clock.elapsed() >= retryAt) {
      const batch = waiting.slice(0, BATCH)
      waiting = waiting.slice(BATCH)
      try {
        await post(batch)
      } catch (error) {
        retryAt = clock.elapsed() + RETRY_AFTER_SECONDS * 1000
        log.error('trace.export_failed', error, { spans_lost: batch.length + lost })
        lost = 0
      }
    }
  }

  const flush = (): Promise<void> => {
    inFlight ??= send().finally(() => {
      inFlight = undefined
    })
    return inFlight
  }
  return {
    flush,
    keep: (span: EndedSpan): void => {
      if (waiting.length >= MAX_WAITING) lost += 1
      else waiting.push(span)
      if (waiting.length >= BATCH) void flush()
    },
  }
}

const hexOf = (random: Random, bytes: number): string => Buffer.from(random.bytes(bytes)).toString('hex')
/** `client` for a call that leaves this process, by its attributes. */
const kindOf = (attributes: Attributes): 'internal' | 'client' =>
  attributes['db.system.name'] === undefined && attributes['authsec.dependency'] === undefined ? 'internal' : 'client'
const nameOf = (error: unknown): string => (error instanceof AppError ? error.code : error instanceof Error ? error.name : 'unknown')

/** A tracer that sends OTLP/HTTP JSON to `<endpoint>/v1/traces`. */
export const otlpTracer = (options: Options): Tracer => {
  const { clock, random } = options
  const { keep, flush } = exporter(options)
  const running = new AsyncLocalStorage<SpanContext>()

  return {
    span: async (name, attributes, work, from) => {
      const parent = from === undefined ? running.getStore() : parseTraceparent(from.traceparent)
      const context = { traceId: parent?.traceId ?? hexOf(random, 16), spanId: hexOf(random, 8), sampled: parent?.sampled ?? true }
      const startedAt = BigInt(clock.now().getTime()) * 1_000_000n
      const began = clock.elapsed()
      let known = attributes
      let error: string | undefined
      try {
        return await running.run(context, () =>
          work((more) => {
            known = { ...known, ...more }
          }),
        )
      } catch (thrown) {
        error = nameOf(thrown)
        throw thrown
      } finally {
        const endedAt = startedAt + BigInt(Math.round((clock.elapsed() - began) * 1e6))
        const kind = from === undefined ? kindOf(attributes) : 'server'
        if (context.sampled) keep({ context, parentSpanId: parent?.spanId, name, kind, startedAt, endedAt, attributes: known, error })
      }
    },
    traceparent: () => {
      const context = running.getStore()
      return context === undefined ? undefined : formatTraceparent(context)
    },
    flush,
  }
}
