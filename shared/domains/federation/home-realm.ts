// The identity provider of an e-mail domain: that of the organisation that verified the domain. Depends only on the domain, so it does not disclose accounts.

import { directory, forTenant, type TenantId } from '#db/engine/tenant'
import { findVerifiedDomain } from '#db/store/domains'
import { findTenant } from '#db/store/tenants'
import type { BaseCtx } from '#shared/domains/context'
import { offeredSamlProviders, samlProviderName } from './saml-providers.ts'
import { listUpstreamsAt } from './upstream.ts'

type Deps = Pick<BaseCtx, 'db' | 'config'>
/** Where the address is entered. At a tenant's application only its own domains count; at the platform any verified domain. */
type EntryPoint =
  | { readonly kind: 'tenant'; readonly tenantId: TenantId; readonly clientId?: string | undefined }
  | { readonly kind: 'platform' | 'nowhere' }

export type RealmProvider = {
  readonly protocol: 'saml' | 'oidc'
  /** The name among all providers of the organisation. */
  readonly name: string
  /** The name within its protocol, for starting a sign-in. */
  readonly providerName: string
  readonly displayName: string
}
export type Realm = {
  readonly tenantId: TenantId
  readonly tenantName: string
  readonly domain: string
  /** At least one, in the organisation's order. */
  readonly providers: readonly [RealmProvider, ...RealmProvider[]]
}

type Ordered = RealmProvider & { readonly order: number }

const providersOf = async (ctx: Deps, tenantId: TenantId, clientId: string | undefined): Promise<RealmProvider[]> => {
  const saml: Ordered[] = (await offeredSamlProviders(ctx, tenantId, clientId)).map((row) => ({
    protocol: 'saml',
    name: samlProviderName(row),
    providerName: row.providerName,
    displayName: row.displayName,
    order: row.sortOrder,
  }))
  const own = (await listUpstreamsAt(ctx, tenantId, clientId)).filter(({ isOwn }) => isOwn)
  const openId: Ordered[] = own.map(({ name, displayName, sortOrder }) => ({
    protocol: 'oidc',
    name,
    providerName: name,
    displayName,
    order: sortOrder,
  }))
  return [...saml, ...openId].toSorted((a, b) => a.order - b.order)
}

/** Undefined for an unverified domain, for an organisation without an own provider, and at another tenant's application. */
export const homeRealm = async (ctx: Deps, email: string, at: EntryPoint): Promise<Realm | undefined> => {
  const found = await findVerifiedDomain(directory(ctx.db), email.slice(email.lastIndexOf('@') + 1))
  if (found === undefined || found.kind !== 'custom' || at.kind === 'nowhere') return undefined
  if (at.kind === 'tenant' && at.tenantId !== found.tenantId) return undefined
  const { tenantId } = found
  const tenant = await findTenant(forTenant(ctx.db, tenantId))
  if (tenant?.status !== 'active') return undefined
  const [first, ...more] = await providersOf(ctx, tenantId, at.kind === 'tenant' ? at.clientId : undefined)
  return first === undefined ? undefined : { tenantId, tenantName: tenant.name, domain: tenant.domain, providers: [first, ...more] }
}
