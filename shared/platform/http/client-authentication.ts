// How a backend proves that it is a client (RFC 6749 section 2.3.1, HTTP Basic). Implemented in shared/domains/clients.
import type { TenantId } from '#db/engine/tenant'
import type { Client, Permission } from '#shared/platform/principals/principal'
import type { Credentials } from './basic.ts'

export type ClientAuthentication = {
  /** The tenant of a client that is remembered, if the secret is its: says whose quota to count before the database is asked. Strangers use up nobody's. */
  tenantOf(credentials: Credentials): TenantId | undefined
  /**
   * Proves the secret and reads, of what the client's service account may do, the permissions that are asked for. What was read is used for at most one
   * second, and not at all after a commit of that tenant on this instance.
   * @throws AppError client_authentication_failed, unavailable
   */
  authenticate(credentials: Credentials, asked: readonly Permission[]): Promise<Client>
}
