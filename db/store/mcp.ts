// Queries on sessions of MCP clients and on the tools of MCP servers.
import { and, count, eq, gt, isNull, lt, ne, sql } from 'drizzle-orm'
import { statement } from '../engine/statement.ts'
import { ownRows, type TenantDb, type TenantTx } from '../engine/tenant.ts'
import { mcpSessions, mcpTools, type Tool } from '../tables/mcp.ts'
import { LIVE_PERMISSIONS, LIVE_ROLE_NAMES } from './live-bindings.ts'

export type { Tool, ToolRule } from '../tables/mcp.ts'
export type NewMcpSession = Omit<typeof mcpSessions.$inferInsert, 'tenantId'>
export type McpSession = typeof mcpSessions.$inferSelect

export const insertMcpSession = async (t: TenantTx, row: NewMcpSession): Promise<void> => {
  await t.db.insert(mcpSessions).values({ ...row, tenantId: t.tenantId })
}

/** The session that waits for this state, locked until the transaction ends. */
export const lockPendingMcpSession = async (
  t: TenantTx,
  by: { readonly stateHash: Uint8Array } | { readonly idHash: Uint8Array },
  now: Date,
): Promise<McpSession | undefined> => {
  const key = 'stateHash' in by ? eq(mcpSessions.stateHash, by.stateHash) : eq(mcpSessions.idHash, by.idHash)
  const [row] = await t.db
    .select()
    .from(mcpSessions)
    .where(and(ownRows(t, mcpSessions), key, eq(mcpSessions.status, 'pending'), gt(mcpSessions.expiresAt, now)))
    .for('update')
  return row
}

const pendingFor = (t: TenantDb, { stateHash, clientId }: { readonly stateHash: Uint8Array; readonly clientId: string }, now: Date) =>
  and(
    ownRows(t, mcpSessions),
    eq(mcpSessions.stateHash, stateHash),
    eq(mcpSessions.clientId, clientId),
    eq(mcpSessions.status, 'pending'),
    gt(mcpSessions.expiresAt, now),
  )

/** The session that waits for this state. */
export const findPendingMcpSession = async (
  t: TenantDb,
  of: { readonly stateHash: Uint8Array; readonly clientId: string },
  now: Date,
): Promise<McpSession | undefined> => {
  const [row] = await t.db
    .select()
    .from(mcpSessions)
    .where(pendingFor(t, of, now))
  return row
}

/** Counts an attempt before the code is compared, so that concurrent attempts cannot exceed the limit. Undefined when no attempt is left. */
export const countMcpCodeAttempt = async (
  t: TenantTx,
  of: { readonly stateHash: Uint8Array; readonly clientId: string; readonly most: number },
  now: Date,
): Promise<McpSession | undefined> => {
  const [row] = await t.db
    .update(mcpSessions)
    .set({ codeAttempts: sql`${mcpSessions.codeAttempts} + 1` })
    .where(and(pendingFor(t, of, now), isNull(mcpSessions.confirmedBy), lt(mcpSessions.codeAttempts, of.most)))
    .returning()
  return row
}

/** True for the first person who confirms the session. */
export const confirmMcpSession = async (t: TenantTx, idHash: Uint8Array, userId: string): Promise<boolean> => {
  const rows = await t.db
    .update(mcpSessions)
    .set({ confirmedBy: userId })
    .where(and(ownRows(t, mcpSessions), eq(mcpSessions.idHash, idHash), eq(mcpSessions.status, 'pending'), isNull(mcpSessions.confirmedBy)))
    .returning({ idHash: mcpSessions.idHash })
  return rows.length === 1
}

export type AuthenticatedMcpSession = Pick<McpSession, 'userId' | 'authorizationId' | 'sessionId' | 'scopes' | 'authenticatedAt' | 'expiresAt'>

export const authenticateMcpSession = async (t: TenantTx, idHash: Uint8Array, as: AuthenticatedMcpSession): Promise<void> => {
  await t.db
    .update(mcpSessions)
    .set({ ...as, status: 'authenticated' })
    .where(and(ownRows(t, mcpSessions), eq(mcpSessions.idHash, idHash)))
}

/** True for the first of several concurrent calls. */
export const closeMcpSession = async (t: TenantTx, idHash: Uint8Array): Promise<boolean> => {
  const rows = await t.db
    .update(mcpSessions)
    .set({ status: 'closed' })
    .where(and(ownRows(t, mcpSessions), eq(mcpSessions.idHash, idHash), ne(mcpSessions.status, 'closed')))
    .returning({ idHash: mcpSessions.idHash })
  return rows.length === 1
}

/** Returns the number of open sessions that it closed. */
export const closeMcpSessionsOf = async (t: TenantTx, clientId: string, appName: string, now: Date): Promise<number> => {
  const rows = await t.db
    .update(mcpSessions)
    .set({ status: 'closed' })
    .where(
      and(
        ownRows(t, mcpSessions),
        eq(mcpSessions.clientId, clientId),
        eq(mcpSessions.appName, appName),
        ne(mcpSessions.status, 'closed'),
        gt(mcpSessions.expiresAt, now),
      ),
    )
    .returning({ idHash: mcpSessions.idHash })
  return rows.length
}

