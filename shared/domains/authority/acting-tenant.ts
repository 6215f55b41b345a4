// The tenant in which a caller acts, and the rights that acting on another person takes.

import { asTenantId, atomically, forTenant, type TenantId, type TenantTx } from '#db/engine/tenant'
import { findRolesHeldByGroups, findRolesHeldByPerson } from '#db/store/rights'
import { lockPolicy } from '#db/store/tenants'
import type { RequestCtx } from '#shared/domains/context'
import { AppError } from '#shared/kernel/errors'
import { isPlatformAdministrator } from '#shared/platform/http/tenant-rule'
import type { Permission, User } from '#shared/platform/principals/principal'
import { type GrantorPermissions, grantorPermissions, requireRoleGrantable } from './access-change.ts'

type Deps = Pick<RequestCtx, 'db' | 'clock'>

/** The token's tenant, or the named one for a platform administrator. The guard has already refused other callers who name another tenant. */
export const actingTenant = (caller: User, named: string | undefined): TenantId => {
  if (named === undefined || named === caller.tenantId) return caller.tenantId
  if (!isPlatformAdministrator(caller)) throw new AppError('tenant_mismatch')
  return asTenantId(named)
}

/** In another tenant a platform administrator has the rights of its system role. */
const PLATFORM_GRANTS: GrantorPermissions = { full: true, covers: (permission) => !permission.startsWith('platform:') }

/** What the caller may grant in that tenant. */
export const grantableIn = async (t: TenantTx, ctx: Pick<Deps, 'clock'>, caller: User): Promise<GrantorPermissions> =>
  t.tenantId === caller.tenantId ? grantorPermissions(t, ctx, caller) : PLATFORM_GRANTS

/** Serialises access changes of the tenant and passes what the caller may grant there. */
export const actInTenant = <T>(
  ctx: Deps,
  caller: User,
  tenantId: TenantId,
  work: (t: TenantTx, grantable: GrantorPermissions) => Promise<T>,
): Promise<T> =>
  atomically(forTenant(ctx.db, tenantId), async (t) => {
    await lockPolicy(t)
    return work(t, await grantableIn(t, ctx, caller))
  })

/**
 * Requires every right that the person holds. Changing another person's address, password or factors means being able to become that person; disabling or
 * deleting one could remove a more powerful administrator.
 * @throws AppError cannot_grant
 */
export const requireRightsOver = async (t: TenantTx, ctx: Pick<Deps, 'clock'>, grantable: GrantorPermissions, userId: string): Promise<void> => {
  for (const role of await findRolesHeldByPerson(t, userId, ctx.clock.now())) await requireRoleGrantable(t, grantable, role)
}

/**
 * Requires the rights that the groups carry: joining a group grants them, leaving it removes them.
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

/** For routes that any signed-in person may call: the own entry, or the permission. @throws AppError insufficient_scope */
export const requireSelfOr = (caller: User, userId: string | undefined, permission: Permission): void => {
  if (userId === caller.userId || caller.permissions.has(permission)) return
  throw new AppError('insufficient_scope', `The permission ${permission} is missing.`)
}
