// Queries on backup codes.
import { and, eq, isNull, sql } from 'drizzle-orm'
import { ownRows, type TenantDb, type TenantTx } from '../engine/tenant.ts'
import { backupCodes, backupCodeTries } from '../tables/factors.ts'
import type { PauseRule } from './factors.ts'

export type BackupCode = typeof backupCodes.$inferSelect
export type NewBackupCode = Omit<typeof backupCodes.$inferInsert, 'tenantId'>

/** A person has one set: a new one replaces it. */
export const replaceBackupCodes = async (t: TenantTx, userId: string, rows: readonly NewBackupCode[]): Promise<void> => {
  await t.db.delete(backupCodes).where(and(ownRows(t, backupCodes), eq(backupCodes.userId, userId)))
  if (rows.length > 0) await t.db.insert(backupCodes).values(rows.map((row) => ({ ...row, tenantId: t.tenantId })))
  await t.db.delete(backupCodeTries).where(and(ownRows(t, backupCodeTries), eq(backupCodeTries.userId, userId)))
}

/** The unused code with that selector. */
export const findBackupCode = async (t: TenantDb, userId: string, selector: string): Promise<BackupCode | undefined> => {
  const [row] = await t.db
    .select()
    .from(backupCodes)
    .where(and(ownRows(t, backupCodes), eq(backupCodes.userId, userId), eq(backupCodes.selector, selector), isNull(backupCodes.usedAt)))
  return row
}

export const countBackupCodes = (t: TenantDb, userId: string): Promise<number> =>
  t.db.$count(backupCodes, and(ownRows(t, backupCodes), eq(backupCodes.userId, userId), isNull(backupCodes.usedAt)))

/** Of several concurrent requests exactly one uses the code. */
export const useBackupCode = async (t: TenantTx, id: string, now: Date): Promise<boolean> => {
  const rows = await t.db
    .update(backupCodes)
    .set({ usedAt: now })
    .where(and(ownRows(t, backupCodes), eq(backupCodes.id, id), isNull(backupCodes.usedAt)))
    .returning({ id: backupCodes.id })
  return rows.length === 1
}

/** Counts an attempt on the person's set before any comparison; returns the count, or undefined while the set is paused. */
export const claimBackupCodeTry = async (t: TenantTx, userId: string, now: Date, rule: PauseRule): Promise<number | undefined> => {
  const tries = sql`case when ${backupCodeTries.pausedUntil} is null then ${backupCodeTries.failedAttempts} + 1 else 1 end`
  const [row] = await t.db
    .insert(backupCodeTries)
    .values({ tenantId: t.tenantId, userId, failedAttempts: 1 })
    .onConflictDoUpdate({
      target: [backupCodeTries.tenantId, backupCodeTries.userId],
      set: {
        failedAttempts: tries,
        pausedUntil: sql`case when ${tries} >= ${rule.tries}::int then ${now.toISOString()}::timestamptz + make_interval(secs => ${rule.seconds}::int) else null end`,
      },
      setWhere: sql`${backupCodeTries.pausedUntil} is null or ${backupCodeTries.pausedUntil} <= ${now.toISOString()}::timestamptz`,
    })
    .returning({ tries: backupCodeTries.failedAttempts })
  return row?.tries
}

export const clearBackupCodeTries = async (t: TenantTx, userId: string): Promise<void> => {
  await t.db.delete(backupCodeTries).where(and(ownRows(t, backupCodeTries), eq(backupCodeTries.userId, userId)))
}
