// Queries on voice sessions and on links between speakers and people.
import { and, desc, eq, gt, lt, sql } from 'drizzle-orm'
import { ownRows, type TenantDb, type TenantTx } from '../engine/tenant.ts'
import { voiceLinks, voiceSessions } from '../tables/grants.ts'

export type VoiceSession = typeof voiceSessions.$inferSelect
export type NewVoiceSession = Omit<typeof voiceSessions.$inferInsert, 'tenantId'>
export type VoiceSessionStatus = VoiceSession['status']
export type VoiceLink = typeof voiceLinks.$inferSelect

export const insertVoiceSession = async (t: TenantTx, row: NewVoiceSession): Promise<void> => {
  await t.db.insert(voiceSessions).values({ ...row, tenantId: t.tenantId })
}

const byToken = (t: TenantDb, tokenHash: Uint8Array) => and(ownRows(t, voiceSessions), eq(voiceSessions.tokenHash, tokenHash))

export const findVoiceSession = async (t: TenantDb, tokenHash: Uint8Array): Promise<VoiceSession | undefined> => {
  const [row] = await t.db.select().from(voiceSessions).where(byToken(t, tokenHash))
  return row
}

/** Counts an attempt on a live session before any comparison, so that parallel attempts all count. */
export const spendVoiceGuess = async (t: TenantTx, tokenHash: Uint8Array, most: number, now: Date): Promise<VoiceSession | undefined> => {
  const [row] = await t.db
    .update(voiceSessions)
    .set({ attempts: sql`${voiceSessions.attempts} + 1` })
    .where(and(byToken(t, tokenHash), eq(voiceSessions.status, 'initiated'), gt(voiceSessions.expiresAt, now), lt(voiceSessions.attempts, most)))
    .returning()
  return row
}

/** Changes the status; of several concurrent requests exactly one succeeds. */
export const moveVoiceSession = async (t: TenantTx, id: string, from: VoiceSessionStatus, to: VoiceSessionStatus, now: Date): Promise<boolean> => {
  const rows = await t.db
    .update(voiceSessions)
    .set({ status: to })
    .where(and(ownRows(t, voiceSessions), eq(voiceSessions.id, id), eq(voiceSessions.status, from), gt(voiceSessions.expiresAt, now)))
    .returning({ id: voiceSessions.id })
  return rows.length === 1
}

/** False when the speaker is already linked in the tenant. */
export const insertVoiceLink = async (t: TenantTx, row: Omit<typeof voiceLinks.$inferInsert, 'tenantId'>): Promise<boolean> => {
  const added = await t.db
    .insert(voiceLinks)
    .values({ ...row, tenantId: t.tenantId })
    .onConflictDoNothing({ target: [voiceLinks.tenantId, voiceLinks.voicePlatform, voiceLinks.voiceUserId] })
    .returning({ id: voiceLinks.id })
  return added.length === 1
}

/** The person of a speaker. */
export const findVoiceLink = async (t: TenantDb, platform: string, voiceUserId: string): Promise<VoiceLink | undefined> => {
  const [row] = await t.db
    .select()
    .from(voiceLinks)
    .where(and(ownRows(t, voiceLinks), eq(voiceLinks.voicePlatform, platform), eq(voiceLinks.voiceUserId, voiceUserId)))
  return row
}

export const touchVoiceLink = async (t: TenantTx, id: string, at: Date): Promise<void> => {
  await t.db
    .update(voiceLinks)
    .set({ lastUsedAt: at })
    .where(and(ownRows(t, voiceLinks), eq(voiceLinks.id, id)))
}

export const findVoiceLinks = (t: TenantDb, userId: string): Promise<VoiceLink[]> =>
  t.db
    .select()
    .from(voiceLinks)
    .where(and(ownRows(t, voiceLinks), eq(voiceLinks.userId, userId)))
    .orderBy(desc(voiceLinks.linkedAt), desc(voiceLinks.id))
    .limit(100)

/** Deletes the person's links of a platform, or the link of one speaker, and returns their ids. */
export const deleteVoiceLinks = async (t: TenantTx, userId: string, platform: string, voiceUserId: string | undefined): Promise<string[]> => {
  const isIt = voiceUserId === undefined ? undefined : eq(voiceLinks.voiceUserId, voiceUserId)
  const rows = await t.db
    .delete(voiceLinks)
    .where(and(ownRows(t, voiceLinks), eq(voiceLinks.userId, userId), eq(voiceLinks.voicePlatform, platform), isIt))
    .returning({ id: voiceLinks.id })
  return rows.map(({ id }) => id)
}
