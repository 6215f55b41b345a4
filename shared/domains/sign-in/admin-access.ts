// Who administers is decided by a live binding, not by a column and not by the door.

import type { TenantDb } from '#db/engine/tenant'
import { findLivePermissions } from '#db/store/users'
import type { BaseCtx } from '#shared/domains/context'

export const hasAdminAccess = async (t: TenantDb, ctx: Pick<BaseCtx, 'clock'>, userId: string): Promise<boolean> =>
  (await findLivePermissions(t, userId, ctx.clock.now())).includes('admin:access')
