// Queries on attestors, and on the keys that evidence is bound to.
import { and, asc, eq, gt, sql } from 'drizzle-orm'
import { ownRows, type TenantDb, type TenantTx } from '../engine/tenant.ts'
import { attestationUses, attestors } from '../tables/attestation.ts'

export type { AttestorKind, KeyBinding } from '../tables/attestation.ts'
export type Attestor = typeof attestors.$inferSelect
export type NewAttestor = Omit<typeof attestors.$inferInsert, 'tenantId'>

const own = (t: TenantDb, id: string) => and(ownRows(t, attestors), eq(attestors.id, id))

/** @throws unique_violation */
export const insertAttestor = async (t: TenantTx, row: NewAttestor): Promise<Attestor> => {
  const [inserted] = await t.db
    .insert(attestors)
    .values({ ...row, tenantId: t.tenantId })
    .returning()
  if (inserted === undefined) throw new Error('The inserted attestor is missing.')
  return inserted
}

export const findAttestor = async (t: TenantDb, id: string): Promise<Attestor | undefined> => {
  const [row] = await t.db.select().from(attestors).where(own(t, id))
  return row
}

export const listAttestors = (t: TenantDb, limit: number): Promise<Attestor[]> =>
  t.db.select().from(attestors).where(ownRows(t, attestors)).orderBy(asc(attestors.name)).limit(limit)

/** Locks the row for a change. */
export const lockAttestor = async (t: TenantTx, id: string): Promise<Attestor | undefined> => {
  const [row] = await t.db.select().from(attestors).where(own(t, id)).for('update')
  return row
}

/**
 * Whether the attestor is active and still as it was at `validFrom`. The row stays unchanged until the transaction ends, so evidence that was verified against it
 * cannot be used after a change.
 */
export const holdAttestor = async (t: TenantTx, id: string, validFrom: Date): Promise<boolean> => {
  const rows = await t.db
    .select({ id: attestors.id })
    .from(attestors)
    .where(and(own(t, id), eq(attestors.active, true), eq(attestors.validFrom, validFrom)))
    .for('share')
  return rows.length === 1
}

/** @throws unique_violation */
export const updateAttestor = async (t: TenantTx, id: string, set: Partial<NewAttestor>): Promise<Attestor | undefined> => {
  const [row] = await t.db.update(attestors).set(set).where(own(t, id)).returning()
  return row
}

export const deleteAttestor = async (t: TenantTx, id: string): Promise<boolean> =>
  (await t.db.delete(attestors).where(own(t, id)).returning({ id: attestors.id })).length === 1

/** Binds evidence to the first key that comes with it. Returns the key that has it: of several concurrent requests all get the same one. */
export const pinEvidence = async (
  t: TenantTx,
  use: { readonly evidenceDigest: Uint8Array; readonly jkt: string; readonly expiresAt: Date },
): Promise<string | undefined> => {
  const [row] = await t.db
    .insert(attestationUses)
    .values({ ...use, tenantId: t.tenantId })
    .onConflictDoUpdate({ target: [attestationUses.tenantId, attestationUses.evidenceDigest], set: { jkt: sql`${attestationUses.jkt}` } })
    .returning({ jkt: attestationUses.jkt })
  return row?.jkt
}

/** The key that evidence is bound to; undefined before its first use. */
export const findPinnedKey = async (t: TenantDb, evidenceDigest: Uint8Array, now: Date): Promise<string | undefined> => {
  const [row] = await t.db
    .select({ jkt: attestationUses.jkt })
    .from(attestationUses)
    .where(and(ownRows(t, attestationUses), eq(attestationUses.evidenceDigest, evidenceDigest), gt(attestationUses.expiresAt, now)))
  return row?.jkt
}
