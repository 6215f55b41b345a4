// Lists of clients, and one of them.
import type * as z from 'zod'
import { directory, forTenant, type TenantId } from '#db/engine/tenant'
import { type ClientFilter, findClients, listClients, pageOfAllClients } from '#db/store/client-list'
import { findClient } from '#db/store/clients'
import { clientTag, showClient, showClients } from '#shared/domains/administration/client-view'
import { findPage, listed } from '#shared/domains/administration/clients'
import type { ClientOut, ClientsPage, ClientsQuery } from '#shared/domains/administration/clients.schema'
import { pageOf, pageReply } from '#shared/domains/administration/page'
import { actingTenant } from '#shared/domains/authority/acting'
import { requirePlatform, SELECTOR_KEYS } from '#shared/domains/clients/selectors'
import { AppError } from '#shared/kernel/errors'
import { Sent } from '#shared/platform/http/route'
import { isPlatformAdministrator } from '#shared/platform/http/tenant-rule'
import type { User } from '#shared/platform/principals/principal'
import type { Ctx } from './group.ts'
import type { PlatformSelectors, TenantClients, TenantClientsBody } from './list.schema.ts'

type Query = z.output<typeof ClientsQuery>
type Page = z.input<typeof ClientsPage>
const NEWEST_FIRST = '-created_at'
const MOST_ROWS = 1000

const filterOf = (query: Query): ClientFilter => {
  const active = query.active ?? (query.active_only === true ? true : undefined)
  return {
    ...(query.status === undefined ? {} : { status: query.status }),
    ...(query.name === undefined ? {} : { name: query.name }),
    ...(query.email === undefined ? {} : { email: query.email }),
    ...(query.tags === undefined ? {} : { tags: query.tags }),
    ...(active === undefined ? {} : { active }),
    ...(query.deleted === true ? { deleted: true } : {}),
  }
}

const numbered = (page: number, limit: number, total: number) => ({ page, limit, total, total_pages: Math.ceil(total / limit) })

/** A page of a tenant's clients, newest first; where it goes on stands in the Link header. */
export const tenantClients = async (ctx: Ctx, tenantId: TenantId, query: Query): Promise<Sent<Page>> => {
  const t = forTenant(ctx.db, tenantId)
  const { page: number, ...asked } = query
  const page = pageOf<'created_at'>(asked, NEWEST_FIRST)
  const { rows, total } = await findPage(t, { filter: filterOf(query), page, number, limit: query.limit })
  const clients = await listed(t, rows.slice(0, query.limit))
  return pageReply(
    asked,
    NEWEST_FIRST,
    rows,
    (row) => row.createdAt,
    () => ({ clients, pagination: numbered(number, query.limit, total), hydra_public_url: ctx.config.BASE_URL }),
  )
}

/** A page of everybody's, newest first. Each tenant's rows are read as that tenant: nothing here sees past row level security. */
const allClients = async (ctx: Ctx, query: Query): Promise<Page> => {
  const { total, places } = await pageOfAllClients(directory(ctx.db), { offset: (query.page - 1) * query.limit, limit: query.limit })
  const clients: Page['clients'] = []
  for (const tenantId of new Set(places.map((place) => place.tenantId))) {
    const t = forTenant(ctx.db, tenantId)
    const ids = places.filter((place) => place.tenantId === tenantId).map((place) => place.clientId)
    clients.push(...(await listed(t, await findClients(t, ids))))
  }
  const at = new Map(places.map(({ clientId }, index) => [clientId, index]))
  clients.sort((a, b) => (at.get(a.id) ?? 0) - (at.get(b.id) ?? 0))
  return { clients, pagination: numbered(query.page, query.limit, total), hydra_public_url: ctx.config.BASE_URL }
}

const FILTERS = ['status', 'name', 'email', 'tags', 'active', 'active_only', 'deleted', 'cursor'] as const

/** @throws AppError invalid_request for a filter over all tenants: what it would look at lies with each of them */
export const adminClients = async (ctx: Ctx, caller: User, query: Query): Promise<Page | Sent<Page>> => {
  if (!isPlatformAdministrator(caller) || query.tenant_id !== undefined) return tenantClients(ctx, actingTenant(caller, query.tenant_id), query)
  const filter = FILTERS.find((name) => query[name] !== undefined)
  if (filter === undefined) return allClients(ctx, query)
  throw new AppError('invalid_request', `query.${filter}: name a tenant_id to filter by it`, { field: `query.${filter}` })
}

/** All of a tenant's, oldest first, to the cap of 1000 rows. */
export const tenantClientsAtOnce = async (
  ctx: Ctx,
  caller: User,
  body: z.output<typeof TenantClientsBody>,
): Promise<z.input<typeof TenantClients>> => {
  const t = forTenant(ctx.db, actingTenant(caller, body.tenant_id))
  const activeOnly = body.active_only ?? false
  const rows = await listClients(t, activeOnly ? { active: true } : {}, { sort: 'created_at', descending: false, limit: MOST_ROWS })
  return {
    message: 'Clients retrieved successfully',
    success: true,
    data: { tenant_id: t.tenantId, clients: await showClients(t, rows), count: rows.length, active_only: activeOnly },
    timestamp: ctx.clock.now().toISOString(),
  }
}

/** @throws AppError not_found */
export const oneClient = async (ctx: Ctx, tenantId: TenantId, clientId: string): Promise<Sent<z.input<typeof ClientOut>>> => {
  const t = forTenant(ctx.db, tenantId)
  const row = await findClient(t, clientId)
  if (row === undefined) throw new AppError('not_found')
  return new Sent(await showClient(t, row), { headers: { ETag: clientTag(row) } })
}

/** @throws AppError invalid_request with `supported_platforms` */
export const platformSelectors = async (name: string): Promise<z.input<typeof PlatformSelectors>> => {
  const platform = requirePlatform(name, 'query.platform')
  return { platform, selector_keys: [...SELECTOR_KEYS[platform]] }
}