export const countAuthenticatedMcpSessions = async (t: TenantDb, now: Date): Promise<number> => {
  const [row] = await t.db
    .select({ sessions: count() })
    .from(mcpSessions)
    .where(and(ownRows(t, mcpSessions), eq(mcpSessions.status, 'authenticated'), gt(mcpSessions.expiresAt, now)))
  return row?.sessions ?? 0
}

/** A person's current roles, groups and permissions. */
export type HeldAccess = {
  readonly roles: readonly string[]
  readonly groups: readonly string[]
  readonly permissions: readonly string[]
}
export type McpPerson = HeldAccess & { readonly id: string; readonly email: string; readonly name: string; readonly username: string | undefined }
export type McpState = {
  readonly clientId: string
  readonly appName: string
  readonly status: McpSession['status']
  readonly starterHash: Uint8Array
  readonly expiresAt: Date
  /** The permissions that the session carries; null for all permissions of the person. */
  readonly scopes: readonly string[] | null
  /** The signed-in person, while the person, the client, the tenant and the session's origin are valid. */
  readonly person: McpPerson | undefined
}

const STATE = statement<{ idHash: Uint8Array; now: Date }>(`
select m.client_id, m.app_name, m.status, m.starter_hash, m.expires_at, m.scopes,
  coalesce(m.status = 'authenticated' and m.expires_at > :now and u.active and u.deleted_at is null and u.valid_from <= m.authenticated_at
    and t.status = 'active' and t.valid_from <= m.authenticated_at and c.active and c.deleted_at is null and c.valid_from <= m.authenticated_at
    and (m.authorization_id is null or (a.id is not null and a.revoked_at is null))
    and s.revoked_at is null and s.expires_at > :now and s.last_seen_at + make_interval(secs => s.idle_seconds) > :now, false),
  u.id, u.email, u.name, u.username, ${LIVE_ROLE_NAMES('m.user_id', ':now')}, ${LIVE_PERMISSIONS('m.user_id', ':now')},
  array(select g.name from authsec.user_groups ug join authsec.groups g on g.tenant_id = ug.tenant_id and g.id = ug.group_id
    where ug.tenant_id = :tenantId and ug.user_id = m.user_id order by g.name)
from authsec.mcp_sessions m
join authsec.tenants t on t.tenant_id = m.tenant_id
join authsec.clients c on c.tenant_id = m.tenant_id and c.id = m.client_id
left join authsec.users u on u.tenant_id = m.tenant_id and u.id = m.user_id
left join authsec.oauth_authorizations a on a.tenant_id = m.tenant_id and a.id = m.authorization_id
left join authsec.sessions s on s.tenant_id = m.tenant_id and s.id = coalesce(m.session_id, a.session_id)
where m.tenant_id = :tenantId and m.id_hash = :idHash`)

/** The session and its current person, in one statement. */
export const findMcpState = async (t: TenantDb, idHash: Uint8Array, now: Date): Promise<McpState | undefined> => {
  const [row] = (await t.run(STATE.bind(t, { idHash, now }))) as unknown[][]
  if (row === undefined) return undefined
  const [clientId, appName, status, starterHash, expiresAt, scopes, isAlive, id, email, name, username, roles, permissions, groups] = row
  const person = {
    id: id as string,
    email: email as string,
    name: (name as string | null) ?? '',
    username: (username as string | null) ?? undefined,
    roles: roles as string[],
    permissions: permissions as string[],
    groups: groups as string[],
  }
  return {
    clientId: clientId as string,
    appName: appName as string,
    status: status as McpSession['status'],
    starterHash: starterHash as Uint8Array,
    expiresAt: new Date(expiresAt as string),
    scopes: scopes as string[] | null,
    person: isAlive === true ? person : undefined,
  }
}

export const findTools = async (t: TenantDb, clientId: string, appName: string): Promise<readonly Tool[]> => {
  const [row] = await t.db
    .select({ tools: mcpTools.tools })
    .from(mcpTools)
    .where(and(ownRows(t, mcpTools), eq(mcpTools.clientId, clientId), eq(mcpTools.appName, appName)))
  return row?.tools ?? []
}

/** Replaces the stored tools. */
export const putTools = async (t: TenantTx, row: Omit<typeof mcpTools.$inferInsert, 'tenantId'>): Promise<void> => {
  const { tools, updatedAt } = row
  await t.db
    .insert(mcpTools)
    .values({ ...row, tenantId: t.tenantId })
    .onConflictDoUpdate({ target: [mcpTools.tenantId, mcpTools.clientId, mcpTools.appName], set: { tools, updatedAt } })
}
