// The one statement behind every authenticated request: session, person, tenant, live permissions. Written by hand, prepared by the driver (hot path).
import { column, columns, moment, nullable, type RowOf, statement } from '../engine/statement.ts'
import type { TenantDb } from '../engine/tenant.ts'
import { LIVE_PERMISSIONS } from './live-bindings.ts'

const PRINCIPAL = columns({
  userId: column<string>('s.user_id'),
  clientId: column<string | null>('s.client_id'),
  email: column<string>('u.email'),
  amr: column<readonly string[]>('s.amr'),
  acr: column<string>('s.acr'),
  authTime: moment('s.auth_time'),
  createdAt: moment('s.created_at'),
  lastSeenAt: moment('s.last_seen_at'),
  idleSeconds: column<number>('s.idle_seconds'),
  expiresAt: moment('s.expires_at'),
  revoked: column<boolean>(
    '(s.revoked_at is not null or exists (select from authsec.revoked_tokens r where r.tenant_id = :tenantId and r.jti = :tokenId))',
  ),
  userActive: column<boolean>('u.active and u.deleted_at is null'),
  userValidFrom: moment('u.valid_from'),
  clientActive: column<boolean>('s.client_id is null or coalesce(c.active and c.deleted_at is null, false)'),
  clientValidFrom: nullable(moment('c.valid_from')),
  tenantStatus: column<string>('t.status'),
  tenantValidFrom: moment('t.valid_from'),
  adminAcr: column<string | null>(`t.settings ->> 'adminAcr'`),
  quotas: column<Readonly<Record<string, number>> | null>(`t.settings -> 'quotas'`),
  permissions: column<readonly string[]>(LIVE_PERMISSIONS('s.user_id', ':now')),
  tokenId: column<string>('s.token_id'),
  /** The session began with a temporary password that was not changed yet. */
  passwordChangeRequired: column<boolean>('s.temporary_password and u.temporary_password'),
})
export type PrincipalRow = RowOf<typeof PRINCIPAL>

const FIND = statement<{ sessionId: string; tokenId: string; now: Date }>(`select ${PRINCIPAL.list}
from authsec.sessions s
join authsec.users u on u.tenant_id = s.tenant_id and u.id = s.user_id
join authsec.tenants t on t.tenant_id = s.tenant_id
left join authsec.clients c on c.tenant_id = s.tenant_id and c.id = s.client_id
where s.tenant_id = :tenantId and s.id = :sessionId`).returning(PRINCIPAL)

/** A session with its person, tenant and live permissions; undefined when the tenant has no such session. */
export const findPrincipal = (t: TenantDb, sessionId: string, tokenId: string, now: Date): Promise<PrincipalRow | undefined> =>
  FIND.first(t, { sessionId, tokenId, now })
