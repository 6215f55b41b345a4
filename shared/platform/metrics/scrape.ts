// The response of a scrape: sums and fleet gauges from the shared cache, and the gauges of this instance.

import { AppError } from '#shared/kernel/errors'
import { type Cache, CacheUnavailable } from '#shared/platform/cache/cache'
import { definitionOf, type GaugeName, METRICS, type MetricName } from './definitions.ts'
import { renderExposition } from './exposition.ts'
import { gaugeKey, METRIC_SUMS_KEY, RETRY_AFTER_SECONDS } from './increments.ts'
import { type Sample, sampleOf } from './sample.ts'

const FLEET_GAUGES = (Object.keys(METRICS) as MetricName[]).filter((name): name is GaugeName => {
  const definition = definitionOf(name)
  return definition.type === 'gauge' && definition.of === 'fleet'
})

const samplesOf = (sums: Readonly<Record<string, number>>, ...gauges: readonly (string | undefined)[]): Sample[] => [
  ...Object.entries(sums).flatMap(([field, value]) => sampleOf(field, value) ?? []),
  ...FLEET_GAUGES.flatMap((name, at) => {
    const value = gauges[at]
    return value === undefined ? [] : [{ name, values: [], part: '' as const, value: Number(value) }]
  }),
]

/** @throws AppError unavailable while the cache is unavailable */
export const scrape = async (cache: Cache, own: readonly Sample[]): Promise<string> => {
  const shared = await Promise.all([cache.sums(METRIC_SUMS_KEY), ...FLEET_GAUGES.map((name) => cache.get(gaugeKey(name)))]).catch(
    (error: unknown) => {
      throw error instanceof CacheUnavailable ? new AppError('unavailable', undefined, { retryAfterSeconds: RETRY_AFTER_SECONDS }, error) : error
    },
  )
  return renderExposition([...samplesOf(...shared), ...own])
}
