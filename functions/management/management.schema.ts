// Wire shapes of hmgr/admin. A change answers a message and the id of the resource; a list comes with a message.
import * as z from 'zod'
import { Id } from '#shared/domains/administration/fields.schema'
import { TenantUser, UserObject } from '#shared/domains/administration/people.schema'
import { ListedPermission } from '#shared/domains/administration/permissions.schema'
import { ListedRole } from '#shared/domains/administration/roles.schema'
import { TenantObject } from '#shared/domains/administration/tenants.schema'

const message = z.string()

export const ManagedPeopleQuery = z.object({
  search: z.string().trim().min(1).max(200).optional(),
  cursor: z.string().max(1000).optional(),
  limit: z.coerce.number().int().min(1).max(1000).optional(),
  page: z.coerce.number().int().min(1).max(100_000).optional(),
})
export const ManagedPeople = z
  .object({ message, users: z.array(TenantUser), total: z.int(), page: z.int(), limit: z.int(), next_cursor: z.string().optional() })
  .meta({ id: 'ManagedUsers' })
export const ManagedPersonPath = z.object({ user_id: Id })
export const PersonDone = z.object({ message, user_id: z.string() }).meta({ id: 'ManagedUserDone' })

export const GiveRole = z.object({ role_id: Id }).meta({ id: 'ManagedGiveRole' })
export const RoleOfPersonPath = z.object({ user_id: Id, role_id: Id })
export const RoleOfPersonDone = z.object({ message, user_id: z.string(), role_id: z.string() }).meta({ id: 'ManagedUserRoleDone' })

export const Roles = z.object({ message, roles: z.array(ListedRole) }).meta({ id: 'ManagedRoles' })
export const RoleDone = z.object({ message, role_id: z.string() }).meta({ id: 'ManagedRoleDone' })
export const ManagedPermissions = z.object({ message, permissions: z.array(ListedPermission) }).meta({ id: 'ManagedPermissions' })
export const PermissionDone = z.object({ message, permission_id: z.string() }).meta({ id: 'ManagedPermissionDone' })

export const Tenants = z.object({ message, tenants: z.array(TenantObject), next_cursor: z.string().optional() }).meta({ id: 'ManagedTenants' })
export const TenantDone = z.object({ message, tenant_id: z.string() }).meta({ id: 'ManagedTenantDone' })

export const ManagedProfile = z.object({ message, profile: UserObject }).meta({ id: 'ManagedProfile' })
export const ProfileChanged = z.object({ message }).meta({ id: 'ManagedProfileChanged' })
