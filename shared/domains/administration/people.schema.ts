// Wire shapes of people. Only listed members are returned: no password hash, no secret of a factor.
import * as z from 'zod'
import { Email } from '#shared/kernel/email'
import { Id } from './fields.schema.ts'

/** AuthSec's `fbool`: a boolean as JSON, text or number. */
export const FlexibleBoolean = z
  .union([z.boolean(), z.string().regex(/^(?:true|false|t|f|1|0)$/i, 'must be true or false'), z.literal(0), z.literal(1)])
  .transform((value) => (typeof value === 'string' ? /^(?:true|t|1)$/i.test(value) : Boolean(value)))

export const PersonName = z.string().trim().max(200)
export const Username = z.string().trim().min(1).max(200)
export const AvatarUrl = z.url({ protocol: /^https?$/ }).max(2048)
export const Provider = z.string().trim().min(1).max(50)
/** Part of a name or an address. */
export const SearchText = z.string().trim().min(1).max(200)

const time = z.string()
const optionalText = z.string().optional()
const RoleRef = z.object({ id: z.string(), name: z.string() })

const sync = {
  external_id: optionalText,
  sync_source: optionalText,
  last_sync_at: time.optional(),
  is_synced_user: z.boolean(),
}
const mfa = { mfa_method: z.array(z.string()).optional(), mfa_default_method: optionalText }

export const AdminUser = z
  .object({
    id: z.string(),
    email: z.string(),
    username: z.string(),
    name: z.string(),
    client_id: optionalText,
    tenant_id: z.string(),
    project_id: optionalText,
    tenant_domain: z.string(),
    provider: z.string(),
    provider_id: optionalText,
    provider_data: z.record(z.string(), z.unknown()).optional(),
    avatar_url: optionalText,
    active: z.boolean(),
    mfa_enabled: z.boolean(),
    mfa_verified: z.boolean(),
    ...mfa,
    ...sync,
    last_login: time.optional(),
    temporary_password: z.boolean(),
    temporary_password_expires_at: time.optional(),
    is_primary_admin: z.boolean(),
    failed_login_attempts: z.int(),
    account_locked_at: time.optional(),
    password_reset_required: z.boolean(),
    created_at: time,
    updated_at: time,
  })
  .meta({ id: 'AdminUser' })
export const ListedAdminUser = AdminUser.extend({
  roles: z.array(RoleRef),
  pending: z.boolean(),
  accepted_invite: z.boolean(),
  invite_accepted: z.boolean(),
  pending_registration: z.boolean(),
}).meta({ id: 'ListedAdminUser' })

export const UserObject = z
  .object({
    id: z.string(),
    client_id: z.string(),
    tenant_id: z.string(),
    project_id: z.string(),
    name: z.string(),
    username: optionalText,
    email: z.string(),
    tenant_domain: z.string(),
    provider: z.string(),
    provider_id: z.string(),
    provider_data: z.record(z.string(), z.unknown()).optional(),
    avatar_url: optionalText,
    active: z.boolean(),
    /** Permission names; in lists only those of roles. */
    scopes: z.array(z.string()),
    roles: z.array(z.string()),
    groups: z.array(z.string()),
    resources: z.array(z.string()),
    mfa_enabled: z.boolean(),
    mfa_verified: z.boolean(),
    ...mfa,
    created_at: time,
    updated_at: time,
    last_login: time.optional(),
    ...sync,
  })
  .meta({ id: 'User' })

export const TenantUser = z
  .object({
    id: z.string(),
    email: z.string(),
    first_name: z.string(),
    last_name: z.string(),
    client_id: z.string(),
    provider: z.string(),
    status: z.enum(['active', 'inactive']),
    created_at: time,
    updated_at: time.optional(),
    roles: z.array(RoleRef),
  })
  .meta({ id: 'TenantUser' })

export const StatusBody = z.object({ tenant_id: Id, user_id: Id, active: FlexibleBoolean }).meta({ id: 'UserStatusBody' })
export const StatusSet = z.object({ message: z.string(), user_id: z.string(), active: z.boolean() }).meta({ id: 'UserStatusSet' })
export const UserPath = z.object({ user_id: Id })
export const TenantUserPath = z.object({ tenant_id: Id, user_id: Id })
/** Optional; must match the path when present. */
export const DeleteAllBody = z.object({ tenant_id: Id.optional(), user_id: Id.optional() }).meta({ id: 'DeleteAllBody' })
export const DeletedAll = z
  .object({ message: z.string(), user_id: z.string(), deleted_counts: z.record(z.string(), z.int()) })
  .meta({ id: 'DeletedPerson' })
export const ProfileBody = z
  .object({
    name: PersonName.optional(),
    username: Username.optional(),
    email: Email.optional(),
    avatar_url: AvatarUrl.optional(),
    /** Accepted only when it is the tenant's own. */
    tenant_domain: z.string().max(253).optional(),
  })
  .meta({ id: 'UserProfileBody' })
