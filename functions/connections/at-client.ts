// What people see at a client: all of the tenant's providers, or those that were chosen for it.
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
import { actingTenant } from '#shared/domains/authority/acting'
import { plainClientId } from '#shared/domains/clients/application'
import { listUpstreamsAt, type Upstream } from '#shared/domains/federation/upstream'
import { AppError } from '#shared/kernel/errors'
import { byUser, record } from '#shared/platform/audit/record'
import { as } from '#shared/platform/http/route'
import { isPlatformAdministrator } from '#shared/platform/http/tenant-rule'
import { holds, type User } from '#shared/platform/principals/principal'
import { nameOf } from './connection.ts'
import { enveloped } from './envelope.ts'
import type { Ctx } from './group.ts'
import type { CreatedClientProvider, EditClientProvider, EditedClientProvider, ShownProviders, ShowProviders } from './hydra.schema.ts'
import { baseOf, callback, configOf, HIDDEN, meansBase, providerId } from './view.ts'

const INTERNAL = 'authsec'
const CHOSEN_ORDER = 99

/** @throws AppError not_found for a client of nobody, and of somebody else */
const requireClient = async (t: TenantDb, typed: string): Promise<Client> => {
  const id = plainClientId(typed)
  const row = id === undefined ? undefined : await findClient(t, id)
  if (row === undefined || row.status === 'Deleted') throw new AppError('not_found')
  return row
}

const mayLookInside = (caller: User | undefined, tenantId: TenantId): boolean =>
  caller !== undefined &&
  holds(caller, 'admin:access') &&
  holds(caller, 'connections:read') &&
  (caller.tenantId === tenantId || isPlatformAdministrator(caller))

type Named = z.input<typeof ShownProviders>['data']['providers'][number]
const named = (name: string, display: string, order: number): Named => ({
  provider_name: name,
  display_name: display,
  is_active: true,
  sort_order: order,
})
const offered = ({ name, displayName, sortOrder }: Upstream): Named => named(name, displayName, sortOrder)
const internal = named(INTERNAL, 'AuthSec', 0)

/** All of the tenant's, with the clients for which each was chosen. */
const wholeTenant = async (t: TenantDb): Promise<Named[]> => {
  const [rows, chosen] = [await listProviders(t), await listAllClientProviders(t)]
  return rows.map((row) => ({
    ...named(row.providerName, row.displayName, row.sortOrder),
    is_active: row.isActive,
    client_ids: chosen.flatMap(({ providerId: id, clientId }) => (id === row.id ? [clientId] : [])).join(','),
    provider_type: 'oidc',
  }))
}

const wholeClient = async (ctx: Ctx, t: TenantDb, client: Client, isBase: boolean): Promise<Named[]> => {
  const rows = await listProviders(t)
  const inside = (row: Provider, display: string, order: number): Named => ({
    ...named(row.providerName, display, order),
    hydra_client_id: providerId(client, row.providerName),
    client_id: client.id,
    is_active: row.isActive,
    callback_url: callback(ctx),
    provider_config: configOf(row),
  })
  if (isBase) return rows.map((row) => inside(row, row.displayName, row.sortOrder))
  return (await listClientProviders(t, client.id)).flatMap(({ providerId: id, displayName, sortOrder }) => {
    const row = rows.find((one) => one.id === id)
    return row === undefined ? [] : [inside(row, displayName, sortOrder)]
  })
}

