// Lists of clients, and single clients.
import type * as z from 'zod'
import { directory, forTenant, type TenantId } from '#db/engine/tenant'
import { type ClientFilter, findClients, listClients, pageOfAllClients } from '#db/store/client-list'
import { findClient } from '#db/store/clients'
import { clientTag, toClientResponse, toClientResponses } from '#shared/domains/administration/client-view'
import { findClientPage, toListedClients } from '#shared/domains/administration/clients'
import type { ClientOut, ClientsPage, ClientsQuery } from '#shared/domains/administration/clients.schema'
import { pageReply, toPage } from '#shared/domains/administration/page'
import { actingTenant } from '#shared/domains/authority/acting-tenant'
import { requirePlatform, SELECTOR_KEYS } from '#shared/domains/clients/selectors'
import { AppError } from '#shared/kernel/errors'
import { HttpResult } from '#shared/platform/http/route'
import { isPlatformAdministrator } from '#shared/platform/http/tenant-rule'
import type { User } from '#shared/platform/principals/principal'
import type { Ctx } from './group.ts'
import type { PlatformSelectors, TenantClients, TenantClientsBody } from './list.schema.ts'

type Query = z.output<typeof ClientsQuery>
type Page = z.input<typeof ClientsPage>
const NEWEST_FIRST = '-created_at'
const MAX_ROWS = 1000

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

const pagination = (page: number, limit: number, total: number) => ({ page, limit, total, total_pages: Math.ceil(total / limit) })

/** Returns a page of the tenant's clients, newest first; the Link header has the next page. */
export const tenantClients = async (ctx: Ctx, tenantId: TenantId, query: Query): Promise<HttpResult<Page>> => {
  const t = forTenant(ctx.db, tenantId)
  const { page: number, ...request } = query
  const page = toPage<'created_at'>(request, NEWEST_FIRST)
  const { rows, total } = await findClientPage(t, { filter: filterOf(query), page, number, limit: query.limit })
  const clients = await toListedClients(t, rows.slice(0, query.limit))
  return pageReply(
    request,
    NEWEST_FIRST,
    rows,
    (row) => row.createdAt,
    () => ({ clients, pagination: pagination(number, query.limit, total), hydra_public_url: ctx.config.BASE_URL }),
  )
}

/** Returns a page of the clients of all tenants, newest first. Each tenant's rows are read in that tenant, under row level security. */
const allClients = async (ctx: Ctx, query: Query): Promise<Page> => {
  const { total, places } = await pageOfAllClients(directory(ctx.db), { offset: (query.page - 1) * query.limit, limit: query.limit })
  const clients: Page['clients'] = []
  for (const tenantId of new Set(places.map((place) => place.tenantId))) {
    const t = forTenant(ctx.db, tenantId)
    const ids = places.filter((place) => place.tenantId === tenantId).map((place) => place.clientId)
    clients.push(...(await toListedClients(t, await findClients(t, ids))))
  }
  const at = new Map(places.map(({ clientId }, index) => [clientId, index]))
  clients.sort((a, b) => (at.get(a.id) ?? 0) - (at.get(b.id) ?? 0))
  return { clients, pagination: pagination(query.page, query.limit, total), hydra_public_url: ctx.config.BASE_URL }
}

const FILTERS = ['status', 'name', 'email', 'tags', 'active', 'active_only', 'deleted', 'cursor'] as const

/** @throws AppError invalid_request for a filter over all tenants, because filtered columns are readable only per tenant */
export const adminClients = async (ctx: Ctx, caller: User, query: Query): Promise<Page | HttpResult<Page>> => {
  if (!isPlatformAdministrator(caller) || query.tenant_id !== undefined) return tenantClients(ctx, actingTenant(caller, query.tenant_id), query)
  const filter = FILTERS.find((name) => query[name] !== undefined)
  if (filter === undefined) return allClients(ctx, query)
  throw new AppError('invalid_request', `query.${filter}: a filter needs tenant_id`, { field: `query.${filter}` })
}

/** Returns all clients of the tenant, oldest first, at most 1,000. */
export const tenantClientsInOnePage = async (
  ctx: Ctx,
  caller: User,
  body: z.output<typeof TenantClientsBody>,
): Promise<z.input<typeof TenantClients>> => {
  const t = forTenant(ctx.db, actingTenant(caller, body.tenant_id))
  const activeOnly = body.active_only ?? false
  const rows = await listClients(t, activeOnly ? { active: true } : {}, { sort: 'created_at', descending: false, limit: MAX_ROWS })
  return {
    message: 'Clients retrieved successfully',
    success: true,
    data: { tenant_id: t.tenantId, clients: await toClientResponses(t, rows), count: rows.length, active_only: activeOnly },
    timestamp: ctx.clock.now().toISOString(),
  }
}

/** @throws AppError not_found */
export const readClient = async (ctx: Ctx, tenantId: TenantId, clientId: string): Promise<HttpResult<z.input<typeof ClientOut>>> => {
  const t = forTenant(ctx.db, tenantId)
  const row = await findClient(t, clientId)
  if (row === undefined) throw new AppError('not_found')
  return new HttpResult(await toClientResponse(t, row), { headers: { ETag: clientTag(row) } })
}

/** @throws AppError invalid_request with `supported_platforms` */
export const platformSelectors = async (name: string): Promise<z.input<typeof PlatformSelectors>> => {
  const platform = requirePlatform(name, 'query.platform')
  return { platform, selector_keys: [...SELECTOR_KEYS[platform]] }
}
