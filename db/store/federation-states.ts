// Queries on flows with providers: a response is stored once, and a state is consumed once, each in one conditional statement.
import { and, eq, gt, isNull, or } from 'drizzle-orm'
import { ownRows, type TenantDb, type TenantTx } from '../engine/tenant.ts'
import { federationStates } from '../tables/federation.ts'

export type { FederationAction, FederationPage } from '../tables/federation.ts'
export type FederationState = typeof federationStates.$inferSelect
export type NewFederationState = Omit<typeof federationStates.$inferInsert, 'tenantId'>

/** The key of a state: its text, and the browser that started it. */
export type FederationStateKey = { readonly stateHash: Uint8Array; readonly browserHash: Uint8Array }

export const insertFederationState = async (t: TenantTx, row: NewFederationState): Promise<void> => {
  await t.db.insert(federationStates).values({ ...row, tenantId: t.tenantId })
}

const live = (t: TenantDb, { stateHash, browserHash }: FederationStateKey, now: Date) =>
  and(
    ownRows(t, federationStates),
    eq(federationStates.stateHash, stateHash),
    eq(federationStates.browserHash, browserHash),
    gt(federationStates.expiresAt, now),
  )

export const findFederationState = async (t: TenantDb, key: FederationStateKey, now: Date): Promise<FederationState | undefined> => {
  const [row] = await t.db
    .select()
    .from(federationStates)
    .where(live(t, key, now))
  return row
}

/** Stores the returned code. The first one stays: another is refused, and the same one (a reloaded page) is accepted. */
export const recordFederationAnswer = async (t: TenantTx, key: FederationStateKey, codeHash: Uint8Array, now: Date): Promise<boolean> => {
  const rows = await t.db
    .update(federationStates)
    .set({ codeHash })
    .where(and(live(t, key, now), or(isNull(federationStates.codeHash), eq(federationStates.codeHash, codeHash))))
    .returning({ id: federationStates.id })
  return rows.length === 1
}

/** Of several concurrent requests exactly one gets the state, which is then deleted. */
export const consumeFederationState = async (t: TenantTx, key: FederationStateKey, now: Date): Promise<FederationState | undefined> => {
  const [row] = await t.db
    .delete(federationStates)
    .where(live(t, key, now))
    .returning()
  return row
}
