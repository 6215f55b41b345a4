// Every query on dances with providers: an answer is noted once, and a state is taken once, each in one conditional statement.
import { and, eq, gt, isNull, or } from 'drizzle-orm'
import { ownRows, type TenantDb, type TenantTx } from '../engine/tenant.ts'
import { federationStates } from '../tables/federation.ts'

export type { FederationAction, FederationPage } from '../tables/federation.ts'
export type FederationState = typeof federationStates.$inferSelect
export type NewFederationState = Omit<typeof federationStates.$inferInsert, 'tenantId'>

/** What names a state: the text that travels, and the browser that began it. */
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

/** Notes the code that came back. The first one stays: another is refused, the same one (a page that was loaded again) is not. */
export const recordFederationAnswer = async (t: TenantTx, key: FederationStateKey, codeHash: Uint8Array, now: Date): Promise<boolean> => {
  const rows = await t.db
    .update(federationStates)
    .set({ codeHash })
    .where(and(live(t, key, now), or(isNull(federationStates.codeHash), eq(federationStates.codeHash, codeHash))))
    .returning({ id: federationStates.id })
  return rows.length === 1
}

/** Of many at once exactly one gets the state, and it is gone. */
export const consumeFederationState = async (t: TenantTx, key: FederationStateKey, now: Date): Promise<FederationState | undefined> => {
  const [row] = await t.db
    .delete(federationStates)
    .where(live(t, key, now))
    .returning()
  return row
}
