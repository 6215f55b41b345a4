// A pending invitation is valid only while its sender could still send it.

import { inOtherTenant, SYSTEM_TENANT, type TenantTx } from '#db/engine/tenant'
import { isInvitationPending, type User as UserRow } from '#db/store/users'
import type { RequestCtx } from '#shared/domains/context'
import { findHeldPermissions, holdsFullRole } from './access-change.ts'

/**
 * Whether the last sender could send the invitation now: they hold the tenant's full administrator role, or administer the platform. True for a person who is
 * not pending.
 */
export const isStillInvited = async (t: TenantTx, ctx: Pick<RequestCtx, 'clock'>, user: UserRow): Promise<boolean> => {
  const { invitedBy } = user
  if (invitedBy === null || !isInvitationPending(user)) return true
  const held = await findHeldPermissions(t, ctx, invitedBy)
  if (held.has('admin:access')) return holdsFullRole(t, ctx, invitedBy)
  return inOtherTenant(t, SYSTEM_TENANT, async (platform) => (await findHeldPermissions(platform, ctx, invitedBy)).has('platform:tenants'))
}
