// Whether a person is an administrator: only a live binding decides.

import type { TenantDb } from '#db/engine/tenant'
import { findLivePermissions } from '#db/store/users'
import type { BaseCtx } from '#shared/domains/context'

export const hasAdminAccess = async (t: TenantDb, ctx: Pick<BaseCtx, 'clock'>, userId: string): Promise<boolean> =>
  (await findLivePermissions(t, userId, ctx.clock.now())).includes('admin:access')
