// How a tenant's pages look: its own colours, radius and logo over the deployment's, as rules of a style sheet.
import { type Branding, findTenantAndBranding } from '#db/store/branding'
import type { Tenant } from '#db/store/tenants'
import { forTenant, type TenantId } from '#db/tenant'
import type { RequestCtx } from '../context.ts'
import { shownTenantName } from '../tenancy/shown-name.ts'

export type Brand = { readonly name: string; readonly css: string; readonly logo: string | undefined; readonly tenant: Tenant | undefined }

const rules = (brand: Branding): string => {
  const one = (name: string, value: string | number | null): string => (value === null ? '' : `--${name}:${value};`)
  const light = `${one('brand', brand.brand)}${one('brand-ink', brand.brandInk)}${brand.radius === null ? '' : `--radius:${brand.radius}px;`}`
  const dark = `${one('brand', brand.brandDark)}${one('brand-ink', brand.brandDarkInk)}`
  return `${light === '' ? '' : `:root{${light}}`}${dark === '' ? '' : `@media (prefers-color-scheme:dark){:root{${dark}}}`}`
}

/** Of the tenant, or of the deployment where none is known. The logo is part of the page: looking at it asks nobody. */
export const brandOf = async (ctx: Pick<RequestCtx, 'db' | 'config'>, tenantId: TenantId | undefined): Promise<Brand> => {
  if (tenantId === undefined) return { name: shownTenantName(ctx, undefined), css: '', logo: undefined, tenant: undefined }
  const t = forTenant(ctx.db, tenantId)
  const { tenant, branding: brand } = await findTenantAndBranding(t)
  const logo = brand?.logo && brand.logoType ? `data:${brand.logoType};base64,${Buffer.from(brand.logo).toString('base64')}` : undefined
  return { name: shownTenantName(ctx, tenant), css: brand === undefined ? '' : rules(brand), logo, tenant }
}
