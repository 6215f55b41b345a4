// Whether this deployment can serve.

import { directory } from '#db/engine/tenant'
import { pingDatabase } from '#db/store/ping'
import type { BaseCtx } from '#shared/domains/context'
import { VERSION } from '#shared/kernel/version'
import { withStatus } from '#shared/platform/http/route'

type Deps = Pick<BaseCtx, 'db' | 'storage' | 'cache' | 'clock' | 'keyring'>
type Check = { readonly healthy: boolean; readonly message: string }

/** A slower part counts as unavailable, because monitors need an answer soon. */
const CHECK_MS = 2000

const check = async (work: () => Promise<unknown>): Promise<Check> => {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<false>((resolve) => {
    timer = setTimeout(() => resolve(false), CHECK_MS)
  })
  // The reason is not returned; requests that need the part log it.
  const answered = work().then(
    () => true,
    () => false,
  )
  const healthy = await Promise.race([answered, late])
  clearTimeout(timer)
  return { healthy, message: healthy ? 'operational' : 'unavailable' }
}

const PROBE = 'health'
/** Secrets are read at startup, so this checks that the master key still opens what it sealed. */
const sealAndOpen = async ({ keyring }: Deps): Promise<void> => {
  const opened = await keyring.openForDeployment(await keyring.sealForDeployment(PROBE, PROBE), PROBE)
  if (opened !== PROBE) throw new Error('The master key cannot open what it sealed.')
}

/**
 * Returns 503 if the database or the master key fails, or the database has no room to write. Without the cache every request works, so the deployment is only
 * `degraded`: a balancer that took its instances away would make things worse.
 */
export const checkHealth = async (ctx: Deps) => {
  const from = ctx.clock.elapsed()
  const [reached, cache, vault] = await Promise.all([
    check(() => pingDatabase(directory(ctx.db))),
    check(() => ctx.cache.ping()),
    check(() => sealAndOpen(ctx)),
  ])
  const database: Check = reached.healthy && ctx.storage.isFull() ? { healthy: false, message: 'no room to write' } : reached
  const metrics: Check = { healthy: cache.healthy, message: cache.healthy ? 'operational' : 'held back until the cache answers' }
  const report = {
    timestamp: ctx.clock.now().toISOString(),
    version: VERSION,
    database: reached.healthy ? ('connected' as const) : ('disconnected' as const),
    checks: { database, redis_cache: cache, vault, system: { healthy: true, message: 'operational' }, metrics },
  }
  if (!database.healthy || !vault.healthy) return withStatus(503, { status: 'unhealthy' as const, ...report })
  const status = cache.healthy ? ('healthy' as const) : ('degraded' as const)
  return withStatus(200, { status, ...report, response_time_ms: Math.round(ctx.clock.elapsed() - from) })
}

/** All tenants share one database, so a tenant has no health of its own. The id is not looked up, because a public path must not reveal tenants. */
export const delegatedHealth = async () => ({
  status: 'delegated' as const,
  message: 'All tenants share one database; its health is at /authsec/uflow/health.',
})
