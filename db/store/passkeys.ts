// Queries on passkeys and their directory.
import { and, asc, desc, eq, isNotNull, isNull, lt, sql } from 'drizzle-orm'
import { type AnyScope, asTenantId, ownRows, type TenantDb, type TenantId, type TenantTx } from '../engine/tenant.ts'
import { factors } from '../tables/factors.ts'
import { users } from '../tables/users.ts'
import { passkeyDirectory, webauthnCredentials } from '../tables/webauthn.ts'

export type Passkey = typeof webauthnCredentials.$inferSelect
export type NewPasskey = Omit<typeof webauthnCredentials.$inferInsert, 'tenantId'>

/**
 * False when the tenant already has the credential id. Call it in the transaction that enrols its factor. Without a directory row the passkey only
 * signs in a person who is already identified.
 */
export const insertPasskey = async (t: TenantTx, row: NewPasskey, entryHash: Uint8Array | undefined): Promise<boolean> => {
  const added = await t.db
    .insert(webauthnCredentials)
    .values({ ...row, tenantId: t.tenantId })
    .onConflictDoNothing({ target: [webauthnCredentials.tenantId, webauthnCredentials.credentialId] })
    .returning({ id: webauthnCredentials.factorId })
  if (added.length === 0) return false
  if (entryHash !== undefined) await t.db.insert(passkeyDirectory).values({ entryHash, tenantId: t.tenantId, factorId: row.factorId })
  return true
}

export const hasCredential = async (t: TenantDb, credentialId: string): Promise<boolean> => {
  const rows = await t.db
    .select({ id: webauthnCredentials.factorId })
    .from(webauthnCredentials)
    .where(and(ownRows(t, webauthnCredentials), eq(webauthnCredentials.credentialId, credentialId)))
  return rows.length > 0
}

/** The tenant of a passkey by the id and user handle that an authenticator returned. */
export const findTenantOfPasskey = async (d: AnyScope, entryHash: Uint8Array): Promise<TenantId | undefined> => {
  const [row] = await d.db.select({ tenantId: passkeyDirectory.tenantId }).from(passkeyDirectory).where(eq(passkeyDirectory.entryHash, entryHash))
  return row === undefined ? undefined : asTenantId(row.tenantId)
}

/** The person's passkeys, oldest first. */
export const findPasskeys = (t: TenantDb, userId: string): Promise<Passkey[]> =>
  t.db
    .select()
    .from(webauthnCredentials)
    .where(and(ownRows(t, webauthnCredentials), eq(webauthnCredentials.userId, userId)))
    .orderBy(asc(webauthnCredentials.createdAt), asc(webauthnCredentials.factorId))
    .limit(1000)

/** A passkey of that person. */
export const findPasskey = async (t: TenantDb, userId: string, credentialId: string): Promise<Passkey | undefined> => {
  const [row] = await t.db
    .select()
    .from(webauthnCredentials)
    .where(and(ownRows(t, webauthnCredentials), eq(webauthnCredentials.userId, userId), eq(webauthnCredentials.credentialId, credentialId)))
  return row
}

/** The owner's view of their passkeys, newest first. */
export const listPasskeys = (t: TenantDb, userId: string) =>
  t.db
    .select({ passkey: webauthnCredentials, name: factors.name, lastUsedAt: factors.lastUsedAt })
    .from(webauthnCredentials)
    .innerJoin(factors, and(eq(factors.tenantId, webauthnCredentials.tenantId), eq(factors.id, webauthnCredentials.factorId)))
    .where(and(ownRows(t, webauthnCredentials), eq(webauthnCredentials.userId, userId)))
    .orderBy(desc(webauthnCredentials.createdAt), desc(webauthnCredentials.factorId))
    .limit(1000)

/**
 * Stores a signature. False when its counter did not increase (WebAuthn Level 3 section 7.2 step 22; authenticators without a counter always send 0),
 * or had decreased before. One statement, so that of two copies that sign concurrently one is detected.
 */
export const countSignature = async (t: TenantTx, factorId: string, seen: { readonly signCount: number; readonly backedUp: boolean }) => {
  const { signCount, backedUp } = seen
  const rises = signCount === 0 ? eq(webauthnCredentials.signCount, 0) : lt(webauthnCredentials.signCount, signCount)
  const rows = await t.db
    .update(webauthnCredentials)
    .set({ signCount, backedUp })
    .where(and(ownRows(t, webauthnCredentials), eq(webauthnCredentials.factorId, factorId), isNull(webauthnCredentials.counterAlarmAt), rises))
    .returning({ id: webauthnCredentials.factorId })
  return rows.length === 1
}

/** True only for the first call. */
export const raiseCounterAlarm = async (t: TenantTx, factorId: string, at: Date): Promise<boolean> => {
  const rows = await t.db
    .update(webauthnCredentials)
    .set({ counterAlarmAt: at })
    .where(and(ownRows(t, webauthnCredentials), eq(webauthnCredentials.factorId, factorId), isNull(webauthnCredentials.counterAlarmAt)))
    .returning({ id: webauthnCredentials.factorId })
  return rows.length === 1
}

/** Clears the alarm and the counter, and returns the time of the alarm. Undefined when the person has no such passkey or no alarm. */
export const clearCounterAlarm = async (t: TenantTx, userId: string, factorId: string): Promise<Date | undefined> => {
  const own = and(
    ownRows(t, webauthnCredentials),
    eq(webauthnCredentials.userId, userId),
    eq(webauthnCredentials.factorId, factorId),
    isNotNull(webauthnCredentials.counterAlarmAt),
  )
  const [row] = await t.db.select({ at: webauthnCredentials.counterAlarmAt }).from(webauthnCredentials).where(own).for('update')
  if (row === undefined || row.at === null) return undefined
  await t.db.update(webauthnCredentials).set({ counterAlarmAt: null, signCount: 0 }).where(own)
  return row.at
}

/** Passkeys with a decreased counter and their owners, newest alarm first. */
export const listCounterAlarms = (t: TenantDb) =>
  t.db
    .select({
      id: webauthnCredentials.factorId,
      credentialId: webauthnCredentials.credentialId,
      userId: webauthnCredentials.userId,
      email: users.email,
      name: factors.name,
      at: sql<Date>`${webauthnCredentials.counterAlarmAt}`.mapWith(webauthnCredentials.counterAlarmAt),
    })
    .from(webauthnCredentials)
    .innerJoin(users, and(eq(users.tenantId, webauthnCredentials.tenantId), eq(users.id, webauthnCredentials.userId)))
    .innerJoin(factors, and(eq(factors.tenantId, webauthnCredentials.tenantId), eq(factors.id, webauthnCredentials.factorId)))
    .where(and(ownRows(t, webauthnCredentials), isNotNull(webauthnCredentials.counterAlarmAt)))
    .orderBy(desc(webauthnCredentials.counterAlarmAt), desc(webauthnCredentials.factorId))
    .limit(500)
