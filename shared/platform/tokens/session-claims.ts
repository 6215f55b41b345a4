// The claims of a session token (AuthSec's access token, with `sid`, `jti`, `auth_time`, `amr` and `acr`), on the wire and as our type.
import { asTenantId, type TenantId } from '#db/engine/tenant'
import { unixSeconds } from '#shared/kernel/clock'
import type { WireClaims } from './session-claims.schema.ts'
import { isWireClaims } from './session-claims-check.ts'

/** The session's person, client and sign-in. */
export type SessionSubject = {
  readonly tenantId: TenantId
  readonly userId: string
  readonly sessionId: string
  readonly email: string
  readonly projectId: string
  readonly clientId: string | undefined
  readonly tenantDomain: string | undefined
  readonly scopes: readonly string[]
  /** Names for the reader's information; permissions are read from the store, never from here. */
  readonly roles: readonly string[]
  readonly authTime: Date
  /** RFC 8176 */
  readonly amr: readonly string[]
  readonly acr: string
}
export type SessionClaims = SessionSubject & { readonly tokenId: string; readonly issuedAt: Date; readonly expiresAt: Date }
export type Audience = { readonly issuer: string; readonly audience: string }

/** Longest lifetime of a session token. */
export const MAX_TOKEN_SECONDS = 24 * 3600
/** Tolerated clock difference of another instance. Expiry has no tolerance. */
const CLOCK_TOLERANCE_SECONDS = 60

/** Empty lists are omitted: absent means that nothing is granted. */
export const toWire = (claims: SessionClaims, { issuer, audience }: Audience): WireClaims => {
  const iat = unixSeconds(claims.issuedAt)
  return {
    iss: issuer,
    aud: audience,
    sub: claims.userId,
    user_id: claims.userId,
    email_id: claims.email,
    tenant_id: claims.tenantId,
    project_id: claims.projectId,
    client_id: claims.clientId ?? '',
    ...(claims.tenantDomain === undefined ? {} : { tenant_domain: claims.tenantDomain }),
    token_type: 'default',
    ...(claims.scopes.length === 0 ? {} : { scope: claims.scopes.join(' '), scopes: [...claims.scopes] }),
    ...(claims.roles.length === 0 ? {} : { roles: [...claims.roles] }),
    jti: claims.tokenId,
    sid: claims.sessionId,
    auth_time: unixSeconds(claims.authTime),
    amr: [...claims.amr],
    acr: claims.acr,
    iat,
    nbf: iat,
    exp: unixSeconds(claims.expiresAt),
  }
}

const at = (seconds: number): Date => new Date(seconds * 1000)

const isInTime = ({ iat, nbf, exp, auth_time }: WireClaims, now: number): boolean => {
  const latest = now + CLOCK_TOLERANCE_SECONDS
  return exp > now && nbf <= latest && iat <= latest && auth_time <= latest && exp - iat <= MAX_TOKEN_SECONDS
}

/** The claims; undefined unless all are present, well-formed, meant for us and valid now. */
export const fromWire = (payload: unknown, { issuer, audience }: Audience, now: Date): SessionClaims | undefined => {
  if (!isWireClaims(payload)) return undefined
  const wire = payload
  if (wire.iss !== issuer || wire.aud !== audience || wire.sub !== wire.user_id || !isInTime(wire, unixSeconds(now))) return undefined
  return {
    tenantId: asTenantId(wire.tenant_id),
    userId: wire.sub,
    sessionId: wire.sid,
    tokenId: wire.jti,
    email: wire.email_id,
    projectId: wire.project_id,
    clientId: wire.client_id === '' ? undefined : wire.client_id,
    tenantDomain: wire.tenant_domain,
    scopes: wire.scopes ?? wire.scope?.split(' ').filter((word) => word !== '') ?? [],
    roles: wire.roles ?? [],
    authTime: at(wire.auth_time),
    amr: wire.amr,
    acr: wire.acr,
    issuedAt: at(wire.iat),
    expiresAt: at(wire.exp),
  }
}
