// Every query on login transactions: single use is one conditional update, never a read and then a write.
import { and, desc, eq, gt, isNull, lt, sql } from 'drizzle-orm'
import { ownRows, type TenantDb, type TenantTx } from '../engine/tenant.ts'
import { loginTransactions } from '../tables/sessions.ts'
import { deleteWaitingMessages, reminderKind } from './outbox.ts'

export type { TransactionPurpose } from '../tables/sessions.ts'
export type LoginTransaction = typeof loginTransactions.$inferSelect
export type NewLoginTransaction = Omit<typeof loginTransactions.$inferInsert, 'tenantId'>

/** A login transaction ends with its fifth refused mint. */
export const MAX_REFUSALS = 5

export const insertLoginTransaction = async (t: TenantTx, row: NewLoginTransaction): Promise<void> => {
  await t.db.insert(loginTransactions).values({ ...row, tenantId: t.tenantId })
}

const live = (t: TenantDb, handleHash: Uint8Array, now: Date) =>
  and(
    ownRows(t, loginTransactions),
    eq(loginTransactions.handleHash, handleHash),
    isNull(loginTransactions.usedAt),
    gt(loginTransactions.expiresAt, now),
    lt(loginTransactions.refusals, MAX_REFUSALS),
  )

export const findLoginTransaction = async (t: TenantDb, handleHash: Uint8Array, now: Date): Promise<LoginTransaction | undefined> => {
  const [row] = await t.db
    .select()
    .from(loginTransactions)
    .where(live(t, handleHash, now))
  return row
}

/** Of several concurrent requests exactly one gets it. */
export const consumeLoginTransaction = async (t: TenantTx, handleHash: Uint8Array, now: Date): Promise<LoginTransaction | undefined> => {
  const [row] = await t.db
    .update(loginTransactions)
    .set({ usedAt: now })
    .where(live(t, handleHash, now))
    .returning()
  return row
}

export const refuseLoginTransaction = async (t: TenantTx, handleHash: Uint8Array, now: Date): Promise<void> => {
  await t.db
    .update(loginTransactions)
    .set({ refusals: sql`${loginTransactions.refusals} + 1` })
    .where(live(t, handleHash, now))
}

/** Adds factors that this server has verified, by their RFC 8176 names. False when the login transaction has ended. */
export const addVerifiedMethod = async (t: TenantTx, handleHash: Uint8Array, names: readonly string[], now: Date): Promise<boolean> => {
  const rows = await t.db
    .update(loginTransactions)
    .set({
      verified: sql`array(select distinct name from unnest(${loginTransactions.verified} || ${`{${names.join(',')}}`}::text[]) as name order by name)`,
      authTime: now,
    })
    .where(live(t, handleHash, now))
    .returning({ id: loginTransactions.id })
  return rows.length === 1
}

/** The mailbox was proved during the login transaction. */
export const proveTransactionMailbox = async (t: TenantTx, handleHash: Uint8Array, at: Date): Promise<void> => {
  await t.db
    .update(loginTransactions)
    .set({ mailboxProvedAt: at })
    .where(live(t, handleHash, at))
}

/** Whether a person has a live login transaction of that purpose. */
export const hasLoginTransaction = async (t: TenantDb, userId: string, purpose: LoginTransaction['purpose'], now: Date): Promise<boolean> => {
  const rows = await t.db
    .select({ id: loginTransactions.id })
    .from(loginTransactions)
    .where(
      and(
        ownRows(t, loginTransactions),
        eq(loginTransactions.userId, userId),
        eq(loginTransactions.purpose, purpose),
        isNull(loginTransactions.usedAt),
        gt(loginTransactions.expiresAt, now),
      ),
    )
    .limit(1)
  return rows.length > 0
}

/** The newest live one of a purpose that a tenant has one of at a time. */
export const findLoginTransactionOfPurpose = async (
  t: TenantDb,
  purpose: LoginTransaction['purpose'],
  now: Date,
): Promise<LoginTransaction | undefined> => {
  const [row] = await t.db
    .select()
    .from(loginTransactions)
    .where(
      and(
        ownRows(t, loginTransactions),
        eq(loginTransactions.purpose, purpose),
        isNull(loginTransactions.usedAt),
        gt(loginTransactions.expiresAt, now),
      ),
    )
    .orderBy(desc(loginTransactions.createdAt))
    .limit(1)
  return row
}

/** Ends those of a person, of one purpose or of any. The reminders of a waiting recovery are removed with it. */
export const endLoginTransactions = async (t: TenantTx, userId: string, now: Date, purpose?: LoginTransaction['purpose']): Promise<void> => {
  await t.db
    .update(loginTransactions)
    .set({ usedAt: now })
    .where(
      and(
        ownRows(t, loginTransactions),
        eq(loginTransactions.userId, userId),
        isNull(loginTransactions.usedAt),
        purpose === undefined ? undefined : eq(loginTransactions.purpose, purpose),
      ),
    )
  if (purpose === undefined || purpose === 'recovery_wait') await deleteWaitingMessages(t, reminderKind(userId))
}

/** Ends all of a purpose. */
export const endLoginTransactionsOfPurpose = async (t: TenantTx, purpose: LoginTransaction['purpose'], now: Date): Promise<void> => {
  await t.db
    .update(loginTransactions)
    .set({ usedAt: now })
    .where(and(ownRows(t, loginTransactions), eq(loginTransactions.purpose, purpose), isNull(loginTransactions.usedAt)))
}
