// Every query on how a tenant's pages look.
import { eq } from 'drizzle-orm'
import { tenantBranding } from '../tables/branding.ts'
import { tenants } from '../tables/tenants.ts'
import { ownRows, type TenantDb, type TenantTx } from '../tenant.ts'
import type { Tenant } from './tenants.ts'

export type Branding = typeof tenantBranding.$inferSelect
export type NewBranding = Omit<typeof tenantBranding.$inferInsert, 'tenantId'>

export const findBranding = async (t: TenantDb): Promise<Branding | undefined> => {
  const [row] = await t.db.select().from(tenantBranding).where(ownRows(t, tenantBranding))
  return row
}

/** With the tenant itself: what every page begins with. */
export const findTenantAndBranding = async (
  t: TenantDb,
): Promise<{ readonly tenant: Tenant | undefined; readonly branding: Branding | undefined }> => {
  const [row] = await t.db
    .select({ tenant: tenants, branding: tenantBranding })
    .from(tenants)
    .leftJoin(tenantBranding, eq(tenantBranding.tenantId, tenants.tenantId))
    .where(ownRows(t, tenants))
  return { tenant: row?.tenant, branding: row?.branding ?? undefined }
}

export const putBranding = async (t: TenantTx, row: NewBranding): Promise<void> => {
  await t.db
    .insert(tenantBranding)
    .values({ ...row, tenantId: t.tenantId })
    .onConflictDoUpdate({ target: tenantBranding.tenantId, set: row })
}
