// The deployment's signing keys: a directory table, because tokens are verified before the tenant is known.
import { and, asc, eq, lte, ne, sql } from 'drizzle-orm'
import type { AnyScope } from '../engine/tenant.ts'
import { signingKeys } from '../tables/keys.ts'

export type SigningKey = typeof signingKeys.$inferSelect
export type NewSigningKey = typeof signingKeys.$inferInsert

/** Serialises changes of the key set until the transaction ends, so that each change sees the result of the last one. */
export const lockSigningKeys = async (d: AnyScope): Promise<void> => void (await d.db.execute(sql`select pg_advisory_xact_lock(7468, 1)`))

/** All keys except revoked ones. */
export const listSigningKeys = (d: AnyScope): Promise<SigningKey[]> =>
  d.db
    .select()
    .from(signingKeys)
    .where(ne(signingKeys.status, 'revoked'))
    .orderBy(asc(signingKeys.alg), asc(signingKeys.createdAt), asc(signingKeys.kid))

export const findSigningKey = async (d: AnyScope, kid: string): Promise<SigningKey | undefined> => {
  const [row] = await d.db.select().from(signingKeys).where(eq(signingKeys.kid, kid))
  return row
}

/** False when another key has the status (one current and one next key per algorithm). */
export const insertSigningKey = async (d: AnyScope, key: NewSigningKey): Promise<boolean> =>
  (await d.db.insert(signingKeys).values(key).onConflictDoNothing().returning({ kid: signingKeys.kid })).length === 1

/** Makes a next key current. */
export const promoteSigningKey = async (d: AnyScope, kid: string, at: Date): Promise<boolean> => {
  const changed = await d.db
    .update(signingKeys)
    .set({ status: 'current', currentSince: at })
    .where(and(eq(signingKeys.kid, kid), eq(signingKeys.status, 'next')))
    .returning({ kid: signingKeys.kid })
  return changed.length === 1
}

/** Retires the current key: it verifies until the given time and no longer signs. */
export const retireSigningKey = async (d: AnyScope, kid: string, until: Date): Promise<boolean> => {
  const changed = await d.db
    .update(signingKeys)
    .set({ status: 'retired', retiresAt: until })
    .where(and(eq(signingKeys.kid, kid), eq(signingKeys.status, 'current')))
    .returning({ kid: signingKeys.kid })
  return changed.length === 1
}

/** The row remains as evidence; its private key is erased. */
export const markSigningKeyRevoked = async (d: AnyScope, kid: string): Promise<boolean> => {
  const changed = await d.db
    .update(signingKeys)
    .set({ status: 'revoked', retiresAt: null, sealedPrivateJwk: new Uint8Array() })
    .where(and(eq(signingKeys.kid, kid), ne(signingKeys.status, 'revoked')))
    .returning({ kid: signingKeys.kid })
  return changed.length === 1
}

/** Deletes a key after its retirement. */
export const deleteRetiredSigningKey = async (d: AnyScope, kid: string, at: Date): Promise<boolean> => {
  const gone = await d.db
    .delete(signingKeys)
    .where(and(eq(signingKeys.kid, kid), eq(signingKeys.status, 'retired'), lte(signingKeys.retiresAt, at)))
    .returning({ kid: signingKeys.kid })
  return gone.length === 1
}

/** Seals the same private key with another master key, if it still exists. */
export const resealSigningKey = async (d: AnyScope, kid: string, was: Uint8Array, sealed: Uint8Array): Promise<boolean> => {
  const changed = await d.db
    .update(signingKeys)
    .set({ sealedPrivateJwk: sealed })
    .where(and(eq(signingKeys.kid, kid), eq(signingKeys.sealedPrivateJwk, was)))
    .returning({ kid: signingKeys.kid })
  return changed.length === 1
}
