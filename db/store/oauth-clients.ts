// What the authorization server asks of a client, in one statement: how it proves itself, what it may do, and the resource server it asks for. Written by
// hand, prepared by the driver (hot path); oauth-clients.test.ts holds it to the tables.
import { type AnyScope, asTenantId, type TenantDb, type TenantId } from '../engine/tenant.ts'
import { AGENT_AUTHORIZED, JOIN_AGENT } from './agent-state.ts'

export type ClientAuthMethod = 'none' | 'client_secret_basic' | 'client_secret_post' | 'private_key_jwt'
export type ResourceScope = { readonly name: string; readonly description: string; readonly permission: string | null }
export type RequestedResource = {
  readonly id: string
  readonly name: string
  /** RFC 8707: the resource indicator, and so the audience. */
  readonly resource: string
  readonly tokenSeconds: number
  readonly scopes: readonly ResourceScope[]
  /** Of these, what the client's service account may have. */
  readonly ofServiceAccount: readonly string[]
  /** What whoever comes to it first is given, where its access policy is on. */
  readonly accessRoleId: string | undefined
  /** How many the client could have meant. */
  readonly candidates: number
}
export type OauthClient = {
  readonly tenantId: TenantId
  readonly clientId: string
  readonly name: string
  readonly clientUri: string | undefined
  /** Client, its place in the directory and its tenant. */
  readonly active: boolean
  readonly isPublic: boolean
  readonly secretHash: Uint8Array | undefined
  readonly previousSecretHash: Uint8Array | undefined
  readonly previousValidUntil: Date | undefined
  readonly authMethod: ClientAuthMethod | undefined
  readonly jwks: { readonly keys: readonly Readonly<Record<string, unknown>>[] } | undefined
  readonly grantTypes: readonly string[]
  readonly redirectUris: readonly string[]
  readonly postLogoutRedirectUris: readonly string[]
  readonly allowedScopes: readonly string[] | undefined
  readonly dpopBound: boolean
  readonly requiresPar: boolean
  /** As whom it acts in its own name, if that is active. */
  readonly serviceAccountId: string | undefined
  readonly quotas: Readonly<Record<string, number>> | undefined
  /** Its client id on the wire: the address of its metadata, where that is what it is known by. */
  readonly publicId: string
  /** Whose word its name and addresses are. */
  readonly registeredBy: 'administrator' | 'dynamic' | 'metadata'
  readonly jwksUri: string | undefined
  /** When its keys were last asked for at its address, and when they were last read there. */
  readonly jwksFetchedAt: Date | undefined
  readonly jwksReadAt: Date | undefined
  readonly metadataFetchedAt: Date | undefined
  /** A registration that nobody has used yet. */
  readonly isUnused: boolean
  /** Where people sign in and consent for the company's clients, if it has a place of its own for that. */
  readonly loginUi: string | undefined
  /** Where the client is an agent: of which type, and who answers for it. */
  readonly agent: { readonly type: string; readonly owner: string } | undefined
  /** The resource server that was named, or the only one that the client is registered at. */
  readonly resource: RequestedResource | undefined
}

/** The tenant of a client; never another one later. */
export const findTenantOfClient = async (d: AnyScope, clientId: string): Promise<TenantId | undefined> => {
  const text = 'select tenant_id from authsec.client_directory where client_id = $1'
  const [row] = (await d.run({ text, params: [clientId], arrays: true })) as string[][]
  return row?.[0] === undefined ? undefined : asTenantId(row[0])
}

/** Bindings that count everywhere and always: tenant-wide, unexpired, without condition. */
const HOLDS = (holder: string, permission: string, now: string): string => `exists (
  select from authsec.role_bindings b
  join authsec.role_permissions rp on rp.tenant_id = b.tenant_id and rp.role_id = b.role_id
  join authsec.permissions p on p.tenant_id = rp.tenant_id and p.id = rp.permission_id
  where b.tenant_id = $1 and ${holder} and b.scope_id is null and (b.expires_at is null or b.expires_at > ${now})
    and coalesce(b.conditions, '{}'::jsonb) = '{}'::jsonb and p.resource || ':' || p.action = ${permission})`

const ofServiceAccount = (account: string): string => `b.service_account_id = ${account}`
const ofUser = (user: string): string =>
  `(b.user_id = ${user} or b.group_id in (select g.group_id from authsec.user_groups g where g.tenant_id = $1 and g.user_id = ${user}))`

/** A client whose list became shorter keeps nothing that it could not ask for any more. */
const MAY_ASK = (client: string | undefined): string =>
  client === undefined ? '' : `and (${client}.allowed_scopes is null or rs.name = any(${client}.allowed_scopes)) `

/** Names of a resource server's scopes that a service account may have, by the client of that alias. */
export const SCOPES_OF_ACCOUNT = (server: string, account: string, now: string, client?: string): string => `array(
  select rs.name from authsec.resource_scopes rs where rs.tenant_id = $1 and rs.resource_server_id = ${server}
    ${MAY_ASK(client)}and (rs.permission is null or ${HOLDS(ofServiceAccount(account), 'rs.permission', now)}) order by rs.name)`
/** The same for a person. */
export const SCOPES_OF_USER = (server: string, user: string, now: string, client?: string): string => `array(
  select rs.name from authsec.resource_scopes rs where rs.tenant_id = $1 and rs.resource_server_id = ${server}
    ${MAY_ASK(client)}and (rs.permission is null or ${HOLDS(ofUser(user), 'rs.permission', now)}) order by rs.name)`

/**
 * Whether client `c` still reaches server `r`: registered there (as `rc`) since before that moment, or one of the company's own where all of these may come. One
 * that registered itself is registered at whatever it was let in to, so that it can be sent away from there.
 */
