// Queries on SAML identity providers.
import { and, asc, eq } from 'drizzle-orm'
import { ownRows, type TenantDb, type TenantTx } from '../engine/tenant.ts'
import { samlProviders } from '../tables/saml.ts'

export type { AttributeMapping } from '../tables/saml.ts'
export type SamlProvider = typeof samlProviders.$inferSelect
export type NewSamlProvider = Omit<typeof samlProviders.$inferInsert, 'tenantId'>

/** Providers in the order of a sign-in page, of one client or of all. */
export const listSamlProviders = (t: TenantDb, clientId?: string): Promise<SamlProvider[]> =>
  t.db
    .select()
    .from(samlProviders)
    .where(and(ownRows(t, samlProviders), clientId === undefined ? undefined : eq(samlProviders.clientId, clientId)))
    .orderBy(asc(samlProviders.sortOrder), asc(samlProviders.displayName), asc(samlProviders.id))
    .limit(1000)

export const findSamlProvider = async (t: TenantDb, id: string): Promise<SamlProvider | undefined> => {
  const [row] = await t.db
    .select()
    .from(samlProviders)
    .where(and(ownRows(t, samlProviders), eq(samlProviders.id, id)))
  return row
}

/** The provider, locked until the transaction ends. */
export const lockSamlProvider = async (t: TenantTx, id: string): Promise<SamlProvider | undefined> => {
  const [row] = await t.db
    .select()
    .from(samlProviders)
    .where(and(ownRows(t, samlProviders), eq(samlProviders.id, id)))
    .for('update')
  return row
}

/** False when the client already has a provider with that name. */
export const insertSamlProvider = async (t: TenantTx, row: NewSamlProvider): Promise<boolean> => {
  const added = await t.db
    .insert(samlProviders)
    .values({ ...row, tenantId: t.tenantId })
    .onConflictDoNothing({ target: [samlProviders.tenantId, samlProviders.clientId, samlProviders.providerName] })
    .returning({ id: samlProviders.id })
  return added.length === 1
}

export type SamlProviderChange = Partial<Omit<SamlProvider, 'tenantId' | 'id' | 'clientId' | 'createdAt'>>

/** Whether another provider of the same client has that name. */
export const isSamlNameTaken = async (t: TenantTx, { id, clientId, providerName }: Pick<SamlProvider, 'id' | 'clientId' | 'providerName'>) => {
  const rows = await t.db
    .select({ id: samlProviders.id })
    .from(samlProviders)
    .where(and(ownRows(t, samlProviders), eq(samlProviders.clientId, clientId), eq(samlProviders.providerName, providerName)))
  return rows.some((row) => row.id !== id)
}

export const updateSamlProvider = async (t: TenantTx, id: string, set: SamlProviderChange): Promise<SamlProvider | undefined> => {
  const [row] = await t.db
    .update(samlProviders)
    .set(set)
    .where(and(ownRows(t, samlProviders), eq(samlProviders.id, id)))
    .returning()
  return row
}

/** Deletes the provider and all pending requests to it, and returns it. */
export const deleteSamlProvider = async (t: TenantTx, id: string): Promise<SamlProvider | undefined> => {
  const [row] = await t.db
    .delete(samlProviders)
    .where(and(ownRows(t, samlProviders), eq(samlProviders.id, id)))
    .returning()
  return row
}
