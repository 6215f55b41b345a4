// Whether a delegation step and all steps before it are still valid: part of the statements of introspection.
import { CLIENT_REACHES_RESOURCE } from './oauth-clients.ts'

/** Client `c`, its place in the directory `d`, and with an agent its owner: all as they were when the step was made. */
const CLIENT_STANDS = (c: string, at: string): string => `exists (
  select from authsec.clients k join authsec.client_directory kd on kd.client_id = k.id and kd.tenant_id = k.tenant_id
  left join authsec.agents ka on ka.tenant_id = k.tenant_id and ka.id = k.id
  left join authsec.users ko on ko.tenant_id = ka.tenant_id and ko.id = ka.owner_id
  where k.tenant_id = :tenantId and k.id = ${c} and k.active and k.deleted_at is null and kd.active and k.valid_from <= ${at}
    and (ka.id is null or coalesce(ka.status = 'active' and ko.active and ko.deleted_at is null and ko.valid_from <= ${at}, false)))`

const CLIENT_REACHES = (c: string, server: string, at: string): string => `exists (
  select from authsec.resource_servers q join authsec.clients qk on qk.tenant_id = q.tenant_id and qk.id = ${c}
  left join authsec.resource_clients qc on qc.tenant_id = q.tenant_id and qc.resource_server_id = q.id and qc.client_id = ${c}
  where q.tenant_id = :tenantId and q.id = ${server} and ${CLIENT_REACHES_RESOURCE('qk', 'q', 'qc', at)})`

const PERSON_STANDS = (user: string, at: string): string => `exists (
  select from authsec.users n where n.tenant_id = :tenantId and n.id = ${user} and n.active and n.deleted_at is null and n.valid_from <= ${at})`

/** An authorization, its person, its session unless offline, and its client. */
const AUTHORIZATION_STANDS = (id: string): string => `exists (
  select from authsec.oauth_authorizations a left join authsec.sessions s on s.tenant_id = a.tenant_id and s.id = a.session_id
  where a.tenant_id = :tenantId and a.id = ${id} and a.revoked_at is null and ${PERSON_STANDS('a.user_id', 'a.created_at')} and ${CLIENT_STANDS('a.client_id', 'a.created_at')}
    and ${CLIENT_REACHES('a.client_id', 'dl.resource_server_id', 'a.created_at')}
    and (a.offline or coalesce(s.revoked_at is null and s.expires_at > :now and s.last_seen_at + make_interval(secs => s.idle_seconds) > :now, false)))`

const ISSUER_STANDS = `exists (select from authsec.oauth_issuers i where i.tenant_id = :tenantId and i.id = dl.issuer_id and i.active and i.valid_from <= dl.root_made_at)`

/** The step `dl`, each step before it, every client that made one, every exchanged token, and the origin of the chain. */
export const DELEGATION_LIVE = `(dl.expires_at > :now and not exists (
    select from unnest(dl.path) step(id) left join authsec.oauth_delegations x on x.tenant_id = :tenantId and x.id = step.id
    where not coalesce(x.revoked_at is null and ${CLIENT_STANDS('x.client_id', 'x.created_at')} and ${CLIENT_REACHES('x.client_id', 'dl.resource_server_id', 'x.created_at')}
      and not exists (select from authsec.revoked_tokens y where y.tenant_id = :tenantId and y.jti = x.subject_token_id), false))
  and case
    when dl.authorization_id is not null then ${AUTHORIZATION_STANDS('dl.authorization_id')}
    when dl.issuer_id is not null then ${ISSUER_STANDS} and ${PERSON_STANDS('dl.user_id', 'dl.root_made_at')}
    else ${CLIENT_STANDS('dl.root_client_id', 'dl.root_made_at')} and ${CLIENT_REACHES('dl.root_client_id', 'dl.resource_server_id', 'dl.root_made_at')} end)`
