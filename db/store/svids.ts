// Queries on issued SVIDs, with the state of the entry and the agent on which they depend.
import { and, asc, eq, gt, isNull, type SQL, sql } from 'drizzle-orm'
import { ownRows, type TenantDb, type TenantTx } from '../engine/tenant.ts'
import { agents } from '../tables/agents.ts'
import { clients } from '../tables/clients.ts'
import { registrationEntries, svids, workloadKeys } from '../tables/spiffe.ts'
import { users } from '../tables/users.ts'

export type { SvidKind } from '../tables/spiffe.ts'
export type Svid = typeof svids.$inferSelect
export type NewSvid = Omit<typeof svids.$inferInsert, 'tenantId'>

const own = (t: TenantDb, id: string): SQL | undefined => and(ownRows(t, svids), eq(svids.id, id))

export const insertSvid = async (t: TenantTx, row: NewSvid): Promise<void> => {
  await t.db.insert(svids).values({ ...row, tenantId: t.tenantId })
}

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

export type Issuable = {
  readonly entry: typeof registrationEntries.$inferSelect
  /** The entry has no agent, or one that may act. */
  readonly isAgentAuthorized: boolean
  /** The key was not revoked meanwhile. */
  readonly isKeyValid: boolean
}

/** An entry with what issuing depends on. It cannot be changed or deleted until the transaction ends. */
export const holdIssuable = async (t: TenantTx, entryId: string, kid: string, now: Date): Promise<Issuable | undefined> => {
  const isIt = and(ownRows(t, registrationEntries), eq(registrationEntries.id, entryId))
  const [entry] = await t.db.select().from(registrationEntries).where(isIt).for('share')
  const [state] = await t.db
    .select({
      isAgentAuthorized: isAgentAuthorized(sql`${now.toISOString()}::timestamptz`),
      isKeyValid: sql<boolean>`coalesce(${workloadKeys.status} in ('current', 'retired'), false)`,
    })
    .from(registrationEntries)
    .leftJoin(clients, joinAgent.client)
    .leftJoin(agents, joinAgent.agent)
    .leftJoin(users, joinAgent.owner)
    .leftJoin(workloadKeys, and(eq(workloadKeys.tenantId, registrationEntries.tenantId), eq(workloadKeys.kid, kid)))
    .where(isIt)
  return entry === undefined || state === undefined ? undefined : { entry, ...state }
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
