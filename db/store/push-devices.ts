// Queries on registered phones and browsers.
import { and, count, desc, eq, inArray, ne } from 'drizzle-orm'
import { ownRows, type TenantDb, type TenantTx } from '../engine/tenant.ts'
import { pushDevices } from '../tables/grants.ts'

export type PushDevice = typeof pushDevices.$inferSelect
export type NewPushDevice = Omit<typeof pushDevices.$inferInsert, 'tenantId'>
export type PushPlatform = PushDevice['platform']

const ofUser = (t: TenantDb, userId: string) => and(ownRows(t, pushDevices), eq(pushDevices.userId, userId))
/** Ends a device: its token is removed, and the row stays as a record. */
const OVER = { isActive: false, tokenHash: null, sealedToken: null } as const

/** The person's devices, newest first. */
export const findPushDevices = (t: TenantDb, userId: string, activeOnly = false): Promise<PushDevice[]> =>
  t.db
    .select()
    .from(pushDevices)
    .where(and(ofUser(t, userId), activeOnly ? eq(pushDevices.isActive, true) : undefined))
    .orderBy(desc(pushDevices.createdAt), desc(pushDevices.id))
    .limit(100)

export const findPushDeviceByToken = async (t: TenantTx, tokenHash: Uint8Array): Promise<PushDevice | undefined> => {
  const [row] = await t.db
    .select()
    .from(pushDevices)
    .where(and(ownRows(t, pushDevices), eq(pushDevices.tokenHash, tokenHash)))
    .for('update')
  return row
}

/** The active device that a session of the person answers for. */
export const findPushDeviceOfSession = async (t: TenantDb, userId: string, sessionId: string): Promise<PushDevice | undefined> => {
  const [row] = await t.db
    .select()
    .from(pushDevices)
    .where(and(ofUser(t, userId), eq(pushDevices.sessionId, sessionId), eq(pushDevices.isActive, true)))
    .orderBy(desc(pushDevices.createdAt))
    .limit(1)
  return row
}

export const countPushDevices = async (t: TenantDb, userId: string, exceptId: string): Promise<number> => {
  const [row] = await t.db
    .select({ devices: count() })
    .from(pushDevices)
    .where(and(ofUser(t, userId), eq(pushDevices.isActive, true), ne(pushDevices.id, exceptId)))
  return row?.devices ?? 0
}

/** Adds or updates the device. */
export const putPushDevice = async (t: TenantTx, row: NewPushDevice): Promise<void> => {
  const { id: _, createdAt: __, ...set } = row
  await t.db
    .insert(pushDevices)
    .values({ ...row, tenantId: t.tenantId })
    .onConflictDoUpdate({ target: [pushDevices.tenantId, pushDevices.id], set })
}

/** Ends devices of any person: their token is dead or belongs to another person. */
export const endPushDevices = async (t: TenantTx, ids: readonly string[]): Promise<void> => {
  if (ids.length === 0) return
  await t.db
    .update(pushDevices)
    .set(OVER)
    .where(and(ownRows(t, pushDevices), inArray(pushDevices.id, [...ids])))
}

/** False when the person has no such active device. */
export const removePushDevice = async (t: TenantTx, userId: string, id: string): Promise<boolean> => {
  const rows = await t.db
    .update(pushDevices)
    .set(OVER)
    .where(and(ofUser(t, userId), eq(pushDevices.id, id), eq(pushDevices.isActive, true)))
    .returning({ id: pushDevices.id })
  return rows.length === 1
}

export const touchPushDevices = async (t: TenantTx, ids: readonly string[], at: Date): Promise<void> => {
  if (ids.length === 0) return
  await t.db
    .update(pushDevices)
    .set({ lastUsedAt: at })
    .where(and(ownRows(t, pushDevices), inArray(pushDevices.id, [...ids])))
}
