// Wraps an engine to time its statements, and to trace them when tracing is on. Only a statement's verb and table are reported, never its text or
// values.
import type { DatabaseScope, Engine, RunStatement, Statement } from '#db/engine/client'
import type { Clock } from '#shared/kernel/clock'
import type { Metrics } from '#shared/platform/metrics/metrics'
import { noTracer, type Tracer } from './trace.ts'

type Described = { readonly operation: string; readonly table: string }

const VERBS = new Set(['select', 'insert', 'update', 'delete', 'with'])
/** Our table names as drizzle and hand-written SQL spell them; the first one outside parentheses counts. */
const TABLE = /"?authsec"?\."?([a-z_]{1,40})"?/
const KEPT_STATEMENTS = 500
const described = new Map<string, Described>()

const INNERMOST = /\([^()]*\)/g
const withoutParentheses = (text: string): string => {
  let [outer, before] = [text, '']
  while (outer !== before) [outer, before] = [outer.replace(INNERMOST, ''), outer]
  return outer
}

/** Verb and table come from our own statements, so their number is bounded; anything else is `other`. */
export const describeStatement = (text: string): Described => {
  const known = described.get(text)
  if (known !== undefined) return known
  const verb = /^\s*([a-z]+)/i.exec(text)?.[1]?.toLowerCase() ?? ''
  const made = { operation: VERBS.has(verb) ? verb : 'other', table: TABLE.exec(withoutParentheses(text))?.[1] ?? 'none' }
  // Only lists vary (`in ($1, $2, ...)`); texts past the bound are described again each time.
  if (described.size < KEPT_STATEMENTS) described.set(text, made)
  return made
}

type Observers = { readonly metrics: Pick<Metrics, 'observe'>; readonly tracer: Tracer; readonly clock: Pick<Clock, 'elapsed'> }

const spanned =
  (tracer: Tracer) =>
  <T>({ operation, table }: Described, work: () => Promise<T>): Promise<T> =>
    tracer.span(`${operation} ${table}`, { 'db.system.name': 'postgresql', 'db.operation.name': operation, 'db.collection.name': table }, work)

export const observedEngine = (engine: Engine, { metrics, tracer, clock }: Observers): Engine => {
  const inSpan = tracer === noTracer ? <T>(_: Described, work: () => Promise<T>): Promise<T> => work() : spanned(tracer)
  const timed = async <T>(statement: Statement, work: () => Promise<T>): Promise<T> => {
    const what = describeStatement(statement.text)
    const began = clock.elapsed()
    try {
      return await inSpan(what, work)
    } finally {
      // All tenants share the tables and the pool. The trace identifies the tenant of a slow statement; a tenant label here would displace other
      // series.
      metrics.observe('db_query_duration_seconds', { ...what, tenant_id: 'unknown' }, (clock.elapsed() - began) / 1000)
    }
  }
  return {
    ...engine,
    one: (scope, statement) => timed(statement, () => engine.one(scope, statement)),
    transaction: <T>(scope: DatabaseScope, work: (run: RunStatement) => Promise<T>) => {
      const whole = { operation: 'transaction', table: 'none' }
      return inSpan(whole, () => engine.transaction(scope, (run) => work((statement) => timed(statement, () => run(statement)))))
    },
  }
}
