// Who is calling, once proved.
import type { TenantId } from '#db/engine/tenant'

/** `resource:action`, exactly. */
export type Permission = `${string}:${string}`

/** A person with a live session. Permissions are read from the store for this request (at most a second old), never from the token. */
export type User = {
  readonly kind: 'user'
  readonly tenantId: TenantId
  readonly userId: string
  readonly sessionId: string
  readonly tokenId: string
  readonly tokenExpiresAt: Date
  readonly clientId: string | undefined
  readonly email: string
  /** Tenant-wide, live. `admin:access` and `platform:*` only when the session's `acr` meets the tenant's administrator policy. */
  readonly permissions: ReadonlySet<Permission>
  readonly amr: readonly string[]
  readonly acr: string
  readonly authTime: Date
  /** The session began with a temporary password: nothing but changing it and signing out is open to it. */
  readonly passwordChangeRequired: boolean
}

/** A backend that proved its client's secret, acting as the client's service account. */
export type Client = {
  readonly kind: 'client'
  readonly tenantId: TenantId
  readonly clientId: string
  readonly serviceAccountId: string
  /** Of what the route asks for, what the service account holds: tenant-wide, live. */
  readonly permissions: ReadonlySet<Permission>
}

/** Whoever a guard let in. */
export type Caller = User | Client
/** The person or service account that acts. */
export const principalIdOf = (caller: Caller): string => (caller.kind === 'user' ? caller.userId : caller.serviceAccountId)

/** Whether the caller holds a permission now. */
export const holds = (caller: Caller, permission: Permission): boolean => caller.permissions.has(permission)
