// Chooses the tenants that have series of their own: the first ones up to a bound. The others share one label, so that a deployment with many
// companies can still be scraped.
import type { Cache } from '#shared/platform/cache/cache'

const LISTED = 'metrics:tenants'
/** The tenant is unknown. */
export const UNKNOWN_TENANT = 'unknown'
/** A tenant beyond the bound. */
export const OTHER_TENANT = 'other'

export type TenantLabels = {
  /** The label to use until `settle`. */
  propose(tenantId: string): string
  /**
   * Agrees with other instances on the proposed tenants. Instances that settle concurrently may exceed the bound by their own additions.
   * @throws CacheUnavailable; may be called again
   */
  settle(): Promise<void>
  /** The label of a proposed tenant, once settled. */
  settled(tenantId: string): string
}

export const tenantLabels = (cache: Cache, max: number): TenantLabels => {
  let listed: ReadonlySet<string> = new Set()
  let proposed = new Set<string>()
  const isPlain = (tenantId: string): boolean => tenantId === UNKNOWN_TENANT || tenantId === OTHER_TENANT
  return {
    propose: (tenantId) => {
      if (isPlain(tenantId) || listed.has(tenantId) || proposed.has(tenantId)) return tenantId
      if (listed.size + proposed.size >= max) return OTHER_TENANT
      proposed.add(tenantId)
      return tenantId
    },
    settle: async () => {
      if (proposed.size === 0) return
      const requested = proposed
      proposed = new Set()
      try {
        const known = Object.keys(await cache.sums(LISTED))
        const added = [...requested].filter((tenantId) => !known.includes(tenantId)).slice(0, Math.max(0, max - known.length))
        if (added.length > 0) await cache.add(LISTED, Object.fromEntries(added.map((tenantId) => [tenantId, 1])))
        listed = new Set([...known, ...added])
      } catch (error) {
        proposed = new Set([...requested, ...proposed])
        throw error
      }
    },
    settled: (tenantId) => (isPlain(tenantId) || listed.has(tenantId) ? tenantId : OTHER_TENANT),
  }
}
