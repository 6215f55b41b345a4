// Queries on the appearance of a tenant's pages.

import { column, columns, optional, type RowOf, statement } from '../engine/statement.ts'
import type { TenantDb, TenantId, TenantTx } from '../engine/tenant.ts'
import { tenantBranding } from '../tables/branding.ts'
import type { Tenant } from './tenants.ts'

export type Branding = typeof tenantBranding.$inferSelect
export type NewBranding = Omit<typeof tenantBranding.$inferInsert, 'tenantId'>

/** The branding of a tenant's pages. A hand-written fragment, because other statements read it as well. */
export const PAGE_BRANDING = columns({
  tenant: columns({
    tenantId: column<TenantId>('t.tenant_id'),
    name: column<string>('t.name'),
    settings: column<Tenant['settings']>('t.settings'),
  }),
  branding: optional(
    columns({
      tenantId: column<TenantId>('b.tenant_id'),
      brand: column<string | null>('b.brand'),
      brandInk: column<string | null>('b.brand_ink'),
      brandDark: column<string | null>('b.brand_dark'),
      brandDarkInk: column<string | null>('b.brand_dark_ink'),
      radius: column<number | null>('b.radius'),
      logo: column<Uint8Array | null>('b.logo'),
      logoType: column<string | null>('b.logo_type'),
    }),
  ),
})
export type PageBranding = { readonly [K in keyof RowOf<typeof PAGE_BRANDING>]: RowOf<typeof PAGE_BRANDING>[K] | undefined }
export const FROM_LOOKS = `from authsec.tenants t left join authsec.tenant_branding b on b.tenant_id = t.tenant_id where t.tenant_id = :tenantId`
const FIND_LOOKS = statement<object>(`select ${PAGE_BRANDING.list} ${FROM_LOOKS}`).returning(PAGE_BRANDING)

export const findPageBranding = async (t: TenantDb): Promise<PageBranding> =>
  (await FIND_LOOKS.first(t, {})) ?? { tenant: undefined, branding: undefined }

export const putBranding = async (t: TenantTx, row: NewBranding): Promise<void> => {
  await t.db
    .insert(tenantBranding)
    .values({ ...row, tenantId: t.tenantId })
    .onConflictDoUpdate({ target: tenantBranding.tenantId, set: row })
}
