// Whoever invited somebody answers for it until it is accepted: an invitation is worth what its sender may still give.

import { inOtherTenant, SYSTEM_TENANT, type TenantTx } from '#db/engine/tenant'
import { holdsSystemRole } from '#db/store/administrators'
import { isInvitationPending, type User as UserRow } from '#db/store/users'
import type { RequestCtx } from '#shared/domains/context'
import { administratorRole, findHeldPermissions } from './access-change.ts'

/** Whether it could be sent now by who sent it last: somebody with the whole administrator role, or of the platform. True of whoever is no invited person any more. */
export const isStillInvited = async (t: TenantTx, ctx: Pick<RequestCtx, 'clock'>, user: UserRow): Promise<boolean> => {
  const { invitedBy } = user
  if (invitedBy === null || !isInvitationPending(user)) return true
  const held = await findHeldPermissions(t, ctx, invitedBy)
  if (held.has('admin:access')) return holdsSystemRole(t, invitedBy, administratorRole(t.tenantId), ctx.clock.now())
  return inOtherTenant(t, SYSTEM_TENANT, async (platform) => (await findHeldPermissions(platform, ctx, invitedBy)).has('platform:tenants'))
}
