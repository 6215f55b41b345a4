// Wire shapes of end users.
import * as z from 'zod'
import { Id } from '#shared/domains/administration/fields.schema'
import { FlexibleBoolean, Provider, SearchText, UserObject } from '#shared/domains/administration/people.schema'
import { Email } from '#shared/kernel/email'

const filter = {
  active: FlexibleBoolean.default(true),
  client_id: Id.optional(),
  email: SearchText.optional(),
  name: SearchText.optional(),
  provider: Provider.optional(),
  /** Any part of the name, address or user name. */
  search: SearchText.optional(),
  sort: z.enum(['created_at', '-created_at', 'email', '-email', 'name', '-name']).optional(),
  cursor: z.string().max(1000).optional(),
}
export const EndUsersQuery = z.object({
  ...filter,
  tenant_id: Id.optional(),
  page: z.coerce.number().int().min(1).max(100_000).default(1),
  limit: z.coerce.number().int().min(1).max(100).default(10),
})
export const EndUsersBody = z
  .object({ ...filter, tenant_id: Id, page: z.int().min(1).max(100_000).default(1), limit: z.int().min(1).max(100).default(10) })
  .meta({ id: 'EndUsersBody' })
export const EndUsers = z
  .object({
    users: z.array(UserObject),
    total: z.int(),
    page: z.int(),
    limit: z.int(),
    total_pages: z.int(),
    next_cursor: z.string().optional(),
  })
  .meta({ id: 'EndUsers' })

/** An id, or an address together with `client_id`. */
export const EndUserPath = z.object({ tenant_id: Id, user_id: z.union([Id, Email]) })
export const EndUserQuery = z.object({ client_id: Id.optional() })
export const EndUserUpdated = z.object({ message: z.string(), user: UserObject }).meta({ id: 'EndUserUpdated' })
export const EndUserStatus = z.object({ active: z.boolean() }).meta({ id: 'EndUserStatus' })
export const EndUserStatusSet = z.object({ message: z.string(), active: z.boolean(), updated_at: z.string() }).meta({ id: 'EndUserStatusSet' })
export const DeleteEndUser = z.object({ user_id: Id }).meta({ id: 'DeleteEndUser' })
export const EndUserDone = z.object({ message: z.string() }).meta({ id: 'EndUserDone' })
export const Databases = z
  .object({
    tenant_id: z.string(),
    /** A name kept for compatibility; always empty, because all tenants share one database. */
    tenant_db: z.literal(''),
    status: z.string(),
    database_configured: z.boolean(),
    database_reachable: z.boolean(),
  })
  .meta({ id: 'EndUserDatabases' })

const who = { tenant_id: Id, email: Email.optional(), user_id: Id.optional() }
export const AdminChangePassword = z.object({ ...who, new_password: z.string().min(1).max(1024) }).meta({ id: 'AdminChangePassword' })
export const AdminResetPassword = z.object({ ...who, send_email: z.boolean().optional() }).meta({ id: 'AdminResetPassword' })
const changed = { success: z.literal(true), message: z.string(), user_id: z.string(), email: z.string(), tenant_id: z.string() }
export const PasswordChangedByAdmin = z.object(changed).meta({ id: 'PasswordChangedByAdmin' })
export const PasswordResetByAdmin = z
  .object({
    ...changed,
    /** Present only when no mail was sent. */
    temporary_password: z.string().optional(),
    email_sent: z.boolean(),
  })
  .meta({ id: 'PasswordResetByAdmin' })
