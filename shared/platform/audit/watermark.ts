// Determines up to which id the audit log is final. Events are ordered by id, an id is created before its transaction commits, and transactions overlap: a
// reader that continues from the newest id it has seen would miss events that commit later with a lower id.
//
// A row is written within AUDIT_SETTLING_SECONDS of its id's creation (the audit log inserts at once in a running transaction; a delayed statement writes nothing;
// the bound also covers clock differences), or its transaction waits for a lock. So every event with an older id belongs to a transaction that has already
// written something, or that waits. When all of those have ended, each such event is either visible or will never exist, and nothing can be added below that
// bound. The duration of those transactions does not matter, and writers pay nothing.
import { setTimeout as sleep } from 'node:timers/promises'
import { type AnyScope, directory } from '#db/engine/tenant'
import { AUDIT_WRITE_SECONDS } from '#db/store/audit-events'
import { haveWritersEnded, markWriters } from '#db/store/audit-stream'
import { secondsAfter } from '#shared/kernel/clock'
import { lowestIdAt } from '#shared/kernel/random'
import type { PlatformCtx } from '#shared/platform/context'

/**
 * Longest time between the creation of an event's id and the write of its row, including clock differences; also the minimum delay of readers that
 * follow the audit log.
 */
export const AUDIT_SETTLING_SECONDS = AUDIT_WRITE_SECONDS + 1

const TRIES = 20
const PAUSE_MS = 25

const haveEnded = async (d: AnyScope, marked: readonly string[]): Promise<boolean> => {
  for (let tried = 0; tried < TRIES; tried++) {
    if (await haveWritersEnded(d, marked)) return true
    await sleep(PAUSE_MS)
  }
  return false
}

/** The id below which no tenant's audit log can grow; undefined while a transaction takes long, so that the caller tries again later. */
export const auditWatermark = async (ctx: Pick<PlatformCtx, 'db' | 'clock'>): Promise<string | undefined> => {
  const bound = lowestIdAt(secondsAfter(ctx.clock.now(), -AUDIT_SETTLING_SECONDS))
  const d = directory(ctx.db)
  return (await haveEnded(d, await markWriters(d))) ? bound : undefined
}
