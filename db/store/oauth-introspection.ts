// Whether a token still counts, and whose business that is, in one statement. Written by hand, prepared by the driver (hot path).
import type { TenantDb } from '../engine/tenant.ts'
import { AGENT_AUTHORIZED, JOIN_AGENT } from './agent-state.ts'
import { DELEGATION_LIVE } from './delegation-state.ts'
import { CLIENT_REACHES_RESOURCE, SCOPES_OF_ACCOUNT, SCOPES_OF_USER } from './oauth-clients.ts'

export type TokenQuery = {
  readonly tokenId: string
  readonly clientId: string
  /** What the token hangs below; none where a client acts in its own name. */
  readonly authorizationId: string | undefined
  /** The step by which it was made from another token, or from an assertion. */
  readonly delegationId: string | undefined
  readonly audience: string
  readonly madeAt: Date
  readonly now: Date
}
export type TokenState = {
  /** Token, client, tenant, and with a person behind it authorization, person and session: all still count. */
  readonly alive: boolean
  /** Of the audience's scopes, what whoever is behind the token may still have. */
  readonly scopes: readonly string[]
  readonly resourceServerId: string | undefined
  readonly serviceAccountId: string | undefined
  readonly userId: string | undefined
  /** Whoever answers for the client, where that is an agent. */
  readonly ownerId: string | undefined
  readonly agentType: string | undefined
}

const COMMON = `c.active and c.deleted_at is null and d.active and c.valid_from <= $6 and t.status = 'active' and t.valid_from <= $6
  and not exists (select from authsec.revoked_tokens rv where rv.tenant_id = $1 and rv.jti = $4)
  and (r.id is null or ${CLIENT_REACHES_RESOURCE('c', 'r', 'rc', '$6')})
  and ${AGENT_AUTHORIZED('$6')}`

const FROM = `
  from authsec.clients c
  join authsec.client_directory d on d.client_id = c.id and d.tenant_id = c.tenant_id
  join authsec.tenants t on t.tenant_id = c.tenant_id
  left join authsec.resource_servers r on r.tenant_id = c.tenant_id and r.resource = $5
  left join authsec.resource_clients rc on rc.tenant_id = c.tenant_id and rc.resource_server_id = r.id and rc.client_id = c.id
  ${JOIN_AGENT}`

const ofClient = (more: string): string => `
select coalesce(${COMMON} and s.id is not null and r.id is not null, false), ${SCOPES_OF_ACCOUNT('r.id', 's.id', '$3', 'c')}, r.id, s.id, null, ag.owner_id, ag.agent_type${more}
${FROM}
left join authsec.service_accounts s on s.tenant_id = c.tenant_id and s.id = c.service_account_id and s.active
where c.tenant_id = $1 and c.id = $2`

const ofPerson = (more: string): string => `
select coalesce(${COMMON} and a.revoked_at is null and a.client_id = c.id and u.active and u.deleted_at is null and u.valid_from <= a.created_at
    and (a.offline or coalesce(s.revoked_at is null and s.expires_at > $3 and s.last_seen_at + make_interval(secs => s.idle_seconds) > $3, false)), false),
  ${SCOPES_OF_USER('r.id', 'a.user_id', '$3', 'c')}, r.id, null, a.user_id, ag.owner_id, ag.agent_type${more}
${FROM}
join authsec.oauth_authorizations a on a.tenant_id = c.tenant_id and a.id = $7
join authsec.users u on u.tenant_id = a.tenant_id and u.id = a.user_id
left join authsec.sessions s on s.tenant_id = a.tenant_id and s.id = a.session_id
where c.tenant_id = $1 and c.id = $2`

