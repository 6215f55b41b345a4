// All data about one person: for export, for erasure, and for the report of a deletion.
import { and, asc, desc, eq, exists, lt, or } from 'drizzle-orm'
import { ownRows, type TenantDb, type TenantTx } from '../engine/tenant.ts'
import { auditEvents } from '../tables/audit.ts'
import { factors, smsPhones } from '../tables/factors.ts'
import { voiceLinks, voiceSessions } from '../tables/grants.ts'
import { oauthRequests } from '../tables/oauth.ts'
import { oneTimeCodes, pendingRegistrations, sessions } from '../tables/sessions.ts'
import { knownDevices } from '../tables/users.ts'
import type { AuditRow } from './audit-events.ts'

/** Tables whose rows are deleted with the person's; rows that refer to these are deleted as well. */
export const PERSON_TABLES = [
  'role_bindings',
  'factors',
  'backup_codes',
  'pending_enrolments',
  'sms_codes',
  'sessions',
  'tickets',
  'known_devices',
  'user_groups',
  'user_grams',
  'federated_identities',
  'push_devices',
  'voice_links',
  'device_grants',
  'ciba_requests',
  'oauth_grants',
] as const

/** The number of rows that refer to the person, by table. */
export const countPersonRows = async (t: TenantDb, userId: string): Promise<Record<string, number>> => {
  const [row] = (await t.run({
    text: `select ${PERSON_TABLES.map((table) => `(select count(*)::int from authsec.${table} where tenant_id = $1 and user_id = $2)`).join(', ')}`,
    params: [t.tenantId, userId],
    arrays: true,
  })) as number[][]
  return Object.fromEntries(PERSON_TABLES.map((table, at) => [table, row?.[at] ?? 0]))
}

/** Sessions, live and ended, without token ids. */
export const findSessionsOfPerson = (t: TenantDb, userId: string) =>
  t.db
    .select({
      id: sessions.id,
      createdAt: sessions.createdAt,
      lastSeenAt: sessions.lastSeenAt,
      expiresAt: sessions.expiresAt,
      revokedAt: sessions.revokedAt,
      address: sessions.address,
      userAgent: sessions.userAgent,
      amr: sessions.amr,
    })
    .from(sessions)
    .where(and(ownRows(t, sessions), eq(sessions.userId, userId)))
    .orderBy(desc(sessions.createdAt))
    .limit(1000)

/** Second factors, without their secrets. */
export const findFactorsOfPerson = (t: TenantDb, userId: string) =>
  t.db
    .select({
      id: factors.id,
      kind: factors.kind,
      name: factors.name,
      phone: smsPhones.display,
      confirmedAt: factors.confirmedAt,
      lastUsedAt: factors.lastUsedAt,
      createdAt: factors.createdAt,
    })
    .from(factors)
    .leftJoin(smsPhones, and(eq(smsPhones.tenantId, factors.tenantId), eq(smsPhones.factorId, factors.id)))
    .where(and(ownRows(t, factors), eq(factors.userId, userId)))
    .orderBy(asc(factors.createdAt))
    .limit(1000)

/** When the person's known browsers were last used. */
export const findDevicesOfPerson = (t: TenantDb, userId: string) =>
  t.db
    .select({ lastUsedAt: knownDevices.lastUsedAt })
    .from(knownDevices)
    .where(and(ownRows(t, knownDevices), eq(knownDevices.userId, userId)))
    .orderBy(desc(knownDevices.lastUsedAt))
    .limit(1000)

/**
 * Voice assistants' data about the person's speakers in live sessions, which do not refer to the person's row. Read it before the links are deleted.
 */
export const deleteVoiceSessionsOf = async (t: TenantTx, userId: string): Promise<void> => {
  const speakers = t.db
    .select({ id: voiceLinks.id })
    .from(voiceLinks)
    .where(
      and(
        ownRows(t, voiceLinks),
        eq(voiceLinks.userId, userId),
        eq(voiceLinks.voicePlatform, voiceSessions.voicePlatform),
        eq(voiceLinks.voiceUserId, voiceSessions.voiceUserId),
      ),
    )
  await t.db.delete(voiceSessions).where(and(ownRows(t, voiceSessions), exists(speakers)))
}

/** Events that the person caused or that concern the person, newest first, before an id. */
export const findEventsOfPerson = (t: TenantDb, userId: string, before: string | undefined, limit: number): Promise<AuditRow[]> =>
  t.db
    .select()
    .from(auditEvents)
    .where(
      and(
        ownRows(t, auditEvents),
        or(eq(auditEvents.subjectId, userId), eq(auditEvents.actorId, userId), eq(auditEvents.targetId, userId)),
        before === undefined ? undefined : lt(auditEvents.id, before),
      ),
    )
    .orderBy(desc(auditEvents.id))
    .limit(limit)

/** Pending data for a person or an address that does not refer to the person's row: sign-ups, codes, consent requests. */
export const deleteWaitingMessagesOf = async (t: TenantTx, userId: string, email: string, addressHash: Uint8Array): Promise<void> => {
  await t.db.delete(oauthRequests).where(and(ownRows(t, oauthRequests), eq(oauthRequests.userId, userId)))
  await t.db.delete(pendingRegistrations).where(and(ownRows(t, pendingRegistrations), eq(pendingRegistrations.email, email)))
  await t.db.delete(oneTimeCodes).where(and(ownRows(t, oneTimeCodes), eq(oneTimeCodes.addressHash, addressHash)))
}
