// Queries on audit events: append and read. Nothing here changes or removes one.
import { and, desc, eq, gte, lt, type SQL } from 'drizzle-orm'
import { statement } from '../engine/statement.ts'
import { ownRows, type TenantDb, type TenantTx } from '../engine/tenant.ts'
import { auditEvents } from '../tables/audit.ts'
import { INSERT_FROM, JSON_RECORDS, jsonRecords } from './json-records.ts'

export type AuditRow = typeof auditEvents.$inferSelect
export type NewAuditRow = Omit<typeof auditEvents.$inferInsert, 'tenantId'>

/** Events as JSON parameters, so that the statement text is the same for every change. */
export const auditEventsJson = ({ tenantId }: TenantDb, rows: readonly NewAuditRow[]): string =>
  jsonRecords(
    auditEvents,
    rows.map((row) => ({ ...row, tenantId })),
  )
/** Inserts events in the statement of the change: once for each row of `from`. */
export const INSERT_AUDIT_EVENTS = (from: string, records: string): string =>
  INSERT_FROM(auditEvents, `${from}, ${JSON_RECORDS(auditEvents, records)}`)
const ALONE = statement<{ records: string }>(`${INSERT_FROM(auditEvents, JSON_RECORDS(auditEvents, ':records'))} where r.tenant_id = :tenantId`)

export const insertAuditEvents = async (t: TenantTx, rows: readonly NewAuditRow[]): Promise<void> => {
  if (rows.length > 0) await ALONE.count(t, { records: auditEventsJson(t, rows) })
}

export const insertAuditEvent = (t: TenantTx, row: NewAuditRow): Promise<void> => insertAuditEvents(t, [row])

/**
 * Events for a statement that writes them together with the change. Outside a transaction the statement may wait for a connection or for a server that wakes up, and
 * readers that follow the audit log by id would miss a late row: so it writes nothing after `until`, by the database's clock.
 */
export type PreparedAuditEvents = { readonly rows: readonly NewAuditRow[]; readonly until?: Date }
export const NO_EVENTS: PreparedAuditEvents = { rows: [] }
/** Shorter than the delay that followers leave (`AUDIT_SETTLING_SECONDS`); the difference is for clocks that disagree. */
export const AUDIT_WRITE_SECONDS = 1
export const BEFORE_DEADLINE = (until: string): string => `clock_timestamp() < ${until}::timestamptz`
/** The parameters `:records` and `:until` of a statement with events. */
export const eventParameters = (t: TenantDb, { rows, until }: PreparedAuditEvents) => ({
  records: auditEventsJson(t, rows),
  until: until ?? 'infinity',
})
export type EventParameters = ReturnType<typeof eventParameters>

export type AuditFilter = {
  readonly event?: string
  readonly outcome?: 'success' | 'refused'
  readonly actorId?: string
  readonly targetId?: string
  readonly from?: Date
  readonly to?: Date
  /** Id of the last row of the previous page. */
  readonly after?: string
  readonly limit: number
}

/** The smallest UUIDv7 of a millisecond: the order of ids is the order of time, so the primary key finds events by time. */
export const firstAuditIdOf = (at: Date): string => {
  const milliseconds = at.getTime().toString(16).padStart(12, '0')
  return `${milliseconds.slice(0, 8)}-${milliseconds.slice(8)}-7000-8000-000000000000`
}

/** An event's id and its time are created one after the other. */
const APART_MS = 60_000
const apart = (at: Date, milliseconds: number): string => firstAuditIdOf(new Date(Math.max(0, at.getTime() + milliseconds)))

/** Newest first. Ids are UUIDv7, so the order of ids is the order of time. */
export const findAuditEvents = async (t: TenantDb, f: AuditFilter): Promise<AuditRow[]> => {
  const conditions: (SQL | undefined)[] = [
    ownRows(t, auditEvents),
    f.event === undefined ? undefined : eq(auditEvents.event, f.event),
    f.outcome === undefined ? undefined : eq(auditEvents.outcome, f.outcome),
    f.actorId === undefined ? undefined : eq(auditEvents.actorId, f.actorId),
    f.targetId === undefined ? undefined : eq(auditEvents.targetId, f.targetId),
    f.from === undefined ? undefined : and(gte(auditEvents.at, f.from), gte(auditEvents.id, apart(f.from, -APART_MS))),
    f.to === undefined ? undefined : and(lt(auditEvents.at, f.to), lt(auditEvents.id, apart(f.to, APART_MS))),
    f.after === undefined ? undefined : lt(auditEvents.id, f.after),
  ]
  return t.db
    .select()
    .from(auditEvents)
    .where(and(...conditions))
    .orderBy(desc(auditEvents.id))
    .limit(f.limit)
}
