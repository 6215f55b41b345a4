// Queries on trust domains and their keys.
import { and, asc, eq, gt, lte, ne, sql } from 'drizzle-orm'
import { asTenantId, type JobsDb, ownRows, type TenantDb, type TenantId, type TenantTx } from '../engine/tenant.ts'
import { trustDomains, workloadKeys } from '../tables/spiffe.ts'
import { tenants } from '../tables/tenants.ts'

export type { WorkloadKeyUse } from '../tables/spiffe.ts'
export type TrustDomain = typeof trustDomains.$inferSelect
export type WorkloadKeyRow = typeof workloadKeys.$inferSelect
export type NewWorkloadKey = Omit<typeof workloadKeys.$inferInsert, 'tenantId'>

const ownKey = (t: TenantDb, kid: string) => and(ownRows(t, workloadKeys), eq(workloadKeys.kid, kid))

/** The tenant's trust domain with all keys except revoked ones, in one statement. */
export const findTrustDomainKeys = async (
  t: TenantDb,
): Promise<{ readonly domain: TrustDomain; readonly isTenantActive: boolean; readonly keys: readonly WorkloadKeyRow[] } | undefined> => {
  const rows = await t.db
    .select({ domain: trustDomains, key: workloadKeys, status: tenants.status })
    .from(trustDomains)
    .innerJoin(tenants, eq(tenants.tenantId, trustDomains.tenantId))
    .leftJoin(
      workloadKeys,
      and(eq(workloadKeys.tenantId, trustDomains.tenantId), eq(workloadKeys.trustDomainId, trustDomains.id), ne(workloadKeys.status, 'revoked')),
    )
    .where(ownRows(t, trustDomains))
    .orderBy(asc(workloadKeys.use), asc(workloadKeys.alg), asc(workloadKeys.createdAt), asc(workloadKeys.kid))
  const [first] = rows
  if (first === undefined) return undefined
  return { domain: first.domain, isTenantActive: first.status === 'active', keys: rows.flatMap(({ key }) => (key === null ? [] : [key])) }
}

/** False when the trust domain exists. */
export const insertTrustDomain = async (t: TenantTx, row: Omit<typeof trustDomains.$inferInsert, 'tenantId'>): Promise<boolean> => {
  const added = await t.db
    .insert(trustDomains)
    .values({ ...row, tenantId: t.tenantId })
    .onConflictDoNothing()
    .returning({ id: trustDomains.id })
  return added.length === 1
}

/** Serialises changes of the keys until the transaction ends. */
export const lockTrustDomain = async (t: TenantTx): Promise<TrustDomain | undefined> => {
  const [row] = await t.db.select().from(trustDomains).where(ownRows(t, trustDomains)).for('update')
  return row
}

export const raiseBundleSequence = async (t: TenantTx): Promise<void> => {
  await t.db
    .update(trustDomains)
    .set({ sequence: sql`${trustDomains.sequence} + 1` })
    .where(ownRows(t, trustDomains))
}

/** Pages through the tenants that have a trust domain. */
export const listTrustDomainsOfAllTenants = async (d: JobsDb, after: string | undefined, limit: number): Promise<TenantId[]> => {
  const rows = await d.db
    .select({ tenantId: trustDomains.tenantId })
    .from(trustDomains)
    .where(after === undefined ? undefined : gt(trustDomains.tenantId, after))
    .orderBy(asc(trustDomains.tenantId))
    .limit(limit)
  return rows.map((row) => asTenantId(row.tenantId))
}

export const findWorkloadKey = async (t: TenantDb, kid: string): Promise<WorkloadKeyRow | undefined> => {
  const [row] = await t.db.select().from(workloadKeys).where(ownKey(t, kid))
  return row
}

/** All keys, revoked ones too, newest first. */
export const listWorkloadKeys = (t: TenantDb, limit: number): Promise<WorkloadKeyRow[]> =>
  t.db
    .select()
    .from(workloadKeys)
    .where(ownRows(t, workloadKeys))
    .orderBy(asc(workloadKeys.use), asc(workloadKeys.alg), sql`${workloadKeys.createdAt} desc`)
    .limit(limit)

/** False when another key has the status. */
export const insertWorkloadKey = async (t: TenantTx, key: NewWorkloadKey): Promise<boolean> => {
  const added = await t.db
    .insert(workloadKeys)
    .values({ ...key, tenantId: t.tenantId })
    .onConflictDoNothing()
    .returning({ kid: workloadKeys.kid })
  return added.length === 1
}

const setWhile = async (
  t: TenantTx,
  kid: string,
  status: WorkloadKeyRow['status'],
  set: Partial<Pick<WorkloadKeyRow, 'status' | 'currentSince' | 'retiresAt'>>,
): Promise<boolean> => {
  const changed = await t.db
    .update(workloadKeys)
    .set(set)
    .where(and(ownKey(t, kid), eq(workloadKeys.status, status)))
    .returning({ kid: workloadKeys.kid })
  return changed.length === 1
}

/** Makes a next key current. */
export const promoteWorkloadKey = (t: TenantTx, kid: string, at: Date): Promise<boolean> =>
  setWhile(t, kid, 'next', { status: 'current', currentSince: at })

/** Retires the current key: it verifies until the given time and no longer signs. */
export const retireWorkloadKey = (t: TenantTx, kid: string, until: Date): Promise<boolean> =>
  setWhile(t, kid, 'current', { status: 'retired', retiresAt: until })

/** The row remains as evidence; its private key is erased. */
export const markWorkloadKeyRevoked = async (t: TenantTx, kid: string): Promise<boolean> => {
  const changed = await t.db
    .update(workloadKeys)
    .set({ status: 'revoked', retiresAt: null, sealed: new Uint8Array() })
    .where(and(ownKey(t, kid), ne(workloadKeys.status, 'revoked')))
    .returning({ kid: workloadKeys.kid })
  return changed.length === 1
}

/** Deletes a key after its retirement. */
export const deleteRetiredWorkloadKey = async (t: TenantTx, kid: string, at: Date): Promise<boolean> => {
  const gone = await t.db
    .delete(workloadKeys)
    .where(and(ownKey(t, kid), eq(workloadKeys.status, 'retired'), lte(workloadKeys.retiresAt, at)))
    .returning({ kid: workloadKeys.kid })
  return gone.length === 1
}