const ofDelegation = (more: string): string => `
select coalesce(${COMMON} and dl.client_id = c.id and r.id = dl.resource_server_id and ${DELEGATION_LIVE}, false),
  case when dl.user_id is null then ${SCOPES_OF_ACCOUNT('r.id', 's.id', '$3', 'c')} else ${SCOPES_OF_USER('r.id', 'dl.user_id', '$3', 'c')} end,
  r.id, s.id, dl.user_id, ag.owner_id, ag.agent_type${more}
${FROM}
join authsec.oauth_delegations dl on dl.tenant_id = c.tenant_id and dl.id = $7
left join authsec.clients rt on rt.tenant_id = dl.tenant_id and rt.id = dl.root_client_id
left join authsec.service_accounts s on s.tenant_id = rt.tenant_id and s.id = rt.service_account_id and s.active
where c.tenant_id = $1 and c.id = $2`

const STATE = { ofClient: ofClient(''), ofPerson: ofPerson(''), ofDelegation: ofDelegation('') }

/** What a token hangs below decides what is asked. */
const kindOf = (q: TokenQuery): keyof typeof STATE =>
  q.delegationId !== undefined ? 'ofDelegation' : q.authorizationId === undefined ? 'ofClient' : 'ofPerson'

type Row = readonly unknown[]
const stateOf = (row: Row): TokenState => ({
  alive: row[0] as boolean,
  scopes: row[1] as string[],
  resourceServerId: (row[2] as string | null) ?? undefined,
  serviceAccountId: (row[3] as string | null) ?? undefined,
  userId: (row[4] as string | null) ?? undefined,
  ownerId: (row[5] as string | null) ?? undefined,
  agentType: (row[6] as string | null) ?? undefined,
})

const asked = (t: TenantDb, q: TokenQuery): unknown[] => [
  t.tenantId,
  q.clientId,
  q.now.toISOString(),
  q.tokenId,
  q.audience,
  q.madeAt.toISOString(),
  ...[q.delegationId ?? q.authorizationId].filter((id) => id !== undefined),
]

/** Undefined when client or authorization are gone. */
export const findTokenState = async (t: TenantDb, q: TokenQuery): Promise<TokenState | undefined> => {
  const [row] = (await t.run({ text: STATE[kindOf(q)], params: asked(t, q), arrays: true })) as Row[]
  return row === undefined ? undefined : stateOf(row)
}

export type IntrospectionCaller = {
  readonly resourceServerId: string
  readonly resource: string
  readonly introspectionHash: Uint8Array
  readonly active: boolean
}

const asker = (place: string): string => `,
  (select json_build_array(q.resource, encode(q.introspection_hash, 'base64'), q.active) from authsec.resource_servers q where q.tenant_id = $1 and q.id = ${place}::uuid)`
const STATE_FOR = { ofClient: ofClient(asker('$7')), ofPerson: ofPerson(asker('$8')), ofDelegation: ofDelegation(asker('$8')) }

/** The state of a token and, in the same statement, the resource server that asks. */
export const findTokenStateFor = async (
  t: TenantDb,
  q: TokenQuery,
  resourceServerId: string,
): Promise<{ readonly state: TokenState | undefined; readonly asker: IntrospectionCaller | undefined }> => {
  const [row] = (await t.run({ text: STATE_FOR[kindOf(q)], params: [...asked(t, q), resourceServerId], arrays: true })) as Row[]
  if (row === undefined) return { state: undefined, asker: await findIntrospectionCaller(t, resourceServerId) }
  return { state: stateOf(row), asker: askerOf(resourceServerId, row[7]) }
}

const askerOf = (resourceServerId: string, value: unknown): IntrospectionCaller | undefined => {
  if (value === null) return undefined
  const [resource, hash, active] = value as [string, string, boolean]
  return { resourceServerId, resource, introspectionHash: new Uint8Array(Buffer.from(hash, 'base64')), active }
}

export const findIntrospectionCaller = async (t: TenantDb, resourceServerId: string): Promise<IntrospectionCaller | undefined> => {
  const text = `select resource, introspection_hash, active from authsec.resource_servers where tenant_id = $1 and id = $2`
  const [row] = (await t.run({ text, params: [t.tenantId, resourceServerId], arrays: true })) as Row[]
  return row === undefined
    ? undefined
    : { resourceServerId, resource: row[0] as string, introspectionHash: new Uint8Array(row[1] as Uint8Array), active: row[2] as boolean }
}
