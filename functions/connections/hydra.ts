// AuthSec's OAuth server clients, which are the tenant's main client and its own providers. Read-only.
import type * as z from 'zod'
import type { TenantId } from '#db/engine/tenant'
import { countClients, listClients } from '#db/store/client-list'
import { listProviders, type Provider } from '#db/store/providers'
import { actingTenant } from '#shared/domains/authority/acting-tenant'
import { upstreamOf } from '#shared/domains/federation/upstream'
import type { User } from '#shared/platform/principals/principal'
import { enveloped } from './envelope.ts'
import type { Ctx } from './group.ts'
import type {
  GetClients,
  GotClients,
  HydraByTenant,
  HydraClient,
  HydraClients,
  HydraSynced,
  ListHydra,
  OfTenantAndOrganisation,
  RawDump,
  RawDumped,
  Stats,
  SyncHydra,
} from './hydra.schema.ts'
import { type BaseClient, findBaseClient, HIDDEN_SECRET, mainId, providerCallbackUrl, providerId, toProviderConfig } from './view.ts'

const MAX_ROWS = 1000
type ResponseBody = z.input<typeof HydraClient>

const ofTenant = ({ tenant }: BaseClient) => ({
  org_id: tenant.tenantId,
  tenant_id: tenant.tenantId,
  tenant_name: tenant.name,
  created_by: '',
  updated_by: '',
})

const mainClientResponse = (base: BaseClient): ResponseBody => {
  const { client } = base
  return {
    id: client.id,
    ...ofTenant(base),
    hydra_client_id: mainId(client),
    client_name: client.name,
    redirect_uris: client.redirectUris,
    scopes: client.allowedScopes ?? [],
    client_type: 'main',
    provider_name: '',
    is_active: client.active,
    created_at: client.createdAt.toISOString(),
    updated_at: client.updatedAt.toISOString(),
  }
}

const providerResponse = (ctx: Ctx, base: BaseClient, row: Provider): ResponseBody => ({
  id: row.id,
  ...ofTenant(base),
  hydra_client_id: providerId(base.client, row.providerName),
  client_name: row.displayName,
  redirect_uris: [providerCallbackUrl(ctx)],
  scopes: row.scopes.split(' '),
  client_type: 'oidc_provider',
  provider_name: row.providerName,
  is_active: row.isActive,
  created_at: row.createdAt.toISOString(),
  updated_at: row.updatedAt.toISOString(),
})

/** Loads the main client, when it is configured, and the providers. @throws AppError not_found */
const loadAll = async (ctx: Ctx, tenantId: TenantId): Promise<{ base: BaseClient; rows: Provider[]; clients: ResponseBody[] }> => {
  const base = await findBaseClient(ctx, tenantId)
  const rows = await listProviders(base.t)
  return {
    base,
    rows,
    clients: [...(base.client.oidcEnabled ? [mainClientResponse(base)] : []), ...rows.map((row) => providerResponse(ctx, base, row))],
  }
}

export const listHydra = async (ctx: Ctx, caller: User, body: z.output<typeof ListHydra>): Promise<z.input<typeof HydraClients>> => {
  const { clients } = await loadAll(ctx, actingTenant(caller, body.tenant_id))
  const isWanted = ({ client_type, is_active }: ResponseBody): boolean =>
    (body.client_type === undefined || body.client_type === client_type) && (body.is_active === undefined || body.is_active === is_active)
  return enveloped(ctx, 'Hydra clients retrieved successfully', clients.filter(isWanted))
}

/** @throws AppError not_found */
export const hydraByTenant = async (
  ctx: Ctx,
  caller: User,
  body: z.output<typeof OfTenantAndOrganisation>,
): Promise<z.input<typeof HydraByTenant>> => {
  const { base, rows } = await loadAll(ctx, actingTenant(caller, body.tenant_id))
  const provider_clients = rows.map((row) => providerResponse(ctx, base, row))
  return enveloped(ctx, 'Hydra clients retrieved successfully', {
    main_client: mainClientResponse(base),
    provider_clients,
    total_clients: provider_clients.length + 1,
  })
}

