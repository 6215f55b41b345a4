// Reads the audit log in order, up to the point after which events may still be added.
import { and, asc, eq, gt, inArray, lt } from 'drizzle-orm'
import { type AnyScope, ownRows, type TenantDb } from '../engine/tenant.ts'
import { auditEvents } from '../tables/audit.ts'
import type { AuditRow } from './audit-events.ts'

/**
 * Transactions of this database that have written something and are still running: each holds a lock on its own id from before its first row until
 * its commit is visible. Also transactions that wait for a lock: they may write an event once they have it. (A waiter for whole transactions builds
 * an index and writes none.) A snapshot's `xmin` would also show them, but for the whole cluster: another database's long write would delay us.
 */
const WRITERS = `select distinct l.virtualtransaction from pg_locks l left join pg_stat_activity a on a.pid = l.pid
  where ((l.locktype = 'transactionid' and l.granted and l.mode = 'ExclusiveLock') or (not l.granted and l.locktype <> 'virtualxid'))
    and (l.pid is null or a.datname = current_database())`

/** Running transactions hold a lock on their virtual id until their commit is visible; prepared ones only on their id. */
const UNDER_WAY = `select distinct l.virtualtransaction from pg_locks l
  where l.locktype in ('virtualxid', 'transactionid') and l.granted and l.mode = 'ExclusiveLock'`

const names = async (d: AnyScope, text: string): Promise<readonly string[]> =>
  ((await d.run({ text, params: [], arrays: true })) as [string][]).map(([name]) => name)

/** Returns the ids of these transactions. */
export const markWriters = (d: AnyScope): Promise<readonly string[]> => names(d, WRITERS)

/** Whether all of them have ended: their rows are visible to the next statement, or will never exist. */
export const haveWritersEnded = async (d: AnyScope, marked: readonly string[]): Promise<boolean> => {
  if (marked.length === 0) return true
  const under = new Set(await names(d, UNDER_WAY))
  return !marked.some((name) => under.has(name))
}

export type StreamPosition = {
  /** Id of the last event that the reader has seen, or a bound between ids. */
  readonly after: string
  /** The id below which no event can be added. */
  readonly before: string
  readonly limit: number
  /** Event names; all by default. */
  readonly events?: readonly string[]
}

/** Oldest first. */
export const findEventsInOrder = (t: TenantDb, { after, before, limit, events }: StreamPosition): Promise<AuditRow[]> =>
  t.db
    .select()
    .from(auditEvents)
    .where(
      and(
        ownRows(t, auditEvents),
        gt(auditEvents.id, after),
        lt(auditEvents.id, before),
        events === undefined ? undefined : events.length === 1 ? eq(auditEvents.event, events[0] ?? '') : inArray(auditEvents.event, [...events]),
      ),
    )
    .orderBy(asc(auditEvents.id))
    .limit(limit)
