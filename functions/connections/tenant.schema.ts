// Wire shapes of a tenant's whole sign-in configuration (oocmgr/tenant/*, oocmgr/configure-complete-oidc).
import * as z from 'zod'
import { envelope } from './envelope.ts'
import {
  BaseId,
  ClientIn,
  callerFields,
  ListedProvider,
  MainClient,
  Name,
  OfferedProvider,
  org_id,
  ProviderIn,
  ProviderPut,
  tenant_id,
  Uri,
} from './wire.schema.ts'

const strings = z.array(z.string())
const Failed = z.object({ provider_name: z.string(), error: z.string() })
const FailedAction = Failed.extend({ action: z.enum(['create', 'update']) })

export const Configure = z
  .object({
    tenant_id,
    org_id,
    tenant_name: z.string().max(200).optional(),
    tenant_client: ClientIn,
    oidc_providers: z.array(ProviderIn).max(50).default([]),
    created_by: callerFields,
  })
  .meta({ id: 'ConfigureCompleteOidc' })
const Created = ListedProvider.omit({ sort_order: true }).extend({ callback_url: z.string() })
export const ConfiguredTenant = envelope(
  z.object({
    success: z.boolean(),
    tenant_id: z.string(),
    org_id: z.string(),
    tenant_name: z.string(),
    tenant_client: z.object({ client_id: z.string(), client_secret: z.string(), redirect_uris: strings, scopes: strings }),
    oidc_providers: z.object({ created: z.array(Created), failed: z.array(Failed), total: z.int(), success_count: z.int(), failed_count: z.int() }),
    login_url: z.string(),
    callback_urls: z.record(z.string(), z.string()),
  }),
).meta({ id: 'ConfiguredCompleteOidc' })

export const CreateBase = z
  .object({
    tenant_id,
    tenant_name: z.string().max(200).optional(),
    client_id: BaseId,
    /** Accepted and ignored: the secret is generated and returned. */
    client_secret: z.string().max(4096).optional(),
    redirect_uris: z.array(Uri).min(1).max(50),
    scopes: z.array(z.string().max(200)).max(50).optional(),
    created_by: callerFields,
  })
  .meta({ id: 'CreateBaseClient' })
export const CreatedBase = envelope(
  z.object({
    tenant_name: z.string(),
    client_id: z.string(),
    client_secret: z.string(),
    redirect_uris: strings,
    scopes: strings,
    created_at: z.string(),
  }),
).meta({ id: 'CreatedBaseClient' })

export const OfTenant = z.object({ tenant_id, org_id }).meta({ id: 'OocmgrTenant' })
export const ConfigurationExists = envelope(
  z.object({
    exists: z.boolean(),
    tenant_id: z.string(),
    org_id: z.string(),
    tenant_info: z.object({ tenant_id: z.string(), org_id: z.string(), tenant_name: z.string(), ...MainClient.shape }).nullable(),
  }),
).meta({ id: 'OocmgrTenantExists' })

export const ListAll = z
  .object({ limit: z.int().min(1).max(200).default(200), page: z.int().min(1).max(100_000).default(1) })
  .meta({ id: 'OocmgrListAll' })
export const AllTenants = envelope(
  z.object({
    tenants: z.array(
      z.object({
        tenant_id: z.string(),
        org_id: z.string(),
        tenant_name: z.string(),
        main_client: MainClient.nullable(),
        oidc_providers: z.array(ListedProvider),
        total_clients: z.int(),
        active_providers: z.int(),
      }),
    ),
    count: z.int(),
  }),
).meta({ id: 'OocmgrTenants' })

export const UpdateComplete = z
  .object({
    tenant_id,
    org_id,
    tenant_name: z.string().max(200).optional(),
    tenant_client: ClientIn.extend({ client_name: Name, redirect_uris: ClientIn.shape.redirect_uris }).partial().optional(),
    oidc_providers: z.array(ProviderPut).max(50).optional(),
    updated_by: callerFields,
  })
  .meta({ id: 'UpdateCompleteOidc' })
export const UpdatedConfiguration = envelope(
  z.object({
    success: z.boolean(),
    tenant_id: z.string(),
    org_id: z.string(),
    updated_at: z.string(),
    updated_by: z.string(),
    tenant_client: z
      .object({ client_id: z.string(), client_name: z.string(), redirect_uris: strings, scopes: strings, updated: z.boolean() })
      .optional(),
    oidc_providers: z
      .object({
        updated: z.array(ListedProvider.omit({ sort_order: true }).extend({ action: z.enum(['created', 'updated']) })),
        failed: z.array(FailedAction),
        success_count: z.int(),
        failed_count: z.int(),
      })
      .optional(),
  }),
).meta({ id: 'UpdatedCompleteOidc' })

export const DeleteComplete = z.object({ tenant_id, client_id: BaseId.optional(), force: z.boolean().optional() }).meta({ id: 'DeleteCompleteOidc' })
export const DeletedConfiguration = envelope(
  z.object({
    tenant_id: z.string(),
    org_id: z.string(),
    deleted_clients: strings,
    failed_deletions: z.array(z.object({ client_id: z.string(), error: z.string() })),
    deleted_count: z.int(),
    failed_count: z.int(),
  }),
).meta({ id: 'DeletedCompleteOidc' })

export const LoginPage = envelope(
  z.object({
    tenant_id: z.string(),
    org_id: z.string(),
    tenant_name: z.string(),
    client_name: z.string(),
    main_client_id: z.string(),
    providers: z.array(OfferedProvider),
    provider_count: z.int(),
  }),
).meta({ id: 'OocmgrLoginPage' })
