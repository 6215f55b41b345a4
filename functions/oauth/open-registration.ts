// Whether a tenant accepts clients that register themselves.
import { forTenant, type TenantId } from '#db/engine/tenant'
import { findTenant } from '#db/store/tenants'
import type { Ctx } from './group.ts'

type Server = { readonly active: boolean; readonly registrationModes: readonly string[] }
/** Whether the resource server accepts clients that register themselves, by dynamic registration (`dcr`) or by a metadata document (`cimd`). */
export const acceptsSelfRegistered = (server: Server | undefined, mode: 'dcr' | 'cimd'): boolean =>
  server?.active === true && server.registrationModes.includes(mode)

export const allowsOpenRegistration = async (ctx: Pick<Ctx, 'db'>, tenantId: TenantId): Promise<boolean> => {
  const tenant = await findTenant(forTenant(ctx.db, tenantId))
  return tenant?.status === 'active' && (tenant.settings.clientRegistration ?? 'open') === 'open'
}
