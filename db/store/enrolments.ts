// Queries on enrolments that wait for verification.
import { and, eq, gt, lt, sql } from 'drizzle-orm'
import { ownRows, type TenantDb, type TenantTx } from '../engine/tenant.ts'
import { pendingEnrolments } from '../tables/factors.ts'

export type PendingEnrolment = typeof pendingEnrolments.$inferSelect
export type NewEnrolment = Omit<typeof pendingEnrolments.$inferInsert, 'tenantId'>

/** The key of an enrolment: the person, the kind, and the session or login ticket that started it. */
export type EnrolmentKey = Pick<PendingEnrolment, 'userId' | 'kind' | 'binding'>

const of = (t: TenantDb, key: EnrolmentKey) =>
  and(
    ownRows(t, pendingEnrolments),
    eq(pendingEnrolments.userId, key.userId),
    eq(pendingEnrolments.kind, key.kind),
    eq(pendingEnrolments.binding, key.binding),
  )

/** A new enrolment replaces an older one of the same session or login ticket. */
export const putEnrolment = async (t: TenantTx, row: NewEnrolment): Promise<void> => {
  await t.db.delete(pendingEnrolments).where(of(t, row))
  await t.db.insert(pendingEnrolments).values({ ...row, tenantId: t.tenantId })
}

/** A live enrolment with attempts left. */
export const findEnrolment = async (t: TenantDb, key: EnrolmentKey, now: Date, mostTries: number): Promise<PendingEnrolment | undefined> => {
  const [row] = await t.db
    .select()
    .from(pendingEnrolments)
    .where(and(of(t, key), gt(pendingEnrolments.expiresAt, now), lt(pendingEnrolments.attempts, mostTries)))
  return row
}

/** Counts an attempt on a live enrolment and returns it: the attempt counts before any comparison. */
export const claimEnrolmentTry = async (t: TenantTx, key: EnrolmentKey, now: Date, mostTries: number): Promise<PendingEnrolment | undefined> => {
  const [row] = await t.db
    .update(pendingEnrolments)
    .set({ attempts: sql`${pendingEnrolments.attempts} + 1` })
    .where(and(of(t, key), gt(pendingEnrolments.expiresAt, now), lt(pendingEnrolments.attempts, mostTries)))
    .returning()
  return row
}

/** Of several concurrent requests exactly one takes it. */
export const consumeEnrolment = async (t: TenantTx, id: string, now: Date): Promise<PendingEnrolment | undefined> => {
  const [row] = await t.db
    .delete(pendingEnrolments)
    .where(and(ownRows(t, pendingEnrolments), eq(pendingEnrolments.id, id), gt(pendingEnrolments.expiresAt, now)))
    .returning()
  return row
}

/** Ends all enrolments in progress of the person. */
export const deleteEnrolments = async (t: TenantTx, userId: string): Promise<void> => {
  await t.db.delete(pendingEnrolments).where(and(ownRows(t, pendingEnrolments), eq(pendingEnrolments.userId, userId)))
}
