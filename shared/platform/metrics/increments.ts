// Increments of an instance that are not yet in the shared cache: bounded, kept while the cache is unavailable, transferred once.

import type { Clock } from '#shared/kernel/clock'
import type { Cache } from '#shared/platform/cache/cache'
import { type CounterName, definitionOf, type GaugeName, type HistogramName, type MetricName } from './definitions.ts'
import { type SamplePart, sampleField } from './sample.ts'
import { OTHER_TENANT, tenantLabels } from './tenant-labels.ts'

/** Name of the sums of all instances in the cache. */
export const METRIC_SUMS_KEY = 'metrics'
export const gaugeKey = (name: GaugeName): string => `metrics:gauge:${name}`
/** A scrape cannot distinguish shorter intervals. */
const FLUSH_INTERVAL_SECONDS = 1
const MAX_TENANTS = 200
const MAX_SERIES = 10_000
const MAX_VALUE_LENGTH = 200
/** Pause after a failure, so that requests do not wait for an unavailable cache again and again. */
export const RETRY_AFTER_SECONDS = 5

type Named = { readonly key: string; readonly name: MetricName; readonly values: readonly string[] }
export type Series = Named & { readonly parts: Map<SamplePart, number> }
export type PendingSeries = Map<string, Series>
/** Labels contain no null characters: they are our own names, ids, codes and routes. */
export const seriesKey = (name: MetricName, values: readonly string[]): string => `${name}\0${values.join('\0')}`

/** Label values in the order of the declaration. Throws on a missing or extra label. */
export const labelValues = (name: MetricName, labels: Readonly<Record<string, string>>): string[] => {
  const declared = definitionOf(name).labels
  const values: string[] = []
  for (const label of declared) {
    const value = labels[label]
    if (value !== undefined) values.push(value.length > MAX_VALUE_LENGTH ? value.slice(0, MAX_VALUE_LENGTH) : value)
  }
  if (values.length !== declared.length || Object.keys(labels).length !== declared.length)
    throw new Error(`${name} has the labels ${declared.join(', ') || 'none'}`)
  return values
}

const named = (name: MetricName, values: readonly string[]): Named => ({ key: seriesKey(name, values), name, values })

const add = (pending: PendingSeries, { key, name, values }: Named, parts: Iterable<readonly [SamplePart, number]>): void => {
  let series = pending.get(key)
  if (series === undefined) {
    series = { key, name, values, parts: new Map() }
    pending.set(key, series)
  }
  for (const [part, by] of parts) series.parts.set(part, (series.parts.get(part) ?? 0) + by)
}

const mapTenant = (name: MetricName, values: readonly string[], label: (tenantId: string) => string): readonly string[] => {
  const at = definitionOf(name).labels.indexOf('tenant_id')
  return at < 0 ? values : values.with(at, label(values[at] ?? ''))
}

/**
 * Bounds the number of series of an instance. Past the bound a series loses its tenant; past twice the bound it is dropped and counted as dropped.
 */
const seriesBound = (maxSeries: number) => {
  const known = new Set<string>()
  return (name: MetricName, values: readonly string[]): Named | undefined => {
    const own = named(name, values)
    if (known.has(own.key)) return own
    const plain = named(
      name,
      mapTenant(name, values, () => OTHER_TENANT),
    )
    for (const [candidate, bound] of [
      [own, maxSeries],
      [plain, 2 * maxSeries],
    ] as const) {
      if (known.has(candidate.key)) return candidate
      if (known.size < bound) {
        known.add(candidate.key)
        return candidate
      }
    }
    return undefined
  }
}

const sumsOf = (batch: PendingSeries, label: (tenantId: string) => string): Record<string, number> => {
  const sums: Record<string, number> = {}
  for (const { name, values, parts } of batch.values()) {
    for (const [part, by] of parts) {
      const field = sampleField({ name, values: mapTenant(name, values, label), part })
      sums[field] = (sums[field] ?? 0) + by
    }
  }
  return sums
}

export type IncrementOptions = { readonly cache: Cache; readonly clock: Clock; readonly maxSeries?: number; readonly maxTenants?: number }
export type FlushWhen = 'due' | 'now'
export type Increments = {
  add(name: CounterName | HistogramName, labels: Readonly<Record<string, string>>, parts: readonly (readonly [SamplePart, number])[]): void
  /** Never throws. `due`: at most once per second. A batch whose response was lost is sent again, because the cache cannot detect duplicates. */
  flush(when: FlushWhen): Promise<void>
}

export const createIncrements = ({ cache, clock, maxSeries = MAX_SERIES, maxTenants = MAX_TENANTS }: IncrementOptions): Increments => {
  const tenants = tenantLabels(cache, maxTenants)
  const bounded = seriesBound(maxSeries)
  let pending: PendingSeries = new Map()
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
      // Last, because only this step must not be repeated.
      await cache.add(METRIC_SUMS_KEY, sumsOf(batch, tenants.settled))
    } catch {
      retryAt = clock.elapsed() + RETRY_AFTER_SECONDS * 1000
      for (const series of batch.values()) add(pending, series, series.parts)
      add(pending, named('metrics_flush_failures_total', []), [['', 1]])
    }
  }

  return {
    add: (name, labels, parts) => {
      const series = bounded(name, mapTenant(name, labelValues(name, labels), tenants.propose))
      if (series === undefined) add(pending, named('metrics_dropped_total', []), [['', 1]])
      else if (parts.every(([, by]) => Number.isFinite(by))) add(pending, series, parts)
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
