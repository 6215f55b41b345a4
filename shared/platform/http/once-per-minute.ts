// Selects which refusals of a tenant past its quota are recorded in the audit log: the first per minute across all instances.
import { CacheUnavailable } from '#shared/platform/cache/cache'
import type { PlatformCtx } from '#shared/platform/context'

const MINUTE_SECONDS = 60
const MAX_TENANTS = 10_000

/** Whether this is the tenant's first refusal in this minute. While the cache is unavailable, each instance has its own first. */
export const oncePerMinute = ({ cache, clock }: Pick<PlatformCtx, 'cache' | 'clock'>): ((tenantId: string) => Promise<boolean>) => {
  const notified = new Map<string, number>()
  return async (tenantId) => {
    const minute = Math.floor(clock.now().getTime() / (MINUTE_SECONDS * 1000))
    if (notified.get(tenantId) === minute) return false
    if (notified.size >= MAX_TENANTS) notified.clear()
    notified.set(tenantId, minute)
    try {
      return await cache.putIfAbsent(`quota-told:${tenantId}:${minute}`, '1', 2 * MINUTE_SECONDS)
    } catch (error) {
      if (error instanceof CacheUnavailable) return true
      throw error
    }
  }
}
