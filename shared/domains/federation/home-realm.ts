// Where the people of an e-mail domain sign in: at the provider of the organisation that has proved the domain. It goes by the domain alone, so the answer is the
// same whether there is such a person.

import { directory, forTenant, type TenantId } from '#db/engine/tenant'
import { findVerifiedDomain } from '#db/store/domains'
import { findTenant } from '#db/store/tenants'
import type { BaseCtx } from '#shared/domains/context'
import { offeredSamlProviders, samlProviderName } from './saml-providers.ts'
import { listUpstreamsAt } from './upstream.ts'

type Deps = Pick<BaseCtx, 'db' | 'config'>
/** At whose door the address is named: only that organisation's people are led on; at the platform's, those of any. */
type At = { readonly kind: 'tenant'; readonly tenantId: TenantId; readonly clientId?: string | undefined } | { readonly kind: 'platform' | 'nowhere' }

export type RealmProvider = {
  readonly protocol: 'saml' | 'oidc'
  /** As the provider is called among all providers of the organisation. */
  readonly name: string
  /** As it is called where a sign-in through it begins. */
  readonly providerName: string
  readonly displayName: string
}
export type Realm = {
  readonly tenantId: TenantId
  readonly tenantName: string
  readonly domain: string
  /** In the organisation's order; at least one. */
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

/** Undefined where nobody has proved the domain, where its organisation has no provider of its own, and at the door of another one. */
export const homeRealm = async (ctx: Deps, email: string, at: At): Promise<Realm | undefined> => {
  const found = await findVerifiedDomain(directory(ctx.db), email.slice(email.lastIndexOf('@') + 1))
  if (found === undefined || found.kind !== 'custom' || at.kind === 'nowhere') return undefined
  if (at.kind === 'tenant' && at.tenantId !== found.tenantId) return undefined
  const { tenantId } = found
  const tenant = await findTenant(forTenant(ctx.db, tenantId))
  if (tenant?.status !== 'active') return undefined
  const [first, ...more] = await providersOf(ctx, tenantId, at.kind === 'tenant' ? at.clientId : undefined)
  return first === undefined ? undefined : { tenantId, tenantName: tenant.name, domain: tenant.domain, providers: [first, ...more] }
}
