// Token families: the state of an authorization, its current refresh token, and its end. The refresh is one statement (hot path).
import { and, eq, isNull } from 'drizzle-orm'
import { column, columns, moment, optional, type RowOf, statement } from '../engine/statement.ts'
import { ownRows, type TenantDb, type TenantTx } from '../engine/tenant.ts'
import type { AuthorizationDetail } from '../tables/delegations.ts'
import { oauthAuthorizations } from '../tables/oauth.ts'
import { AGENT_AUTHORIZED, JOIN_AGENT } from './agent-state.ts'
import { CLIENT_REACHES_RESOURCE, SCOPES_OF_USER } from './oauth-clients.ts'

const ALIVE = `u.active and u.deleted_at is null and u.valid_from <= a.created_at and t.status = 'active' and t.valid_from <= a.created_at
    and c.active and c.deleted_at is null and c.valid_from <= a.created_at and ${AGENT_AUTHORIZED('a.created_at')}
    and (a.offline or coalesce(s.revoked_at is null and s.expires_at > :now and s.last_seen_at + make_interval(secs => s.idle_seconds) > :now, false))
    and (a.resource_server_id is null or coalesce(${CLIENT_REACHES_RESOURCE('c', 'r', 'rc', 'a.created_at')}, false))`

/** An authorization, and everything that it depends on, in its current state. Used with `FROM_AUTHORIZATION`. */
export const AUTHORIZATION_STATE = columns({
  id: column<string>('a.id'),
  clientId: column<string>('a.client_id'),
  userId: column<string>('a.user_id'),
  sessionId: column<string>('a.session_id'),
  grantId: column<string>('a.grant_id'),
  offline: column<boolean>('a.offline'),
  scopes: column<readonly string[]>('a.scopes'),
  authTime: moment('a.auth_time'),
  amr: column<readonly string[]>('a.amr'),
  acr: column<string>('a.acr'),
  nonce: optional(column<string>('a.nonce')),
  jkt: optional(column<string>('a.jkt')),
  redirectUri: column<string>('a.redirect_uri'),
  codeChallenge: column<string>('a.code_challenge'),
  codeExpiresAt: moment('a.code_expires_at'),
  codeUsed: column<boolean>('a.code_used_at is not null'),
  familyHash: optional(column<Uint8Array>('a.family_hash')),
  generation: column<number>('a.generation'),
  rotatedAt: optional(moment('a.rotated_at')),
  refreshExpiresAt: optional(moment('a.refresh_expires_at')),
  revoked: column<boolean>('a.revoked_at is not null'),
  /**
   * Person, tenant, client, agent's owner, and the session unless the authorization is for offline use: all still count. The client is still registered at the
   * resource server, or that is open to all.
   */
  alive: column<boolean>(ALIVE),
  resource: optional(
    columns({
      id: column<string>('r.id'),
      resource: column<string>('r.resource'),
      tokenSeconds: column<number>('r.token_seconds'),
      /** Of its scopes, those that the person may have through the client. */
      scopes: column<readonly string[]>(SCOPES_OF_USER('a.resource_server_id', 'a.user_id', ':now', 'c')),
    }),
  ),
  email: column<string>('u.email'),
  emailVerified: column<boolean>('u.email_verified_at is not null'),
  name: column<string>(`coalesce(u.name, '')`),
  username: optional(column<string>('u.username')),
  picture: optional(column<string>('u.avatar_url')),
  /** Granted authorization details (RFC 9396). */
  details: column<readonly AuthorizationDetail[]>('a.details'),
  /** Whether the client is an agent, which then acts for the person. */
  isAgent: column<boolean>('ag.id is not null'),
})
export type AuthorizationState = RowOf<typeof AUTHORIZATION_STATE>

export const AUTHORIZATION_STATE_SOURCES = (isIt: string): string => `
  from authsec.oauth_authorizations a
  join authsec.users u on u.tenant_id = a.tenant_id and u.id = a.user_id
  join authsec.tenants t on t.tenant_id = a.tenant_id
  join authsec.clients c on c.tenant_id = a.tenant_id and c.id = a.client_id
  ${JOIN_AGENT}
  left join authsec.sessions s on s.tenant_id = a.tenant_id and s.id = a.session_id
  left join authsec.resource_servers r on r.tenant_id = a.tenant_id and r.id = a.resource_server_id
  left join authsec.resource_clients rc on rc.tenant_id = a.tenant_id and rc.resource_server_id = r.id and rc.client_id = a.client_id
  where a.tenant_id = :tenantId and ${isIt}`

const FIND = statement<{ id: string; now: Date }>(`select ${AUTHORIZATION_STATE.list} ${AUTHORIZATION_STATE_SOURCES('a.id = :id')}`).returning(
  AUTHORIZATION_STATE,
)

export const findAuthorizationState = (t: TenantDb, id: string, now: Date): Promise<AuthorizationState | undefined> => FIND.first(t, { id, now })

const FIND_BY_CODE = statement<{ codeHash: Uint8Array; now: Date }>(
  `select ${AUTHORIZATION_STATE.list} ${AUTHORIZATION_STATE_SOURCES('a.code_hash = :codeHash')}`,
).returning(AUTHORIZATION_STATE)

/** The authorization of a code, used or not. */
export const findAuthorizationStateByCode = (t: TenantDb, codeHash: Uint8Array, now: Date): Promise<AuthorizationState | undefined> =>
  FIND_BY_CODE.first(t, { codeHash, now })

export type Rotation = {
  readonly id: string
  readonly generation: number
  readonly familyHash: Uint8Array
  readonly clientId: string
  readonly jkt: string | undefined
  /** The requested scopes; more than was granted rotates nothing. */
  readonly scopes: readonly string[]
  readonly resource: string | undefined
  readonly now: Date
}

const ROTATED = columns({ authorizationState: AUTHORIZATION_STATE, rotated: column<boolean>('exists (select from rotated)') })
// Read and rotated in one statement: the update waits for a concurrent rotation, reads the row again, and finds another generation.
const ROTATE = statement<Rotation>(`
with state as materialized (select ${AUTHORIZATION_STATE.list} ${AUTHORIZATION_STATE_SOURCES('a.id = :id')}),
rotated as (
  update authsec.oauth_authorizations a set generation = a.generation + 1, rotated_at = :now
  from state s
  where a.tenant_id = :tenantId and a.id = :id and a.generation = :generation and a.family_hash = :familyHash and a.client_id = :clientId
    and a.revoked_at is null and a.refresh_expires_at > :now and (a.jkt is null or a.jkt = :jkt) and s.alive
    and a.scopes @> :scopes::text[] and (:resource::text is null or :resource = s."resource.resource")
  returning a.generation)
select ${AUTHORIZATION_STATE.from('state')}, exists (select from rotated) from state`).returning(ROTATED)

/** Rotates the refresh token if it is the current one, and reads the authorization. `rotated` is true for one of many requests with the same token. */
export const rotateRefresh = (t: TenantDb, rotation: Rotation): Promise<RowOf<typeof ROTATED> | undefined> => ROTATE.first(t, rotation)

/** False when it was already revoked or does not exist. */
export const revokeAuthorization = async (t: TenantTx, id: string, at: Date, reason: string): Promise<boolean> => {
  const a = oauthAuthorizations
  const rows = await t.db
    .update(a)
    .set({ revokedAt: at, revokedReason: reason })
    .where(and(ownRows(t, a), eq(a.id, id), isNull(a.revokedAt)))
    .returning({ id: a.id })
  return rows.length === 1
}
