// The record in the order it was written, up to where nothing can be added any more.
import { and, asc, eq, gt, inArray, lt } from 'drizzle-orm'
import { type AnyScope, ownRows, type TenantDb } from '../engine/tenant.ts'
import { auditEvents } from '../tables/audit.ts'
import type { AuditRow } from './audit-events.ts'

/**
 * Transactions that have written something and are under way, of any tenant, in this database: each holds the lock of its own id from before its first row is
 * written until after others can see what it committed. And those that wait for a lock: they may have an event in hand that they write once they have it.
 * (Who waits for whole transactions builds an index, and writes none.)
 * (A snapshot's `xmin` would tell as well, but of the whole cluster: another database's long write would hold us up.)
 */
const WRITERS = `select distinct l.virtualtransaction from pg_locks l left join pg_stat_activity a on a.pid = l.pid
  where ((l.locktype = 'transactionid' and l.granted and l.mode = 'ExclusiveLock') or (not l.granted and l.locktype <> 'virtualxid'))
    and (l.pid is null or a.datname = current_database())`

/** Transactions under way hold the lock of what they are called until others can see what they committed; prepared ones that of their id alone. */
const UNDER_WAY = `select distinct l.virtualtransaction from pg_locks l
  where l.locktype in ('virtualxid', 'transactionid') and l.granted and l.mode = 'ExclusiveLock'`

const names = async (d: AnyScope, text: string): Promise<readonly string[]> =>
  ((await d.run({ text, params: [], arrays: true })) as [string][]).map(([name]) => name)

/** Marks them. */
export const markWriters = (d: AnyScope): Promise<readonly string[]> => names(d, WRITERS)

/** Whether all that were marked have ended: what they wrote is there for the next statement, or will never be. */
export const haveWritersEnded = async (d: AnyScope, marked: readonly string[]): Promise<boolean> => {
  if (marked.length === 0) return true
  const under = new Set(await names(d, UNDER_WAY))
  return !marked.some((name) => under.has(name))
}

export type StreamPosition = {
  /** Id of the last event that was seen, or a bound between ids. */
  readonly after: string
  /** The bound below which nothing can be added. */
  readonly before: string
  readonly limit: number
  /** Names of events; all without. */
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
