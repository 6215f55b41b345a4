// The providers that a client offers: all of the tenant's, or those chosen for the client.
import type * as z from 'zod'
import { atomically, forTenant, SYSTEM_TENANT, type TenantDb, type TenantId } from '#db/engine/tenant'
import {
  deleteClientProvider,
  findClientProvider,
  insertClientProvider,
  listAllClientProviders,
  listClientProviders,
  updateClientProvider,
} from '#db/store/client-providers'
import { type Client, findClient } from '#db/store/clients'
import { listProviders, lockProvider, type Provider } from '#db/store/providers'
import { actingTenant } from '#shared/domains/authority/acting-tenant'
import { parseClientId } from '#shared/domains/clients/application'
import { listUpstreamsAt, type Upstream } from '#shared/domains/federation/upstream'
import { AppError } from '#shared/kernel/errors'
import { byUser, recordEvent } from '#shared/platform/audit/audit-log'
import { withStatus } from '#shared/platform/http/route'
import { isPlatformAdministrator } from '#shared/platform/http/tenant-rule'
import { hasPermission, type User } from '#shared/platform/principals/principal'
import { providerNameOf } from './connection.ts'
import { enveloped } from './envelope.ts'
import type { Ctx } from './group.ts'
import type { CreatedClientProvider, EditClientProvider, EditedClientProvider, ShownProviders, ShowProviders } from './hydra.schema.ts'
import { findBaseClient, HIDDEN_SECRET, isBaseClient, providerCallbackUrl, providerId, toProviderConfig } from './view.ts'

const INTERNAL = 'authsec'
const CHOSEN_ORDER = 99

/** @throws AppError not_found for an unknown client or a client of another tenant */
const requireClient = async (t: TenantDb, typed: string): Promise<Client> => {
  const id = parseClientId(typed)
  const row = id === undefined ? undefined : await findClient(t, id)
  if (row === undefined || row.status === 'Deleted') throw new AppError('not_found')
  return row
}

const mayReadConfiguration = (caller: User | undefined, tenantId: TenantId): boolean =>
  caller !== undefined &&
  hasPermission(caller, 'admin:access') &&
  hasPermission(caller, 'connections:read') &&
  (caller.tenantId === tenantId || isPlatformAdministrator(caller))

type ListedProvider = z.input<typeof ShownProviders>['data']['providers'][number]
const listedProvider = (name: string, display: string, order: number): ListedProvider => ({
  provider_name: name,
  display_name: display,
  is_active: true,
  sort_order: order,
})
const offered = ({ name, displayName, sortOrder }: Upstream): ListedProvider => listedProvider(name, displayName, sortOrder)
const internal = listedProvider(INTERNAL, 'AuthSec', 0)

/** Lists all providers of the tenant, with the clients for which each was chosen. */
const tenantProviders = async (t: TenantDb): Promise<ListedProvider[]> => {
  const [rows, chosen] = [await listProviders(t), await listAllClientProviders(t)]
  return rows.map((row) => ({
    ...listedProvider(row.providerName, row.displayName, row.sortOrder),
    is_active: row.isActive,
    client_ids: chosen.flatMap(({ providerId: id, clientId }) => (id === row.id ? [clientId] : [])).join(','),
    provider_type: 'oidc',
  }))
}

const clientProviders = async (ctx: Ctx, t: TenantDb, client: Client, isBase: boolean): Promise<ListedProvider[]> => {
  const rows = await listProviders(t)
  const detailed = (row: Provider, display: string, order: number): ListedProvider => ({
    ...listedProvider(row.providerName, display, order),
    hydra_client_id: providerId(client, row.providerName),
    client_id: client.id,
    is_active: row.isActive,
    callback_url: providerCallbackUrl(ctx),
    provider_config: toProviderConfig(row),
  })
  if (isBase) return rows.map((row) => detailed(row, row.displayName, row.sortOrder))
  return (await listClientProviders(t, client.id)).flatMap(({ providerId: id, displayName, sortOrder }) => {
    const row = rows.find((one) => one.id === id)
    return row === undefined ? [] : [detailed(row, displayName, sortOrder)]
  })
}