export const CLIENT_REACHES_RESOURCE = (c: string, r: string, rc: string, since: string): string =>
  `(${r}.active and ((${r}.open_to_clients and ${c}.registered_by = 'administrator') or coalesce(${rc}.valid_from <= ${since}, false)))`

/** The statement, for a client and a resource that stand there. `more`: what is asked beside it, of client `c` and the resource server `r`. */
export const SELECT_CLIENT = (of: { readonly id: string; readonly resource: string; readonly now: string }, more = ''): string => `
select c.name, c.client_uri, d.active and c.active and c.deleted_at is null and t.status = 'active' and ${AGENT_AUTHORIZED(of.now)}, c.is_public,
  d.secret_hash, d.previous_secret_hash, d.previous_valid_until, c.token_endpoint_auth_method, c.jwks, c.grant_types, c.redirect_uris,
  c.post_logout_redirect_uris, c.allowed_scopes, c.dpop_bound, c.requires_par, s.id, t.settings -> 'quotas',
  r.id, r.name, r.resource, r.token_seconds, r.candidates::int, ${SCOPES_OF_ACCOUNT('r.id', 's.id', of.now)},
  (select json_agg(json_build_object('name', rs.name, 'description', rs.description, 'permission', rs.permission) order by rs.name)
    from authsec.resource_scopes rs where rs.tenant_id = $1 and rs.resource_server_id = r.id),
  coalesce(c.metadata_url, c.id::text), c.registered_by, c.jwks_uri, c.fetched_jwks, c.jwks_fetched_at, c.metadata_fetched_at, c.unused_until is not null,
  c.unused_until is null or c.unused_until > ${of.now}, r.access_role_id, ag.agent_type, ow.name, t.settings ->> 'loginUi', c.id${more}
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
  where q.tenant_id = $1 and q.active and (${of.resource} is null or q.resource = ${of.resource}) and (rc.client_id is not null or (${of.resource} is not null and
    case c.registered_by when 'administrator' then q.open_to_clients when 'dynamic' then 'dcr' = any (q.registration_modes) else 'cimd' = any (q.registration_modes) end
    and not exists (select from authsec.resource_access_requests ar where ar.tenant_id = $1 and ar.resource_server_id = q.id and ar.client_id = c.id
      and ar.status = 'denied')))
  limit 1
) r on true
where c.tenant_id = $1 and c.id = ${of.id}`
/** How many cells of a row are the client's. */
export const CLIENT_CELLS = 37

type Row = readonly unknown[]

const resourceOf = (row: Row): RequestedResource | undefined =>
  row[17] === null
    ? undefined
    : {
        id: row[17] as string,
        name: row[18] as string,
        resource: row[19] as string,
        tokenSeconds: row[20] as number,
        candidates: row[21] as number,
        ofServiceAccount: row[22] as string[],
        scopes: (row[23] as ResourceScope[] | null) ?? [],
        accessRoleId: (row[32] as string | null) ?? undefined,
      }

const readAtOf = (fetched: unknown, fetchedAt: unknown): Date | undefined => {
  const at = (fetched as { readonly read_at?: string } | null)?.read_at ?? fetchedAt
  return typeof at === 'string' ? new Date(at) : undefined
}

/** Undefined where there is none. */
export const clientOf = (t: TenantDb, row: Row | undefined): OauthClient | undefined => {
  if (row === undefined || row[36] === null) return undefined
  return {
    tenantId: t.tenantId,
    clientId: row[36] as string,
    name: row[0] as string,
    clientUri: (row[1] as string | null) ?? undefined,
    active: (row[2] as boolean) && (row[31] as boolean),
    isPublic: row[3] as boolean,
    secretHash: (row[4] as Uint8Array | null) ?? undefined,
    previousSecretHash: (row[5] as Uint8Array | null) ?? undefined,
    previousValidUntil: row[6] === null ? undefined : new Date(row[6] as string),
    authMethod: (row[7] as ClientAuthMethod | null) ?? undefined,
    jwks: (row[8] as OauthClient['jwks'] | null) ?? (row[27] as OauthClient['jwks'] | null) ?? undefined,
    grantTypes: row[9] as string[],
    redirectUris: row[10] as string[],
    postLogoutRedirectUris: row[11] as string[],
    allowedScopes: (row[12] as string[] | null) ?? undefined,
    dpopBound: row[13] as boolean,
    requiresPar: row[14] as boolean,
    serviceAccountId: (row[15] as string | null) ?? undefined,
    quotas: (row[16] as OauthClient['quotas'] | null) ?? undefined,
    agent: row[33] === null ? undefined : { type: row[33] as string, owner: (row[34] as string | null) ?? '' },
    resource: resourceOf(row),
    publicId: row[24] as string,
    registeredBy: row[25] as OauthClient['registeredBy'],
    jwksUri: (row[26] as string | null) ?? undefined,
    jwksFetchedAt: row[28] === null ? undefined : new Date(row[28] as string),
    jwksReadAt: readAtOf(row[27], row[28]),
    metadataFetchedAt: row[29] === null ? undefined : new Date(row[29] as string),
    isUnused: row[30] as boolean,
    loginUi: (row[35] as string | null) ?? undefined,
  }
}

const TEXT = SELECT_CLIENT({ id: '$2', resource: '$3::text', now: '$4' })

/** The client, and the resource server it asks for by its identifier, or the one it is registered at. */
export const findOauthClient = async (t: TenantDb, clientId: string, resource: string | undefined, now: Date): Promise<OauthClient | undefined> => {
  const params = [t.tenantId, clientId, resource ?? null, now.toISOString()]
  const [row] = (await t.run({ text: TEXT, params, arrays: true })) as Row[]
  return clientOf(t, row)
}
