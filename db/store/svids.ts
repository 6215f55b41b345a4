// Queries on issued SVIDs, with the state of the entry and the agent on which they depend.
import { and, asc, eq, gt, isNull, type SQL, sql } from 'drizzle-orm'
import { statement } from '../engine/statement.ts'
import { ownRows, runStatement, type TenantDb, type TenantTx } from '../engine/tenant.ts'
import { agents } from '../tables/agents.ts'
import { clients } from '../tables/clients.ts'
import { registrationEntries, svids } from '../tables/spiffe.ts'
import { users } from '../tables/users.ts'
import { AGENT_AUTHORIZED, JOIN_AGENT } from './agent-state.ts'
import { BEFORE_DEADLINE, type EventParameters, eventParameters, INSERT_AUDIT_EVENTS, type PreparedAuditEvents } from './audit-events.ts'
import { INSERT_FROM, JSON_RECORD, jsonRecord } from './json-records.ts'

export type { SvidKind } from '../tables/spiffe.ts'
export type Svid = typeof svids.$inferSelect
export type NewSvid = Omit<typeof svids.$inferInsert, 'tenantId'>

const own = (t: TenantDb, id: string): SQL | undefined => and(ownRows(t, svids), eq(svids.id, id))

/** No agent, or one that is active, with an owner who is active and was not stopped since. */
const isAgentAuthorized = (since: SQL): SQL<boolean> => sql<boolean>`(${registrationEntries.agentId} is null or coalesce(
  ${clients.active} and ${clients.deletedAt} is null and ${clients.validFrom} <= ${since}
  and (${agents.id} is null or (${agents.status} = 'active' and ${users.active} and ${users.deletedAt} is null and ${users.validFrom} <= ${since})), false))`

const joinAgent = {
  client: and(eq(clients.tenantId, registrationEntries.tenantId), eq(clients.id, registrationEntries.agentId)),
  agent: and(eq(agents.tenantId, clients.tenantId), eq(agents.id, clients.id)),
  owner: and(eq(users.tenantId, agents.tenantId), eq(users.id, agents.ownerId)),
}

export type SvidState = Svid & {
  /** Its entry still exists and was not narrowed since. */
  readonly isEntryValid: boolean
  readonly isAgentAuthorized: boolean
  readonly audiences: readonly string[] | null
  readonly agentId: string | null
}

/** An SVID and whether what it depends on is still as it was when it was issued. */
export const findSvidState = async (t: TenantDb, id: string): Promise<SvidState | undefined> => {
  const since = sql`${svids.issuedAt}`
  const [row] = await t.db
    .select({
      svid: svids,
      isEntryValid: sql<boolean>`coalesce(${registrationEntries.spiffeId} = ${svids.spiffeId} and ${registrationEntries.validFrom} <= ${svids.issuedAt}, false)`,
      isAgentAuthorized: isAgentAuthorized(since),
      audiences: registrationEntries.audiences,
      agentId: registrationEntries.agentId,
    })
    .from(svids)
    .leftJoin(registrationEntries, and(eq(registrationEntries.tenantId, svids.tenantId), eq(registrationEntries.id, svids.entryId)))
    .leftJoin(clients, joinAgent.client)
    .leftJoin(agents, joinAgent.agent)
    .leftJoin(users, joinAgent.owner)
    .where(own(t, id))
  if (row === undefined) return undefined
  const { svid, ...state } = row
  return { ...svid, ...state }
}

export type IssuedSvidRow = Omit<NewSvid, 'revokedAt' | 'reason'>
export type IssuedFor = {
  /** The entry as it was read: its id, its SPIFFE id and its last narrowing. */
  readonly spiffeId: string
  readonly entryId: string
  readonly validFrom: Date
  /** A key of the deployment signed it, not one of the trust domain. */
  readonly isOfDeployment: boolean
  readonly now: Date
}

const ISSUE = statement<EventParameters & IssuedFor & { readonly record: string; readonly kid: string }>(`
with held as (
  select e.tenant_id, e.id, e.agent_id from authsec.registration_entries e
  where e.tenant_id = :tenantId and e.id = :entryId and e.spiffe_id = :spiffeId and e.valid_from = :validFrom::timestamptz for share
), issuable as (
  select from held left join authsec.clients c on c.tenant_id = held.tenant_id and c.id = held.agent_id
  ${JOIN_AGENT}
  where (held.agent_id is null or coalesce(c.active and c.deleted_at is null and c.valid_from <= :now::timestamptz, false))
    and ${AGENT_AUTHORIZED(':now::timestamptz')}
    and (:isOfDeployment::boolean or exists (
      select from authsec.workload_keys k where k.tenant_id = :tenantId and k.kid = :kid and k.status in ('current', 'retired')))
    and ${BEFORE_DEADLINE(':until')}
), added as (
  ${INSERT_FROM(svids, `issuable, ${JSON_RECORD(svids, ':record')}`)} returning id
), recorded as (
  ${INSERT_AUDIT_EVENTS('added', ':records')}
) select id from added`)

/**
 * Writes an SVID with its events. False, and nothing is written, when its entry was narrowed or deleted since it was read, its agent may not act, its key
 * was revoked, or when it is too late for the events. The entry cannot change until the transaction ends.
 */
export const insertIssuedSvid = async (t: TenantDb, row: IssuedSvidRow, issuedFor: IssuedFor, events: PreparedAuditEvents): Promise<boolean> => {
  const record = jsonRecord(svids, { ...row, tenantId: t.tenantId })
  const parameters = { ...issuedFor, record, kid: row.kid, ...eventParameters(t, events) }
  return (await ISSUE.count(t, parameters, (s) => runStatement(t, s))) === 1
}

const revoke = async (t: TenantTx, where: SQL | undefined, at: Date, reason: string): Promise<readonly string[]> => {
  const revoked = await t.db
    .update(svids)
    .set({ revokedAt: at, reason })
    .where(and(ownRows(t, svids), where, isNull(svids.revokedAt), gt(svids.expiresAt, at)))
    .returning({ id: svids.id })
  return revoked.map(({ id }) => id)
}

/** False when it is unknown, expired or already revoked. */
export const revokeSvid = async (t: TenantTx, id: string, at: Date, reason: string): Promise<boolean> =>
  (await revoke(t, eq(svids.id, id), at, reason)).length === 1
/** Returns their number. */
export const revokeSvidsOfEntry = async (t: TenantTx, entryId: string, at: Date, reason: string): Promise<number> =>
  (await revoke(t, eq(svids.entryId, entryId), at, reason)).length
/** Returns their number. */
export const revokeSvidsOfKey = async (t: TenantTx, kid: string, at: Date, reason: string): Promise<number> =>
  (await revoke(t, eq(svids.kid, kid), at, reason)).length

/** Revoked and unexpired certificates of a certificate authority. */
export const listRevokedCertificates = (t: TenantDb, kid: string, now: Date): Promise<{ id: string; revokedAt: Date | null }[]> =>
  t.db
    .select({ id: svids.id, revokedAt: svids.revokedAt })
    .from(svids)
    .where(and(ownRows(t, svids), eq(svids.kid, kid), eq(svids.kind, 'x509'), sql`${svids.revokedAt} is not null`, gt(svids.expiresAt, now)))
    .orderBy(asc(svids.id))

export const findSvid = async (t: TenantDb, id: string): Promise<Svid | undefined> => {
  const [row] = await t.db.select().from(svids).where(own(t, id))
  return row
}
