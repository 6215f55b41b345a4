// Metrics of all instances together: an instance keeps increments and transfers them to the shared cache, and a scrape reads the sums there.
import { type CounterName, type GaugeName, type HistogramName, type LabelsOf, METRICS } from './definitions.ts'
import { createIncrements, type FlushWhen, gaugeKey, type IncrementOptions, labelValues, seriesKey } from './increments.ts'
import type { Sample } from './sample.ts'

/** Names and labels are those of definitions.ts; others do not compile, and throw at run time. */
export type Metrics = {
  count<N extends CounterName>(name: N, labels: LabelsOf<N>, by?: number): void
  /** Adds to a histogram's buckets, sum and count. */
  observe<N extends HistogramName>(name: N, labels: LabelsOf<N>, value: number): void
  gauge<N extends GaugeName>(name: N, labels: LabelsOf<N>, value: number): void
  /**
   * Transfers increments to the cache, at most once per second unless `now`. Called after each request, and with `now` by a local timer and at
   * shutdown. Never throws.
   */
  flush(when?: FlushWhen): Promise<void>
  /**
   * Prometheus text exposition format 0.0.4. The numbers of a single instance would look like a counter reset.
   * @throws AppError unavailable while the cache is unavailable
   */
  render(): Promise<string>
}

/** A fleet gauge disappears when its job stops, instead of reporting an old value. */
const FLEET_GAUGE_TTL_SECONDS = 2 * 3600

export const createMetrics = (options: IncrementOptions): Metrics => {
  const { cache } = options
  const increments = createIncrements(options)
  const ownGauges = new Map<string, Sample>()
  const fleetGauges = new Map<GaugeName, number>()

  const shareGauges = async (): Promise<void> => {
    for (const [name, value] of fleetGauges) {
      await cache.put(gaugeKey(name), String(value), FLEET_GAUGE_TTL_SECONDS)
      if (fleetGauges.get(name) === value) fleetGauges.delete(name)
    }
  }
  // A gauge that could not be shared is tried again next time.
  const flush = async (when: FlushWhen = 'due'): Promise<void> =>
    void (await Promise.all([increments.flush(when), shareGauges().catch(() => undefined)]))

  return {
    count: (name, labels, by = 1) => increments.add(name, labels, [['', by]]),
    observe: (name, labels, value) => {
      const bucket = METRICS[name].buckets.find((bound) => value <= bound)
      increments.add(name, labels, [
        [bucket === undefined ? '+Inf' : `${bucket}`, 1],
        ['sum', value],
      ])
    },
    gauge: (name, labels, value) => {
      const values = labelValues(name, labels)
      if (METRICS[name].of === 'fleet') fleetGauges.set(name, value)
      else ownGauges.set(seriesKey(name, values), { name, values, part: '', value })
    },
    flush,
    render: async () => {
      await flush('now')
      return (await import('./scrape.ts')).scrape(cache, [...ownGauges.values()])
    },
  }
}
