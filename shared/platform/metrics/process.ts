// Reports the resources of this process as gauges.
import type { Metrics } from './metrics.ts'

export const recordProcessGauges = (metrics: Pick<Metrics, 'gauge'>): void => {
  metrics.gauge('memory_usage_bytes', {}, process.memoryUsage.rss())
  metrics.gauge('goroutines_count', {}, process.getActiveResourcesInfo().length)
}
