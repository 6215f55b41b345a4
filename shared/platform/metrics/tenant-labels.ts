// Which tenants have series of their own: the first so many of the fleet. The rest share one, so that a deployment of many companies stays scrapable.
import type { Cache } from '#shared/platform/cache/cache'

const LISTED = 'metrics:tenants'
/** No tenant is known. */
export const UNKNOWN_TENANT = 'unknown'
/** A tenant beyond the bound. */
export const OTHER_TENANT = 'other'

export type TenantLabels = {
  /** The label to count under until `settle`. */
  propose(tenantId: string): string
  /**
   * Agrees with the rest of the fleet on the tenants proposed since. Instances that settle at the same moment may go past the bound by what each of them
   * adds. Throws CacheAway; may be called again.
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
