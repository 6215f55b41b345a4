// Wire shapes of the platform's identity providers.
import * as z from 'zod'

const endpoint = z.url({ protocol: /^https$/, error: 'must be an https address' }).max(2048)
const clientId = z.string().trim().min(1).max(500)
/** Names are path segments. */
const ProviderName = z.string().regex(/^[a-z0-9][a-z0-9_-]{0,63}$/, 'lower-case letters, digits, hyphens and underscores')

export const ProviderPath = z.object({ provider: z.string().max(64) })
export const ChangeProvider = z
  .object({
    client_id: clientId.optional(),
    /** The secret itself; stored sealed and never returned. An extension. */
    client_secret: z.string().min(1).max(4096).optional(),
    client_secret_vault_path: z.string().max(500).optional(),
    is_active: z.boolean().optional(),
    icon_url: endpoint.optional(),
  })
  .meta({ id: 'ChangeProvider' })
export const ProviderChanged = z.object({ message: z.string() }).meta({ id: 'ProviderChanged' })

export const NewProvider = z
  .strictObject({
    provider_name: ProviderName,
    display_name: z.string().trim().min(1).max(100),
    issuer: endpoint.optional(),
    authorization_url: endpoint,
    token_url: endpoint,
    userinfo_url: endpoint,
    scopes: z.string().trim().min(1).max(500).default('openid email profile'),
    client_id: clientId.optional(),
    client_secret: z.string().min(1).max(4096).optional(),
    icon_url: endpoint.optional(),
    is_active: z.boolean().default(false),
  })
  .meta({ id: 'NewPlatformProvider' })

export const TenantProviderOut = z
  .object({
    id: z.string(),
    provider_name: z.string(),
    display_name: z.string(),
    client_id: z.string(),
    /** Compatibility name: AuthSec's path to the secret. Here it is `sealed` if there is a secret, or empty. */
    client_secret_vault_path: z.string(),
    authorization_url: z.string(),
    token_url: z.string(),
    userinfo_url: z.string(),
    scopes: z.string(),
    icon_url: z.string().optional(),
    is_active: z.boolean(),
    created_at: z.string(),
    updated_at: z.string(),
  })
  .meta({ id: 'PlatformProvider' })
export const TenantProviders = z.object({ providers: z.array(TenantProviderOut) }).meta({ id: 'PlatformProviders' })
