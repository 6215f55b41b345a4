// Authenticates clients by HTTP Basic (RFC 6749 section 2.3.1). Implemented in shared/domains/clients.
import type { TenantId } from '#db/engine/tenant'
import type { Client, Permission } from '#shared/platform/principals/principal'
import type { BasicCredentials } from './basic-auth.ts'

export type ClientAuthentication = {
  /**
   * The tenant of a cached client, if the secret matches: the quota to count before the database is queried. Unauthenticated callers consume no
   * tenant's quota.
   */
  tenantOf(credentials: BasicCredentials): TenantId | undefined
  /**
   * Verifies the secret and reads which of the requested permissions the client's service account holds. The result is cached for at most one second,
   * and dropped at once after a commit of that tenant on this instance.
   * @throws AppError client_authentication_failed, unavailable
   */
  authenticate(credentials: BasicCredentials, requested: readonly Permission[]): Promise<Client>
}
