// Families of tokens: what is behind one as it stands now, the refresh token that counts, and its end. The refresh is one statement, written by hand (hot path).
import { and, eq, isNull } from 'drizzle-orm'
import { ownRows, type TenantDb, type TenantTx } from '../engine/tenant.ts'
import type { AuthorizationDetail } from '../tables/delegations.ts'
import { oauthAuthorizations } from '../tables/oauth.ts'
import { AGENT_AUTHORIZED, JOIN_AGENT } from './agent-state.ts'
import { CLIENT_REACHES_RESOURCE, SCOPES_OF_USER } from './oauth-clients.ts'

/** What is behind a family of tokens, as it stands now. */
export type AuthorizationState = {
  readonly clientId: string
  readonly userId: string
  readonly sessionId: string
  readonly grantId: string
  readonly offline: boolean
  readonly scopes: readonly string[]
  readonly authTime: Date
  readonly amr: readonly string[]
  readonly acr: string
  readonly nonce: string | undefined
  readonly jkt: string | undefined
  readonly familyHash: Uint8Array | undefined
  readonly generation: number
  readonly rotatedAt: Date | undefined
  readonly refreshExpiresAt: Date | undefined
  readonly revoked: boolean
  /** Person, tenant, session unless offline, grant, client's registration at the resource server: all still there. */
  readonly alive: boolean
  readonly resource: { readonly id: string; readonly resource: string; readonly tokenSeconds: number; readonly scopes: readonly string[] } | undefined
  readonly email: string
  readonly emailVerified: boolean
  readonly name: string
  readonly username: string | undefined
  readonly picture: string | undefined
  /** RFC 9396: what was allowed in detail. */
  readonly details: readonly AuthorizationDetail[]
  /** Whether the client is an agent, which then acts for the person. */
  readonly isAgent: boolean
}

/**
 * `reachable`: the client is still registered at the resource server (or it is open to all), and was not removed since. A session that is over takes along what
 * is not offline.
 */
export const AUTHORIZATION_STATE = (now: string): string => `
  a.client_id, a.user_id, a.session_id, a.grant_id, a.offline, a.scopes, a.auth_time, a.amr, a.acr, a.nonce, a.jkt, a.family_hash, a.generation, a.rotated_at,
  a.refresh_expires_at, a.revoked_at is not null,
  u.active and u.deleted_at is null and u.valid_from <= a.created_at and t.status = 'active' and t.valid_from <= a.created_at
    and c.active and c.deleted_at is null and c.valid_from <= a.created_at and ${AGENT_AUTHORIZED('a.created_at')}
    and (a.offline or coalesce(s.revoked_at is null and s.expires_at > ${now} and s.last_seen_at + make_interval(secs => s.idle_seconds) > ${now}, false))
    and (a.resource_server_id is null or coalesce(${CLIENT_REACHES_RESOURCE('c', 'r', 'rc', 'a.created_at')}, false)) as alive,
  r.id, r.resource, r.token_seconds, ${SCOPES_OF_USER('a.resource_server_id', 'a.user_id', now, 'c')} as held,
  u.email, u.email_verified_at is not null, u.name, u.username, u.avatar_url, a.details, ag.id is not null`

export const AUTHORIZATION_STATE_SOURCES = (isIt: string): string => `
  from authsec.oauth_authorizations a
  join authsec.users u on u.tenant_id = a.tenant_id and u.id = a.user_id
  join authsec.tenants t on t.tenant_id = a.tenant_id
  join authsec.clients c on c.tenant_id = a.tenant_id and c.id = a.client_id
  ${JOIN_AGENT}
  left join authsec.sessions s on s.tenant_id = a.tenant_id and s.id = a.session_id
  left join authsec.resource_servers r on r.tenant_id = a.tenant_id and r.id = a.resource_server_id
  left join authsec.resource_clients rc on rc.tenant_id = a.tenant_id and rc.resource_server_id = r.id and rc.client_id = a.client_id
  where a.tenant_id = $1 and ${isIt}`
const BY_ID = AUTHORIZATION_STATE_SOURCES('a.id = $2')

