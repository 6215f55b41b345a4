// The client secret of a provider: stored sealed, opened only to authenticate at the provider.

import { forTenant, type TenantId } from '#db/engine/tenant'
import type { Provider } from '#db/store/providers'
import type { BaseCtx } from '#shared/domains/context'

/** Bound to the row, so that a sealed secret cannot be moved to another provider. */
export const providerSecretContext = (providerId: string): string => `oidc_providers:${providerId}`

export const openProviderSecret = async (ctx: Pick<BaseCtx, 'db' | 'keyring'>, row: Provider): Promise<string | undefined> => {
  if (row.sealedClientSecret === null) return undefined
  const t = forTenant(ctx.db, row.tenantId as TenantId)
  return ctx.keyring.open(t, row.tenantId, row.sealedClientSecret, providerSecretContext(row.id))
}
