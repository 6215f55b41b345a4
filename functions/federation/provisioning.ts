// Whether a SAML provider creates accounts at the first sign-in (just-in-time provisioning).
import type { TenantDb } from '#db/engine/tenant'
import { findSamlProvider } from '#db/store/saml-providers'

/** Whether the SAML provider is active and still creates accounts. */
export const provisionsAccounts = async (t: TenantDb, providerId: string): Promise<boolean> => {
  const row = await findSamlProvider(t, providerId)
  return row?.isActive === true && row.jitProvisioning
}
