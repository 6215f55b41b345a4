// Wire shapes of roles.
import * as z from 'zod'
import { Description, Id, Ids, paging } from './fields.schema.ts'

export const PermissionStrings = z.array(z.string().trim().min(1).max(201)).max(1000)

export const RoleBody = z
  .object({
    name: z.string().trim().min(1).max(100),
    description: Description.optional(),
    permission_ids: Ids.optional(),
    permission_strings: PermissionStrings.optional(),
  })
  .refine((body) => (body.permission_ids?.length ?? 0) + (body.permission_strings?.length ?? 0) > 0, {
    message: 'at least one permission is required, by id or as resource:action',
  })
  .meta({ id: 'RoleBody', examples: [{ name: 'Support', description: 'Helps people.', permission_strings: ['users:read'] }] })
export const RolePath = z.object({ role_id: Id })
export const RoleQuery = z.object({
  /** Narrows `permissions_count` only. */
  resource: z.string().max(100).optional(),
  role_id: Id.optional(),
  /** Narrows the numbers of people only. */
  user_id: Id.optional(),
  /** Accepted without effect. */
  group_by: z.string().max(100).optional(),
  sort: z.enum(['name', '-name', 'created_at', '-created_at']).default('name'),
  ...paging,
})

export const SavedRole = z.object({ id: z.string(), name: z.string(), permissions_count: z.int() }).meta({ id: 'SavedRole' })
const listed = {
  id: z.string(),
  name: z.string(),
  description: z.string(),
  /** People that the role is bound to directly; group members do not count. */
  users_assigned: z.int(),
  permissions_count: z.int(),
  /** The first hundred. */
  user_ids: z.array(z.string()).optional(),
  usernames: z.array(z.string()).optional(),
  is_system: z.boolean(),
}
export const ListedRole = z.object(listed).meta({ id: 'ListedRole' })
export const Roles = z.array(ListedRole)
export const RoleDetails = z
  .object({ ...listed, permissions: z.array(z.object({ id: z.string(), resource: z.string(), action: z.string() })) })
  .meta({ id: 'RoleDetails' })
export const DeletedRole = z.object({ message: z.string(), id: z.string() }).meta({ id: 'DeletedRole' })
