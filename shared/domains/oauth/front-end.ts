// A company's own front end for sign-in and consent, in place of our pages. Its domain is checked on each use, since a company can lose a domain.

import { forTenant, type TenantId } from '#db/engine/tenant'
import { findTenant } from '#db/store/tenants'
import type { RequestCtx } from '#shared/domains/context'
import { isOriginOf } from '#shared/domains/federation/return-target'

/** The path at which a front end that is a client itself receives its answers; the URL before it is the front end. */
export const FRONT_END_CALLBACK = '/oidc/auth/callback'

type Served = { readonly registeredBy: 'administrator' | 'dynamic' | 'metadata'; readonly redirectUris: readonly string[] }

/** `none`: the hosted pages. `lost`: the company names one in a domain that it no longer owns. */
export type FrontEnd = { readonly kind: 'at'; readonly base: string } | { readonly kind: 'none' } | { readonly kind: 'lost' }

/** As `frontEndOf`, for a known configuration of the company. */
export const frontEndAt = async (ctx: RequestCtx, tenantId: TenantId, client: Served, configured: string | undefined): Promise<FrontEnd> => {
  if (client.registeredBy !== 'administrator' || configured === undefined) return { kind: 'none' }
  const own = client.redirectUris.filter((uri) => uri.endsWith(FRONT_END_CALLBACK)).map((uri) => uri.slice(0, -FRONT_END_CALLBACK.length))
  for (const base of [...own, configured]) {
    if (URL.canParse(base) && (await isOriginOf(ctx, new URL(base).origin, tenantId))) return { kind: 'at', base }
  }
  return { kind: 'lost' }
}

/** The client's own front end, else the company's. Self-registered clients use the hosted pages, which mark them as unverified. */
export const frontEndOf = async (ctx: RequestCtx, tenantId: TenantId, client: Served): Promise<FrontEnd> =>
  client.registeredBy === 'administrator'
    ? frontEndAt(ctx, tenantId, client, (await findTenant(forTenant(ctx.db, tenantId)))?.settings.loginUi)
    : { kind: 'none' }
