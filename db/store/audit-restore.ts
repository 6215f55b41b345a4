// Restores events from an export.

import type { TenantTx } from '../engine/tenant.ts'
import { auditEvents } from '../tables/audit.ts'
import type { NewAuditRow } from './audit-events.ts'

/** Inserts missing events and returns their number; existing events stay unchanged. */
export const insertMissingAuditEvents = async (t: TenantTx, rows: readonly NewAuditRow[]): Promise<number> => {
  if (rows.length === 0) return 0
  const added = await t.db
    .insert(auditEvents)
    .values(rows.map((row) => ({ ...row, tenantId: t.tenantId })))
    .onConflictDoNothing()
    .returning({ id: auditEvents.id })
  return added.length
}
