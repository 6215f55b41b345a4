// Queries on federated trust domains and their bundles.
import { and, asc, eq, isNull, or, sql } from 'drizzle-orm'
import { ownRows, type TenantDb, type TenantTx } from '../engine/tenant.ts'
import { federatedBundles } from '../tables/spiffe.ts'

export type { BundleProfile } from '../tables/spiffe.ts'
export type FederatedBundle = typeof federatedBundles.$inferSelect
export type NewFederatedBundle = Omit<typeof federatedBundles.$inferInsert, 'tenantId'>

const b = federatedBundles
const own = (t: TenantDb, trustDomain: string) => and(ownRows(t, b), eq(b.trustDomain, trustDomain))

export const findFederatedBundle = async (t: TenantDb, trustDomain: string): Promise<FederatedBundle | undefined> => {
  const [row] = await t.db.select().from(b).where(own(t, trustDomain))
  return row
}

export const lockFederatedBundle = async (t: TenantTx, trustDomain: string): Promise<FederatedBundle | undefined> => {
  const [row] = await t.db.select().from(b).where(own(t, trustDomain)).for('update')
  return row
}

export const listFederatedBundles = (t: TenantDb, limit: number): Promise<FederatedBundle[]> =>
  t.db.select().from(b).where(ownRows(t, b)).orderBy(asc(b.trustDomain)).limit(limit)

/** Inserts the trust domain, or replaces its endpoint and its bundle. */
export const putFederatedBundle = async (t: TenantTx, row: NewFederatedBundle): Promise<FederatedBundle> => {
  const { createdAt: _, trustDomain: __, ...set } = row
  const [put] = await t.db
    .insert(b)
    .values({ ...row, tenantId: t.tenantId })
    .onConflictDoUpdate({ target: [b.tenantId, b.trustDomain], set })
    .returning()
  if (put === undefined) throw new Error('an insert returns its row')
  return put
}

export type FetchedBundle = Pick<NewFederatedBundle, 'bundle' | 'sequence' | 'fetchedAt' | 'hintSeconds'>

/** Stores a fetched bundle unless the endpoint changed meanwhile or a newer bundle was stored. */
export const storeFetchedBundle = async (t: TenantTx, trustDomain: string, endpoint: string, fetched: FetchedBundle): Promise<boolean> => {
  const { sequence } = fetched
  const isNotOlder = sequence === null || sequence === undefined ? isNull(b.sequence) : or(isNull(b.sequence), sql`${b.sequence} <= ${sequence}`)
  const changed = await t.db
    .update(b)
    .set(fetched)
    .where(and(own(t, trustDomain), eq(b.endpoint, endpoint), isNotOlder))
    .returning({ trustDomain: b.trustDomain })
  return changed.length === 1
}

export const deleteFederatedBundle = async (t: TenantTx, trustDomain: string): Promise<boolean> =>
  (await t.db.delete(b).where(own(t, trustDomain)).returning({ trustDomain: b.trustDomain })).length === 1
