// Wire shapes of tenants.
import * as z from 'zod'
import { Email } from '#shared/kernel/email'
import { Id } from './fields.schema.ts'
import { PersonName, Provider, TenantUser, Username } from './people.schema.ts'

export const TenantObject = z
  .object({
    id: z.string(),
    tenant_id: z.string(),
    /** A compatibility name: always empty, since no tenant has a database of its own. */
    tenant_db: z.literal(''),
    email: z.string(),
    username: z.string().optional(),
    provider: z.string(),
    name: z.string().optional(),
    source: z.string().optional(),
    status: z.string().optional(),
    created_at: z.string(),
    updated_at: z.string(),
    tenant_domain: z.string().optional(),
    /** When a tenant under deletion is purged. */
    delete_after: z.string().optional(),
  })
  .meta({ id: 'Tenant' })

export const TenantsQuery = z.object({
  cursor: z.string().max(1000).optional(),
  limit: z.coerce.number().int().min(1).max(1000).default(100),
})
export const Tenants = z.object({ tenants: z.array(TenantObject), next_cursor: z.string().optional() }).meta({ id: 'Tenants' })
export const CreateTenant = z
  .object({
    email: Email,
    username: Username,
    password: z.string().min(1).max(1024),
    name: z.string().trim().min(1).max(200),
    tenant_domain: z.string().max(253).optional(),
  })
  .meta({ id: 'CreateTenant' })
export const OneTenant = z.object({ tenant: TenantObject }).meta({ id: 'OneTenant' })
export const TenantPath = z.object({ tenant_id: Id })
export const UpdateTenant = z
  .object({
    email: Email.optional(),
    username: Username.optional(),
    name: PersonName.optional(),
    tenant_domain: z.string().max(253).optional(),
    status: z.enum(['active', 'suspended']).optional(),
  })
  .meta({ id: 'UpdateTenant' })
export const UpdatedTenant = z.object({ message: z.string(), tenant: TenantObject }).meta({ id: 'UpdatedTenant' })
/** The tenant's domain, as confirmation in place of a sign-in in the last 15 minutes. */
export const DeleteTenantQuery = z.object({ confirm: z.string().max(253).optional() })
export const TenantDeletion = z
  .object({
    message: z.string(),
    tenant_id: z.string(),
    /** What will be deleted. */
    deleted_counts: z.record(z.string(), z.int()),
    /** A compatibility name: no tenant has a database of its own. */
    database_dropped: z.literal(false),
    warning: z.string(),
    status: z.literal('deleting'),
    delete_after: z.string(),
    /** Undoes the deletion until then, because signing in is no longer possible. */
    restore_token: z.string(),
  })
  .meta({ id: 'TenantDeletion' })
export const RestoreByToken = z.object({ restore_token: z.string().min(1).max(256) }).meta({ id: 'RestoreTenant' })
export const TenantRestored = z.object({ message: z.string(), tenant_id: z.string() }).meta({ id: 'TenantRestored' })
export const TenantUsersQuery = z.object({
  provider: Provider.optional(),
  cursor: z.string().max(1000).optional(),
  limit: z.coerce.number().int().min(1).max(1000).optional(),
  page: z.coerce.number().int().min(1).max(100_000).optional(),
})
export const TenantUsers = z
  .object({ users: z.array(TenantUser), total: z.int(), page: z.int(), limit: z.int(), next_cursor: z.string().optional() })
  .meta({ id: 'TenantUsers' })
