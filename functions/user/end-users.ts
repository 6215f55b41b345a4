// Reads and changes one person: for the person themselves, or for a caller with the permission.
import type * as z from 'zod'
import { directory, forTenant } from '#db/engine/tenant'
import type { PeopleFilter } from '#db/store/people'
import { pingDatabase } from '#db/store/ping'
import { findUserByEmail } from '#db/store/users'
import { requirePerson, requireTenant, toUserResponse } from '#shared/domains/administration/people'
import type { ProfileBody } from '#shared/domains/administration/people.schema'
import { updateProfile } from '#shared/domains/administration/profile'
import { actingTenant, requireSelfOr } from '#shared/domains/authority/acting-tenant'
import { setActive } from '#shared/domains/authority/person-status'
import { AppError } from '#shared/kernel/errors'
import type { User } from '#shared/platform/principals/principal'
import type { Databases, EndUserPath, EndUserQuery, EndUsersQuery } from './end-users.schema.ts'
import type { Ctx } from './group.ts'

type Path = z.output<typeof EndUserPath>
type Input = Pick<z.output<typeof EndUsersQuery>, 'active' | 'client_id' | 'email' | 'name' | 'provider' | 'search'>

export const filterOf = ({ active, client_id: clientId, email, name, provider, search }: Input): PeopleFilter => ({
  active,
  clientId,
  email,
  name,
  provider,
  search,
})

/** @throws AppError insufficient_scope, invalid_request, not_found */
export const getEndUser = async (ctx: Ctx, caller: User, path: Path, query: z.output<typeof EndUserQuery>) => {
  const byEmail = path.user_id.includes('@')
  requireSelfOr(caller, byEmail && path.user_id === caller.email ? caller.userId : path.user_id, 'users:read')
  const t = forTenant(ctx.db, actingTenant(caller, path.tenant_id))
  if (!byEmail) return toUserResponse(ctx, t, await requirePerson(t, path.user_id))
  if (query.client_id === undefined)
    throw new AppError('invalid_request', 'A person named by address also needs client_id.', { field: 'query.client_id' })
  const user = await findUserByEmail(t, path.user_id)
  if (user === undefined || user.deletedAt !== null || user.clientId !== query.client_id) throw new AppError('not_found')
  return toUserResponse(ctx, t, user)
}

/** @throws AppError insufficient_scope, not_found, email_taken, username_taken, cannot_grant, forbidden */
export const putEndUser = async (ctx: Ctx, caller: User, path: { tenant_id: string; user_id: string }, body: z.output<typeof ProfileBody>) => {
  requireSelfOr(caller, path.user_id, 'users:write')
  const tenantId = actingTenant(caller, path.tenant_id)
  const { name, username, email, avatar_url: avatarUrl, tenant_domain: tenantDomain } = body
  await updateProfile(ctx, caller, { tenantId, userId: path.user_id, change: { name, username, email, avatarUrl, tenantDomain } })
  const t = forTenant(ctx.db, tenantId)
  return { message: 'User updated', user: await toUserResponse(ctx, t, await requirePerson(t, path.user_id)) }
}

/** @throws AppError not_found, primary_administrator, last_administrator, last_active_user, cannot_grant */
export const setEndUserStatus = async (ctx: Ctx, caller: User, path: { tenant_id: string; user_id: string }, active: boolean) => {
  const user = await setActive(ctx, caller, { tenantId: actingTenant(caller, path.tenant_id), userId: path.user_id, active })
  return { message: active ? 'User activated' : 'User deactivated', active, updated_at: user.updatedAt.toISOString() }
}

/** All tenants share one database, so a tenant has none of its own. @throws AppError not_found */
export const showDatabases = async (ctx: Ctx, caller: User): Promise<z.input<typeof Databases>> => {
  const tenant = await requireTenant(forTenant(ctx.db, caller.tenantId))
  await pingDatabase(directory(ctx.db))
  return { tenant_id: tenant.tenantId, tenant_db: '', status: 'shared', database_configured: true, database_reachable: true }
}
