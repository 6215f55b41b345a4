// The authentication strength that administrative permissions require.
import { SYSTEM_TENANT, type TenantId } from '#db/engine/tenant'
import { atLeast } from '#shared/platform/tokens/acr'

/**
 * The weakest `acr` in which administrative permissions count; undefined means any. The system tenant requires at least `aal2`. An unknown configured
 * value is kept and satisfied by no session.
 */
export const adminAcrOf = (tenantId: TenantId, configured: string | undefined): string | undefined =>
  tenantId === SYSTEM_TENANT && (configured === undefined || atLeast('aal1', configured)) ? 'aal2' : configured
