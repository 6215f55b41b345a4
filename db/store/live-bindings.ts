// Which bindings count for the whole tenant now. Every statement that asks for roles or permissions uses these fragments, with the binding as `b`;
// live-bindings.test.ts holds them to the decision.
import { gt, isNull, or, type SQL } from 'drizzle-orm'
import { roleBindings } from '../tables/access.ts'

/** Tenant-wide, unexpired and unconditional. */
export const LIVE_BINDING = (now: string): string =>
  `b.tenant_id = :tenantId and b.scope_id is null and (b.expires_at is null or b.expires_at > ${now}) and coalesce(b.conditions, '{}'::jsonb) = '{}'::jsonb`

/** The person's own bindings and those of the person's groups. */
export const HELD_BY_USER = (user: string): string =>
  `(b.user_id = ${user} or b.group_id in (select g.group_id from authsec.user_groups g where g.tenant_id = :tenantId and g.user_id = ${user}))`

export const LIVE_PERMISSIONS = (user: string, now: string): string => `array(
  select distinct p.resource || ':' || p.action
  from authsec.role_bindings b
  join authsec.role_permissions rp on rp.tenant_id = b.tenant_id and rp.role_id = b.role_id
  join authsec.permissions p on p.tenant_id = rp.tenant_id and p.id = rp.permission_id
  where ${LIVE_BINDING(now)} and ${HELD_BY_USER(user)})`

export const LIVE_ROLE_NAMES = (user: string, now: string): string => `array(
  select distinct r.name from authsec.role_bindings b join authsec.roles r on r.tenant_id = b.tenant_id and r.id = b.role_id
  where ${LIVE_BINDING(now)} and ${HELD_BY_USER(user)}
  order by r.name)`

/** Of any scope and with any condition: what a binding may give at some point. */
export const isUnexpired = (now: Date): SQL | undefined => or(isNull(roleBindings.expiresAt), gt(roleBindings.expiresAt, now))
