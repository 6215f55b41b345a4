// Recent audit events that revoke trust in tokens, and what they affect at one resource server. Written by hand: every verifier polls it each second.
import { column, columns, moment, type RowOf, statement } from '../engine/statement.ts'
import type { TenantDb } from '../engine/tenant.ts'
import { firstAuditIdOf } from './audit-events.ts'

const EVENT = columns({
  event: column<string>('event'),
  actorId: column<string | null>('actor_id'),
  targetType: column<string | null>('target_type'),
  targetId: column<string | null>('target_id'),
  at: moment('at'),
})
export type RevocationEvent = RowOf<typeof EVENT>
const FIND_EVENTS = statement<{ events: readonly string[]; from: string; limit: number }>(`select ${EVENT.list} from authsec.audit_events
  where tenant_id = :tenantId and event = any(:events::text[]) and id >= :from::uuid and outcome = 'success' order by id desc limit :limit`).returning(
  EVENT,
)

/** Events of these names since the given time, newest first. */
export const findEventsSince = (t: TenantDb, events: readonly string[], since: Date, limit: number): Promise<RevocationEvent[]> =>
  FIND_EVENTS.all(t, { events, from: firstAuditIdOf(since), limit })

export type RevokedIds = {
  readonly users: readonly string[]
  readonly clients: readonly string[]
  readonly sessions: readonly string[]
  readonly tokens: readonly string[]
}

// Agents of those people; authorizations that end with those sessions and the ones derived from them; live delegation steps that depend on one of them, disclosed in the token or not.
const AFFECTED = columns({ kind: column<'client' | 'authorization' | 'delegation'>('kind'), id: column<string>('id') })
export type AffectedTarget = RowOf<typeof AFFECTED>
const FIND_AFFECTED = statement<RevokedIds & { resourceServerId: string; now: Date }>(`
with recursive ended as (
  select unnest(:sessions::uuid[]) as id
  union select s.id from authsec.sessions s join ended on s.source_session_id = ended.id where s.tenant_id = :tenantId),
agents as (select id from authsec.agents where tenant_id = :tenantId and owner_id = any(:users::uuid[])),
clients as (select unnest(:clients::uuid[]) as id union select id from agents),
authorizations as (select id from authsec.oauth_authorizations where tenant_id = :tenantId and session_id in (select id from ended) and not offline)
select 'client' as kind, id from agents
union all select 'authorization', id from authorizations
union all select 'delegation', d.id from authsec.oauth_delegations d
  where d.tenant_id = :tenantId and d.resource_server_id = :resourceServerId::uuid and d.expires_at > :now and (
    d.root_client_id in (select id from clients) or d.user_id = any(:users::uuid[]) or exists (
      select from authsec.oauth_delegations x where x.tenant_id = :tenantId and x.id = any(d.path)
        and (x.client_id in (select id from clients) or x.subject_token_id = any(:tokens::uuid[]) or x.revoked_at is not null))
    or d.authorization_id in (select id from authorizations)
    or d.authorization_id in (select a.id from authsec.oauth_authorizations a where a.tenant_id = :tenantId and a.client_id in (select id from clients)))`).returning(
  AFFECTED,
)

export const findAffected = (t: TenantDb, killed: RevokedIds, resourceServerId: string, now: Date): Promise<AffectedTarget[]> =>
  FIND_AFFECTED.all(t, { ...killed, resourceServerId, now })
