// Queries on external authorization servers: those with accepted assertions, and those for which assertions are issued.
import { and, asc, eq, isNull } from 'drizzle-orm'
import { ownRows, type TenantDb, type TenantTx } from '../engine/tenant.ts'
import { oauthIssuers } from '../tables/delegations.ts'
import { users } from '../tables/users.ts'

export type { SubjectMapping } from '../tables/delegations.ts'
export type TrustedIssuer = typeof oauthIssuers.$inferSelect
export type NewTrustedIssuer = Omit<typeof oauthIssuers.$inferInsert, 'tenantId'>

const own = (t: TenantDb, id: string) => and(ownRows(t, oauthIssuers), eq(oauthIssuers.id, id))

/** @throws unique_violation */
export const insertIssuer = async (t: TenantTx, row: NewTrustedIssuer): Promise<void> => {
  await t.db.insert(oauthIssuers).values({ ...row, tenantId: t.tenantId })
}

export const findIssuer = async (t: TenantDb, id: string): Promise<TrustedIssuer | undefined> => {
  const [row] = await t.db.select().from(oauthIssuers).where(own(t, id))
  return row
}

export const findIssuerByName = async (t: TenantDb, issuer: string): Promise<TrustedIssuer | undefined> => {
  const [row] = await t.db
    .select()
    .from(oauthIssuers)
    .where(and(ownRows(t, oauthIssuers), eq(oauthIssuers.issuer, issuer), eq(oauthIssuers.active, true)))
  return row
}

export const listIssuers = (t: TenantDb, limit: number): Promise<TrustedIssuer[]> =>
  t.db.select().from(oauthIssuers).where(ownRows(t, oauthIssuers)).orderBy(asc(oauthIssuers.issuer)).limit(limit)

export const lockIssuer = async (t: TenantTx, id: string): Promise<TrustedIssuer | undefined> => {
  const [row] = await t.db.select().from(oauthIssuers).where(own(t, id)).for('update')
  return row
}

export const updateIssuer = async (t: TenantTx, id: string, set: Partial<NewTrustedIssuer>): Promise<TrustedIssuer | undefined> => {
  const [row] = await t.db.update(oauthIssuers).set(set).where(own(t, id)).returning()
  return row
}

export const deleteIssuer = async (t: TenantTx, id: string): Promise<boolean> =>
  (await t.db.delete(oauthIssuers).where(own(t, id)).returning({ id: oauthIssuers.id })).length === 1

/** The person with that id in the other directory; undefined where there is none, or more than one. */
export const findUserIdByExternalId = async (t: TenantDb, externalId: string): Promise<string | undefined> => {
  const rows = await t.db
    .select({ id: users.id })
    .from(users)
    .where(and(ownRows(t, users), eq(users.externalId, externalId), isNull(users.deletedAt)))
    .limit(2)
  return rows.length === 1 ? rows[0]?.id : undefined
}
