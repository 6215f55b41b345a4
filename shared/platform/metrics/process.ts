// What this process uses, for its gauges.
import type { Metrics } from './metrics.ts'

/** Resident memory and active handles, now. */
export const recordProcessGauges = (metrics: Pick<Metrics, 'gauge'>): void => {
  metrics.gauge('memory_usage_bytes', {}, process.memoryUsage.rss())
  metrics.gauge('goroutines_count', {}, process.getActiveResourcesInfo().length)
}
