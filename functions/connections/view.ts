// The tenant's main client and its own providers in the wire format of AuthSec, without secrets.
import type * as z from 'zod'
import { forTenant, type TenantDb, type TenantId } from '#db/engine/tenant'
import { type Client, findDefaultClient } from '#db/store/clients'
import type { Provider } from '#db/store/providers'
import { findTenant, type Tenant } from '#db/store/tenants'
import { parseClientId } from '#shared/domains/clients/application'
import { callbackUrl } from '#shared/domains/federation/callback-url'
import { upstreamOf } from '#shared/domains/federation/upstream'
import { AppError } from '#shared/kernel/errors'
import type { Ctx } from './group.ts'
import type { ListedProvider, MainClient, PlacedProvider, ProviderConfig } from './wire.schema.ts'

export const HIDDEN_SECRET = '***hidden***'

export const mainId = (client: Pick<Client, 'id'>): string => `${client.id}-main-client`
export const providerId = (client: Pick<Client, 'id'>, name: string): string => `${client.id}-${name}-oidc`
/** The redirect URI to register at every provider. */
export const providerCallbackUrl = ({ config }: Pick<Ctx, 'config'>): string => callbackUrl(config.BASE_URL)

/** A tenant with its default client. */
export type BaseClient = { readonly t: TenantDb; readonly tenant: Tenant; readonly client: Client }
/** @throws AppError not_found */
export const findBaseClient = async (ctx: Pick<Ctx, 'db'>, tenantId: TenantId): Promise<BaseClient> => {
  const t = forTenant(ctx.db, tenantId)
  const [tenant, client] = [await findTenant(t), await findDefaultClient(t)]
  if (tenant === undefined || client === undefined) throw new AppError('not_found')
  return { t, tenant, client }
}

/** Whether an id refers to the tenant's main client: its own id, with or without suffix, or the id of the tenant. */
export const isBaseClient = ({ tenant, client }: Pick<BaseClient, 'tenant' | 'client'>, id: string): boolean => {
  const plain = parseClientId(id)
  return plain === client.id || plain === tenant.tenantId
}

export const toProviderConfig = (row: Provider): z.input<typeof ProviderConfig> => {
  const upstream = upstreamOf({ ...row, isActive: true, clientId: row.clientId === '' ? 'any' : row.clientId })
  return {
    client_id: row.clientId,
    client_secret: row.sealedClientSecret === null ? '' : HIDDEN_SECRET,
    auth_url: row.authorizationUrl,
    token_url: row.tokenUrl,
    user_info_url: row.userinfoUrl,
    scopes: row.scopes.split(' '),
    issuer_url: upstream?.peer.issuer ?? '',
    jwks_url: row.jwksUrl,
    additional_params: { ...row.additionalParams },
  }
}

export const toListedProvider = ({ client }: Pick<BaseClient, 'client'>, row: Provider): z.input<typeof ListedProvider> => ({
  provider_name: row.providerName,
  display_name: row.displayName,
  client_id: providerId(client, row.providerName),
  is_active: row.isActive,
  sort_order: row.sortOrder,
})

export const toPlacedProvider = (ctx: Pick<Ctx, 'config'>, base: Pick<BaseClient, 'client'>, row: Provider): z.input<typeof PlacedProvider> => ({
  ...toListedProvider(base, row),
  callback_url: providerCallbackUrl(ctx),
  created_at: row.createdAt.toISOString(),
  provider_config: toProviderConfig(row),
})

export const toMainClient = (client: Client): z.input<typeof MainClient> => ({
  client_id: client.id,
  client_name: client.name,
  created_at: client.createdAt.toISOString(),
})

/** The sign-in page of the tenant. */
export const loginUrl = ({ config }: Pick<Ctx, 'config'>, { domain }: Pick<Tenant, 'domain'>): string =>
  `${config.BASE_URL}/signin?${new URLSearchParams({ tenant: domain })}`