type Row = readonly unknown[]
const date = (value: unknown): Date => new Date(value as string)
const optionalDate = (value: unknown): Date | undefined => (value === null ? undefined : date(value))

/** How many cells of a row say what is behind a family. */
export const AUTHORIZATION_STATE_CELLS = 28
export const authorizationStateOf = (row: Row): AuthorizationState => ({
  clientId: row[0] as string,
  userId: row[1] as string,
  sessionId: row[2] as string,
  grantId: row[3] as string,
  offline: row[4] as boolean,
  scopes: row[5] as string[],
  authTime: date(row[6]),
  amr: row[7] as string[],
  acr: row[8] as string,
  nonce: (row[9] as string | null) ?? undefined,
  jkt: (row[10] as string | null) ?? undefined,
  familyHash: (row[11] as Uint8Array | null) ?? undefined,
  generation: row[12] as number,
  rotatedAt: optionalDate(row[13]),
  refreshExpiresAt: optionalDate(row[14]),
  revoked: row[15] as boolean,
  alive: row[16] as boolean,
  resource:
    row[17] === null
      ? undefined
      : { id: row[17] as string, resource: row[18] as string, tokenSeconds: row[19] as number, scopes: row[20] as string[] },
  email: row[21] as string,
  emailVerified: row[22] as boolean,
  name: (row[23] as string | null) ?? '',
  username: (row[24] as string | null) ?? undefined,
  picture: (row[25] as string | null) ?? undefined,
  details: row[26] as AuthorizationDetail[],
  isAgent: row[27] as boolean,
})

const READ = `select ${AUTHORIZATION_STATE('$3')} ${BY_ID}`

export const findAuthorizationState = async (t: TenantDb, id: string, now: Date): Promise<AuthorizationState | undefined> => {
  const [row] = (await t.run({ text: READ, params: [t.tenantId, id, now.toISOString()], arrays: true })) as Row[]
  return row === undefined ? undefined : authorizationStateOf(row)
}

// Read and rotated in one statement: the update waits for a rotation under way, looks at the row again, and finds another generation.
const ROTATE = `
with standing as materialized (select ${AUTHORIZATION_STATE('$3')} ${BY_ID}),
turned as (
  update authsec.oauth_authorizations a set generation = a.generation + 1, rotated_at = $3
  from standing s
  where a.tenant_id = $1 and a.id = $2 and a.generation = $4 and a.family_hash = $5 and a.client_id = $6 and a.revoked_at is null
    and a.refresh_expires_at > $3 and (a.jkt is null or a.jkt = $7) and s.alive
    and a.scopes @> $8::text[] and ($9::text is null or $9 = s.resource)
  returning a.generation)
select standing.*, (select generation from turned) from standing`

export type Rotation = {
  readonly id: string
  readonly generation: number
  readonly familyHash: Uint8Array
  readonly clientId: string
  readonly jkt: string | undefined
  /** What is asked for; more than was granted turns nothing. */
  readonly scopes: readonly string[]
  readonly resource: string | undefined
  readonly now: Date
}

/** Makes the next refresh token of the family the one that counts, if this one is, and tells what is behind it. `turned` is false for all but one of many. */
export const rotateRefresh = async (
  t: TenantDb,
  r: Rotation,
): Promise<{ readonly standing: AuthorizationState; readonly turned: boolean } | undefined> => {
  const params = [t.tenantId, r.id, r.now.toISOString(), r.generation, r.familyHash, r.clientId, r.jkt ?? null, r.scopes, r.resource ?? null]
  const [row] = (await t.run({ text: ROTATE, params, arrays: true })) as Row[]
  return row === undefined ? undefined : { standing: authorizationStateOf(row), turned: row[28] !== null }
}

/** False when it was revoked before, or is not there. */
export const revokeAuthorization = async (t: TenantTx, id: string, at: Date, reason: string): Promise<boolean> => {
  const a = oauthAuthorizations
  const rows = await t.db
    .update(a)
    .set({ revokedAt: at, revokedReason: reason })
    .where(and(ownRows(t, a), eq(a.id, id), isNull(a.revokedAt)))
    .returning({ id: a.id })
  return rows.length === 1
}
