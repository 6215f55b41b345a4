// People in AuthSec's wire shapes, with related rows loaded for a whole list at once.
import type * as z from 'zod'
import type { TenantDb } from '#db/engine/tenant'
import { findAdministrators } from '#db/store/administrators'
import { findGroupsOfPerson } from '#db/store/groups'
import { findFactorsOf, findWaitingAddresses } from '#db/store/people'
import { findRolesOfPeople } from '#db/store/rights'
import { findTenant, type Tenant } from '#db/store/tenants'
import { type FactorKind, findLivePermissions, findUser, isInvitationPending, isLocked, type User as UserRow } from '#db/store/users'
import { administratorRole } from '#shared/domains/authority/access-change'
import type { RequestCtx } from '#shared/domains/context'
import { AppError } from '#shared/kernel/errors'
import type { AdminUser, ListedAdminUser, TenantUser, UserObject } from './people.schema.ts'

/** The cap of every list. */
export const MAX_ROWS = 1000

/** @throws AppError not_found */
export const requireTenant = async (t: TenantDb): Promise<Tenant> => {
  const tenant = await findTenant(t)
  if (tenant === undefined) throw new AppError('not_found')
  return tenant
}

/** A person of the tenant. @throws AppError not_found */
export const requirePerson = async (t: TenantDb, userId: string): Promise<UserRow> => {
  const user = await findUser(t, userId)
  if (user === undefined || user.deletedAt !== null) throw new AppError('not_found')
  return user
}

const iso = (at: Date | null): string | undefined => at?.toISOString()
const toFactorMembers = (kinds: readonly FactorKind[]) => ({
  mfa_enabled: kinds.length > 0,
  mfa_verified: kinds.length > 0,
  ...(kinds[0] === undefined ? {} : { mfa_method: [...kinds], mfa_default_method: kinds[0] }),
})
const toSyncMembers = (user: UserRow) => ({
  external_id: user.externalId ?? undefined,
  sync_source: user.syncSource ?? undefined,
  last_sync_at: iso(user.lastSyncAt),
  is_synced_user: user.isSyncedUser,
})

export const toAdminUser = (user: UserRow, tenant: Tenant, kinds: readonly FactorKind[], now: Date): z.input<typeof AdminUser> => ({
  id: user.id,
  email: user.email,
  username: user.username ?? user.email,
  name: user.name,
  client_id: user.clientId ?? undefined,
  tenant_id: user.tenantId,
  project_id: user.projectId ?? undefined,
  tenant_domain: tenant.domain,
  provider: user.provider,
  provider_id: user.providerId ?? undefined,
  provider_data: user.providerData ?? undefined,
  avatar_url: user.avatarUrl ?? undefined,
  active: user.active,
  ...toFactorMembers(kinds),
  ...toSyncMembers(user),
  last_login: iso(user.lastLoginAt),
  temporary_password: user.temporaryPassword,
  temporary_password_expires_at: iso(user.temporaryPasswordExpiresAt),
  is_primary_admin: user.isPrimaryAdmin,
  failed_login_attempts: user.failedAttempts,
  account_locked_at: isLocked(user, now) ? iso(user.lockedUntil) : undefined,
  password_reset_required: user.passwordResetRequired,
  created_at: user.createdAt.toISOString(),
  updated_at: user.updatedAt.toISOString(),
})

type Names = {
  readonly roles: readonly string[]
  readonly groups: readonly string[]
  readonly resources: readonly string[]
  readonly scopes: readonly string[]
}
const NO_NAMES: Names = { roles: [], groups: [], resources: [], scopes: [] }

const toUserObject = (user: UserRow, tenant: Tenant, kinds: readonly FactorKind[], names: Names): z.input<typeof UserObject> => ({
  id: user.id,
  client_id: user.clientId ?? '',
  tenant_id: user.tenantId,
  project_id: user.projectId ?? '',
  name: user.name,
  username: user.username ?? undefined,
  email: user.email,
  tenant_domain: tenant.domain,
  provider: user.provider,
  provider_id: user.providerId ?? '',
  provider_data: user.providerData ?? undefined,
  avatar_url: user.avatarUrl ?? undefined,
  active: user.active,
  scopes: [...names.scopes],
  roles: [...names.roles],
  groups: [...names.groups],
  resources: [...names.resources],
  ...toFactorMembers(kinds),
  created_at: user.createdAt.toISOString(),
  updated_at: user.updatedAt.toISOString(),
  last_login: iso(user.lastLoginAt),
  ...toSyncMembers(user),
})

