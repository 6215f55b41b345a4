// What was read of the store, for as long as it is as good as read now: one second at most, and not past a commit of its tenant on this instance. So a change
// is felt here at once, and within two seconds where another instance made it.
import type { Db } from '#db/engine/client'
import { ageMs, type Clock, type ClockReading, readClock } from '#shared/kernel/clock'

const FRESH_MS = 1000
const MAX_KEPT = 10_000

type Of = { readonly tenantId: string }
type Kept<T> = { readonly value: T; readonly since: ClockReading; readonly commits: number }

export type TtlCache<T extends Of> = {
  /** What is remembered, or what `find` finds now. Where it finds nothing, nothing is kept. */
  get(key: string, find: () => Promise<T | undefined>): Promise<T | undefined>
  /** What was remembered last, however old. */
  last(key: string): T | undefined
}

export const createTtlCache = <T extends Of>({ db, clock }: { readonly db: Db; readonly clock: Clock }): TtlCache<T> => {
  const kept = new Map<string, Kept<T>>()
  /** How many commits this instance has seen, and at which of them each tenant last committed; unknown tenants, at the latest one forgotten. */
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
