// The access policy of a resource server: on the first visit, a person gets the role that an administrator chose for it, once.

import { atomically, forTenant } from '#db/engine/tenant'
import { bindRole } from '#db/store/bindings'
import { noteFirstAccess } from '#db/store/registered-clients'
import { findRole } from '#db/store/roles'
import { bySystem, recordEvent } from '#shared/platform/audit/audit-log'
import type { User } from '#shared/platform/principals/principal'
import type { Ctx } from './group.ts'

/** A role that was deleted is not assigned. Routes that call this emit `role_binding.assigned`. */
export const applyAccessPolicy = (ctx: Ctx, principal: User, resourceServerId: string, roleId: string): Promise<void> =>
  atomically(forTenant(ctx.db, principal.tenantId), async (t) => {
    const at = ctx.clock.now()
    if (!(await noteFirstAccess(t, resourceServerId, principal.userId, at)) || (await findRole(t, roleId)) === undefined) return
    if (!(await bindRole(t, { id: ctx.random.id(), roleId, userId: principal.userId, at }))) return
    const target = { type: 'user', id: principal.userId }
    const after = { role_id: roleId, resource_server_id: resourceServerId }
    await recordEvent(t, ctx, { event: 'role_binding.assigned', actor: bySystem, target, subjectId: principal.userId, after })
  })
