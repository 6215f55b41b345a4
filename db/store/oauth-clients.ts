// A client as the authorization server needs it, in one statement: its authentication, what it may do, and the requested resource server (hot path). oauth-
// clients.test.ts compares it with the tables.
import { column, columns, moment, optional, type RowOf, statement } from '../engine/statement.ts'
import type { AnyScope, TenantDb, TenantId } from '../engine/tenant.ts'
import { AGENT_AUTHORIZED, JOIN_AGENT } from './agent-state.ts'
import { HELD_BY_USER, LIVE_BINDING } from './live-bindings.ts'

export type ClientAuthMethod = 'none' | 'client_secret_basic' | 'client_secret_post' | 'private_key_jwt'
export type ResourceScope = { readonly name: string; readonly description: string; readonly permission: string | null }
const OF_DIRECTORY = columns({ tenantId: column<TenantId>('tenant_id') })
const FIND_TENANT = statement<{ clientId: string }>(
  `select ${OF_DIRECTORY.list} from authsec.client_directory where client_id = :clientId`,
).returning(OF_DIRECTORY)

/** The tenant of a client; never another one later. */
export const findTenantOfClient = async (d: AnyScope, clientId: string): Promise<TenantId | undefined> =>
  (await FIND_TENANT.first(d, { clientId }))?.tenantId

const HOLDS = (holder: string, permission: string, now: string): string => `exists (
  select from authsec.role_bindings b
  join authsec.role_permissions rp on rp.tenant_id = b.tenant_id and rp.role_id = b.role_id
  join authsec.permissions p on p.tenant_id = rp.tenant_id and p.id = rp.permission_id
  where ${LIVE_BINDING(now)} and ${holder} and p.resource || ':' || p.action = ${permission})`

const ofServiceAccount = (account: string): string => `b.service_account_id = ${account}`

/** Scopes that were removed from the client's list are no longer granted. */
const MAY_ASK = (client: string | undefined): string =>
  client === undefined ? '' : `and (${client}.allowed_scopes is null or rs.name = any(${client}.allowed_scopes)) `

/** Names of the resource server's scopes that the service account of the aliased client may have. */
export const SCOPES_OF_ACCOUNT = (server: string, account: string, now: string, client?: string): string => `array(
  select rs.name from authsec.resource_scopes rs where rs.tenant_id = :tenantId and rs.resource_server_id = ${server}
    ${MAY_ASK(client)}and (rs.permission is null or ${HOLDS(ofServiceAccount(account), 'rs.permission', now)}) order by rs.name)`
/** The same for a person. */
export const SCOPES_OF_USER = (server: string, user: string, now: string, client?: string): string => `array(
  select rs.name from authsec.resource_scopes rs where rs.tenant_id = :tenantId and rs.resource_server_id = ${server}
    ${MAY_ASK(client)}and (rs.permission is null or ${HOLDS(HELD_BY_USER(user), 'rs.permission', now)}) order by rs.name)`

/**
 * Whether client `c` still reaches resource server `r`: registered there (as `rc`) since before that moment, or one of the company's own where the server is
 * open to all of these. A client that registered itself has a row for each server that it was admitted to, so that it can be removed there.
 */
export const CLIENT_REACHES_RESOURCE = (c: string, r: string, rc: string, since: string): string =>
  `(${r}.active and ((${r}.open_to_clients and ${c}.registered_by = 'administrator') or coalesce(${rc}.valid_from <= ${since}, false)))`

const RESOURCE = columns({
  id: column<string>('r.id'),
  name: column<string>('r.name'),
  /** RFC 8707: the resource indicator, and so the audience. */
  resource: column<string>('r.resource'),
  tokenSeconds: column<number>('r.token_seconds'),
  scopes: column<readonly ResourceScope[]>(`coalesce((
    select json_agg(json_build_object('name', rs.name, 'description', rs.description, 'permission', rs.permission) order by rs.name)
    from authsec.resource_scopes rs where rs.tenant_id = :tenantId and rs.resource_server_id = r.id), '[]')`),
  /** Those of them that the client's service account may have. */
  ofServiceAccount: column<readonly string[]>(SCOPES_OF_ACCOUNT('r.id', 's.id', ':now')),
  /** The role that a person receives on the first visit, if the access policy is on. */
  accessRoleId: optional(column<string>('r.access_role_id')),
  /** The number of resource servers that match the request. */
  candidates: column<number>('r.candidates::int'),
})
export type RequestedResource = RowOf<typeof RESOURCE>

