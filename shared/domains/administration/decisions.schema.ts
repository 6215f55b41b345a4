// Wire shapes of decisions and of a caller's own rights.
import * as z from 'zod'
import { Id, paging } from './fields.schema.ts'
import { OwnPermission } from './permissions.schema.ts'

/** Facts about the access; for a caller asking about itself, its own session counts instead. */
const Context = z.object({
  mfa: z.boolean().optional(),
  auth_time: z.union([z.iso.datetime({ offset: true }), z.int().min(0)]).optional(),
  ip: z.string().max(100).optional(),
  at: z.union([z.iso.datetime({ offset: true }), z.int().min(0)]).optional(),
})

const Name = z.string().min(1).max(200)
export const PolicyQuestion = z
  .object({
    principal_id: Id,
    resource: Name,
    action: Name,
    scope_id: Id.optional(),
    scope_type: z.string().max(100).optional(),
    context: Context.optional(),
  })
  .meta({ id: 'PolicyQuestion' })
export const PolicyAnswer = z.object({ allowed: z.boolean(), trace: z.string() }).meta({ id: 'PolicyAnswer' })

export const OwnRights = z
  .object({
    user_id: z.string(),
    tenant_id: z.string(),
    roles: z.array(z.string()),
    permissions: z.array(z.string()),
    /** Scopes whose permissions the caller holds entirely. */
    scopes: z.array(z.string()),
    resources: z.array(z.string()),
  })
  .meta({ id: 'OwnRights' })

export const OwnPermissionsQuery = z.object({ cursor: paging.cursor, limit: paging.limit })
export const OwnPermissions = z.array(OwnPermission)
export const EffectivePermissions = z
  .object({
    /** Always empty: permissions are held through roles only. */
    direct_permissions: z.array(OwnPermission),
    role_permissions: z.array(OwnPermission),
    all_permissions: z.array(OwnPermission),
  })
  .meta({ id: 'EffectivePermissions' })
export const PermissionQuestion = z.object({ resource: Name, /** The action. */ scope: Name })
export const PermissionAnswer = z
  .object({ user_id: z.string(), tenant_id: z.string(), resource: z.string(), scope: z.string(), has_permission: z.boolean() })
  .meta({ id: 'PermissionAnswer' })