/** Whoever asks: names and order of what is offered. Who administers the tenant: how each is set up as well. @throws AppError not_found */
export const showProviders = async (
  ctx: Ctx,
  caller: User | undefined,
  body: z.output<typeof ShowProviders>,
): Promise<z.input<typeof ShownProviders>> => {
  const tenantId = body.tenant_id as TenantId
  const base = await baseOf(ctx, tenantId)
  if (base.tenant.status !== 'active' || tenantId === SYSTEM_TENANT) throw new AppError('not_found')
  const { t } = base
  // The original's UI sends the header always, and leaves it empty where it asks for no client.
  const typed = body.client_id ?? (ctx.request.header('client-id') || undefined)
  const isBase = typed !== undefined && meansBase(base, typed)
  const client = typed === undefined ? undefined : isBase ? base.client : await requireClient(t, typed)
  const isInside = mayLookInside(caller, tenantId)
  const list = async (): Promise<Named[]> => {
    if (!isInside) return (await listUpstreamsAt(ctx, tenantId, client?.id)).map(offered)
    return client === undefined ? wholeTenant(t) : wholeClient(ctx, t, client, isBase)
  }
  const providers = client === undefined ? [{ ...internal, provider_type: 'internal' as const }, ...(await list())] : await list()
  return enveloped(ctx, 'Auth providers retrieved successfully', {
    tenant_id: tenantId as string,
    ...(client === undefined ? {} : { client_id: client.id }),
    count: providers.length,
    providers,
  })
}

/** How a provider is spoken to is the tenant's to say. What was shown may be sent back. @throws AppError invalid_request */
const requireSameConfig = (row: Provider, asked: Readonly<Record<string, unknown>> | undefined): void => {
  const own: Readonly<Record<string, unknown>> = configOf(row)
  const other = Object.entries(asked ?? {}).find(
    ([name, value]) => value !== HIDDEN && value !== '' && JSON.stringify(value) !== JSON.stringify(own[name]),
  )
  if (other === undefined) return
  const field = `body.provider_config.${other[0]}`
  throw new AppError('invalid_request', `${field}: is the same at all clients; change the provider itself`, { field })
}

type Edited =
  | { readonly status: 200; readonly body: z.input<typeof EditedClientProvider> }
  | { readonly status: 201; readonly body: z.input<typeof CreatedClientProvider> }

/**
 * Chooses a provider for one client, changes how it is shown there, or takes it away from there.
 * @throws AppError not_found, internal_provider, invalid_request
 */
export const editAtClient = async (ctx: Ctx, caller: User, body: z.output<typeof EditClientProvider>): Promise<Edited> => {
  const tenantId = actingTenant(caller, body.tenant_id)
  const base = await baseOf(ctx, tenantId)
  const name = nameOf(body.provider_name)
  if (name === INTERNAL || meansBase(base, body.client_id)) throw new AppError('internal_provider')
  const client = await requireClient(base.t, body.client_id)
  return atomically(forTenant(ctx.db, tenantId), async (t): Promise<Edited> => {
    const row = await lockProvider(t, name)
    if (row === undefined) throw new AppError('not_found')
    requireSameConfig(row, body.provider_config)
    const which = { clientId: client.id, providerId: row.id }
    const before = await findClientProvider(t, which)
    const at = { tenant_id: tenantId as string, client_id: client.id, provider_name: name }
    const [id, target, actor] = [providerId(client, name), { type: 'client', id: client.id }, byUser(caller)]
    const shownBefore = before === undefined ? {} : { before: { provider: name, display_name: before.displayName, order: before.sortOrder } }
    if (body.is_active === false) {
      if (before === undefined) throw new AppError('not_found')
      await deleteClientProvider(t, which)
      await record(t, ctx, { event: 'client_provider.removed', actor, target, ...shownBefore })
      return as(200, enveloped(ctx, 'Provider removed from client', { ...at, deleted_id: id, operation: 'deleted' as const }))
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
      await record(t, ctx, { event: 'client_provider.set', actor, target, ...shownBefore, after: { provider: name, ...set } })
      return as(200, enveloped(ctx, 'Provider updated at client', { ...at, hydra_id: id, updated_fields, operation: 'updated' as const }))
    }
    const fresh = { displayName: row.displayName, sortOrder: CHOSEN_ORDER, ...set }
    await insertClientProvider(t, { ...which, ...fresh, createdAt: now, updatedAt: now })
    await record(t, ctx, { event: 'client_provider.set', actor, target, after: { provider: name, ...fresh } })
    const made = { hydra_client_id: id, display_name: fresh.displayName, is_active: true, sort_order: fresh.sortOrder, callback_url: callback(ctx) }
    return as(201, enveloped(ctx, 'Provider added to client', { ...at, ...made, operation: 'created' as const }))
  })
}