type Jwks = { readonly keys: readonly Readonly<Record<string, unknown>>[] }
export const SELECT_CLIENT = columns({
  clientId: column<string>('c.id'),
  tenantId: column<TenantId>('c.tenant_id'),
  name: column<string>('c.name'),
  clientUri: optional(column<string>('c.client_uri')),
  /** Client, its place in the directory, its tenant, the owner of an agent, and the time that an unused registration has. */
  active: column<boolean>(`d.active and c.active and c.deleted_at is null and t.status = 'active' and ${AGENT_AUTHORIZED(':now')}
    and (c.unused_until is null or c.unused_until > :now)`),
  isPublic: column<boolean>('c.is_public'),
  secretHash: optional(column<Uint8Array>('d.secret_hash')),
  previousSecretHash: optional(column<Uint8Array>('d.previous_secret_hash')),
  previousValidUntil: optional(moment('d.previous_valid_until')),
  authMethod: optional(column<ClientAuthMethod>('c.token_endpoint_auth_method')),
  jwks: optional(column<Jwks>('coalesce(c.jwks, c.fetched_jwks)')),
  grantTypes: column<readonly string[]>('c.grant_types'),
  redirectUris: column<readonly string[]>('c.redirect_uris'),
  postLogoutRedirectUris: column<readonly string[]>('c.post_logout_redirect_uris'),
  allowedScopes: optional(column<readonly string[]>('c.allowed_scopes')),
  dpopBound: column<boolean>('c.dpop_bound'),
  requiresPar: column<boolean>('c.requires_par'),
  responseModes: column<readonly string[]>('c.response_modes'),
  /** The service account that it acts as in its own name, if that is active. */
  serviceAccountId: optional(column<string>('s.id')),
  quotas: optional(column<Readonly<Record<string, number>>>(`t.settings -> 'quotas'`)),
  /** The client id on the wire: the URL of its metadata document if the client is known by one. */
  publicId: column<string>('coalesce(c.metadata_url, c.id::text)'),
  /** Where its name and addresses come from. */
  registeredBy: column<'administrator' | 'dynamic' | 'metadata'>('c.registered_by'),
  jwksUri: optional(column<string>('c.jwks_uri')),
  /** When its keys were last requested at `jwksUri`, and when they were last read there. */
  jwksFetchedAt: optional(moment('c.jwks_fetched_at')),
  jwksReadAt: optional(moment(`coalesce(c.fetched_jwks ->> 'read_at', c.jwks_fetched_at::text)`)),
  metadataFetchedAt: optional(moment('c.metadata_fetched_at')),
  /** A registration that was not used yet. */
  isUnused: column<boolean>('c.unused_until is not null'),
  /** Where people sign in and consent for the company's clients, if it has a front end of its own. */
  loginUi: optional(column<string>(`t.settings ->> 'loginUi'`)),
  /** Of an agent: its type, and the name of the owner. */
  agent: optional(columns({ type: column<string>('ag.agent_type'), owner: column<string>(`coalesce(ow.name, '')`) })),
  /** The resource server that was named, or the only one that the client is registered at. */
  resource: optional(RESOURCE),
})
export type OauthClient = RowOf<typeof SELECT_CLIENT>

/** The tables of `SELECT_CLIENT`, for a client and a resource that are given as expressions. */
export const FROM_CLIENT = (id: string, resource: string): string => `
from authsec.clients c
join authsec.client_directory d on d.client_id = c.id and d.tenant_id = c.tenant_id
join authsec.tenants t on t.tenant_id = c.tenant_id
${JOIN_AGENT}
left join authsec.service_accounts s on s.tenant_id = c.tenant_id and s.id = c.service_account_id and s.active
left join lateral (
  select q.id, q.name, q.resource, q.token_seconds, count(*) over () as candidates,
    case when q.access_policy_enabled then q.access_policy_role_id end as access_role_id
  from authsec.resource_servers q
  left join authsec.resource_clients rc on rc.tenant_id = q.tenant_id and rc.resource_server_id = q.id and rc.client_id = c.id
  where q.tenant_id = :tenantId and q.active and (${resource} is null or q.resource = ${resource})
    and (rc.client_id is not null or (${resource} is not null and
    case c.registered_by when 'administrator' then q.open_to_clients when 'dynamic' then 'dcr' = any (q.registration_modes) else 'cimd' = any (q.registration_modes) end
    and not exists (select from authsec.resource_access_requests ar where ar.tenant_id = :tenantId and ar.resource_server_id = q.id and ar.client_id = c.id
      and ar.status = 'denied')))
  limit 1
) r on true
where c.tenant_id = :tenantId and c.id = ${id}`

export type ClientQuery = { readonly clientId: string; readonly resource: string | undefined; readonly now: Date }
const FIND = statement<ClientQuery>(`select ${SELECT_CLIENT.list} ${FROM_CLIENT(':clientId', ':resource::text')}`).returning(SELECT_CLIENT)

/** The client, and the resource server with that identifier or the one that the client is registered at. */
export const findOauthClient = (t: TenantDb, clientId: string, resource: string | undefined, now: Date): Promise<OauthClient | undefined> =>
  FIND.first(t, { clientId, resource, now })
