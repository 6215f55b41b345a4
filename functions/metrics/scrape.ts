// Renders the fleet's metrics and the gauges of this process. Names are in shared/platform/metrics/definitions.ts.
import type { BaseCtx } from '#shared/domains/context'
import { recordProcessGauges } from '#shared/platform/metrics/process'

type Deps = Pick<BaseCtx, 'metrics' | 'db' | 'config'>

/**
 * Renders Prometheus text 0.0.4. Reads the cache only: a scrape every few seconds would keep the database awake.
 * @throws AppError unavailable
 */
export const scrape = async ({ metrics, db, config }: Deps): Promise<string> => {
  const { kind } = db.engine
  recordProcessGauges(metrics)
  // The embedded engine has one connection. All tenants share the pool.
  metrics.gauge('db_connection_pool_size', { database_type: kind, tenant_id: 'unknown' }, kind === 'pglite' ? 1 : config.DATABASE_POOL)
  return metrics.render()
}
