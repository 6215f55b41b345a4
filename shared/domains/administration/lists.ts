// Lists of people: by page as in AuthSec, or by cursor, with totals that do not read the list.
import type * as z from 'zod'
import { forTenant, type TenantDb, type TenantId } from '#db/engine/tenant'
import { countPeople, findPeople, listPeople, narrowPeopleFilter, type PeopleFilter, type PeopleSort } from '#db/store/people'
import { findUsage } from '#db/store/tenants'
import type { User as UserRow } from '#db/store/users'
import type { RequestCtx } from '#shared/domains/context'
import { AppError } from '#shared/kernel/errors'
import { toPage } from './page.ts'
import type { ListedAdminUser, TenantUser, UserObject } from './people.schema.ts'
import { administratorIds, MAX_ROWS, showAdministrators, showTenantUsers, toUserResponses } from './people.ts'

/** The highest total of a filtered list, and of a searched one. */
const MAX_COUNTED = 10_000
const MAX_FOUND = 1000

const isUnfiltered = (f: PeopleFilter): boolean => Object.entries(f).every(([name, value]) => value === undefined || name === 'active')

/** The total. Without a filter, or with only a status filter, it comes from the tenant's counters; otherwise it counts up to 10,000, or 1000 for a search. */
export const totalOf = async (t: TenantDb, f: PeopleFilter): Promise<number> => {
  const searches = f.search !== undefined || f.email !== undefined || f.name !== undefined
  if (!isUnfiltered(f)) return countPeople(t, f, searches ? MAX_FOUND : MAX_COUNTED)
  const usage = await findUsage(t)
  const all = usage.get('users') ?? 0
  const inactive = Math.min(usage.get('inactive_users') ?? 0, all)
  if (f.active === undefined) return all
  return f.active ? all - inactive : inactive
}

export type PageRequest = {
  readonly page?: number | undefined
  readonly limit?: number | undefined
  readonly cursor?: string | undefined
  readonly sort?: PeopleSort | `-${PeopleSort}` | undefined
}
export type PeoplePage = {
  readonly people: readonly UserRow[]
  readonly total: number
  readonly page: number
  readonly limit: number
  readonly next: string | undefined
}

/** The last row that a page number may reach; a cursor has no limit. */
const MAX_OFFSET = 100_000

const keyOf = (row: UserRow, sort: string): string => {
  const column = sort.replace(/^-/, '')
  return column === 'email' ? row.email : column === 'name' ? row.name : row.createdAt.toISOString()
}
const cursorOf = (sort: string, row: UserRow): string => Buffer.from(JSON.stringify([sort, keyOf(row, sort), row.id])).toString('base64url')

/** One page. @throws AppError invalid_request */
export const pageOfPeople = async (t: TenantDb, f: PeopleFilter, request: PageRequest, defaultLimit: number): Promise<PeoplePage> => {
  const limit = Math.min(request.limit ?? defaultLimit, MAX_ROWS)
  const number = request.cursor === undefined ? (request.page ?? 1) : 1
  const offset = (number - 1) * limit
  if (offset > MAX_OFFSET) throw new AppError('invalid_request', 'The page number is too high; use a cursor.', { field: 'query.page' })
  const sort = request.sort ?? '-created_at'
  const page = toPage<PeopleSort>({ limit, cursor: request.cursor }, sort)
  const narrow = await narrowPeopleFilter(t, f)
  const rows = await listPeople(t, narrow, page, offset)
  const people = rows.slice(0, limit)
  const last = people.at(-1)
  return {
    people,
    total: await totalOf(t, narrow),
    page: request.page ?? 1,
    limit,
    next: rows.length > limit && last !== undefined ? cursorOf(sort, last) : undefined,
  }
}

export type AdminListQuery = {
  readonly provider?: string | undefined
  readonly status?: string | undefined
  readonly page?: number | undefined
  readonly limit?: number | undefined
}

/** Active administrators of the tenant, newest first. */
export const listAdministrators = async (
  ctx: Pick<RequestCtx, 'db' | 'clock'>,
  tenantId: TenantId,
  query: AdminListQuery,
): Promise<{ users: z.input<typeof ListedAdminUser>[] }> => {
  const t = forTenant(ctx.db, tenantId)
  const people = (await findPeople(t, await administratorIds(ctx, t))).filter(
    ({ provider }) => query.provider === undefined || provider === query.provider,
  )
  const users = (await showAdministrators(ctx, t, people.slice(0, MAX_ROWS))).filter(
    (user) => (query.status !== 'pending' || user.pending_registration) && (query.status !== 'active' || !user.pending_registration),
  )
  if (query.page === undefined && query.limit === undefined) return { users }
  const limit = query.limit ?? 10
  const from = ((query.page ?? 1) - 1) * limit
  return { users: users.slice(from, from + limit) }
}

/** All people of a tenant, for administrators; up to 1000 without a limit. */
export const listTenantUsers = async (
  ctx: Pick<RequestCtx, 'db' | 'clock'>,
  tenantId: TenantId,
  filter: PeopleFilter,
  request: PageRequest,
): Promise<{ users: z.input<typeof TenantUser>[]; total: number; page: number; limit: number; next_cursor?: string }> => {
  const t = forTenant(ctx.db, tenantId)
  const found = await pageOfPeople(t, filter, request, MAX_ROWS)
  return {
    users: await showTenantUsers(ctx, t, found.people),
    total: found.total,
    page: found.page,
    limit: found.limit,
    ...(found.next === undefined ? {} : { next_cursor: found.next }),
  }
}

/** People, in the shape of the end users' paths. */
export const listUsers = async (
  ctx: Pick<RequestCtx, 'db' | 'clock'>,
  tenantId: TenantId,
  filter: PeopleFilter,
  request: PageRequest,
): Promise<{ users: z.input<typeof UserObject>[]; total: number; page: number; limit: number; total_pages: number; next_cursor?: string }> => {
  const t = forTenant(ctx.db, tenantId)
  const found = await pageOfPeople(t, filter, request, 10)
  return {
    users: await toUserResponses(ctx, t, found.people),
    total: found.total,
    page: found.page,
    limit: found.limit,
    total_pages: Math.ceil(found.total / found.limit),
    ...(found.next === undefined ? {} : { next_cursor: found.next }),
  }
}
