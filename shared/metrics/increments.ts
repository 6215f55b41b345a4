// What an instance counted and has not yet handed to the shared cache: bounded, kept while the cache is away, handed over once.
import type { Cache } from '../cache/cache.ts'
import type { Clock } from '../clock.ts'
import { type CounterName, definitionOf, type GaugeName, type HistogramName, type MetricName } from './definitions.ts'
import { fieldOf, type Part } from './sample.ts'
import { OTHER_TENANT, tenantLabels } from './tenant-labels.ts'

/** Name of the fleet's sums in the cache. */
export const SUMS = 'metrics'
export const gaugeKey = (name: GaugeName): string => `metrics:gauge:${name}`
/** Requests come faster than a scrape could ever tell apart. */
const FLUSH_INTERVAL_SECONDS = 1
const MAX_TENANTS = 200
const MAX_SERIES = 10_000
const MAX_VALUE_LENGTH = 200
/** While the cache is away, requests do not wait for it again and again. */
export const RETRY_AFTER_SECONDS = 5

export type Series = { readonly name: MetricName; readonly values: readonly string[]; readonly parts: Map<Part, number> }
export type Pending = Map<string, Series>
/** No label has a null character: names, ids, codes and routes of ours. */
export const keyOf = (name: MetricName, values: readonly string[]): string => `${name}\0${values.join('\0')}`

/** Label values in the order of the declaration. Throws on a label too many or too few. */
export const valuesOf = (name: MetricName, labels: Readonly<Record<string, string>>): string[] => {
  const declared = definitionOf(name).labels
  const values = declared.flatMap((label) => labels[label]?.slice(0, MAX_VALUE_LENGTH) ?? [])
  if (values.length !== declared.length || Object.keys(labels).length !== declared.length)
    throw new Error(`${name} has the labels ${declared.join(', ') || 'none'}`)
  return values
}

const add = (pending: Pending, { name, values }: Pick<Series, 'name' | 'values'>, parts: Iterable<readonly [Part, number]>): void => {
  const key = keyOf(name, values)
  const series = pending.get(key) ?? { name, values, parts: new Map<Part, number>() }
  pending.set(key, series)
  for (const [part, by] of parts) series.parts.set(part, (series.parts.get(part) ?? 0) + by)
}

const mapTenant = (name: MetricName, values: readonly string[], label: (tenantId: string) => string): string[] =>
  values.map((value, at) => (definitionOf(name).labels[at] === 'tenant_id' ? label(value) : value))

/** Series that this instance has counted are bounded. Past the bound a series loses its tenant; past twice the bound it is dropped, and that is counted. */
const seriesBound = (maxSeries: number) => {
  const known = new Set<string>()
  return (name: MetricName, values: readonly string[]): readonly string[] | undefined => {
    if (known.has(keyOf(name, values))) return values
    const plain = mapTenant(name, values, () => OTHER_TENANT)
    for (const [candidate, bound] of [
      [values, maxSeries],
      [plain, 2 * maxSeries],
    ] as const) {
      const key = keyOf(name, candidate)
      if (known.has(key)) return candidate
      if (known.size < bound) {
        known.add(key)
        return candidate
      }
    }
    return undefined
  }
}

const sumsOf = (batch: Pending, label: (tenantId: string) => string): Record<string, number> => {
  const sums: Record<string, number> = {}
  for (const { name, values, parts } of batch.values()) {
    for (const [part, by] of parts) {
      const field = fieldOf({ name, values: mapTenant(name, values, label), part })
      sums[field] = (sums[field] ?? 0) + by
    }
  }
  return sums
}

export type IncrementOptions = { readonly cache: Cache; readonly clock: Clock; readonly maxSeries?: number; readonly maxTenants?: number }
export type FlushWhen = 'due' | 'now'
export type Increments = {
  add(name: CounterName | HistogramName, labels: Readonly<Record<string, string>>, parts: readonly (readonly [Part, number])[]): void
  /** Never throws. `due`: at most once a second. A batch whose answer was lost on the way is sent again: the cache has no way to tell. */
  flush(when: FlushWhen): Promise<void>
}

export const keepIncrements = ({ cache, clock, maxSeries = MAX_SERIES, maxTenants = MAX_TENANTS }: IncrementOptions): Increments => {
  const tenants = tenantLabels(cache, maxTenants)
  const bounded = seriesBound(maxSeries)
  let pending: Pending = new Map()
  let dueAt = Number.NEGATIVE_INFINITY
  let retryAt = Number.NEGATIVE_INFINITY
  let inFlight: Promise<void> | undefined

  const push = async (): Promise<void> => {
    if (pending.size === 0 || clock.elapsed() < retryAt) return
    const batch = pending
    pending = new Map()
    dueAt = clock.elapsed() + FLUSH_INTERVAL_SECONDS * 1000
    try {
      await tenants.settle()
      // Last, because only this must not be done twice.
      await cache.add(SUMS, sumsOf(batch, tenants.settled))
    } catch {
      retryAt = clock.elapsed() + RETRY_AFTER_SECONDS * 1000
      for (const series of batch.values()) add(pending, series, series.parts)
      add(pending, { name: 'metrics_flush_failures_total', values: [] }, [['', 1]])
    }
  }

  return {
    add: (name, labels, parts) => {
      const values = bounded(name, mapTenant(name, valuesOf(name, labels), tenants.propose))
      if (values === undefined) add(pending, { name: 'metrics_dropped_total', values: [] }, [['', 1]])
      else if (parts.every(([, by]) => Number.isFinite(by))) add(pending, { name, values }, parts)
    },
    flush: async (when) => {
      if (when === 'due' && clock.elapsed() < dueAt) return
      inFlight ??= push().finally(() => {
        inFlight = undefined
      })
      await inFlight
    },
  }
}
