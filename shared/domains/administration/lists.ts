// Lists of people: by page as AuthSec has it, by cursor beside it, and totals that no list has to be read for.
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

/** A filtered list is counted this far, a searched one less far: what is beyond is "many" to anybody who pages. */
const MOST_COUNTED = 10_000
const MOST_FOUND = 1000

const isPlain = (f: PeopleFilter): boolean => Object.entries(f).every(([name, value]) => value === undefined || name === 'active')

/** How many there are. Of everybody, or of all who are active, the tenant's counters know; with a filter at most 10,000 are counted, with a search 1000. */
export const totalOf = async (t: TenantDb, f: PeopleFilter): Promise<number> => {
  const searches = f.search !== undefined || f.email !== undefined || f.name !== undefined
  if (!isPlain(f)) return countPeople(t, f, searches ? MOST_FOUND : MOST_COUNTED)
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

/** Nobody reads so far by number; a cursor goes on for ever. */
const FURTHEST = 100_000

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
  if (offset > FURTHEST) throw new AppError('invalid_request', 'The page is too far; go on by cursor.', { field: 'query.page' })
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

/** Active administrators of the tenant, newest first. Reads, and changes nothing. */
export const listAdministrators = async (
  ctx: Pick<RequestCtx, 'db' | 'clock'>,
  tenantId: TenantId,
  query: AdminListQuery,
): Promise<{ users: z.input<typeof ListedAdminUser>[] }> => {
  const t = forTenant(ctx.db, tenantId)
  const people = (await findPeople(t, await administratorIds(ctx, t))).filter(
    ({ provider }) => query.provider === undefined || provider === query.provider,
  )
  const shown = (await showAdministrators(ctx, t, people.slice(0, MAX_ROWS))).filter(
    (user) => (query.status !== 'pending' || user.pending_registration) && (query.status !== 'active' || !user.pending_registration),
  )
  if (query.page === undefined && query.limit === undefined) return { users: shown }
  const limit = query.limit ?? 10
  const from = ((query.page ?? 1) - 1) * limit
  return { users: shown.slice(from, from + limit) }
}

/** All people of a tenant as administrators list them; without a limit, all of them to the cap. */
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

/** People as the end users' side lists them. */
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
