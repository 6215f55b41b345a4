// The appearance of a tenant's hosted pages.
import { foreignKey, integer, text } from 'drizzle-orm/pg-core'
import { bytesColumn, schema, tenantId, timestampColumn } from './columns.ts'
import { tenants } from './tenants.ts'

/** Separate from the tenant's row, which is read with every request. */
export const tenantBranding = schema.table(
  'tenant_branding',
  {
    tenantId: tenantId().primaryKey(),
    /** `#rrggbb` for each colour scheme; null for the deployment's default. */
    brand: text('brand'),
    brandInk: text('brand_ink'),
    brandDark: text('brand_dark'),
    brandDarkInk: text('brand_dark_ink'),
    /** Pixels. */
    radius: integer('radius'),
    logo: bytesColumn('logo'),
    logoType: text('logo_type'),
    updatedAt: timestampColumn('updated_at').notNull(),
  },
  (t) => [foreignKey({ name: 'tenant_branding_tenant', columns: [t.tenantId], foreignColumns: [tenants.tenantId] }).onDelete('cascade')],
)
