// Every query on audit events. Append and read; nothing here changes or removes one.
import { and, desc, eq, gte, lt, type SQL } from 'drizzle-orm'
import { auditEvents } from '../tables/audit.ts'
import { ownRows, type TenantDb, type TenantTx } from '../tenant.ts'
import { columnNames, jsonRecord, jsonRecords } from './records.ts'

export type AuditRow = typeof auditEvents.$inferSelect
export type NewAuditRow = Omit<typeof auditEvents.$inferInsert, 'tenantId'>

const COLUMNS = columnNames(auditEvents)
/** Rows as JSON, so that every change has the same statement beside it. */
const INSERT = `insert into authsec.audit_events (${COLUMNS})
  select ${COLUMNS} from jsonb_populate_recordset(null::authsec.audit_events, $2::jsonb) where tenant_id = $1`
/** For a statement that writes the event beside the change: once for each row of `from`. */
export const RECORDED = (from: string, record: string): string =>
  `insert into authsec.audit_events select r.* from ${from}, jsonb_populate_record(null::authsec.audit_events, ${record}::jsonb) r`
export const auditRecord = (t: TenantDb, row: NewAuditRow): string => jsonRecord(auditEvents, { ...row, tenantId: t.tenantId })

export const insertAuditEvents = async (t: TenantTx, rows: readonly NewAuditRow[]): Promise<void> => {
  if (rows.length === 0) return
  const own = rows.map((row) => ({ ...row, tenantId: t.tenantId }))
  await t.run({ text: INSERT, params: [t.tenantId, jsonRecords(auditEvents, own)], arrays: true })
}

export const insertAuditEvent = (t: TenantTx, row: NewAuditRow): Promise<void> => insertAuditEvents(t, [row])

export type AuditFilter = {
  readonly event?: string
  readonly outcome?: 'success' | 'refused'
  readonly actorId?: string
  readonly targetId?: string
  readonly from?: Date
  readonly to?: Date
  /** Id of the last row of the page before. */
  readonly after?: string
  readonly limit: number
}

/** The smallest UUIDv7 of a millisecond: the order of ids is the order of time, so the primary key finds events by time. */
export const firstIdOf = (at: Date): string => {
  const milliseconds = at.getTime().toString(16).padStart(12, '0')
  return `${milliseconds.slice(0, 8)}-${milliseconds.slice(8)}-7000-8000-000000000000`
}

/** An id and the moment beside it are made one after the other. */
const APART_MS = 60_000
const apart = (at: Date, milliseconds: number): string => firstIdOf(new Date(Math.max(0, at.getTime() + milliseconds)))

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
