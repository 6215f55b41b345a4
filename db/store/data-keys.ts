// Queries on wrapped data keys: one for each tenant and for each person whose data must be erasable.
import { and, asc, eq, gt, ne, or, type SQL, sql } from 'drizzle-orm'
import { type JobsDb, ownRows, type TenantDb, type TenantTx } from '../engine/tenant.ts'
import { dataKeys } from '../tables/keys.ts'

export type DataKey = typeof dataKeys.$inferSelect
export type NewDataKey = Omit<typeof dataKeys.$inferInsert, 'tenantId'>
/** A key wrapped with another master key; `from` is its previous wrapped form. */
export type Rewrapped = Pick<DataKey, 'tenantId' | 'id' | 'wrapped' | 'masterKeyId'> & { readonly from: Uint8Array }

export const findDataKey = async (t: TenantDb, subjectId: string): Promise<DataKey | undefined> => {
  const [row] = await t.db
    .select()
    .from(dataKeys)
    .where(and(ownRows(t, dataKeys), eq(dataKeys.subjectId, subjectId)))
  return row
}

/** False when the subject already has a key, also when a concurrent transaction has just committed one. */
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

/** Deletes all keys of the tenant and returns their subjects. */
export const deleteDataKeys = async (t: TenantTx): Promise<string[]> => {
  const gone = await t.db.delete(dataKeys).where(ownRows(t, dataKeys)).returning({ subjectId: dataKeys.subjectId })
  return gone.map(({ subjectId }) => subjectId)
}

/** The next keys, ordered by tenant and id, that are not wrapped with `masterKeyId`. */
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

/** Replaces the keys that have not changed since they were read. Returns their number. */
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
