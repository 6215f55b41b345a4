// How the tenant's main client and its own providers are shown in AuthSec's words. A secret never is.
import type * as z from 'zod'
import { forTenant, type TenantDb, type TenantId } from '#db/engine/tenant'
import { type Client, findDefaultClient } from '#db/store/clients'
import type { Provider } from '#db/store/providers'
import { findTenant, type Tenant } from '#db/store/tenants'
import { plainClientId } from '#shared/domains/clients/application'
import { callbackUrl } from '#shared/domains/federation/callback-url'
import { ofRow } from '#shared/domains/federation/upstream'
import { AppError } from '#shared/kernel/errors'
import type { Ctx } from './group.ts'
import type { ListedProvider, MainClient, PlacedProvider, ProviderConfig } from './wire.schema.ts'

export const HIDDEN = '***hidden***'

export const mainId = (client: Pick<Client, 'id'>): string => `${client.id}-main-client`
export const providerId = (client: Pick<Client, 'id'>, name: string): string => `${client.id}-${name}-oidc`
/** What every provider is told, and what has to be registered there. */
export const callback = ({ config }: Pick<Ctx, 'config'>): string => callbackUrl(config.BASE_URL)

/** The tenant with the client that came with it. */
export type Base = { readonly t: TenantDb; readonly tenant: Tenant; readonly client: Client }
/** @throws AppError not_found */
export const baseOf = async (ctx: Pick<Ctx, 'db'>, tenantId: TenantId): Promise<Base> => {
  const t = forTenant(ctx.db, tenantId)
  const [tenant, client] = [await findTenant(t), await findDefaultClient(t)]
  if (tenant === undefined || client === undefined) throw new AppError('not_found')
  return { t, tenant, client }
}

/** Whether an id means the tenant's main client: its own, with the suffix, or the tenant's. */
export const meansBase = ({ tenant, client }: Pick<Base, 'tenant' | 'client'>, id: string): boolean => {
  const plain = plainClientId(id)
  return plain === client.id || plain === tenant.tenantId
}

export const configOf = (row: Provider): z.input<typeof ProviderConfig> => {
  const speaks = ofRow({ ...row, isActive: true, clientId: row.clientId === '' ? 'any' : row.clientId })
  return {
    client_id: row.clientId,
    client_secret: row.sealedClientSecret === null ? '' : HIDDEN,
    auth_url: row.authorizationUrl,
    token_url: row.tokenUrl,
    user_info_url: row.userinfoUrl,
    scopes: row.scopes.split(' '),
    issuer_url: speaks?.peer.issuer ?? '',
    jwks_url: row.jwksUrl,
    additional_params: { ...row.additionalParams },
  }
}

export const listed = ({ client }: Pick<Base, 'client'>, row: Provider): z.input<typeof ListedProvider> => ({
  provider_name: row.providerName,
  display_name: row.displayName,
  client_id: providerId(client, row.providerName),
  is_active: row.isActive,
  sort_order: row.sortOrder,
})

export const placed = (ctx: Pick<Ctx, 'config'>, base: Pick<Base, 'client'>, row: Provider): z.input<typeof PlacedProvider> => ({
  ...listed(base, row),
  callback_url: callback(ctx),
  created_at: row.createdAt.toISOString(),
  provider_config: configOf(row),
})

export const shownMain = (client: Client): z.input<typeof MainClient> => ({
  client_id: client.id,
  client_name: client.name,
  created_at: client.createdAt.toISOString(),
})

/** Where people of the tenant sign in. */
export const loginUrl = ({ config }: Pick<Ctx, 'config'>, { domain }: Pick<Tenant, 'domain'>): string =>
  `${config.BASE_URL}/signin?${new URLSearchParams({ tenant: domain })}`
