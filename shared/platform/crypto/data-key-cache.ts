// Caches unwrapped data keys of this process: a bounded number, for five minutes, and never a key that a rollback removes.
import type { RunStatement } from '#db/engine/client'
import type { TenantDb, TenantTx } from '#db/engine/tenant'
import { ageMs, type Clock, type ClockReading, readClock } from '#shared/kernel/clock'
import type { SealKey } from './seal.ts'

const KEPT_MS = 5 * 60 * 1000
const KEPT_KEYS = 2000
/** Longer than any transaction: a request ends after 29 seconds. */
const SETTLED_MS = 60 * 1000

export type DataKeyCache = {
  get(t: TenantDb, subjectId: string): SealKey | undefined
  /** Caches a key that was read. */
  put(t: TenantDb, subjectId: string, key: SealKey): void
  /** Caches a key that this transaction created, for this transaction only: it may still roll back. */
  putMade(t: TenantTx, subjectId: string, key: SealKey): void
  /** Drops a key that this transaction destroys. */
  drop(t: TenantTx, subjectId: string): void
}

export const dataKeyCache = (clock: Clock): DataKeyCache => {
  const shared = new Map<string, { readonly key: SealKey; readonly since: ClockReading }>()
  const made = new WeakMap<RunStatement, Map<string, SealKey>>()
  // Other transactions still read the key until the destroying one commits, so it is not cached again until that is settled.
  const unsettled = new Map<string, number>()
  const nameOf = (t: TenantDb, subjectId: string): string => `${t.tenantId}/${subjectId}`

  return {
    get: (t, subjectId) => {
      const name = nameOf(t, subjectId)
      const own = made.get(t.run)?.get(name)
      if (own !== undefined) return own
      const kept = shared.get(name)
      if (kept === undefined || ageMs(clock, kept.since) < KEPT_MS) return kept?.key
      shared.delete(name)
      return undefined
    },
    put: (t, subjectId, key) => {
      const name = nameOf(t, subjectId)
      if (made.get(t.run)?.has(name) || (unsettled.get(name) ?? Number.NEGATIVE_INFINITY) > clock.elapsed()) return
      const [oldest] = shared.keys()
      if (shared.size >= KEPT_KEYS && oldest !== undefined) shared.delete(oldest)
      shared.set(name, { key, since: readClock(clock) })
    },
    putMade: (t, subjectId, key) => {
      const own = made.get(t.run) ?? new Map<string, SealKey>()
      made.set(t.run, own.set(nameOf(t, subjectId), key))
    },
    drop: (t, subjectId) => {
      const name = nameOf(t, subjectId)
      made.get(t.run)?.delete(name)
      shared.delete(name)
      for (const [known, until] of unsettled) {
        if (until > clock.elapsed()) break
        unsettled.delete(known)
      }
      unsettled.delete(name)
      unsettled.set(name, clock.elapsed() + SETTLED_MS)
    },
  }
}
