// Queries on device grants, and on the directory of their codes.
import { and, count, desc, eq, gt } from 'drizzle-orm'
import { type AnyScope, asTenantId, inOtherTenant, ownRows, type TenantDb, type TenantId, type TenantTx } from '../engine/tenant.ts'
import { deviceCodeDirectory, deviceGrants } from '../tables/grants.ts'
import { decidableGrant, decisionColumns, type GrantDecision, lapsedGrant, type Poller, pollableGrant, pollUpdate } from './polled-grants.ts'

export type DeviceGrant = typeof deviceGrants.$inferSelect
export type NewDeviceGrant = Omit<typeof deviceGrants.$inferInsert, 'tenantId'>
export type CodeHashes = { readonly deviceCodeHash: Uint8Array; readonly userCodeHash: Uint8Array }
export type CodeEntry = { readonly tenantId: TenantId; readonly grantId: string }

/** False, without a write, when a live code or one of the last day is the same. */
export const insertDeviceGrant = async (t: TenantTx, row: NewDeviceGrant, codes: CodeHashes): Promise<boolean> => {
  const added = await t.db
    .insert(deviceCodeDirectory)
    .values({ ...codes, tenantId: t.tenantId, grantId: row.id, expiresAt: row.expiresAt })
    .onConflictDoNothing()
    .returning({ grantId: deviceCodeDirectory.grantId })
  if (added.length === 0) return false
  await t.db.insert(deviceGrants).values({ ...row, tenantId: t.tenantId })
  return true
}

type By = { readonly deviceCodeHash: Uint8Array } | { readonly userCodeHash: Uint8Array }
/** The tenant of a live code; without a time, also of one of the last day. */
export const findCodeEntry = async (d: AnyScope, by: By, now: Date | undefined): Promise<CodeEntry | undefined> => {
  const isIt =
    'deviceCodeHash' in by ? eq(deviceCodeDirectory.deviceCodeHash, by.deviceCodeHash) : eq(deviceCodeDirectory.userCodeHash, by.userCodeHash)
  const [row] = await d.db
    .select({ tenantId: deviceCodeDirectory.tenantId, grantId: deviceCodeDirectory.grantId })
    .from(deviceCodeDirectory)
    .where(and(isIt, now === undefined ? undefined : gt(deviceCodeDirectory.expiresAt, now)))
  return row === undefined ? undefined : { ...row, tenantId: asTenantId(row.tenantId) }
}

const own = (t: TenantDb, id: string) => and(ownRows(t, deviceGrants), eq(deviceGrants.id, id))

export const findDeviceGrant = async (t: TenantDb, id: string): Promise<DeviceGrant | undefined> => {
  const [row] = await t.db.select().from(deviceGrants).where(own(t, id))
  return row
}

/** Handles a poll in one statement. Of several concurrent polls exactly one gets the row as `consumed`; undefined when there is nothing to poll. */
export const pollDeviceGrant = async (t: TenantTx, id: string, poller: Poller, now: Date): Promise<DeviceGrant | undefined> => {
  const [row] = await t.db
    .update(deviceGrants)
    .set(pollUpdate(deviceGrants, now))
    .where(pollableGrant(t, deviceGrants, eq(deviceGrants.id, id), poller, now))
    .returning()
  return row
}

export const isLapsedDeviceGrant = async (t: TenantDb, id: string, poller: Poller, now: Date): Promise<boolean> => {
  const rows = await t.db
    .select({ id: deviceGrants.id })
    .from(deviceGrants)
    .where(lapsedGrant(t, deviceGrants, eq(deviceGrants.id, id), poller, now))
  return rows.length === 1
}

/** Of several concurrent decisions exactly one takes effect. */
export const decideDeviceGrant = async (t: TenantTx, id: string, decision: GrantDecision): Promise<DeviceGrant | undefined> => {
  const [row] = await t.db
    .update(deviceGrants)
    .set(decisionColumns(decision))
    .where(decidableGrant(t, deviceGrants, id, decision.decidedAt))
    .returning()
  return row
}

/**
 * Moves a grant without a client from the system tenant to the tenant of the person who decides it. Undefined when another person was faster, or it
 * has expired.
 */
export const adoptDeviceGrant = async (
  system: TenantTx,
  id: string,
  tenantId: TenantId,
  decision: GrantDecision,
): Promise<DeviceGrant | undefined> => {
  const [row] = await system.db
    .delete(deviceGrants)
    .where(decidableGrant(system, deviceGrants, id, decision.decidedAt))
    .returning()
  if (row === undefined) return undefined
  await system.db.update(deviceCodeDirectory).set({ tenantId }).where(eq(deviceCodeDirectory.grantId, id))
  const adopted = { ...row, ...decisionColumns(decision), tenantId }
  await inOtherTenant(system, tenantId, async (t) => t.db.insert(deviceGrants).values(adopted))
  return adopted
}

/** Denies a consumed grant of a person who may no longer have the tokens. */
export const refuseDeviceGrant = async (t: TenantTx, id: string): Promise<void> => {
  await t.db.update(deviceGrants).set({ status: 'denied' }).where(own(t, id))
}

const waitingFor = (t: TenantDb, userId: string, now: Date) =>
  and(ownRows(t, deviceGrants), eq(deviceGrants.requestedFor, userId), eq(deviceGrants.status, 'pending'), gt(deviceGrants.expiresAt, now))

/** Pending requests that name the person, newest first. */
export const findWaitingFor = (t: TenantDb, userId: string, clientId: string | undefined, now: Date): Promise<DeviceGrant[]> =>
  t.db
    .select()
    .from(deviceGrants)
    .where(and(waitingFor(t, userId, now), clientId === undefined ? undefined : eq(deviceGrants.clientId, clientId)))
    .orderBy(desc(deviceGrants.createdAt))
    .limit(20)

export const countWaitingFor = async (t: TenantDb, userId: string, now: Date): Promise<number> => {
  const [row] = await t.db
    .select({ waiting: count() })
    .from(deviceGrants)
    .where(waitingFor(t, userId, now))
  return row?.waiting ?? 0
}
