// The people who administer a tenant by their bindings, and the rows of the directory that sign-in looks them up by.
import { eq, isNotNull } from 'drizzle-orm'
import { column, columns, moment, nullable, type RowOf, statement } from '../engine/statement.ts'
import type { AnyScope, TenantDb } from '../engine/tenant.ts'
import { administratorDirectory } from '../tables/users.ts'
import { HELD_BY_USER, LIVE_BINDING } from './live-bindings.ts'

const ADMINISTRATOR = columns({
  userId: column<string>('u.id'),
  email: column<string>('u.email'),
  emailVerifiedAt: nullable(moment('u.email_verified_at')),
  isPrimaryAdmin: column<boolean>('u.is_primary_admin'),
  active: column<boolean>('u.active'),
  /** Holds `admin:access` without an expiry. */
  permanent: column<boolean>('bool_or(b.expires_at is null)'),
  /** Holds the tenant's system administrator role without an expiry. */
  full: column<boolean>('bool_or(b.expires_at is null and r.is_system and r.name = :systemRole)'),
})
export type Administrator = RowOf<typeof ADMINISTRATOR>

const FIND_ADMINISTRATORS = statement<{ systemRole: string; now: Date }>(`select ${ADMINISTRATOR.list}
from authsec.permissions p
join authsec.role_permissions rp on rp.tenant_id = p.tenant_id and rp.permission_id = p.id
join authsec.roles r on r.tenant_id = rp.tenant_id and r.id = rp.role_id
join authsec.role_bindings b on b.tenant_id = r.tenant_id and b.role_id = r.id
left join authsec.user_groups g on g.tenant_id = b.tenant_id and g.group_id = b.group_id
join authsec.users u on u.tenant_id = b.tenant_id and u.id = coalesce(b.user_id, g.user_id)
where p.tenant_id = :tenantId and p.resource = 'admin' and p.action = 'access' and ${LIVE_BINDING(':now')} and u.deleted_at is null
group by u.id, u.email, u.email_verified_at, u.is_primary_admin, u.active`).returning(ADMINISTRATOR)

/** People who hold `admin:access` by a live binding of their own or of a group. Starts at the permission: few roles have it. */
export const findAdministrators = (t: TenantDb, systemRole: string, now: Date): Promise<Administrator[]> =>
  FIND_ADMINISTRATORS.all(t, { systemRole, now })

const FIND_SYSTEM_ROLE = statement<{ userId: string; systemRole: string; now: Date }>(`select 1
from authsec.role_bindings b join authsec.roles r on r.tenant_id = b.tenant_id and r.id = b.role_id
where ${LIVE_BINDING(':now')} and r.is_system and r.name = :systemRole and ${HELD_BY_USER(':userId')} limit 1`)

/** Whether the person has the tenant's own system role by a live binding of their own or of a group. */
export const holdsSystemRole = async (t: TenantDb, userId: string, systemRole: string, now: Date): Promise<boolean> =>
  (await FIND_SYSTEM_ROLE.count(t, { userId, systemRole, now })) > 0

/** Whether anyone in the deployment could sign in as an administrator. */
export const hasAdministrator = async (d: AnyScope): Promise<boolean> => {
  const { userId, provedAt } = administratorDirectory
  return (await d.db.select({ userId }).from(administratorDirectory).where(isNotNull(provedAt)).limit(1)).length > 0
}

/** The people that the directory lists for the tenant. */
export const findListedAdministrators = async (t: TenantDb): Promise<string[]> => {
  const rows = await t.db
    .select({ userId: administratorDirectory.userId })
    .from(administratorDirectory)
    .where(eq(administratorDirectory.tenantId, t.tenantId))
  return rows.map((row) => row.userId)
}
