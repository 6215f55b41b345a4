// Removes old audit events, tenant by tenant, as the tables' owner: requests can only append.
import { and, lt, sql } from 'drizzle-orm'
import { ownRows, type TenantTx } from '../engine/tenant.ts'
import { auditEvents } from '../tables/audit.ts'
import { firstAuditIdOf } from './audit-events.ts'

/** Deletes at most `limit` events from before the given time, oldest first, and returns their number. */
export const deleteAuditEventsBefore = async (t: TenantTx, before: Date, limit: number): Promise<number> => {
  const old = and(ownRows(t, auditEvents), lt(auditEvents.id, firstAuditIdOf(before)), lt(auditEvents.at, before))
  const rows = await t.db.execute<{ deleted: number }>(sql`
    with gone as (
      delete from ${auditEvents} where ${ownRows(t, auditEvents)} and ${auditEvents.id} = any (array(
        select ${auditEvents.id} from ${auditEvents} where ${old} order by ${auditEvents.id} limit ${limit}
      )) returning 1
    ) select count(*)::int as deleted from gone`)
  return rows[0]?.deleted ?? 0
}
