// Queries on identity providers. Platform providers are rows of the system tenant.
import { and, asc, eq } from 'drizzle-orm'
import { ownRows, type TenantDb, type TenantTx } from '../engine/tenant.ts'
import { oidcProviders } from '../tables/providers.ts'

export type { ProviderIcon } from '../tables/providers.ts'
/** Position of a provider without a configured one. */
export const DEFAULT_PROVIDER_ORDER = 100
export type Provider = typeof oidcProviders.$inferSelect
export type NewProvider = Omit<typeof oidcProviders.$inferInsert, 'tenantId'>

export const listProviders = (t: TenantDb): Promise<Provider[]> =>
  t.db
    .select()
    .from(oidcProviders)
    .where(ownRows(t, oidcProviders))
    .orderBy(asc(oidcProviders.sortOrder), asc(oidcProviders.providerName))
    .limit(1000)

export const findProviderById = async (t: TenantDb, id: string): Promise<Provider | undefined> => {
  const [row] = await t.db
    .select()
    .from(oidcProviders)
    .where(and(ownRows(t, oidcProviders), eq(oidcProviders.id, id)))
  return row
}

/** As `lockProvider`, by id. */
export const lockProviderById = async (t: TenantTx, id: string): Promise<Provider | undefined> => {
  const [row] = await t.db
    .select()
    .from(oidcProviders)
    .where(and(ownRows(t, oidcProviders), eq(oidcProviders.id, id)))
    .for('update')
  return row
}

/** All providers of the tenant, locked in id order until the transaction ends, so that two transactions cannot deadlock. */
export const lockProviders = (t: TenantTx): Promise<Provider[]> =>
  t.db.select().from(oidcProviders).where(ownRows(t, oidcProviders)).orderBy(asc(oidcProviders.id)).for('update')

export const deleteProvider = async (t: TenantTx, id: string): Promise<boolean> => {
  const gone = await t.db
    .delete(oidcProviders)
    .where(and(ownRows(t, oidcProviders), eq(oidcProviders.id, id)))
    .returning({ id: oidcProviders.id })
  return gone.length === 1
}

/** The provider, locked until the transaction ends. */
export const lockProvider = async (t: TenantTx, providerName: string): Promise<Provider | undefined> => {
  const [row] = await t.db
    .select()
    .from(oidcProviders)
    .where(and(ownRows(t, oidcProviders), eq(oidcProviders.providerName, providerName)))
    .for('update')
  return row
}

export const updateProvider = async (t: TenantTx, id: string, set: Partial<Omit<NewProvider, 'id'>>): Promise<void> => {
  await t.db
    .update(oidcProviders)
    .set(set)
    .where(and(ownRows(t, oidcProviders), eq(oidcProviders.id, id)))
}

/** False when the name is taken. */
export const insertProvider = async (t: TenantTx, row: NewProvider): Promise<boolean> => {
  const added = await t.db
    .insert(oidcProviders)
    .values({ ...row, tenantId: t.tenantId })
    .onConflictDoNothing({ target: [oidcProviders.tenantId, oidcProviders.providerName] })
    .returning({ id: oidcProviders.id })
  return added.length === 1
}

export const findProvider = async (t: TenantDb, providerName: string): Promise<Provider | undefined> => {
  const [row] = await t.db
    .select()
    .from(oidcProviders)
    .where(and(ownRows(t, oidcProviders), eq(oidcProviders.providerName, providerName)))
  return row
}