/** Always in sync, because there is only one store. */
export const syncHydra = async (ctx: Ctx, caller: User, body: z.output<typeof SyncHydra>): Promise<z.input<typeof HydraSynced>> => {
  const { clients } = await loadAll(ctx, actingTenant(caller, body.tenant_id))
  return enveloped(ctx, 'Hydra clients are in sync', { total_hydra_clients: clients.length, synced_clients: clients.length, missing_mappings: 0 })
}

/** Masks every member with "secret" in its name, at any depth. */
const masked = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(masked)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([name, member]) => [name, /secret/i.test(name) ? HIDDEN_SECRET : masked(member)]))
}

/** Exports the configuration in the format of AuthSec's OAuth server. */
export const rawDump = async (ctx: Ctx, caller: User, body: z.output<typeof RawDump>): Promise<z.input<typeof RawDumped>> => {
  const { base, rows } = await loadAll(ctx, actingTenant(caller, body.tenant_id))
  const { tenant, client } = base
  const metadata = { tenant_id: client.id, c_id: tenant.tenantId, org_id: tenant.tenantId, tenant_name: tenant.name }
  const times = (row: Pick<Provider, 'createdAt' | 'updatedAt'>) => ({
    created_at: row.createdAt.toISOString(),
    updated_at: row.updatedAt.toISOString(),
  })
  const main = {
    client_id: mainId(client),
    client_name: client.name,
    client_secret: HIDDEN_SECRET,
    redirect_uris: client.redirectUris,
    grant_types: client.grantTypes,
    scope: client.allowedScopes?.join(' ') ?? '',
    ...times(client),
    metadata: { type: 'tenant_main_client', ...metadata, is_active: client.active },
  }
  const ofProviders = rows.map((row) => ({
    client_id: providerId(client, row.providerName),
    client_name: row.displayName,
    redirect_uris: [providerCallbackUrl(ctx)],
    scope: row.scopes,
    ...times(row),
    metadata: {
      type: 'oidc_provider',
      ...metadata,
      provider_name: row.providerName,
      display_name: row.displayName,
      provider_config: toProviderConfig(row),
      is_active: row.isActive,
      sort_order: row.sortOrder,
      callback_url: providerCallbackUrl(ctx),
    },
  }))
  const type = body.client_type ?? ''
  const clients = [...(client.oidcEnabled ? [main] : []), ...ofProviders].filter((one) => type === '' || one.metadata.type === type)
  return enveloped(ctx, 'Configuration exported', {
    tenant_id: tenant.tenantId,
    client_type: type,
    count: clients.length,
    clients: clients.map((one) => masked(one) as Record<string, unknown>),
  })
}

/** @throws AppError not_found */
export const stats = async (ctx: Ctx, caller: User, body: z.output<typeof OfTenantAndOrganisation>): Promise<z.input<typeof Stats>> => {
  const { base, rows } = await loadAll(ctx, actingTenant(caller, body.tenant_id))
  const active = rows.filter(({ isActive }) => isActive).length
  const kinds = rows.map((row) => (upstreamOf({ ...row, isActive: true, clientId: 'any' })?.peer.github === undefined ? 'openid' : 'github'))
  const last = Math.max(base.client.updatedAt.getTime(), ...rows.map(({ updatedAt }) => updatedAt.getTime()))
  return enveloped(ctx, 'Tenant statistics retrieved successfully', {
    tenant_id: base.tenant.tenantId,
    org_id: base.tenant.tenantId,
    tenant_clients: await countClients(base.t, {}),
    total_providers: rows.length,
    active_providers: active,
    inactive_providers: rows.length - active,
    providers_by_type: Object.fromEntries([...new Set(kinds)].map((kind) => [kind, kinds.filter((one) => one === kind).length])),
    last_updated: new Date(last).toISOString(),
  })
}

/** Returns the ids of the tenant's clients, oldest first, at most 1,000. */
export const getClients = async (ctx: Ctx, caller: User, body: z.output<typeof GetClients>): Promise<z.input<typeof GotClients>> => {
  const { t } = await findBaseClient(ctx, actingTenant(caller, body.tenant_id))
  const rows = await listClients(t, body.active_only ? { active: true } : {}, { sort: 'created_at', descending: false, limit: MAX_ROWS })
  return enveloped(ctx, 'Clients retrieved successfully', {
    tenant_id: t.tenantId as string,
    client_ids: rows.map(({ id }) => id),
    count: rows.length,
    active_only: body.active_only,
  })
}
