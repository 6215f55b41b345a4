// Wire shapes of groups in the token service.
import * as z from 'zod'
import { Description, Id } from '#shared/domains/administration/fields.schema'
import { GroupName, GroupObject } from '#shared/domains/administration/groups.schema'

export const TenantQuery = z.object({ tenant_id: Id.optional() })
export const GroupIdPath = z.object({ id: Id })

export const NewGroups = z.object({ tenant_id: Id, groups: z.array(GroupName).min(1).max(1000) }).meta({ id: 'NewGroups' })
export const CreatedTokenGroups = z.object({ message: z.string(), groups: z.array(GroupObject), count: z.int() }).meta({ id: 'MadeGroups' })
export const ListedGroups = z.object({ groups: z.array(GroupObject), count: z.int() }).meta({ id: 'ListedGroups' })
export const ChangeGroup = z.object({ tenant_id: Id, name: GroupName.optional(), description: Description.optional() }).meta({ id: 'ChangeGroup' })
export const GroupDeleted = z.object({ message: z.string() }).meta({ id: 'GroupDeleted' })

export const GroupUsers = z.object({ tenant_id: Id, user_ids: z.array(Id).min(1).max(1000) }).meta({ id: 'GroupUsers' })
export const UsersAdded = z
  .object({ message: z.string(), group_id: z.string(), users_added: z.int(), users_total: z.int() })
  .meta({ id: 'GroupUsersAdded' })
export const UsersRemoved = z
  .object({ message: z.string(), group_id: z.string(), users_removed: z.int(), users_total: z.int() })
  .meta({ id: 'GroupUsersRemoved' })
export const UsersOfGroup = z
  .object({
    group_id: z.string(),
    group_name: z.string(),
    users: z.array(z.object({ id: z.string(), email: z.string(), name: z.string(), active: z.boolean() })),
    count: z.int(),
  })
  .meta({ id: 'UsersOfGroup' })
