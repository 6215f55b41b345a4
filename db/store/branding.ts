// Every query on how a tenant's pages look.
import { tenantBranding } from '../tables/branding.ts'
import { ownRows, type TenantDb, type TenantTx } from '../tenant.ts'
import type { Tenant } from './tenants.ts'

export type Branding = typeof tenantBranding.$inferSelect
export type NewBranding = Omit<typeof tenantBranding.$inferInsert, 'tenantId'>

export const findBranding = async (t: TenantDb): Promise<Branding | undefined> => {
  const [row] = await t.db.select().from(tenantBranding).where(ownRows(t, tenantBranding))
  return row
}

/** What every page of a tenant begins with. Written by hand: asked by every page, and beside other things. */
export type Looks = {
  readonly tenant: Pick<Tenant, 'tenantId' | 'name' | 'settings'> | undefined
  readonly branding: Omit<Branding, 'tenantId' | 'updatedAt'> | undefined
}
export const LOOKS = `t.name, t.settings, b.tenant_id, b.brand, b.brand_ink, b.brand_dark, b.brand_dark_ink, b.radius, b.logo, b.logo_type
  from authsec.tenants t left join authsec.tenant_branding b on b.tenant_id = t.tenant_id where t.tenant_id = $1`

export const looksOf = ({ tenantId }: TenantDb, row: readonly unknown[] | undefined): Looks => {
  if (row === undefined) return { tenant: undefined, branding: undefined }
  const tenant = { tenantId, name: row[0] as string, settings: row[1] as Tenant['settings'] }
  const text = (at: number): string | null => row[at] as string | null
  const logo = row[8] === null ? null : new Uint8Array(row[8] as Uint8Array)
  const colours = { brand: text(3), brandInk: text(4), brandDark: text(5), brandDarkInk: text(6) }
  return { tenant, branding: row[2] === null ? undefined : { ...colours, radius: row[7] as number | null, logo, logoType: text(9) } }
}

export const findLooks = async (t: TenantDb): Promise<Looks> => {
  const [row] = (await t.run({ text: `select ${LOOKS}`, params: [t.tenantId], arrays: true })) as unknown[][]
  return looksOf(t, row)
}

export const putBranding = async (t: TenantTx, row: NewBranding): Promise<void> => {
  await t.db
    .insert(tenantBranding)
    .values({ ...row, tenantId: t.tenantId })
    .onConflictDoUpdate({ target: tenantBranding.tenantId, set: row })
}
