// Up to where the record is final. Its order is the order of ids, an id is made before its transaction commits, and transactions overlap: a reader that went by
// the newest id it saw would step over events that commit later under a lower id.
//
// An id is written within SETTLING_SECONDS of being made (it is made by `record`, in a transaction under way, which then inserts at once; or else its statement
// writes nothing when it is late; the bound also covers how far the clocks of two instances are apart), or its transaction waits for a lock that another holds.
// So every event with an id older than that, as of now, stands in a transaction that has written something by now, or waits. Once all of those are over, each of
// those events is committed and visible, or will never be: below that bound nothing can be added. How long those transactions last does not matter, and writers
// pay nothing for it.
import { setTimeout as sleep } from 'node:timers/promises'
import { type AnyScope, directory } from '#db/engine/tenant'
import { AUDIT_WRITE_SECONDS } from '#db/store/audit-events'
import { haveWritersEnded, markWriters } from '#db/store/audit-stream'
import { secondsAfter } from '#shared/kernel/clock'
import { lowestIdAt } from '#shared/kernel/random'
import type { PlatformCtx } from '#shared/platform/context'

/** From making an event's id to its row being written, with room for clocks that disagree. Also the least delay of whoever follows the record. */
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

/** The bound below which no tenant's record can grow; undefined when some transaction is taking long, so that the caller comes again. */
export const auditWatermark = async (ctx: Pick<PlatformCtx, 'db' | 'clock'>): Promise<string | undefined> => {
  const bound = lowestIdAt(secondsAfter(ctx.clock.now(), -AUDIT_SETTLING_SECONDS))
  const d = directory(ctx.db)
  return (await haveEnded(d, await markWriters(d))) ? bound : undefined
}
