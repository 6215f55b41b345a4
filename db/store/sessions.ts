// Queries on sessions and revoked tokens.
import { and, desc, eq, gt, gte, isNull, lt, ne, or, type SQL, sql } from 'drizzle-orm'
import { ownRows, type TenantDb, type TenantTx } from '../engine/tenant.ts'
import { revokedTokens, sessions } from '../tables/sessions.ts'
import { tenants } from '../tables/tenants.ts'
import { users } from '../tables/users.ts'

export type Session = typeof sessions.$inferSelect
export type NewSession = Omit<typeof sessions.$inferInsert, 'tenantId'>

export const insertSession = async (t: TenantTx, row: NewSession): Promise<void> => {
  await t.db.insert(sessions).values({ ...row, tenantId: t.tenantId })
}

/** A live session: not revoked and within its absolute and idle lifetimes. */
const live = (now: Date): SQL | undefined =>
  and(
    isNull(sessions.revokedAt),
    gt(sessions.expiresAt, now),
    sql`${sessions.lastSeenAt} + make_interval(secs => ${sessions.idleSeconds}) > ${now.toISOString()}::timestamptz`,
  )

/** The start of the person's valid sessions: earlier ones were ended for the person or the tenant. */
const validFrom = (t: TenantDb): SQL => sql`(select greatest(${users.validFrom}, ${tenants.validFrom}) from ${users} join ${tenants}
  on ${tenants.tenantId} = ${users.tenantId} where ${users.tenantId} = ${t.tenantId} and ${users.id} = ${sessions.userId})`

/** The person's live sessions, newest first. */
export const findSessions = (t: TenantDb, userId: string, now: Date): Promise<Session[]> =>
  t.db
    .select()
    .from(sessions)
    .where(and(ownRows(t, sessions), eq(sessions.userId, userId), live(now), gte(sessions.createdAt, validFrom(t))))
    .orderBy(desc(sessions.createdAt), desc(sessions.id))
    .limit(1000)

/** A session that ended after it approved a device by itself; what it approved continues. */
export const APPROVED_ONLY = 'approved_only'

/**
 * Ends the sessions derived from those that ended, and enqueues a logout token for each client and session (OpenID Connect Back-Channel Logout 1.0), which
 * the outbox sends. As a statement after the first it also sees a derived session whose transaction held the source until now.
 */
const END_DERIVED = `
with recursive doomed as (
  select unnest($2::uuid[]) as id
  union select d.id from authsec.sessions d join doomed on d.source_session_id = doomed.id
    where d.tenant_id = $1 and (d.revoked_at is null or d.revoked_reason = '${APPROVED_ONLY}') and d.id is distinct from $5::uuid and $4::text <> '${APPROVED_ONLY}'),
derived as (
  update authsec.sessions set revoked_at = $3::timestamptz, revoked_reason = $4::text
  where tenant_id = $1 and revoked_at is null and id in (select id from doomed)),
told as (
  select distinct a.client_id, a.user_id, a.session_id from authsec.oauth_authorizations a
  join authsec.clients c on c.tenant_id = a.tenant_id and c.id = a.client_id
  where a.tenant_id = $1 and a.session_id in (select id from doomed) and a.code_used_at is not null and 'openid' = any (a.scopes)
    and c.backchannel_logout_uri is not null and c.active and c.deleted_at is null),
messages as (
  insert into authsec.outbox_messages (tenant_id, id, kind, data, created_at)
  select $1, gen_random_uuid(), 'logout_token', jsonb_build_object('client_id', client_id, 'user_id', user_id, 'session_id', session_id), $3::timestamptz from told
  returning id),
queued as (insert into authsec.outbox_queue (tenant_id, id, due_at) select $1, id, $3::timestamptz from messages)
select id from doomed`

/** Ids of the ended sessions, derived ones included. */
const revoke = async (t: TenantTx, which: Parameters<typeof and>, at: Date, reason: string, except?: string): Promise<string[]> => {
  const rows = await t.db
    .update(sessions)
    .set({ revokedAt: at, revokedReason: reason })
    .where(and(ownRows(t, sessions), isNull(sessions.revokedAt), ...which))
    .returning({ id: sessions.id })
  const ids = rows.map((row) => row.id)
  if (ids.length === 0) return ids
  const params = [t.tenantId, ids, at.toISOString(), reason, except ?? null]
  return ((await t.run({ text: END_DERIVED, params, arrays: true })) as [string][]).map(([id]) => id)
}

/** False when the person has no such live session. */
export const revokeSession = async (t: TenantTx, userId: string, sessionId: string, at: Date, reason: string): Promise<boolean> =>
  (await revoke(t, [eq(sessions.userId, userId), eq(sessions.id, sessionId), live(at)], at, reason)).includes(sessionId)

/** Ids of the ended sessions; `except` stays live, also when it was derived from one of them. */
export const revokeSessions = (t: TenantTx, userId: string, at: Date, reason: string, except?: string): Promise<string[]> =>
  revoke(t, [eq(sessions.userId, userId), ...(except === undefined ? [] : [ne(sessions.id, except)])], at, reason, except)

