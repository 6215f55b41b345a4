// Queries on the provider settings of one client.
import { and, asc, eq } from 'drizzle-orm'
import { ownRows, type TenantDb, type TenantTx } from '../engine/tenant.ts'
import { clientProviders } from '../tables/providers.ts'

export type ClientProvider = typeof clientProviders.$inferSelect
export type NewClientProvider = Omit<typeof clientProviders.$inferInsert, 'tenantId'>

type Which = Pick<ClientProvider, 'clientId' | 'providerId'>
const one = (t: TenantDb, { clientId, providerId }: Which) =>
  and(ownRows(t, clientProviders), eq(clientProviders.clientId, clientId), eq(clientProviders.providerId, providerId))

export const listClientProviders = (t: TenantDb, clientId: string): Promise<ClientProvider[]> =>
  t.db
    .select()
    .from(clientProviders)
    .where(and(ownRows(t, clientProviders), eq(clientProviders.clientId, clientId)))
    .orderBy(asc(clientProviders.sortOrder), asc(clientProviders.providerId))

/** The settings of all clients, for administrators. */
export const listAllClientProviders = (t: TenantDb): Promise<ClientProvider[]> =>
  t.db.select().from(clientProviders).where(ownRows(t, clientProviders)).orderBy(asc(clientProviders.createdAt), asc(clientProviders.clientId))

export const findClientProvider = async (t: TenantDb, which: Which): Promise<ClientProvider | undefined> => {
  const [row] = await t.db.select().from(clientProviders).where(one(t, which))
  return row
}

export const insertClientProvider = async (t: TenantTx, row: NewClientProvider): Promise<void> => {
  await t.db.insert(clientProviders).values({ ...row, tenantId: t.tenantId })
}

export const updateClientProvider = async (t: TenantTx, which: Which, set: Partial<Omit<NewClientProvider, keyof Which>>): Promise<void> => {
  await t.db.update(clientProviders).set(set).where(one(t, which))
}

export const deleteClientProvider = async (t: TenantTx, which: Which): Promise<boolean> =>
  (await t.db.delete(clientProviders).where(one(t, which)).returning({ clientId: clientProviders.clientId })).length === 1
