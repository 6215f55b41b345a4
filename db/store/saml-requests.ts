// Queries on SAML requests in progress: a request is consumed once, in one conditional statement.
import { and, eq, gt } from 'drizzle-orm'
import { ownRows, type TenantDb, type TenantTx } from '../engine/tenant.ts'
import { samlRequests } from '../tables/saml.ts'

export type SamlRequest = typeof samlRequests.$inferSelect
export type NewSamlRequest = Omit<typeof samlRequests.$inferInsert, 'tenantId'>

/** The key of a request: its text, and the browser that started it. */
export type SamlRequestKey = { readonly relayHash: Uint8Array; readonly browserHash: Uint8Array }

export const insertSamlRequest = async (t: TenantTx, row: NewSamlRequest): Promise<void> => {
  await t.db.insert(samlRequests).values({ ...row, tenantId: t.tenantId })
}

const live = (t: TenantDb, { relayHash, browserHash }: SamlRequestKey, now: Date) =>
  and(ownRows(t, samlRequests), eq(samlRequests.relayHash, relayHash), eq(samlRequests.browserHash, browserHash), gt(samlRequests.expiresAt, now))

export const findSamlRequest = async (t: TenantDb, key: SamlRequestKey, now: Date): Promise<SamlRequest | undefined> => {
  const [row] = await t.db
    .select()
    .from(samlRequests)
    .where(live(t, key, now))
  return row
}

/** Of several concurrent responses exactly one gets the request, which is then deleted. */
export const takeSamlRequest = async (t: TenantTx, key: SamlRequestKey, now: Date): Promise<SamlRequest | undefined> => {
  const [row] = await t.db
    .delete(samlRequests)
    .where(live(t, key, now))
    .returning()
  return row
}
