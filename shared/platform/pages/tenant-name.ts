import { SYSTEM_TENANT } from '#db/engine/tenant'
import type { PlatformCtx } from '#shared/platform/context'

/** The tenant's display name; for the deployment itself, the host in the browser's address bar. */
export const displayTenantName = (
  ctx: Pick<PlatformCtx, 'config'>,
  tenant: { readonly tenantId: string; readonly name: string } | undefined,
): string => (tenant === undefined || tenant.tenantId === SYSTEM_TENANT ? new URL(ctx.config.BASE_URL).host : tenant.name)
