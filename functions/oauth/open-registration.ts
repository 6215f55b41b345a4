// Whether a tenant takes clients that register themselves.
import { forTenant, type TenantId } from '#db/engine/tenant'
import { findTenant } from '#db/store/tenants'
import type { Ctx } from './group.ts'

export const allowsOpenRegistration = async (ctx: Pick<Ctx, 'db'>, tenantId: TenantId): Promise<boolean> => {
  const tenant = await findTenant(forTenant(ctx.db, tenantId))
  return tenant?.status === 'active' && (tenant.settings.clientRegistration ?? 'open') === 'open'
}
