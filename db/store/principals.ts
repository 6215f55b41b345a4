// The one statement behind every authenticated request: session, person, tenant, live permissions. Written by hand, prepared by the driver (hot path).
import type { TenantDb } from '../engine/tenant.ts'

export type PrincipalRow = {
  readonly userId: string
  readonly clientId: string | null
  readonly email: string
  readonly amr: readonly string[]
  readonly acr: string
  readonly authTime: Date
  readonly createdAt: Date
  readonly lastSeenAt: Date
  readonly idleSeconds: number
  readonly expiresAt: Date
  readonly revoked: boolean
  readonly tokenId: string
  readonly userActive: boolean
  readonly userValidFrom: Date
  readonly clientActive: boolean
  readonly clientValidFrom: Date | null
  readonly tenantStatus: string
  readonly tenantValidFrom: Date
  readonly adminAcr: string | null
  readonly quotas: Readonly<Record<string, number>> | null
  readonly permissions: readonly string[]
  /** The session began with a temporary password that was not changed yet. */
  readonly passwordChangeRequired: boolean
}

/** Tenant-wide, unexpired, unconditional bindings of the person and of the person's groups. */
export const LIVE_PERMISSIONS = (user: string, now: string): string => `array(
  select distinct p.resource || ':' || p.action
  from authsec.role_bindings b
  join authsec.role_permissions rp on rp.tenant_id = b.tenant_id and rp.role_id = b.role_id
  join authsec.permissions p on p.tenant_id = rp.tenant_id and p.id = rp.permission_id
  where b.tenant_id = $1 and b.scope_id is null and (b.expires_at is null or b.expires_at > ${now}) and coalesce(b.conditions, '{}'::jsonb) = '{}'::jsonb
    and (b.user_id = ${user} or b.group_id in (select g.group_id from authsec.user_groups g where g.tenant_id = $1 and g.user_id = ${user})))`

/** Names of the roles that the person has by such bindings. */
export const LIVE_ROLE_NAMES = (user: string, now: string): string => `array(
  select distinct r.name from authsec.role_bindings b join authsec.roles r on r.tenant_id = b.tenant_id and r.id = b.role_id
  where b.tenant_id = $1 and b.scope_id is null and (b.expires_at is null or b.expires_at > ${now}) and coalesce(b.conditions, '{}'::jsonb) = '{}'::jsonb
    and (b.user_id = ${user} or b.group_id in (select g.group_id from authsec.user_groups g where g.tenant_id = $1 and g.user_id = ${user}))
  order by r.name)`

const TEXT = `select s.user_id, s.client_id, u.email, s.amr, s.acr, s.auth_time, s.created_at, s.last_seen_at, s.idle_seconds, s.expires_at,
  (s.revoked_at is not null or exists (select from authsec.revoked_tokens r where r.tenant_id = $1 and r.jti = $3)),
  u.active and u.deleted_at is null, u.valid_from, s.client_id is null or coalesce(c.active and c.deleted_at is null, false), c.valid_from, t.status, t.valid_from,
  t.settings ->> 'adminAcr', t.settings -> 'quotas',
  ${LIVE_PERMISSIONS('s.user_id', '$4')}, s.token_id, s.temporary_password and u.temporary_password
from authsec.sessions s
join authsec.users u on u.tenant_id = s.tenant_id and u.id = s.user_id
join authsec.tenants t on t.tenant_id = s.tenant_id
left join authsec.clients c on c.tenant_id = s.tenant_id and c.id = s.client_id
where s.tenant_id = $1 and s.id = $2`

/** What the store knows of a session and whoever is behind it; undefined when there is no such session in the tenant. */
export const findPrincipal = async (t: TenantDb, sessionId: string, tokenId: string, now: Date): Promise<PrincipalRow | undefined> => {
  const [row] = (await t.run({ text: TEXT, params: [t.tenantId, sessionId, tokenId, now.toISOString()], arrays: true })) as unknown[][]
  if (row === undefined) return undefined
  const date = (value: unknown): Date => new Date(value as string)
  return {
    userId: row[0] as string,
    clientId: row[1] as string | null,
    email: row[2] as string,
    amr: row[3] as string[],
    acr: row[4] as string,
    authTime: date(row[5]),
    createdAt: date(row[6]),
    lastSeenAt: date(row[7]),
    idleSeconds: row[8] as number,
    expiresAt: date(row[9]),
    revoked: row[10] as boolean,
    userActive: row[11] as boolean,
    userValidFrom: date(row[12]),
    clientActive: row[13] as boolean,
    clientValidFrom: row[14] === null ? null : date(row[14]),
    tenantStatus: row[15] as string,
    tenantValidFrom: date(row[16]),
    adminAcr: row[17] as string | null,
    quotas: row[18] as PrincipalRow['quotas'],
    permissions: row[19] as string[],
    tokenId: row[20] as string,
    passwordChangeRequired: row[21] as boolean,
  }
}
