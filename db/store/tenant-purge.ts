// Purges a tenant as the tables' owner: deletes its rows from every table in the catalogue, so that none is forgotten.
import { eq } from 'drizzle-orm'
import { dumpTables, qualifiedTableName } from '../dump/catalogue.ts'
import { type AnyScope, asTenantId, ownRows, type TenantId, type TenantTx } from '../engine/tenant.ts'
import { auditEvents } from '../tables/audit.ts'
import { tenantDirectory, tenants } from '../tables/tenants.ts'

/**
 * Kept after a purge: audit events, which are unreadable without keys (and never rewritten), until their retention ends; and the tenant's directory
 * row, by which they are found until then.
 */
const STAYS = new Set(['audit_events', 'tenant_directory'])

export const listTenantsInStatus = async (d: AnyScope, status: 'deleting' | 'deleted', limit: number): Promise<TenantId[]> => {
  const rows = await d.db.select({ tenantId: tenantDirectory.tenantId }).from(tenantDirectory).where(eq(tenantDirectory.status, status)).limit(limit)
  return rows.map((row) => asTenantId(row.tenantId))
}

/** Whether the tenant is being deleted and its grace period is over; locks its row, so that it cannot be restored meanwhile. */
export const isDueForPurge = async (t: TenantTx, now: Date): Promise<boolean> => {
  const [row] = await t.db.select({ status: tenants.status, deleteAfter: tenants.deleteAfter }).from(tenants).where(ownRows(t, tenants)).for('update')
  return row?.status === 'deleting' && row.deleteAfter !== null && row.deleteAfter <= now
}

/** Deletes the tenant's rows, referring rows first, and returns the number per table. */
export const purgeTenantRows = async (t: TenantTx): Promise<Record<string, number>> => {
  const counts: Record<string, number> = {}
  for (const table of (await dumpTables(t.run)).toReversed()) {
    if (table.part !== 'tenant' || STAYS.has(table.name)) continue
    const [row] = (await t.run({
      text: `with gone as (delete from ${qualifiedTableName(table)} where tenant_id = $1::uuid returning 1) select count(*)::int from gone`,
      params: [t.tenantId],
      arrays: true,
    })) as number[][]
    counts[table.name] = row?.[0] ?? 0
  }
  await t.db.update(tenantDirectory).set({ status: 'deleted' }).where(eq(tenantDirectory.tenantId, t.tenantId))
  return counts
}

/** Deletes the directory row of a purged tenant after the retention of its last event. */
export const deleteTenantRow = async (t: TenantTx): Promise<boolean> => {
  const left = await t.db.select({ id: auditEvents.id }).from(auditEvents).where(ownRows(t, auditEvents)).limit(1)
  if (left.length > 0) return false
  await t.db.delete(tenantDirectory).where(eq(tenantDirectory.tenantId, t.tenantId))
  return true
}
