// Queries on mailed codes and on sign-ups that wait for one.
import { and, desc, eq, gt, gte, inArray, isNull, lt, sql } from 'drizzle-orm'
import { ownRows, type TenantDb, type TenantTx } from '../engine/tenant.ts'
import { oneTimeCodes, pendingRegistrations } from '../tables/sessions.ts'

export type { CodePurpose } from '../tables/sessions.ts'
export type OneTimeCode = typeof oneTimeCodes.$inferSelect
export type CodeLock = { readonly purpose: OneTimeCode['purpose']; readonly addressHash: Uint8Array }

const ofLock = (t: TenantDb, lock: CodeLock) =>
  and(ownRows(t, oneTimeCodes), eq(oneTimeCodes.purpose, lock.purpose), eq(oneTimeCodes.addressHash, lock.addressHash))

/** Serialises changes of one lock until the transaction ends. */
export const holdCodeLock = async (t: TenantTx, lock: CodeLock): Promise<void> => {
  await t.db.execute(
    sql`select pg_advisory_xact_lock(hashtextextended(${`${t.tenantId} ${lock.purpose} ${Buffer.from(lock.addressHash).toString('hex')}`}, 0))`,
  )
}

/** Creation times of this lock's codes since the given time, newest first. */
export const findCodeTimes = async (t: TenantDb, lock: CodeLock, since: Date): Promise<Date[]> => {
  const rows = await t.db
    .select({ createdAt: oneTimeCodes.createdAt })
    .from(oneTimeCodes)
    .where(and(ofLock(t, lock), gte(oneTimeCodes.createdAt, since)))
    .orderBy(desc(oneTimeCodes.createdAt))
    .limit(20)
  return rows.map((row) => row.createdAt)
}

export const insertCode = async (t: TenantTx, row: Omit<typeof oneTimeCodes.$inferInsert, 'tenantId'>): Promise<void> => {
  await t.db.insert(oneTimeCodes).values({ ...row, tenantId: t.tenantId })
}

/**
 * Counts an attempt on every live code of the lock and returns the codes: attempts count before the comparison, so that parallel attempts all count.
 */
export const claimGuess = async (t: TenantTx, lock: CodeLock, now: Date, maxGuesses: number): Promise<Pick<OneTimeCode, 'id' | 'codeHash'>[]> =>
  t.db
    .update(oneTimeCodes)
    .set({ attempts: sql`${oneTimeCodes.attempts} + 1` })
    .where(and(ofLock(t, lock), isNull(oneTimeCodes.usedAt), gt(oneTimeCodes.expiresAt, now), lt(oneTimeCodes.attempts, maxGuesses)))
    .returning({ id: oneTimeCodes.id, codeHash: oneTimeCodes.codeHash })

/** Of several concurrent requests exactly one uses the code. */
export const consumeCode = async (t: TenantTx, id: string, now: Date): Promise<boolean> => {
  const rows = await t.db
    .update(oneTimeCodes)
    .set({ usedAt: now })
    .where(and(ownRows(t, oneTimeCodes), eq(oneTimeCodes.id, id), isNull(oneTimeCodes.usedAt)))
    .returning({ id: oneTimeCodes.id })
  return rows.length === 1
}

/** A new code replaces the lock's older ones. */
export const voidCodes = async (t: TenantTx, lock: CodeLock, now: Date, except: readonly string[] = []): Promise<void> => {
  await t.db
    .update(oneTimeCodes)
    .set({ usedAt: now })
    .where(
      and(
        ofLock(t, lock),
        isNull(oneTimeCodes.usedAt),
        except.length === 0 ? undefined : sql`${oneTimeCodes.id} <> all(${`{${except.join(',')}}`}::uuid[])`,
      ),
    )
}

export type PendingRegistration = typeof pendingRegistrations.$inferSelect

export const insertPendingRegistration = async (t: TenantTx, row: Omit<typeof pendingRegistrations.$inferInsert, 'tenantId'>): Promise<void> => {
  await t.db.insert(pendingRegistrations).values({ ...row, tenantId: t.tenantId })
}

/** Live sign-ups of an address, newest first. */
export const findPendingRegistration = (t: TenantDb, kind: PendingRegistration['kind'], email: string, now: Date): Promise<PendingRegistration[]> =>
  t.db
    .select()
    .from(pendingRegistrations)
    .where(
      and(
        ownRows(t, pendingRegistrations),
        eq(pendingRegistrations.kind, kind),
        eq(pendingRegistrations.email, email),
        gt(pendingRegistrations.expiresAt, now),
      ),
    )
    .orderBy(desc(pendingRegistrations.createdAt), desc(pendingRegistrations.id))
    .limit(20)

/** The sign-up that a code belongs to. */
export const findPendingRegistrationByCode = async (t: TenantDb, codeId: string, now: Date): Promise<PendingRegistration | undefined> => {
  const [row] = await t.db
    .select()
    .from(pendingRegistrations)
    .where(and(ownRows(t, pendingRegistrations), eq(pendingRegistrations.codeId, codeId), gt(pendingRegistrations.expiresAt, now)))
  return row
}

export const replacePendingCode = async (t: TenantTx, id: string, codeId: string): Promise<void> => {
  await t.db
    .update(pendingRegistrations)
    .set({ codeId })
    .where(and(ownRows(t, pendingRegistrations), eq(pendingRegistrations.id, id)))
}

export const deletePendingRegistrations = async (t: TenantTx, ids: readonly string[]): Promise<void> => {
  if (ids.length === 0) return
  await t.db.delete(pendingRegistrations).where(and(ownRows(t, pendingRegistrations), inArray(pendingRegistrations.id, [...ids])))
}
