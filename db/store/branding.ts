// Every query on how a tenant's pages look.
import { tenantBranding } from '../tables/branding.ts'
import { ownRows, type TenantDb, type TenantTx } from '../tenant.ts'

export type Branding = typeof tenantBranding.$inferSelect
export type NewBranding = Omit<typeof tenantBranding.$inferInsert, 'tenantId'>

export const findBranding = async (t: TenantDb): Promise<Branding | undefined> => {
  const [row] = await t.db.select().from(tenantBranding).where(ownRows(t, tenantBranding))
  return row
}

export const putBranding = async (t: TenantTx, row: NewBranding): Promise<void> => {
  await t.db
    .insert(tenantBranding)
    .values({ ...row, tenantId: t.tenantId })
    .onConflictDoUpdate({ target: tenantBranding.tenantId, set: row })
}
