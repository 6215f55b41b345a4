// The end of a tenant, as the owner of the tables: everything that is the tenant's goes, from every table that the catalogue knows, so that none is forgotten.
import { eq } from 'drizzle-orm'
import { dumpTables, qualifiedTableName } from '../dump/catalogue.ts'
import { type AnyScope, asTenantId, ownRows, type TenantId, type TenantTx } from '../engine/tenant.ts'
import { auditEvents } from '../tables/audit.ts'
import { tenantDirectory, tenants } from '../tables/tenants.ts'

/**
 * What stays: events, which nobody can read once the keys are gone (they are never rewritten), until they have passed their time; and the tenant's place in
 * the directory, by which they are found until then.
 */
const STAYS = new Set(['audit_events', 'tenant_directory'])

export const listTenantsInStatus = async (d: AnyScope, status: 'deleting' | 'deleted', limit: number): Promise<TenantId[]> => {
  const rows = await d.db.select({ tenantId: tenantDirectory.tenantId }).from(tenantDirectory).where(eq(tenantDirectory.status, status)).limit(limit)
  return rows.map((row) => asTenantId(row.tenantId))
}

/** Whether the tenant is being deleted and its grace is over; holds its row, so that nobody brings it back meanwhile. */
export const isDueForPurge = async (t: TenantTx, now: Date): Promise<boolean> => {
  const [row] = await t.db.select({ status: tenants.status, deleteAfter: tenants.deleteAfter }).from(tenants).where(ownRows(t, tenants)).for('update')
  return row?.status === 'deleting' && row.deleteAfter !== null && row.deleteAfter <= now
}

/** Deletes the tenant's rows, those that refer to others first, and answers how many went from each table. */
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

/** Forgets a purged tenant whose last event has passed its time. */
export const deleteTenantRow = async (t: TenantTx): Promise<boolean> => {
  const left = await t.db.select({ id: auditEvents.id }).from(auditEvents).where(ownRows(t, auditEvents)).limit(1)
  if (left.length > 0) return false
  await t.db.delete(tenantDirectory).where(eq(tenantDirectory.tenantId, t.tenantId))
  return true
}
