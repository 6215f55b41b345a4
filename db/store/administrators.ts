// Who administers a tenant, as bindings say; and the rows of the directory that signing in looks them up by.
import { eq } from 'drizzle-orm'
import type { TenantDb } from '../engine/tenant.ts'
import { administratorDirectory } from '../tables/users.ts'

export type Administrator = {
  readonly userId: string
  readonly email: string
  readonly emailVerifiedAt: Date | null
  readonly isPrimaryAdmin: boolean
  readonly active: boolean
  /** Holds `admin:access` without an end. */
  readonly permanent: boolean
  /** Holds the tenant's own system role of administrators without an end. */
  readonly full: boolean
}

const LIVE = `b.tenant_id = $1 and b.scope_id is null and (b.expires_at is null or b.expires_at > $2) and coalesce(b.conditions, '{}'::jsonb) = '{}'::jsonb`

/** People to whom a tenant-wide, live, unconditional binding, of their own or of a group, gives `admin:access`. Starts at the permission: they are few. */
export const findAdministrators = async (t: TenantDb, systemRole: string, now: Date): Promise<Administrator[]> => {
  const rows = (await t.run({
    text: `select u.id, u.email, u.email_verified_at, u.is_primary_admin, u.active,
        bool_or(b.expires_at is null), bool_or(b.expires_at is null and r.is_system and r.name = $3)
      from authsec.permissions p
      join authsec.role_permissions rp on rp.tenant_id = p.tenant_id and rp.permission_id = p.id
      join authsec.roles r on r.tenant_id = rp.tenant_id and r.id = rp.role_id
      join authsec.role_bindings b on b.tenant_id = r.tenant_id and b.role_id = r.id
      left join authsec.user_groups g on g.tenant_id = b.tenant_id and g.group_id = b.group_id
      join authsec.users u on u.tenant_id = b.tenant_id and u.id = coalesce(b.user_id, g.user_id)
      where p.tenant_id = $1 and p.resource = 'admin' and p.action = 'access' and ${LIVE} and u.deleted_at is null
      group by u.id, u.email, u.email_verified_at, u.is_primary_admin, u.active`,
    params: [t.tenantId, now.toISOString(), systemRole],
    arrays: true,
  })) as [string, string, string | Date | null, boolean, boolean, boolean, boolean][]
  return rows.map(([userId, email, verified, isPrimaryAdmin, active, permanent, full]) => ({
    userId,
    email,
    emailVerifiedAt: verified === null ? null : new Date(verified),
    isPrimaryAdmin,
    active,
    permanent,
    full,
  }))
}

/** Whether the person has the tenant's own system role for the whole tenant now, through a binding of their own or of a group. */
export const holdsSystemRole = async (t: TenantDb, userId: string, systemRole: string, now: Date): Promise<boolean> => {
  const rows = await t.run({
    text: `select 1 from authsec.role_bindings b join authsec.roles r on r.tenant_id = b.tenant_id and r.id = b.role_id
      where ${LIVE} and r.is_system and r.name = $3
        and (b.user_id = $4 or b.group_id in (select g.group_id from authsec.user_groups g where g.tenant_id = $1 and g.user_id = $4)) limit 1`,
    params: [t.tenantId, now.toISOString(), systemRole, userId],
    arrays: true,
  })
  return rows.length > 0
}

/** Whom the directory lists for the tenant. */
export const findListedAdministrators = async (t: TenantDb): Promise<string[]> => {
  const rows = await t.db
    .select({ userId: administratorDirectory.userId })
    .from(administratorDirectory)
    .where(eq(administratorDirectory.tenantId, t.tenantId))
  return rows.map((row) => row.userId)
}
