// What took trust from tokens lately, from the record of events, and what else that means for tokens of one resource server. Written by hand: it is asked each
// second by every verifier.
import type { TenantDb } from '../engine/tenant.ts'
import { firstAuditIdOf } from './audit-events.ts'

export type RevocationEvent = {
  readonly event: string
  readonly actorId: string | null
  readonly targetType: string | null
  readonly targetId: string | null
  readonly at: Date
}

const EVENTS = `select event, actor_id, target_type, target_id, at from authsec.audit_events
  where tenant_id = $1 and event = any($2::text[]) and id >= $3::uuid and outcome = 'success' order by id desc limit $4`

/** Events of these names since a moment, newest first. */
export const findEventsSince = async (t: TenantDb, events: readonly string[], since: Date, limit: number): Promise<RevocationEvent[]> => {
  const rows = (await t.run({ text: EVENTS, params: [t.tenantId, events, firstAuditIdOf(since), limit], arrays: true })) as unknown[][]
  return rows.map((row) => ({
    event: row[0] as string,
    actorId: row[1] as string | null,
    targetType: row[2] as string | null,
    targetId: row[3] as string | null,
    at: new Date(row[4] as string),
  }))
}

export type RevokedIds = {
  readonly users: readonly string[]
  readonly clients: readonly string[]
  readonly sessions: readonly string[]
  readonly tokens: readonly string[]
}

// Agents of those people; authorizations that end with those sessions; live steps in which one of them takes part, told by the token or not.
const AFFECTED = `
with agents as (select id from authsec.agents where tenant_id = $1 and owner_id = any($2::uuid[])),
clients as (select unnest($3::uuid[]) as id union select id from agents),
authorizations as (select id from authsec.oauth_authorizations where tenant_id = $1 and session_id = any($4::uuid[]) and not offline)
select 'client', id from agents
union all select 'authorization', id from authorizations
union all select 'delegation', d.id from authsec.oauth_delegations d
  where d.tenant_id = $1 and d.resource_server_id = $6::uuid and d.expires_at > $7 and (
    d.root_client_id in (select id from clients) or d.user_id = any($2::uuid[]) or exists (
      select from authsec.oauth_delegations x where x.tenant_id = $1 and x.id = any(d.path)
        and (x.client_id in (select id from clients) or x.subject_token_id = any($5::uuid[]) or x.revoked_at is not null))
    or d.authorization_id in (select id from authorizations)
    or d.authorization_id in (select a.id from authsec.oauth_authorizations a where a.tenant_id = $1 and a.client_id in (select id from clients)))`

export type AffectedTarget = { readonly kind: 'client' | 'authorization' | 'delegation'; readonly id: string }

export const findAffected = async (t: TenantDb, killed: RevokedIds, resourceServerId: string, now: Date): Promise<AffectedTarget[]> => {
  const params = [t.tenantId, killed.users, killed.clients, killed.sessions, killed.tokens, resourceServerId, now.toISOString()]
  const rows = (await t.run({ text: AFFECTED, params, arrays: true })) as string[][]
  return rows.map(([kind = '', id = '']) => ({ kind: kind as AffectedTarget['kind'], id }))
}
