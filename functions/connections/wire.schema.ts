// Shared parts of the wire shapes of the OIDC configuration manager. Names with `hydra` come from AuthSec; here they mean the tenant's main client and its
// providers.
import * as z from 'zod'
import { Id } from '#shared/domains/administration/fields.schema'

const text = (most: number) => z.string().trim().max(most)
export const Name = text(100).min(1)
export const ProviderName = text(64).min(1)
export const Uri = z.string().max(2000)
/** The id of the tenant's main client, with or without suffix, or the id of the tenant, as AuthSec's clients send it. */
export const BaseId = z.string().min(1).max(200)
export const tenant_id = Id
/** Accepted and ignored: tenants have no organisations. */
export const org_id = z.string().max(200).optional()
/** Accepted and ignored: the actor is the caller. */
export const callerFields = z.string().max(200).optional()

const address = text(2048)
const Scopes = z.array(z.string().regex(/^[\x21\x23-\x5b\x5d-\x7e]{1,200}$/, 'must be a scope (RFC 6749)')).max(30)
const provider = {
  display_name: Name,
  client_id: text(500).min(1),
  client_secret: z.string().min(1).max(4096),
  auth_url: address.min(1),
  token_url: address.min(1),
  user_info_url: address.min(1),
  scopes: Scopes.min(1),
}
const more = {
  /** Optional when the authorization endpoint belongs to a known provider. */
  issuer_url: address.optional(),
  jwks_url: address.optional(),
  additional_params: z.record(z.string().max(64), z.string().max(500)).optional(),
  is_active: z.boolean().optional(),
  sort_order: z.int().min(0).max(10_000).optional(),
}
export const ProviderIn = z.object({ provider_name: ProviderName, ...provider, ...more }).meta({ id: 'OidcProviderIn' })
export const ProviderMembers = z.object({ ...z.object(provider).partial().shape, ...more })
export const ProviderPut = z.object({ provider_name: ProviderName, ...ProviderMembers.shape }).meta({ id: 'OidcProviderPut' })
export type ProviderRequest = z.output<typeof ProviderMembers>

/** The configuration of a provider. Its secret is masked, or empty when there is none. */
export const ProviderConfig = z
  .object({
    client_id: z.string(),
    client_secret: z.string(),
    auth_url: z.string(),
    token_url: z.string(),
    user_info_url: z.string(),
    scopes: z.array(z.string()),
    issuer_url: z.string(),
    jwks_url: z.string(),
    additional_params: z.record(z.string(), z.string()),
  })
  .meta({ id: 'OidcProviderConfig' })

export const ListedProvider = z.object({
  provider_name: z.string(),
  display_name: z.string(),
  client_id: z.string(),
  is_active: z.boolean(),
  sort_order: z.int(),
})
export const PlacedProvider = z
  .object({ ...ListedProvider.shape, callback_url: z.string(), created_at: z.string(), provider_config: ProviderConfig })
  .meta({ id: 'OidcProviderPlaced' })
export const OfferedProvider = z.object({ provider_name: z.string(), display_name: z.string(), sort_order: z.int() }).meta({ id: 'OfferedProvider' })

export const ClientIn = z.object({
  client_name: Name,
  redirect_uris: z.array(Uri).min(1).max(50),
  scopes: z
    .array(z.string().regex(/^[\x21\x23-\x5b\x5d-\x7e]{1,200}$/))
    .max(50)
    .optional(),
  grant_types: z.array(z.string().max(100)).min(1).max(20).optional(),
})
export const MainClient = z.object({ client_id: z.string(), client_name: z.string(), created_at: z.string() })
