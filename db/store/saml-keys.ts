// Queries on a tenant's own SAML keys.
import { and, desc, gt } from 'drizzle-orm'
import { ownRows, type TenantDb, type TenantTx } from '../engine/tenant.ts'
import { samlKeys } from '../tables/saml.ts'

export type SamlKey = typeof samlKeys.$inferSelect
export type NewSamlKey = Omit<typeof samlKeys.$inferInsert, 'tenantId'>

/** Keys with a valid certificate, newest first. */
export const listSamlKeys = (t: TenantDb, now: Date): Promise<SamlKey[]> =>
  t.db
    .select()
    .from(samlKeys)
    .where(and(ownRows(t, samlKeys), gt(samlKeys.expiresAt, now)))
    .orderBy(desc(samlKeys.createdAt), desc(samlKeys.id))
    .limit(10)

export const insertSamlKey = async (t: TenantTx, row: NewSamlKey): Promise<void> => {
  await t.db.insert(samlKeys).values({ ...row, tenantId: t.tenantId })
}
