// Queries on the seeds of authenticator apps.
import { and, eq, inArray, isNull, lt, or } from 'drizzle-orm'
import { ownRows, type TenantDb, type TenantTx } from '../engine/tenant.ts'
import { totpSecrets } from '../tables/factors.ts'

export type TotpSecret = typeof totpSecrets.$inferSelect

export const insertTotpSecret = async (t: TenantTx, row: Omit<typeof totpSecrets.$inferInsert, 'tenantId'>): Promise<void> => {
  await t.db.insert(totpSecrets).values({ ...row, tenantId: t.tenantId })
}

/** Seeds of these factors. */
export const findTotpSecrets = async (t: TenantDb, factorIds: readonly string[]): Promise<TotpSecret[]> =>
  factorIds.length === 0
    ? []
    : t.db
        .select()
        .from(totpSecrets)
        .where(and(ownRows(t, totpSecrets), inArray(totpSecrets.factorId, [...factorIds])))
        .orderBy(totpSecrets.factorId)

/** Of several concurrent requests with a step's code exactly one is accepted, and no earlier step afterwards (RFC 6238 section 5.2). */
export const consumeTotpStep = async (t: TenantTx, factorId: string, step: number, now: Date): Promise<boolean> => {
  const rows = await t.db
    .update(totpSecrets)
    .set({ lastStep: step, updatedAt: now })
    .where(and(ownRows(t, totpSecrets), eq(totpSecrets.factorId, factorId), or(isNull(totpSecrets.lastStep), lt(totpSecrets.lastStep, step))))
    .returning({ factorId: totpSecrets.factorId })
  return rows.length === 1
}
