// Every query on how a tenant's pages look.

import type { TenantDb, TenantTx } from '../engine/tenant.ts'
import { tenantBranding } from '../tables/branding.ts'
import type { Tenant } from './tenants.ts'

export type Branding = typeof tenantBranding.$inferSelect
export type NewBranding = Omit<typeof tenantBranding.$inferInsert, 'tenantId'>

/** What every page of a tenant begins with. Written by hand: asked by every page, and beside other things. */
export type PageBranding = {
  readonly tenant: Pick<Tenant, 'tenantId' | 'name' | 'settings'> | undefined
  readonly branding: Omit<Branding, 'tenantId' | 'updatedAt'> | undefined
}
export const PAGE_BRANDING = `t.name, t.settings, b.tenant_id, b.brand, b.brand_ink, b.brand_dark, b.brand_dark_ink, b.radius, b.logo, b.logo_type
  from authsec.tenants t left join authsec.tenant_branding b on b.tenant_id = t.tenant_id where t.tenant_id = $1`

type Cells = readonly [name: string, settings: Tenant['settings'], tenantId: string | null, ...BrandCells]
type BrandCells = readonly [string | null, string | null, string | null, string | null, number | null, Uint8Array | null, string | null]
export const pageBrandingOf = ({ tenantId }: TenantDb, row: readonly unknown[] | undefined): PageBranding => {
  if (row === undefined) return { tenant: undefined, branding: undefined }
  const [name, settings, isBranded, brand, brandInk, brandDark, brandDarkInk, radius, logo, logoType] = row as Cells
  const branding = isBranded === null ? undefined : { brand, brandInk, brandDark, brandDarkInk, radius, logo, logoType }
  return { tenant: { tenantId, name, settings }, branding }
}

export const findPageBranding = async (t: TenantDb): Promise<PageBranding> => {
  const [row] = (await t.run({ text: `select ${PAGE_BRANDING}`, params: [t.tenantId], arrays: true })) as unknown[][]
  return pageBrandingOf(t, row)
}

export const putBranding = async (t: TenantTx, row: NewBranding): Promise<void> => {
  await t.db
    .insert(tenantBranding)
    .values({ ...row, tenantId: t.tenantId })
    .onConflictDoUpdate({ target: tenantBranding.tenantId, set: row })
}
