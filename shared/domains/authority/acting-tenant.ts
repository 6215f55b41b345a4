// In which tenant a caller acts, and what taking somebody over needs.

import { asTenantId, atomically, forTenant, type TenantId, type TenantTx } from '#db/engine/tenant'
import { findRolesHeldByGroups, findRolesHeldByPerson } from '#db/store/rights'
import { lockPolicy } from '#db/store/tenants'
import type { RequestCtx } from '#shared/domains/context'
import { AppError } from '#shared/kernel/errors'
import { isPlatformAdministrator } from '#shared/platform/http/tenant-rule'
import type { Permission, User } from '#shared/platform/principals/principal'
import { type GrantorPermissions, grantorPermissions, requireRoleGrantable } from './access-change.ts'

type Deps = Pick<RequestCtx, 'db' | 'clock'>

/** The tenant of the token; the named one where a platform administrator names one. Anybody else who names another was refused before. */
export const actingTenant = (caller: User, named: string | undefined): TenantId => {
  if (named === undefined || named === caller.tenantId) return caller.tenantId
  if (!isPlatformAdministrator(caller)) throw new AppError('tenant_mismatch')
  return asTenantId(named)
}

/** In a tenant that is not theirs platform administrators stand for its own system role. */
const OF_PLATFORM: GrantorPermissions = { full: true, covers: (permission) => !permission.startsWith('platform:') }

/** One change at a time in the tenant, with what the caller may grant there. */
export const actInTenant = <T>(
  ctx: Deps,
  caller: User,
  tenantId: TenantId,
  work: (t: TenantTx, grantable: GrantorPermissions) => Promise<T>,
): Promise<T> =>
  atomically(forTenant(ctx.db, tenantId), async (t) => {
    await lockPolicy(t)
    return work(t, tenantId === caller.tenantId ? await grantorPermissions(t, ctx, caller) : OF_PLATFORM)
  })

/**
 * Whoever changes another's address, password or factors could become that person, and whoever stops or deletes one could be rid of who is above him: so it
 * takes every right that the person holds.
 * @throws AppError cannot_grant
 */
export const requireRightsOver = async (t: TenantTx, ctx: Pick<Deps, 'clock'>, grantable: GrantorPermissions, userId: string): Promise<void> => {
  for (const role of await findRolesHeldByPerson(t, userId, ctx.clock.now())) await requireRoleGrantable(t, grantable, role)
}

/**
 * Who joins a group gains what the group carries, and who leaves it loses that.
 * @throws AppError cannot_grant
 */
export const requireRightsOfGroups = async (
  t: TenantTx,
  ctx: Pick<Deps, 'clock'>,
  grantable: GrantorPermissions,
  groupIds: readonly string[],
): Promise<void> => {
  for (const role of await findRolesHeldByGroups(t, groupIds, ctx.clock.now())) await requireRoleGrantable(t, grantable, role)
}

/** For routes that admit whoever is signed in: one's own record, or the permission. @throws AppError insufficient_scope */
export const requireSelfOr = (caller: User, userId: string | undefined, permission: Permission): void => {
  if (userId === caller.userId || caller.permissions.has(permission)) return
  throw new AppError('insufficient_scope', `The permission ${permission} is missing.`)
}
