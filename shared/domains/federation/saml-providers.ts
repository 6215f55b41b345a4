// The SAML identity providers of a client's sign-in: its own, and those of the tenant's default client, which serve the whole tenant.

import { forTenant, type TenantId } from '#db/engine/tenant'
import { findDefaultClient } from '#db/store/clients'
import { listSamlProviders, type SamlProvider } from '#db/store/saml-providers'
import type { BaseCtx } from '#shared/domains/context'

/** The name of a SAML provider among all providers of a tenant. */
export const samlProviderName = ({ providerName }: Pick<SamlProvider, 'providerName'>): string => `saml-${providerName}`

/** In the tenant's order, disabled ones included. A client's own provider replaces the tenant's of the same name. */
export const samlProvidersAt = async (ctx: Pick<BaseCtx, 'db'>, tenantId: TenantId, clientId: string | undefined): Promise<SamlProvider[]> => {
  const t = forTenant(ctx.db, tenantId)
  const all = await listSamlProviders(t)
  if (all.length === 0) return all
  const shared = (await findDefaultClient(t))?.id
  const own = all.filter((row) => row.clientId === clientId)
  return all.filter((row) => own.includes(row) || (row.clientId === shared && !own.some(({ providerName }) => providerName === row.providerName)))
}

/** The enabled ones. */
export const offeredSamlProviders = async (ctx: Pick<BaseCtx, 'db'>, tenantId: TenantId, clientId: string | undefined): Promise<SamlProvider[]> =>
  (await samlProvidersAt(ctx, tenantId, clientId)).filter(({ isActive }) => isActive)