/** People as `User` objects, with role names only. */
export const toUserResponses = async (
  ctx: Pick<RequestCtx, 'clock'>,
  t: TenantDb,
  people: readonly UserRow[],
): Promise<z.input<typeof UserObject>[]> => {
  if (people.length === 0) return []
  const tenant = await requireTenant(t)
  const ids = people.map(({ id }) => id)
  const kinds = await findFactorsOf(t, ids)
  const roles = await findRolesOfPeople(t, ids, ctx.clock.now())
  return people.map((user) =>
    toUserObject(user, tenant, kinds.get(user.id) ?? [], { ...NO_NAMES, roles: (roles.get(user.id) ?? []).map(({ name }) => name) }),
  )
}

/** One person as a `User` object, with roles, groups, permissions and resources. */
export const toUserResponse = async (ctx: Pick<RequestCtx, 'clock'>, t: TenantDb, user: UserRow): Promise<z.input<typeof UserObject>> => {
  const now = ctx.clock.now()
  const kinds = await findFactorsOf(t, [user.id])
  const roles = await findRolesOfPeople(t, [user.id], now)
  const held = await findLivePermissions(t, user.id, now)
  return toUserObject(user, await requireTenant(t), kinds.get(user.id) ?? [], {
    scopes: held,
    roles: (roles.get(user.id) ?? []).map(({ name }) => name),
    groups: (await findGroupsOfPerson(t, user.id)).map(({ name }) => name),
    resources: [...new Set(held.map((permission) => permission.split(':')[0] ?? ''))],
  })
}

/** People as `TenantUser` objects. */
export const showTenantUsers = async (
  ctx: Pick<RequestCtx, 'clock'>,
  t: TenantDb,
  people: readonly UserRow[],
): Promise<z.input<typeof TenantUser>[]> => {
  const roles = await findRolesOfPeople(
    t,
    people.map(({ id }) => id),
    ctx.clock.now(),
  )
  return people.map((user) => {
    const [first = '', ...others] = user.name.split(/\s+/)
    return {
      id: user.id,
      email: user.email,
      first_name: first,
      last_name: others.join(' '),
      client_id: user.clientId ?? '',
      provider: user.provider,
      status: user.active ? ('active' as const) : ('inactive' as const),
      created_at: user.createdAt.toISOString(),
      updated_at: user.updatedAt.toISOString(),
      roles: [...(roles.get(user.id) ?? [])],
    }
  })
}

/** Administrators in the shape of `users/list`. */
export const showAdministrators = async (
  ctx: Pick<RequestCtx, 'clock'>,
  t: TenantDb,
  people: readonly UserRow[],
): Promise<z.input<typeof ListedAdminUser>[]> => {
  if (people.length === 0) return []
  const now = ctx.clock.now()
  const ids = people.map(({ id }) => id)
  const tenant = await requireTenant(t)
  const kinds = await findFactorsOf(t, ids)
  const roles = await findRolesOfPeople(t, ids, now)
  const waiting = await findWaitingAddresses(
    t,
    people.map(({ email }) => email),
    now,
  )
  return people.map((user) => ({
    ...toAdminUser(user, tenant, kinds.get(user.id) ?? [], now),
    roles: [...(roles.get(user.id) ?? [])],
    pending: isInvitationPending(user),
    accepted_invite: !isInvitationPending(user),
    invite_accepted: !isInvitationPending(user),
    pending_registration: waiting.has(user.email),
  }))
}

/** Ids of the tenant's active administrators: people with `admin:access` by a live tenant-wide binding, through any role. */
export const administratorIds = async (ctx: Pick<RequestCtx, 'clock'>, t: TenantDb): Promise<string[]> =>
  (await findAdministrators(t, administratorRole(t.tenantId), ctx.clock.now())).filter(({ active }) => active).map(({ userId }) => userId)
