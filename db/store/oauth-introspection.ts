// Whether a token still counts, and whose business that is, in one statement. Written by hand, prepared by the driver (hot path).
import { column, columns, optional, type RowOf, statement } from '../engine/statement.ts'
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
const COMMON = `c.active and c.deleted_at is null and d.active and c.valid_from <= :madeAt and t.status = 'active' and t.valid_from <= :madeAt
  and not exists (select from authsec.revoked_tokens rv where rv.tenant_id = :tenantId and rv.jti = :tokenId)
  and (r.id is null or ${CLIENT_REACHES_RESOURCE('c', 'r', 'rc', ':madeAt')})
  and ${AGENT_AUTHORIZED(':madeAt')}`

type Holder = { readonly alive: string; readonly scopes: string; readonly serviceAccountId: string; readonly userId: string }
const STATE_OF = ({ alive, scopes, serviceAccountId, userId }: Holder) =>
  columns({
    /** Token, client, tenant, and with a person behind it authorization, person and session: all still count. */
    alive: column<boolean>(`coalesce(${COMMON} and ${alive}, false)`),
    /** Of the audience's scopes, those that the subject of the token may still have. */
    scopes: column<readonly string[]>(scopes),
    resourceServerId: optional(column<string>('r.id')),
    serviceAccountId: optional(column<string>(serviceAccountId)),
    userId: optional(column<string>(userId)),
    /** Of an agent. */
    ownerId: optional(column<string>('ag.owner_id')),
    agentType: optional(column<string>('ag.agent_type')),
  })
export type TokenState = RowOf<ReturnType<typeof STATE_OF>>

const FROM = `
  from authsec.clients c
  join authsec.client_directory d on d.client_id = c.id and d.tenant_id = c.tenant_id
  join authsec.tenants t on t.tenant_id = c.tenant_id
  left join authsec.resource_servers r on r.tenant_id = c.tenant_id and r.resource = :audience
  left join authsec.resource_clients rc on rc.tenant_id = c.tenant_id and rc.resource_server_id = r.id and rc.client_id = c.id
  ${JOIN_AGENT}`

/** What a token hangs below decides what is read. */
const KINDS = {
  ofClient: {
    state: STATE_OF({
      alive: 's.id is not null and r.id is not null',
      scopes: SCOPES_OF_ACCOUNT('r.id', 's.id', ':now', 'c'),
      serviceAccountId: 's.id',
      userId: 'null::uuid',
    }),
    from: `${FROM}
  left join authsec.service_accounts s on s.tenant_id = c.tenant_id and s.id = c.service_account_id and s.active`,
  },
  ofPerson: {
    state: STATE_OF({
      alive: `a.revoked_at is null and a.client_id = c.id and u.active and u.deleted_at is null and u.valid_from <= a.created_at
    and (a.offline or coalesce(s.revoked_at is null and s.expires_at > :now and s.last_seen_at + make_interval(secs => s.idle_seconds) > :now, false))`,
      scopes: SCOPES_OF_USER('r.id', 'a.user_id', ':now', 'c'),
      serviceAccountId: 'null::uuid',
      userId: 'a.user_id',
    }),
    from: `${FROM}
  join authsec.oauth_authorizations a on a.tenant_id = c.tenant_id and a.id = :authorizationId
  join authsec.users u on u.tenant_id = a.tenant_id and u.id = a.user_id
  left join authsec.sessions s on s.tenant_id = a.tenant_id and s.id = a.session_id`,
  },
  ofDelegation: {
    state: STATE_OF({
      alive: `dl.client_id = c.id and r.id = dl.resource_server_id and ${DELEGATION_LIVE}`,
      scopes: `case when dl.user_id is null then ${SCOPES_OF_ACCOUNT('r.id', 's.id', ':now', 'c')} else ${SCOPES_OF_USER('r.id', 'dl.user_id', ':now', 'c')} end`,
      serviceAccountId: 's.id',
      userId: 'dl.user_id',
    }),
    from: `${FROM}
  join authsec.oauth_delegations dl on dl.tenant_id = c.tenant_id and dl.id = :delegationId
  left join authsec.clients rt on rt.tenant_id = dl.tenant_id and rt.id = dl.root_client_id
  left join authsec.service_accounts s on s.tenant_id = rt.tenant_id and s.id = rt.service_account_id and s.active`,
  },
}
type Kind = keyof typeof KINDS
const kindOf = (q: TokenQuery): Kind => (q.delegationId !== undefined ? 'ofDelegation' : q.authorizationId === undefined ? 'ofClient' : 'ofPerson')

const OF_CLIENT = 'where c.tenant_id = :tenantId and c.id = :clientId'
const finding = (kind: Kind) => {
  const { state, from } = KINDS[kind]
  return statement<TokenQuery>(`select ${state.list} ${from} ${OF_CLIENT}`).returning(state)
}
const FIND = { ofClient: finding('ofClient'), ofPerson: finding('ofPerson'), ofDelegation: finding('ofDelegation') }

/** Undefined when client or authorization are gone. */
export const findTokenState = (t: TenantDb, q: TokenQuery): Promise<TokenState | undefined> => FIND[kindOf(q)].first(t, q)

const CALLER = columns({
  resourceServerId: column<string>('q.id'),
  resource: column<string>('q.resource'),
  introspectionHash: column<Uint8Array>('q.introspection_hash'),
  active: column<boolean>('q.active'),
})
export type IntrospectionCaller = RowOf<typeof CALLER>
type QueryOfCaller = TokenQuery & { readonly resourceServerId: string }

const findingWithCaller = (kind: Kind) => {
  const both = columns({ state: KINDS[kind].state, caller: optional(CALLER) })
  return statement<QueryOfCaller>(`select ${both.list} ${KINDS[kind].from}
  left join authsec.resource_servers q on q.tenant_id = c.tenant_id and q.id = :resourceServerId ${OF_CLIENT}`).returning(both)
}
const FIND_WITH_CALLER = {
  ofClient: findingWithCaller('ofClient'),
  ofPerson: findingWithCaller('ofPerson'),
  ofDelegation: findingWithCaller('ofDelegation'),
}

/** The state of a token and, in the same statement, the resource server that introspects it. */
export const findTokenStateFor = async (
  t: TenantDb,
  q: TokenQuery,
  resourceServerId: string,
): Promise<{ readonly state: TokenState | undefined; readonly caller: IntrospectionCaller | undefined }> =>
  (await FIND_WITH_CALLER[kindOf(q)].first(t, { ...q, resourceServerId })) ?? {
    state: undefined,
    caller: await findIntrospectionCaller(t, resourceServerId),
  }

const FIND_CALLER = statement<{ resourceServerId: string }>(
  `select ${CALLER.list} from authsec.resource_servers q where q.tenant_id = :tenantId and q.id = :resourceServerId`,
).returning(CALLER)

export const findIntrospectionCaller = (t: TenantDb, resourceServerId: string): Promise<IntrospectionCaller | undefined> =>
  FIND_CALLER.first(t, { resourceServerId })
