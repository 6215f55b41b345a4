// The appearance of a tenant's pages: its colours, radius and logo as style rules over the deployment's defaults.

import { forTenant, type TenantId } from '#db/engine/tenant'
import { findPageBranding, type PageBranding } from '#db/store/branding'
import type { PlatformRequestCtx } from '#shared/platform/context'
import { displayTenantName } from './tenant-name.ts'

export type Brand = { readonly name: string; readonly css: string; readonly logo: string | undefined; readonly tenant: PageBranding['tenant'] }

const rules = (brand: NonNullable<PageBranding['branding']>): string => {
  const one = (name: string, value: string | number | null): string => (value === null ? '' : `--${name}:${value};`)
  const light = `${one('brand', brand.brand)}${one('brand-ink', brand.brandInk)}${brand.radius === null ? '' : `--radius:${brand.radius}px;`}`
  const dark = `${one('brand', brand.brandDark)}${one('brand-ink', brand.brandDarkInk)}`
  return `${light === '' ? '' : `:root{${light}}`}${dark === '' ? '' : `@media (prefers-color-scheme:dark){:root{${dark}}}`}`
}

/** The logo is embedded in the page, so displaying it causes no request. */
export const brandFrom = (ctx: Pick<PlatformRequestCtx, 'config'>, { tenant, branding: brand }: PageBranding): Brand => {
  const logo = brand?.logo && brand.logoType ? `data:${brand.logoType};base64,${Buffer.from(brand.logo).toString('base64')}` : undefined
  return { name: displayTenantName(ctx, tenant), css: brand === undefined ? '' : rules(brand), logo, tenant }
}

/** The brand of the tenant, or of the deployment when no tenant is known. */
export const brandOf = async (ctx: Pick<PlatformRequestCtx, 'db' | 'config'>, tenantId: TenantId | undefined): Promise<Brand> =>
  brandFrom(ctx, tenantId === undefined ? { tenant: undefined, branding: undefined } : await findPageBranding(forTenant(ctx.db, tenantId)))