const REVOKE_AUTHORIZATIONS = `
update authsec.oauth_authorizations a set revoked_at = $3, revoked_reason = $4
from authsec.oauth_grants g
where g.tenant_id = $1 and g.user_id = $2 and a.tenant_id = g.tenant_id and a.grant_id = g.id and a.revoked_at is null
  and ($5::uuid is null or a.session_id <> $5::uuid)`

/**
 * An intruder may have authorized clients with `offline_access`, which outlast every session. When sessions are ended because of a possible intruder,
 * those authorizations end too; those of the session `except` stay.
 */
export const revokeAuthorizationsOf = async (t: TenantTx, userId: string, at: Date, reason: string, except?: string): Promise<void> => {
  await t.run({ text: REVOKE_AUTHORIZATIONS, params: [t.tenantId, userId, at.toISOString(), reason, except ?? null], arrays: true })
}

/** Returns the number of the client's ended sessions. */
export const revokeSessionsOfClient = async (t: TenantTx, clientId: string, at: Date, reason: string): Promise<number> =>
  (await revoke(t, [eq(sessions.clientId, clientId)], at, reason)).length

export type InsufficientSessions = {
  /** A single factor. */
  readonly oneFactor: boolean
  /** Another provider's assertion counts as a factor. */
  readonly trusted: boolean
  /** Only an authenticator code. */
  readonly codeAlone: boolean
}

/** Returns the number of the tenant's ended sessions. */
export const revokeSessionsWhere = async (
  t: TenantTx,
  { oneFactor, trusted, codeAlone }: InsufficientSessions,
  at: Date,
  reason: string,
): Promise<number> => {
  const unfit = or(
    ...(oneFactor ? [eq(sessions.acr, 'aal1')] : []),
    ...(trusted ? [sql`${sessions.amr} @> array['fed', 'mfa']`] : []),
    ...(codeAlone ? [sql`${sessions.amr} = array['otp']`] : []),
  )
  return unfit === undefined ? 0 : (await revoke(t, [unfit, live(at)], at, reason)).length
}

/** Shortens live sessions to the lifetime that they would have if they started now. That of a derived session counts from the authentication. */
export const shortenSessions = async (t: TenantTx, most: { readonly idleSeconds: number; readonly absoluteSeconds: number }): Promise<void> => {
  const since = sql`case when ${sessions.sourceSessionId} is null then ${sessions.createdAt} else least(${sessions.createdAt}, ${sessions.authTime}) end`
  const expiresAt = sql`least(${sessions.expiresAt}, ${since} + make_interval(secs => ${most.absoluteSeconds}::int))`
  await t.db
    .update(sessions)
    .set({ idleSeconds: sql`least(${sessions.idleSeconds}, ${most.idleSeconds}::int)`, expiresAt })
    .where(and(ownRows(t, sessions), isNull(sessions.revokedAt)))
}

/** Stores the last use of the session. Not audited, so it needs no transaction. */
export const touchSession = async (t: TenantDb, sessionId: string, at: Date, notSince: Date): Promise<void> => {
  await t.db
    .update(sessions)
    .set({ lastSeenAt: at })
    .where(and(ownRows(t, sessions), eq(sessions.id, sessionId), lt(sessions.lastSeenAt, notSince)))
}

/** A live session of that person. */
export const findLiveSession = async (t: TenantDb, userId: string, sessionId: string, now: Date): Promise<Session | undefined> => {
  const [row] = await t.db
    .select()
    .from(sessions)
    .where(and(ownRows(t, sessions), eq(sessions.userId, userId), eq(sessions.id, sessionId), live(now), gte(sessions.createdAt, validFrom(t))))
  return row
}

/**
 * When the person of a live session authenticated; undefined when it has ended. Held until the transaction ends, so that a session derived from it is either
 * refused or ended with it.
 */
export const holdSource = async (t: TenantTx, userId: string, sessionId: string, now: Date): Promise<Date | undefined> => {
  const [row] = await t.db
    .select({ authTime: sessions.authTime })
    .from(sessions)
    .where(and(ownRows(t, sessions), eq(sessions.userId, userId), eq(sessions.id, sessionId), live(now), gte(sessions.createdAt, validFrom(t))))
    .for('share')
  return row?.authTime
}

export type SessionRenewal = Pick<Session, 'tokenId' | 'amr' | 'acr' | 'authTime'>

/** Step-up of a live session: it continues with a new token, and the previous one becomes invalid. */
export const renewSession = async (
  t: TenantTx,
  userId: string,
  sessionId: string,
  expectedTokenId: string,
  set: SessionRenewal,
): Promise<boolean> => {
  const rows = await t.db
    .update(sessions)
    .set({ ...set, amr: [...set.amr], lastSeenAt: set.authTime })
    .where(
      and(ownRows(t, sessions), eq(sessions.userId, userId), eq(sessions.id, sessionId), eq(sessions.tokenId, expectedTokenId), live(set.authTime)),
    )
    .returning({ id: sessions.id })
  return rows.length === 1
}

/** Revokes one token. */
export const revokeToken = async (t: TenantTx, jti: string, expiresAt: Date, at: Date): Promise<void> => {
  await t.db.insert(revokedTokens).values({ tenantId: t.tenantId, jti, expiresAt, revokedAt: at }).onConflictDoNothing()
}
