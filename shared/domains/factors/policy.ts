// What a tenant requires of factors.

import type { TenantDb } from '#db/engine/tenant'
import type { Tenant } from '#db/store/tenants'
import type { User } from '#db/store/users'
import type { BaseCtx } from '#shared/domains/context'
import { hasAdminAccess } from '#shared/domains/sign-in/admin-access'
import { adminAcrOf } from '#shared/platform/principals/admin-acr'

/** Wrong tries pause a factor, on whatever endpoint: for 15 minutes, doubling each time until a right one. */
export const FACTOR_PAUSE = { tries: 5, seconds: 15 * 60 } as const
export const MAX_FACTORS = 20

/** Whether the person must have a factor: the tenant requires it of everyone, or of its administrators. */
export const mustHaveFactor = async (
  t: TenantDb,
  ctx: Pick<BaseCtx, 'clock'>,
  user: Pick<User, 'id'>,
  tenant: Tenant | undefined,
): Promise<boolean> => {
  if (tenant?.settings.requireSecondFactor === true) return true
  const acr = adminAcrOf(t.tenantId, tenant?.settings.adminAcr)
  return acr !== undefined && acr !== 'aal1' && (await hasAdminAccess(t, ctx, user.id))
}
