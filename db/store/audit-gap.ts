// Detects missing audit events.
import { sql } from 'drizzle-orm'
import { ownRows, type TenantDb } from '../engine/tenant.ts'
import { auditEvents } from '../tables/audit.ts'
import { sessions } from '../tables/sessions.ts'
import { firstAuditIdOf } from './audit-events.ts'

/**
 * Sessions that started between the two times and have no event for it. Session and event commit together, so one is missing only if it was removed.
 */
export const countUnrecordedSessions = async (t: TenantDb, from: Date, to: Date): Promise<number> => {
  const [row] = await t.db.execute<{ missing: number }>(sql`
    select count(*)::int as missing from ${sessions}
    where ${ownRows(t, sessions)} and ${sessions.createdAt} >= ${from.toISOString()} and ${sessions.createdAt} < ${to.toISOString()}
      and not exists (
        select from ${auditEvents} where ${ownRows(t, auditEvents)} and ${auditEvents.id} >= ${firstAuditIdOf(new Date(from.getTime() - 60_000))}
          and ${auditEvents.event} = 'session.created' and ${auditEvents.sessionId} = ${sessions.id}
      )`)
  return row?.missing ?? 0
}
