// Shared by device grants and backchannel requests: a person decides once, a client consumes once, and every poll is handled by one statement.
import { and, eq, gt, isNull, lte, ne, or, type SQL, sql } from 'drizzle-orm'
import { ownRows, type TenantDb, type TenantTx } from '../engine/tenant.ts'
import type { cibaRequests, deviceGrants } from '../tables/grants.ts'
import { APPROVED_ONLY } from './sessions.ts'

export type { DeviceInfo, GrantStatus } from '../tables/grants.ts'

type Grants = typeof deviceGrants | typeof cibaRequests

/** RFC 8628 section 3.5; OpenID CIBA Core section 11. */
const SLOWER_BY_SECONDS = 5

const at = (moment: Date): SQL => sql`${moment.toISOString()}::timestamptz`

/** Undecided: pending, or presented as pending to the client because no device could be reached. */
const undecided = (table: Grants): SQL => sql`${table.status} in ('pending', 'failed')`

/** The update of a poll: an approved grant becomes consumed; an undecided one stores whether the poll was early and its next interval. */
export const pollUpdate = (table: Grants, now: Date) => {
  const tooSoon = sql`(${undecided(table)} and ${table.lastPolledAt} is not null
    and ${table.lastPolledAt} + make_interval(secs => ${table.intervalSeconds}) > ${at(now)})`
  return {
    status: sql`case when ${table.status} = 'approved' then 'consumed' else ${table.status} end`,
    polledTooSoon: tooSoon,
    intervalSeconds: sql`case when ${tooSoon} then ${table.intervalSeconds} + ${SLOWER_BY_SECONDS} else ${table.intervalSeconds} end`,
    lastPolledAt: now,
  }
}

/** The polling client and endpoint: a request that started at the authorization server is polled only there, with the key that started it. */
export type Poller = { readonly clientId: string | undefined; readonly forOauth: boolean; readonly jkt?: string | undefined }

const isPollersOwn = (table: Grants, { clientId, forOauth, jkt }: Poller): SQL | undefined =>
  and(
    eq(table.forOauth, forOauth),
    or(isNull(table.jkt), jkt === undefined ? undefined : eq(table.jkt, jkt)),
    or(isNull(table.clientId), clientId === undefined ? undefined : eq(table.clientId, clientId)),
  )

/** A grant that a client may poll: not consumed, not expired, and its own if a client started it. */
export const pollableGrant = (t: TenantDb, table: Grants, isIt: SQL, poller: Poller, now: Date): SQL | undefined =>
  and(ownRows(t, table), isIt, ne(table.status, 'consumed'), gt(table.expiresAt, now), isPollersOwn(table, poller))

/** A grant of that client that expired without redemption. */
export const lapsedGrant = (t: TenantDb, table: Grants, isIt: SQL, poller: Poller, now: Date): SQL | undefined =>
  and(ownRows(t, table), isIt, ne(table.status, 'consumed'), lte(table.expiresAt, now), isPollersOwn(table, poller))

/** A grant that is still open for a decision. */
export const decidableGrant = (t: TenantDb, table: Grants, id: string, now: Date): SQL | undefined =>
  and(ownRows(t, table), eq(table.id, id), eq(table.status, 'pending'), gt(table.expiresAt, now))

/** The deciding person, and the session. */
export type GrantDecision = {
  readonly status: 'approved' | 'denied'
  readonly userId: string
  readonly sessionId: string
  readonly amr: readonly string[]
  readonly authTime: Date
  readonly decidedAt: Date
}
export const decisionColumns = ({ amr, ...decision }: GrantDecision) => ({ ...decision, amr: [...amr] })

const STANDING = `
select t.status = 'active' and t.valid_from <= $4::timestamptz
  and (s.revoked_at is null or s.revoked_reason = '${APPROVED_ONLY}')
  and ($3::uuid is null or coalesce(c.active and c.deleted_at is null and c.valid_from <= $4::timestamptz, false))
from authsec.sessions s
join authsec.tenants t on t.tenant_id = s.tenant_id
left join authsec.clients c on c.tenant_id = s.tenant_id and c.id = $3::uuid
where s.tenant_id = $1 and s.id = $2
for share of s`

/**
 * Whether a decision is still valid: the tenant and the client are active, and the session in which it was made has not ended. Holds that session
 * until the transaction ends, so that the one derived from it is either refused or ended with it.
 */
export const isGrantAuthorized = async (
  t: TenantTx,
  grant: { readonly sessionId: string; readonly clientId: string | null; readonly decidedAt: Date },
): Promise<boolean> => {
  const params = [t.tenantId, grant.sessionId, grant.clientId, grant.decidedAt.toISOString()]
  const [row] = (await t.run({ text: STANDING, params, arrays: true })) as unknown[][]
  return row?.[0] === true
}

/** The permissions of each of these scopes, and also the permission with the same name, which may have been registered after the scope. */
const SCOPES = `
select s.name, array(select p.resource || ':' || p.action from authsec.permissions p where p.tenant_id = s.tenant_id
  and (p.resource || ':' || p.action = s.name
    or p.id in (select sp.permission_id from authsec.scope_permissions sp where sp.tenant_id = s.tenant_id and sp.scope_id = s.id)))
from authsec.scopes s where s.tenant_id = $1 and s.usage in ('oauth', 'both') and s.name = any ($2::text[])`

export const findRequestedScopes = async (t: TenantDb, names: readonly string[]): Promise<ReadonlyMap<string, readonly string[]>> => {
  if (names.length === 0) return new Map()
  const rows = (await t.run({ text: SCOPES, params: [t.tenantId, names], arrays: true })) as [string, string[]][]
  return new Map(rows)
}
