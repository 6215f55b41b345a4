// The authenticated caller.
import type { TenantId } from '#db/engine/tenant'

/** `resource:action`, exactly. */
export type Permission = `${string}:${string}`

/** A person with a live session. Permissions are read from the store (at most one second old), never from the token. */
export type User = {
  readonly kind: 'user'
  readonly tenantId: TenantId
  readonly userId: string
  readonly sessionId: string
  readonly tokenId: string
  readonly tokenExpiresAt: Date
  readonly clientId: string | undefined
  readonly email: string
  /** Tenant-wide, live. `admin:access` and `platform:*` only when the session's `acr` satisfies the tenant's administrator policy. */
  readonly permissions: ReadonlySet<Permission>
  readonly amr: readonly string[]
  readonly acr: string
  readonly authTime: Date
  /** The session began with a temporary password: it may only change the password and sign out. */
  readonly passwordChangeRequired: boolean
}

/** A backend that authenticated with its client's secret and acts as the client's service account. */
export type Client = {
  readonly kind: 'client'
  readonly tenantId: TenantId
  readonly clientId: string
  readonly serviceAccountId: string
  /** The service account's permissions among those that the route requires: tenant-wide, live. */
  readonly permissions: ReadonlySet<Permission>
}

/** A caller that the guard accepted. */
export type Caller = User | Client
/** The id of the person or service account that acts. */
export const principalIdOf = (caller: Caller): string => (caller.kind === 'user' ? caller.userId : caller.serviceAccountId)

export const hasPermission = (caller: Caller, permission: Permission): boolean => caller.permissions.has(permission)
