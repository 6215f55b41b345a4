// Wire shapes of permissions.
import * as z from 'zod'
import { Description, Id, NAME_PATTERN, paging } from './fields.schema.ts'

/** A resource or an action: without a colon, which joins the two, and without a space, which would split a token's `scope`. */
const Part = z
  .string()
  .trim()
  .min(1)
  .max(100)
  .regex(NAME_PATTERN, 'may have printable ASCII characters only, without spaces, quotes, backslashes and colons')

export const PermissionPair = z.object({ resource: Part, action: Part }).meta({ id: 'PermissionPair' })
export const NewPermission = z.object({ resource: Part, action: Part, description: Description.optional() }).meta({ id: 'NewPermission' })
export const PermissionPath = z.object({ id: Id })
export const PermissionQuery = z.object({
  resource: z.string().max(100).optional(),
  sort: z.enum(['resource', '-resource', 'created_at', '-created_at']).default('resource'),
  ...paging,
})

export const RegisteredPermission = z.object({ id: z.string(), full_string: z.string() }).meta({ id: 'PermissionRegistered' })
export const ListedPermission = z
  .object({
    id: z.string(),
    resource: z.string(),
    action: z.string(),
    full_permission_string: z.string(),
    description: z.string(),
    roles_assigned: z.int(),
  })
  .meta({ id: 'ListedPermission' })
export const Permissions = z.array(ListedPermission)
export const Resources = z.object({ resources: z.array(z.string()) }).meta({ id: 'PermissionResources' })

/** A permission as shown to its holder. */
export const OwnPermission = z
  .object({
    id: z.string(),
    tenant_id: z.string(),
    resource: z.string(),
    action: z.string(),
    description: z.string(),
    created_at: z.string(),
    updated_at: z.string(),
  })
  .meta({ id: 'Permission' })
