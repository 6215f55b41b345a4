// Queries on people's identities at providers, and on the directory of the tenants that know an identity.
import { and, asc, eq, ne } from 'drizzle-orm'
import { type AnyScope, asTenantId, ownRows, type TenantDb, type TenantId, type TenantTx } from '../engine/tenant.ts'
import { federatedIdentities, identityDirectory } from '../tables/federation.ts'

export type Identity = typeof federatedIdentities.$inferSelect
export type NewIdentity = Omit<typeof federatedIdentities.$inferInsert, 'tenantId'>

export const findIdentity = async (t: TenantDb, issuer: string, subject: string): Promise<Identity | undefined> => {
  const [row] = await t.db
    .select()
    .from(federatedIdentities)
    .where(and(ownRows(t, federatedIdentities), eq(federatedIdentities.issuer, issuer), eq(federatedIdentities.subject, subject)))
  return row
}

/** The person's identities, oldest first. */
export const listIdentities = (t: TenantDb, userId: string): Promise<Identity[]> =>
  t.db
    .select()
    .from(federatedIdentities)
    .where(and(ownRows(t, federatedIdentities), eq(federatedIdentities.userId, userId)))
    .orderBy(asc(federatedIdentities.createdAt), asc(federatedIdentities.id))
    .limit(1000)

/** False when the identity already belongs to a person. `directoryHash` lists it for the account chooser. */
export const insertIdentity = async (t: TenantTx, row: NewIdentity, directoryHash: Uint8Array | undefined): Promise<boolean> => {
  const added = await t.db
    .insert(federatedIdentities)
    .values({ ...row, tenantId: t.tenantId })
    .onConflictDoNothing({ target: [federatedIdentities.tenantId, federatedIdentities.issuer, federatedIdentities.subject] })
    .returning({ id: federatedIdentities.id })
  if (added.length === 0) return false
  if (directoryHash !== undefined)
    await t.db.insert(identityDirectory).values({ identityHash: directoryHash, tenantId: t.tenantId, identityId: row.id }).onConflictDoNothing()
  return true
}

export const updateIdentity = async (
  t: TenantTx,
  id: string,
  set: Partial<Pick<NewIdentity, 'email' | 'profile' | 'lastLoginAt' | 'updatedAt'>>,
): Promise<void> => {
  await t.db
    .update(federatedIdentities)
    .set(set)
    .where(and(ownRows(t, federatedIdentities), eq(federatedIdentities.id, id)))
}

/** Deletes the person's identities at a provider, with their directory rows, and returns them. */
export const deleteIdentities = (t: TenantTx, userId: string, provider: string): Promise<Identity[]> =>
  t.db
    .delete(federatedIdentities)
    .where(and(ownRows(t, federatedIdentities), eq(federatedIdentities.userId, userId), eq(federatedIdentities.provider, provider)))
    .returning()

/** Deletes all of the person's identities except the given one. */
export const deleteOtherIdentities = async (t: TenantTx, userId: string, keepId: string | undefined): Promise<void> => {
  await t.db
    .delete(federatedIdentities)
    .where(
      and(
        ownRows(t, federatedIdentities),
        eq(federatedIdentities.userId, userId),
        keepId === undefined ? undefined : ne(federatedIdentities.id, keepId),
      ),
    )
}

/** Tenants that know the identity. */
export const findTenantsOfIdentity = async (d: AnyScope, identityHash: Uint8Array): Promise<TenantId[]> => {
  const rows = await d.db
    .select({ tenantId: identityDirectory.tenantId })
    .from(identityDirectory)
    .where(eq(identityDirectory.identityHash, identityHash))
    .orderBy(identityDirectory.tenantId)
    .limit(50)
  return rows.map((row) => asTenantId(row.tenantId))
}
