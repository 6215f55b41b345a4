// Caches values of the store for at most one second, and not past a commit of their tenant on this instance. A change takes effect at once on this
// instance, and within two seconds on others.
import type { Db } from '#db/engine/client'
import { ageMs, type Clock, type ClockReading, readClock } from '#shared/kernel/clock'

const FRESH_MS = 1000
const MAX_KEPT = 10_000

type Of = { readonly tenantId: string }
type Kept<T> = { readonly value: T; readonly since: ClockReading; readonly commits: number }

export type TtlCache<T extends Of> = {
  /** The cached value, or the result of `find`. A missing value is not cached. */
  get(key: string, find: () => Promise<T | undefined>): Promise<T | undefined>
  /** The last cached value, of any age. */
  last(key: string): T | undefined
}

export const createTtlCache = <T extends Of>({ db, clock }: { readonly db: Db; readonly clock: Clock }): TtlCache<T> => {
  const kept = new Map<string, Kept<T>>()
  /**
   * Number of commits seen by this instance, and the number at each tenant's last commit. Tenants that are no longer tracked count as committed at
   * `forgotten`.
   */
  let commits = 0
  let forgotten = 0
  const committed = new Map<string, number>()
  db.onCommit((tenantId) => {
    commits++
    if (committed.size >= MAX_KEPT) {
      committed.clear()
      forgotten = commits
    }
    committed.set(tenantId, commits)
  })
  const isFresh = ({ value, since, commits: seen }: Kept<T>): boolean =>
    ageMs(clock, since) < FRESH_MS && (committed.get(value.tenantId) ?? forgotten) <= seen

  return {
    last: (key) => kept.get(key)?.value,
    get: async (key, find) => {
      const known = kept.get(key)
      if (known !== undefined && isFresh(known)) return known.value
      const [since, seen] = [readClock(clock), commits]
      const value = await find()
      if (value === undefined) return undefined
      if (kept.size >= MAX_KEPT) kept.clear()
      kept.set(key, { value, since, commits: seen })
      return value
    },
  }
}
