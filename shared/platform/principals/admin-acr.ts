// In which sessions administrative permissions count.
import { SYSTEM_TENANT, type TenantId } from '#db/engine/tenant'
import { atLeast } from '#shared/platform/tokens/acr'

/**
 * The weakest context in which administrative permissions count; undefined: any. The platform's are never to be had with a password alone. A demand that
 * nobody knows stays what it is, and is met by none.
 */
export const adminAcrOf = (tenantId: TenantId, configured: string | undefined): string | undefined =>
  tenantId === SYSTEM_TENANT && (configured === undefined || atLeast('aal1', configured)) ? 'aal2' : configured
