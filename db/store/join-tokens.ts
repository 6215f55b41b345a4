// Queries on join tokens.
import { and, eq, gt, isNull } from 'drizzle-orm'
import { ownRows, type TenantDb, type TenantTx } from '../engine/tenant.ts'
import { joinTokens } from '../tables/attestation.ts'
import { afterCursor, keysetOrder, type Page } from './keyset.ts'

export type JoinToken = typeof joinTokens.$inferSelect

const own = (t: TenantDb, id: string) => and(ownRows(t, joinTokens), eq(joinTokens.id, id))
const columns = { id: joinTokens.id, by: { created_at: joinTokens.createdAt } }

/** The token may be used now, for this attestor. */
type Presented = { readonly hash: Uint8Array; readonly attestorId: string; readonly now: Date }
const usable = (t: TenantDb, { hash, attestorId, now }: Presented) =>
  and(
    ownRows(t, joinTokens),
    eq(joinTokens.hash, hash),
    eq(joinTokens.attestorId, attestorId),
    isNull(joinTokens.usedAt),
    gt(joinTokens.expiresAt, now),
  )

export const insertJoinToken = async (t: TenantTx, row: Omit<typeof joinTokens.$inferInsert, 'tenantId'>): Promise<JoinToken> => {
  const [inserted] = await t.db
    .insert(joinTokens)
    .values({ ...row, tenantId: t.tenantId })
    .returning()
  if (inserted === undefined) throw new Error('The inserted join token is missing.')
  return inserted
}

export const listJoinTokens = (t: TenantDb, page: Page<'created_at'>): Promise<JoinToken[]> =>
  t.db
    .select()
    .from(joinTokens)
    .where(and(ownRows(t, joinTokens), afterCursor(page, columns)))
    .orderBy(...keysetOrder(page, columns))
    .limit(page.limit)

export const countUsableJoinTokens = async (t: TenantDb, now: Date): Promise<number> =>
  t.db.$count(joinTokens, and(ownRows(t, joinTokens), isNull(joinTokens.usedAt), gt(joinTokens.expiresAt, now)))

export const findUsableJoinToken = async (t: TenantDb, presented: Presented): Promise<JoinToken | undefined> => {
  const [row] = await t.db.select().from(joinTokens).where(usable(t, presented))
  return row
}

/** Of several concurrent requests exactly one uses the token. */
export const consumeJoinToken = async (t: TenantTx, presented: Presented & { readonly jkt: string }): Promise<JoinToken | undefined> => {
  const [row] = await t.db.update(joinTokens).set({ usedAt: presented.now, usedJkt: presented.jkt }).where(usable(t, presented)).returning()
  return row
}

export const deleteJoinToken = async (t: TenantTx, id: string): Promise<JoinToken | undefined> => {
  const [row] = await t.db.delete(joinTokens).where(own(t, id)).returning()
  return row
}
