// Who administers is decided by a live binding, not by a column and not by the door.
import { findLivePermissions } from '#db/store/users'
import type { TenantDb } from '#db/tenant'
import type { BaseCtx } from '../context.ts'

export const administers = async (t: TenantDb, ctx: Pick<BaseCtx, 'clock'>, userId: string): Promise<boolean> =>
  (await findLivePermissions(t, userId, ctx.clock.now())).includes('admin:access')
