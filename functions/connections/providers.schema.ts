// Wire shapes of a tenant's own providers on the paths of AuthSec (oocmgr/oidc/*).
import * as z from 'zod'
import { envelope } from './envelope.ts'
import {
  BaseId,
  callerFields,
  ListedProvider,
  MainClient,
  org_id,
  PlacedProvider,
  ProviderConfig,
  ProviderIn,
  ProviderMembers,
  ProviderName,
  tenant_id,
  Uri,
} from './wire.schema.ts'

export const AddOidcProvider = z
  .object({ tenant_id, client_id: BaseId, provider: ProviderIn, react_app_url: Uri.optional(), created_by: callerFields })
  .meta({ id: 'OocmgrAddProvider' })
export const AddedOidcProvider = envelope(
  z.object({
    tenant_id: z.string(),
    ...ListedProvider.omit({ sort_order: true }).shape,
    callback_url: z.string(),
    created_at: z.string(),
  }),
).meta({ id: 'OocmgrAddedProvider' })

export const GetConfig = z.object({ client_id: BaseId, tenant_id: tenant_id.optional() }).meta({ id: 'OocmgrGetConfig' })
export const OidcConfig = envelope(
  z.object({
    tenant_id: z.string(),
    tenant_client: MainClient.extend({ redirect_uris: z.array(z.string()), scopes: z.array(z.string()) }),
    oidc_providers: z.array(PlacedProvider),
    provider_count: z.int(),
  }),
).meta({ id: 'OocmgrConfig' })

export const NamedOidcProvider = z.object({ tenant_id, org_id, provider_name: ProviderName }).meta({ id: 'OocmgrProviderNamed' })
export const OidcProviderResponse = envelope(PlacedProvider.extend({ tenant_id: z.string(), client_secret: z.string() })).meta({
  id: 'OocmgrProvider',
})
export const OidcProviderSecret = envelope(z.object({})).meta({ id: 'OocmgrProviderSecret' })

export const UpdateOidcProvider = z
  .object({ tenant_id, org_id, provider_name: ProviderName, ...ProviderMembers.shape, updated_by: callerFields })
  .meta({ id: 'OocmgrUpdateProvider' })
export const UpdatedOidcProvider = envelope(z.object({ provider_name: z.string(), client_id: z.string(), updated_at: z.string() })).meta({
  id: 'OocmgrUpdatedProvider',
})

export const DeleteOidcProvider = z.object({ tenant_id, client_id: BaseId, provider_name: ProviderName }).meta({ id: 'OocmgrDeleteProvider' })
export const DeletedOidcProvider = envelope(z.object({ provider_name: z.string(), deleted_at: z.string() })).meta({ id: 'OocmgrDeletedProvider' })

export const OidcTemplatesQuery = z.object({ tenant_id: tenant_id.optional(), org_id }).meta({ id: 'OocmgrTemplatesQuery' })
const Template = z.object({
  provider_name: z.string(),
  display_name: z.string(),
  auth_url: z.string(),
  token_url: z.string(),
  user_info_url: z.string(),
  issuer_url: z.string(),
  scopes: z.array(z.string()),
  description: z.string(),
})
export const OidcTemplates = envelope(z.object({ templates: z.record(z.string(), Template), count: z.int(), instructions: z.string() })).meta({
  id: 'OocmgrTemplates',
})

export const ValidatedOidcProvider = envelope(
  z.object({
    provider_name: z.string(),
    client_id: z.string(),
    is_valid: z.boolean(),
    errors: z.array(z.string()),
    warnings: z.array(z.string()),
    validated_at: z.string(),
  }),
).meta({ id: 'OocmgrValidated' })

export const TestFlow = z.object({ tenant_id, org_id, provider_name: ProviderName.optional() }).meta({ id: 'OocmgrTestFlow' })
export const TestedFlow = envelope(
  z.object({
    tenant_id: z.string(),
    org_id: z.string(),
    tenant_client_id: z.string(),
    login_url_template: z.string(),
    provider_callback_url: z.string().optional(),
    provider_config: ProviderConfig.optional(),
  }),
).meta({ id: 'OocmgrTestedFlow' })
