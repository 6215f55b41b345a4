// Whether a provider's people get an account with their first sign-in.
import type { TenantDb } from '#db/engine/tenant'
import { findSamlProvider } from '#db/store/saml-providers'

/** Whether the tenant still wants accounts for whom this provider proves. */
export const provisionsAccounts = async (t: TenantDb, providerId: string): Promise<boolean> => {
  const row = await findSamlProvider(t, providerId)
  return row?.isActive === true && row.jitProvisioning
}