/** Lists the offered providers; an administrator of the tenant also gets their configuration. @throws AppError not_found */
export const showClientProviders = async (
  ctx: Ctx,
  caller: User | undefined,
  body: z.output<typeof ShowProviders>,
): Promise<z.input<typeof ShownProviders>> => {
  const tenantId = body.tenant_id as TenantId
  const base = await findBaseClient(ctx, tenantId)
  if (base.tenant.status !== 'active' || tenantId === SYSTEM_TENANT) throw new AppError('not_found')
  const { t } = base
  // AuthSec's console always sends the header, and leaves it empty when it means no client.
  const typed = body.client_id ?? (ctx.request.header('client-id') || undefined)
  const isBase = typed !== undefined && isBaseClient(base, typed)
  const client = typed === undefined ? undefined : isBase ? base.client : await requireClient(t, typed)
  const isAdministrator = mayReadConfiguration(caller, tenantId)
  const list = async (): Promise<ListedProvider[]> => {
    if (!isAdministrator) return (await listUpstreamsAt(ctx, tenantId, client?.id)).map(offered)
    return client === undefined ? tenantProviders(t) : clientProviders(ctx, t, client, isBase)
  }
  const providers = client === undefined ? [{ ...internal, provider_type: 'internal' as const }, ...(await list())] : await list()
  return enveloped(ctx, 'Auth providers retrieved successfully', {
    tenant_id: tenantId as string,
    ...(client === undefined ? {} : { client_id: client.id }),
    count: providers.length,
    providers,
  })
}

/** The configuration of a provider is the same for all clients; returned values may be sent back unchanged. @throws AppError invalid_request */
const requireSameConfig = (row: Provider, requested: Readonly<Record<string, unknown>> | undefined): void => {
  const own: Readonly<Record<string, unknown>> = toProviderConfig(row)
  const other = Object.entries(requested ?? {}).find(
    ([name, value]) => value !== HIDDEN_SECRET && value !== '' && JSON.stringify(value) !== JSON.stringify(own[name]),
  )
  if (other === undefined) return
  const field = `body.provider_config.${other[0]}`
  throw new AppError('invalid_request', `${field}: is the same for all clients; change the provider instead`, { field })
}

type Edited =
  | { readonly status: 200; readonly body: z.input<typeof EditedClientProvider> }
  | { readonly status: 201; readonly body: z.input<typeof CreatedClientProvider> }

/**
 * Chooses a provider for a client, changes its name or order there, or removes it from the client.
 * @throws AppError not_found, internal_provider, invalid_request
 */
export const editClientProvider = async (ctx: Ctx, caller: User, body: z.output<typeof EditClientProvider>): Promise<Edited> => {
  const tenantId = actingTenant(caller, body.tenant_id)
  const base = await findBaseClient(ctx, tenantId)
  const name = providerNameOf(body.provider_name)
  if (name === INTERNAL || isBaseClient(base, body.client_id)) throw new AppError('internal_provider')
  const client = await requireClient(base.t, body.client_id)
  return atomically(forTenant(ctx.db, tenantId), async (t): Promise<Edited> => {
    const row = await lockProvider(t, name)
    if (row === undefined) throw new AppError('not_found')
    requireSameConfig(row, body.provider_config)
    const which = { clientId: client.id, providerId: row.id }
    const before = await findClientProvider(t, which)
    const at = { tenant_id: tenantId as string, client_id: client.id, provider_name: name }
    const [id, target, actor] = [providerId(client, name), { type: 'client', id: client.id }, byUser(caller)]
    const auditBefore = before === undefined ? {} : { before: { provider: name, display_name: before.displayName, order: before.sortOrder } }
    if (body.is_active === false) {
      if (before === undefined) throw new AppError('not_found')
      await deleteClientProvider(t, which)
      await recordEvent(t, ctx, { event: 'client_provider.removed', actor, target, ...auditBefore })
      return withStatus(200, enveloped(ctx, 'Provider removed from client', { ...at, deleted_id: id, operation: 'deleted' as const }))
    }
    const set = {
      ...(body.display_name === undefined ? {} : { displayName: body.display_name }),
      ...(body.sort_order === undefined ? {} : { sortOrder: body.sort_order }),
    }
    const now = ctx.clock.now()
    if (before !== undefined) {
      const updated_fields = (['display_name', 'sort_order'] as const).filter((field) => body[field] !== undefined)
      if (updated_fields.length === 0) throw new AppError('invalid_request', 'No fields to update')
      await updateClientProvider(t, which, { ...set, updatedAt: now })
      await recordEvent(t, ctx, { event: 'client_provider.set', actor, target, ...auditBefore, after: { provider: name, ...set } })
      return withStatus(200, enveloped(ctx, 'Provider updated at client', { ...at, hydra_id: id, updated_fields, operation: 'updated' as const }))
    }
    const added = { displayName: row.displayName, sortOrder: CHOSEN_ORDER, ...set }
    await insertClientProvider(t, { ...which, ...added, createdAt: now, updatedAt: now })
    await recordEvent(t, ctx, { event: 'client_provider.set', actor, target, after: { provider: name, ...added } })
    const made = {
      hydra_client_id: id,
      display_name: added.displayName,
      is_active: true,
      sort_order: added.sortOrder,
      callback_url: providerCallbackUrl(ctx),
    }
    return withStatus(201, enveloped(ctx, 'Provider added to client', { ...at, ...made, operation: 'created' as const }))
  })
}
