// Wire shapes of the checks.
import * as z from 'zod'
import { Id } from '#shared/domains/administration/fields.schema'

const word = z.string().min(1).max(200)
const words = z.array(z.string())

export const TokenValid = z
  .object({ message: z.string(), service: z.string(), tenant: z.string(), client_id: z.string(), scopes: words, roles: words })
  .meta({ id: 'TokenValid' })
export const ScopeQuery = z.object({ scope: word.default('read') })
export const ScopeValid = z.object({ message: z.string(), required_scope: z.string(), user_scopes: words }).meta({ id: 'ScopeValid' })
export const ResourceQuery = z.object({ resource: word.default('api') })
export const ResourceValid = z.object({ message: z.string(), required_resource: z.string(), user_resources: words }).meta({ id: 'ResourceValid' })
export const PermissionsBody = z.object({ scope: word.default('write'), resource: word.default('api') }).meta({ id: 'RequiredPermission' })
export const PermissionsValid = z
  .object({ message: z.string(), required_scope: z.string(), required_resource: z.string(), user_scopes: words, user_resources: words })
  .meta({ id: 'PermissionsValid' })

export const PermissionQuery = z.object({ resource: word, scope: word })
export const PermissionChecked = z
  .object({ user_id: z.string(), tenant: z.string(), resource: z.string(), scope: z.string(), has_permission: z.boolean() })
  .meta({ id: 'PermissionChecked' })
export const RoleQuery = z.object({ role: word })
export const RoleChecked = z.object({ user_id: z.string(), role: z.string(), has_role: z.boolean() }).meta({ id: 'RoleChecked' })
export const RoleResourceQuery = z.object({ role: word, resource_id: Id, scope_type: word })
export const RoleResourceChecked = z
  .object({ user_id: z.string(), role: z.string(), resource_id: z.string(), scope_type: z.string(), has_role: z.boolean() })
  .meta({ id: 'RoleResourceChecked' })
export const ScopedPermissionQuery = z.object({ resource: word, scope: word, scope_id: Id, scope_type: word })
export const ScopedPermissionChecked = z
  .object({
    user_id: z.string(),
    tenant: z.string(),
    resource: z.string(),
    scope: z.string(),
    scope_id: z.string(),
    scope_type: z.string(),
    has_permission: z.boolean(),
  })
  .meta({ id: 'ScopedPermissionChecked' })
export const OAuthScopeQuery = z.object({ scope_name: word, resource: word, action: word })
export const OAuthScopeChecked = z
  .object({ tenant: z.string(), scope_name: z.string(), resource: z.string(), action: z.string(), has_permission: z.boolean() })
  .meta({ id: 'OAuthScopeChecked' })
