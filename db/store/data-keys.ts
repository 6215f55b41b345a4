// Wrapped data keys: one for a tenant, one for each person whose traces must be able to end.
import { and, asc, eq, gt, ne, or, type SQL, sql } from 'drizzle-orm'
import { type JobsDb, ownRows, type TenantDb, type TenantTx } from '../engine/tenant.ts'
import { dataKeys } from '../tables/keys.ts'

export type DataKey = typeof dataKeys.$inferSelect
export type NewDataKey = Omit<typeof dataKeys.$inferInsert, 'tenantId'>
/** One key under another master key than before; `from` is what it was wrapped as. */
export type Rewrapped = Pick<DataKey, 'tenantId' | 'id' | 'wrapped' | 'masterKeyId'> & { readonly from: Uint8Array }

export const findDataKey = async (t: TenantDb, subjectId: string): Promise<DataKey | undefined> => {
  const [row] = await t.db
    .select()
    .from(dataKeys)
    .where(and(ownRows(t, dataKeys), eq(dataKeys.subjectId, subjectId)))
  return row
}

/** Answers false when the subject has a key already, also when another transaction commits one first. */
export const insertDataKey = async (t: TenantTx, key: NewDataKey): Promise<boolean> => {
  const added = await t.db
    .insert(dataKeys)
    .values({ ...key, tenantId: t.tenantId })
    .onConflictDoNothing()
    .returning({ id: dataKeys.id })
  return added.length === 1
}

export const deleteDataKey = async (t: TenantTx, subjectId: string): Promise<boolean> => {
  const gone = await t.db
    .delete(dataKeys)
    .where(and(ownRows(t, dataKeys), eq(dataKeys.subjectId, subjectId)))
    .returning({ id: dataKeys.id })
  return gone.length === 1
}

/** Takes away every key of the tenant; answers whose they were. */
export const deleteDataKeys = async (t: TenantTx): Promise<string[]> => {
  const gone = await t.db.delete(dataKeys).where(ownRows(t, dataKeys)).returning({ subjectId: dataKeys.subjectId })
  return gone.map(({ subjectId }) => subjectId)
}

/** The next keys, in the order of tenant and id, that another master key than `masterKeyId` wraps. */
export const dataKeysToRewrapOfAllTenants = (
  jobs: JobsDb,
  masterKeyId: string,
  after: Pick<DataKey, 'tenantId' | 'id'> | undefined,
  limit: number,
): Promise<DataKey[]> => {
  const later: SQL | undefined =
    after && or(gt(dataKeys.tenantId, after.tenantId), and(eq(dataKeys.tenantId, after.tenantId), gt(dataKeys.id, after.id)))
  return jobs.db
    .select()
    .from(dataKeys)
    .where(and(ne(dataKeys.masterKeyId, masterKeyId), later))
    .orderBy(asc(dataKeys.tenantId), asc(dataKeys.id))
    .limit(limit)
}

/** Replaces those that are still as they were read. Answers how many. */
export const rewrapDataKeysOfAllTenants = async (jobs: JobsDb, keys: readonly Rewrapped[]): Promise<number> => {
  if (keys.length === 0) return 0
  const rows = keys.map((k) => sql`(${k.tenantId}::uuid, ${k.id}::uuid, ${k.from}::bytea, ${k.wrapped}::bytea, ${k.masterKeyId}::text)`)
  const changed = await jobs.db.execute(sql`
    update ${dataKeys} as k set wrapped = v.wrapped, master_key_id = v.master_key_id
    from (values ${sql.join(rows, sql`, `)}) as v (tenant_id, id, was, wrapped, master_key_id)
    where k.tenant_id = v.tenant_id and k.id = v.id and k.wrapped = v.was
    returning k.id`)
  return changed.length
}
