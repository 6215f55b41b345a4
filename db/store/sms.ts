// Queries on phones and on codes sent to them.
import { and, desc, eq, gt, gte, inArray, isNull, lt, or, sql } from 'drizzle-orm'
import { ownRows, type TenantDb, type TenantTx } from '../engine/tenant.ts'
import { smsCodes, smsPhones } from '../tables/factors.ts'

export type SmsPhone = typeof smsPhones.$inferSelect
export type SmsCode = typeof smsCodes.$inferSelect

export const insertPhone = async (t: TenantTx, row: Omit<typeof smsPhones.$inferInsert, 'tenantId'>): Promise<void> => {
  await t.db.insert(smsPhones).values({ ...row, tenantId: t.tenantId })
}

/** Phones of these factors. */
export const findPhones = async (t: TenantDb, factorIds: readonly string[]): Promise<SmsPhone[]> =>
  factorIds.length === 0
    ? []
    : t.db
        .select()
        .from(smsPhones)
        .where(and(ownRows(t, smsPhones), inArray(smsPhones.factorId, [...factorIds])))

/** Times of codes sent to the person or the number since the given time, newest first. */
export const findSmsTimes = async (t: TenantDb, userId: string, phoneHash: Uint8Array, since: Date): Promise<Date[]> => {
  const rows = await t.db
    .select({ createdAt: smsCodes.createdAt })
    .from(smsCodes)
    .where(and(ownRows(t, smsCodes), or(eq(smsCodes.userId, userId), eq(smsCodes.phoneHash, phoneHash)), gte(smsCodes.createdAt, since)))
    .orderBy(desc(smsCodes.createdAt))
    .limit(20)
  return rows.map((row) => row.createdAt)
}

/** A new code replaces older ones of its lock. */
export const putSmsCode = async (t: TenantTx, row: Omit<typeof smsCodes.$inferInsert, 'tenantId'>): Promise<void> => {
  await t.db
    .update(smsCodes)
    .set({ usedAt: row.createdAt })
    .where(and(ownRows(t, smsCodes), eq(smsCodes.lockId, row.lockId), isNull(smsCodes.usedAt)))
  await t.db.insert(smsCodes).values({ ...row, tenantId: t.tenantId })
}

export const findLiveSmsCode = async (t: TenantDb, lockId: string, now: Date): Promise<SmsCode | undefined> => {
  const [row] = await t.db
    .select()
    .from(smsCodes)
    .where(and(ownRows(t, smsCodes), eq(smsCodes.lockId, lockId), isNull(smsCodes.usedAt), gt(smsCodes.expiresAt, now)))
    .orderBy(desc(smsCodes.createdAt))
    .limit(1)
  return row
}

/** Counts an attempt on the lock's live code and returns the code, before any comparison. */
export const spendSmsGuess = async (t: TenantTx, lockId: string, now: Date, mostGuesses: number): Promise<SmsCode | undefined> => {
  const [row] = await t.db
    .update(smsCodes)
    .set({ attempts: sql`${smsCodes.attempts} + 1` })
    .where(
      and(
        ownRows(t, smsCodes),
        eq(smsCodes.lockId, lockId),
        isNull(smsCodes.usedAt),
        gt(smsCodes.expiresAt, now),
        lt(smsCodes.attempts, mostGuesses),
      ),
    )
    .returning()
  return row
}

/** Of several concurrent requests exactly one uses the code. */
export const useSmsCode = async (t: TenantTx, id: string, now: Date): Promise<boolean> => {
  const rows = await t.db
    .update(smsCodes)
    .set({ usedAt: now })
    .where(and(ownRows(t, smsCodes), eq(smsCodes.id, id), isNull(smsCodes.usedAt)))
    .returning({ id: smsCodes.id })
  return rows.length === 1
}
