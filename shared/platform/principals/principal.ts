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

/** A workload that proved possession of its X.509-SVID. It holds no permissions: what it may do follows from its registration entry. */
export type Workload = {
  readonly kind: 'workload'
  readonly tenantId: TenantId
  readonly spiffeId: string
  readonly entryId: string
  /** The attested process of an agent. */
  readonly instanceId?: string
  /** The client of the agent for which the entry stands. */
  readonly agentId?: string
  /** The serial number of the SVID. */
  readonly svidId: string
  /** Thumbprint of its key (RFC 7638). */
  readonly jkt: string
  readonly notAfter: Date
  readonly permissions: ReadonlySet<Permission>
  /** SHA-256 of the body for which the proof was made, in base64url. */
  readonly bodyDigest: string
}

/** A caller that the guard accepted. */
export type Caller = User | Client | Workload
/** The id of the person, service account or registration entry that acts. */
export const principalIdOf = (caller: Caller): string => {
  if (caller.kind === 'workload') return caller.entryId
  return caller.kind === 'user' ? caller.userId : caller.serviceAccountId
}

export const hasPermission = (caller: Caller, permission: Permission): boolean => caller.permissions.has(permission)
