// Whether a person is an administrator: decided by a live binding alone.

import type { TenantDb } from '#db/engine/tenant'
import { findLivePermissions } from '#db/store/users'
import type { BaseCtx } from '#shared/domains/context'

export const hasAdminAccess = async (t: TenantDb, ctx: Pick<BaseCtx, 'clock'>, userId: string): Promise<boolean> =>
  (await findLivePermissions(t, userId, ctx.clock.now())).includes('admin:access')
