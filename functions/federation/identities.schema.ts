// Wire shapes of a person's identities at external providers.
import * as z from 'zod'

export const IdentityOut = z
  .object({
    id: z.string(),
    tenant_id: z.string(),
    user_id: z.string(),
    provider_name: z.string(),
    provider_user_id: z.string(),
    email: z.string().optional(),
    profile_data: z.record(z.string(), z.unknown()).optional(),
    last_login_at: z.string().optional(),
    created_at: z.string(),
    updated_at: z.string(),
  })
  .meta({ id: 'FederatedIdentity' })
export const Identities = z.object({ identities: z.array(IdentityOut) }).meta({ id: 'FederatedIdentities' })
export const UnlinkPath = z.object({ provider: z.string().min(1).max(64) })
export const UnlinkedIdentity = z.object({ message: z.string() }).meta({ id: 'FederationUnlinked' })
