// Wire shapes of AuthSec's OAuth server clients, which are our clients and providers; `hydra` is a compatibility name.
import * as z from 'zod'
import { envelope } from './envelope.ts'
import { BaseId, callerFields, org_id, ProviderConfig, ProviderName, tenant_id } from './wire.schema.ts'

const strings = z.array(z.string())
export const OocmgrHealth = z
  .object({ status: z.literal('healthy'), service: z.literal('oidc-config-manager'), version: z.string() })
  .meta({ id: 'OocmgrHealth' })

const Kind = z.enum(['main', 'oidc_provider'])
export const HydraClient = z
  .object({
    id: z.string(),
    org_id: z.string(),
    tenant_id: z.string(),
    tenant_name: z.string(),
    hydra_client_id: z.string(),
    client_name: z.string(),
    redirect_uris: strings,
    scopes: strings,
    client_type: Kind,
    provider_name: z.string(),
    is_active: z.boolean(),
    created_at: z.string(),
    updated_at: z.string(),
    created_by: z.string(),
    updated_by: z.string(),
  })
  .meta({ id: 'HydraClient' })
export const ListHydra = z
  .object({ org_id, tenant_id: tenant_id.optional(), client_type: Kind.optional(), is_active: z.boolean().optional() })
  .meta({ id: 'OocmgrListHydra' })
export const HydraClients = envelope(z.array(HydraClient)).meta({ id: 'OocmgrHydraClients' })
export const OfTenantAndOrganisation = z.object({ tenant_id, org_id }).meta({ id: 'OocmgrOfTenantAndOrganisation' })
export const HydraByTenant = envelope(z.object({ main_client: HydraClient, provider_clients: z.array(HydraClient), total_clients: z.int() })).meta({
  id: 'OocmgrHydraByTenant',
})
export const SyncHydra = z.object({ tenant_id: tenant_id.optional(), org_id }).meta({ id: 'OocmgrSyncHydra' })
export const HydraSynced = envelope(z.object({ total_hydra_clients: z.int(), synced_clients: z.int(), missing_mappings: z.int() })).meta({
  id: 'OocmgrHydraSynced',
})

export const RawDump = z.object({ tenant_id, client_type: z.string().max(50).optional() }).meta({ id: 'OocmgrRawDump' })
export const RawDumped = envelope(
  z.object({ tenant_id: z.string(), client_type: z.string(), count: z.int(), clients: z.array(z.record(z.string(), z.unknown())) }),
).meta({ id: 'OocmgrRawDumped' })

export const Stats = envelope(
  z.object({
    tenant_id: z.string(),
    org_id: z.string(),
    tenant_clients: z.int(),
    total_providers: z.int(),
    active_providers: z.int(),
    inactive_providers: z.int(),
    providers_by_type: z.record(z.string(), z.int()),
    last_updated: z.string(),
  }),
).meta({ id: 'OocmgrStats' })

export const GetClients = z.object({ tenant_id, active_only: z.boolean().default(false) }).meta({ id: 'OocmgrGetClients' })
export const GotClients = envelope(z.object({ tenant_id: z.string(), client_ids: strings, count: z.int(), active_only: z.boolean() })).meta({
  id: 'OocmgrGotClients',
})

export const ShowProviders = z.object({ tenant_id, client_id: BaseId.optional() }).meta({ id: 'OocmgrShowProviders' })
/** The optional members are only for administrators of the tenant. */
const ShownProvider = z.object({
  hydra_client_id: z.string().optional(),
  provider_name: z.string(),
  display_name: z.string(),
  client_id: z.string().optional(),
  client_ids: z.string().optional(),
  provider_type: z.enum(['internal', 'oidc']).optional(),
  is_active: z.boolean(),
  sort_order: z.int(),
  callback_url: z.string().optional(),
  provider_config: ProviderConfig.optional(),
})
export const ShownProviders = envelope(
  z.object({ tenant_id: z.string(), client_id: z.string().optional(), count: z.int(), providers: z.array(ShownProvider) }),
).meta({ id: 'OocmgrShownProviders' })

export const EditClientProvider = z
  .object({
    tenant_id: tenant_id.optional(),
    client_id: BaseId,
    provider_name: ProviderName,
    display_name: z.string().trim().min(1).max(100).optional(),
    is_active: z.boolean().optional(),
    sort_order: z.int().min(0).max(10_000).optional(),
    /** Accepted and ignored: all clients share one callback URL. */
    callback_url: z.string().max(2000).optional(),
    /** The configuration of a provider is the same for all clients; a different value is refused. */
    provider_config: z.record(z.string(), z.unknown()).optional(),
    updated_by: callerFields,
  })
  .meta({ id: 'OocmgrEditClientProvider' })
const edited = { tenant_id: z.string(), client_id: z.string(), provider_name: z.string() }
export const EditedClientProvider = envelope(
  z.object({
    ...edited,
    operation: z.enum(['updated', 'deleted']),
    deleted_id: z.string().optional(),
    hydra_id: z.string().optional(),
    updated_fields: strings.optional(),
  }),
).meta({ id: 'OocmgrEditedClientProvider' })
export const CreatedClientProvider = envelope(
  z.object({
    ...edited,
    hydra_client_id: z.string(),
    display_name: z.string(),
    is_active: z.boolean(),
    sort_order: z.int(),
    callback_url: z.string(),
    operation: z.literal('created'),
  }),
).meta({ id: 'OocmgrCreatedClientProvider' })

export const CONFIG_TYPES = ['local_auth', 'oidc', 'oauth_server', 'webauthn_mfa', 'saml2', 'entra_sync', 'ad_sync'] as const
export const EditConfig = z
  .object({
    id: tenant_id,
    org_id: z.string().max(200),
    tenant_id,
    name: z.string().trim().min(1).max(100),
    config_type: z.enum(CONFIG_TYPES),
    config_files: z.record(z.string(), z.unknown()),
    is_active: z.boolean().optional(),
    updated_by: callerFields,
  })
  .meta({ id: 'OocmgrEditConfig' })
export const EditedConfig = envelope(
  z.object({
    id: z.string(),
    name: z.string(),
    org_id: z.string(),
    tenant_id: z.string(),
    config_type: z.string(),
    config_files: z.record(z.string(), z.unknown()),
    is_active: z.boolean(),
    created_at: z.string(),
    updated_at: z.string(),
    created_by: z.string(),
    updated_by: z.string(),
  }),
).meta({ id: 'OocmgrEditedConfig' })
