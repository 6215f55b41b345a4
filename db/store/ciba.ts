// Queries on backchannel requests (OpenID CIBA).
import { and, desc, eq, gt, inArray, or, sql } from 'drizzle-orm'
import { ownRows, type TenantDb, type TenantTx } from '../engine/tenant.ts'
import { cibaRequests } from '../tables/grants.ts'
import { decidableGrant, decisionColumns, type GrantDecision, lapsedGrant, type Poller, pollableGrant, pollUpdate } from './polled-grants.ts'

export type CibaRequest = typeof cibaRequests.$inferSelect
export type NewCibaRequest = Omit<typeof cibaRequests.$inferInsert, 'tenantId'>

/** Serialises requests to one address until the transaction ends. */
export const lockHint = async (t: TenantTx, hintHash: Uint8Array): Promise<void> => {
  await t.db.execute(sql`select pg_advisory_xact_lock(hashtextextended(${`${t.tenantId} ciba ${Buffer.from(hintHash).toString('hex')}`}, 0))`)
}

/** The number of pending requests to an address, and of those started since the given time. */
export const countCibaRequests = async (t: TenantDb, hintHash: Uint8Array, since: Date, now: Date): Promise<{ waiting: number; recent: number }> => {
  const isWaiting = and(inArray(cibaRequests.status, ['pending', 'failed']), gt(cibaRequests.expiresAt, now))
  const [row] = await t.db
    .select({
      waiting: sql<number>`(count(*) filter (where ${isWaiting}))::int`,
      recent: sql<number>`(count(*) filter (where ${gt(cibaRequests.createdAt, since)}))::int`,
    })
    .from(cibaRequests)
    .where(and(ownRows(t, cibaRequests), eq(cibaRequests.hintHash, hintHash), or(gt(cibaRequests.createdAt, since), gt(cibaRequests.expiresAt, now))))
  return row ?? { waiting: 0, recent: 0 }
}

export const insertCibaRequest = async (t: TenantTx, row: NewCibaRequest): Promise<void> => {
  await t.db.insert(cibaRequests).values({ ...row, tenantId: t.tenantId })
}

/** Handles a poll in one statement. Of several concurrent polls exactly one gets the row as `consumed`; undefined when there is nothing to poll. */
export const pollCibaRequest = async (t: TenantTx, handleHash: Uint8Array, poller: Poller, now: Date): Promise<CibaRequest | undefined> => {
  const [row] = await t.db
    .update(cibaRequests)
    .set(pollUpdate(cibaRequests, now))
    .where(pollableGrant(t, cibaRequests, eq(cibaRequests.handleHash, handleHash), poller, now))
    .returning()
  return row
}

export const isLapsedCibaRequest = async (t: TenantDb, handleHash: Uint8Array, poller: Poller, now: Date): Promise<boolean> => {
  const rows = await t.db
    .select({ id: cibaRequests.id })
    .from(cibaRequests)
    .where(lapsedGrant(t, cibaRequests, eq(cibaRequests.handleHash, handleHash), poller, now))
  return rows.length === 1
}

const waitsFor = (t: TenantDb, userId: string, now: Date) =>
  and(ownRows(t, cibaRequests), eq(cibaRequests.requestedFor, userId), eq(cibaRequests.status, 'pending'), gt(cibaRequests.expiresAt, now))

/** The person's pending requests, newest first. */
export const findCibaRequestsFor = (t: TenantDb, userId: string, now: Date): Promise<CibaRequest[]> =>
  t.db
    .select()
    .from(cibaRequests)
    .where(waitsFor(t, userId, now))
    .orderBy(desc(cibaRequests.createdAt))
    .limit(20)

/** One of these by its id or handle. */
export const findCibaRequestFor = async (
  t: TenantDb,
  userId: string,
  by: { readonly id: string } | { readonly handleHash: Uint8Array },
  now: Date,
): Promise<CibaRequest | undefined> => {
  const isIt = 'id' in by ? eq(cibaRequests.id, by.id) : eq(cibaRequests.handleHash, by.handleHash)
  const [row] = await t.db
    .select()
    .from(cibaRequests)
    .where(and(waitsFor(t, userId, now), isIt))
  return row
}

/** A request to that person in any state. */
export const findOwnCibaRequest = async (t: TenantDb, userId: string, id: string): Promise<CibaRequest | undefined> => {
  const [row] = await t.db
    .select()
    .from(cibaRequests)
    .where(and(ownRows(t, cibaRequests), eq(cibaRequests.requestedFor, userId), eq(cibaRequests.id, id)))
  return row
}

/** Of several concurrent decisions exactly one takes effect. */
export const decideCibaRequest = async (
  t: TenantTx,
  id: string,
  decision: GrantDecision & { readonly deviceId: string | null; readonly biometricVerified: boolean },
): Promise<boolean> => {
  const { deviceId, biometricVerified, ...rest } = decision
  const rows = await t.db
    .update(cibaRequests)
    .set({ ...decisionColumns(rest), deviceId, biometricVerified })
    .where(decidableGrant(t, cibaRequests, id, decision.decidedAt))
    .returning({ id: cibaRequests.id })
  return rows.length === 1
}

/** Marks a request that reached no device. False when it has been answered meanwhile. */
export const failCibaRequest = async (t: TenantTx, id: string): Promise<boolean> => {
  const rows = await t.db
    .update(cibaRequests)
    .set({ status: 'failed' })
    .where(and(ownRows(t, cibaRequests), eq(cibaRequests.id, id), eq(cibaRequests.status, 'pending')))
    .returning({ id: cibaRequests.id })
  return rows.length === 1
}

/** Denies a consumed request of a person who may no longer have the tokens. */
export const refuseCibaRequest = async (t: TenantTx, id: string): Promise<void> => {
  await t.db
    .update(cibaRequests)
    .set({ status: 'denied' })
    .where(and(ownRows(t, cibaRequests), eq(cibaRequests.id, id)))
}
