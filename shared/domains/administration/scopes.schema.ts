// Wire shapes of scopes and API scopes, which share one table.
import * as z from 'zod'
import { Description, Id, Ids, paging } from './fields.schema.ts'
import { PermissionStrings } from './roles.schema.ts'

/** A scope token (RFC 6749 section 3.3). */
const Name = z
  .string()
  .trim()
  .min(1)
  .max(200)
  .regex(/^[\x21\x23-\x5b\x5d-\x7e]+$/, 'may have printable ASCII characters only, without spaces, quotes and backslashes')
const ApiName = Name.regex(/:/, 'must have a colon')

/** Alternative members for the permissions; the first non-empty one counts. */
const ids = { permission_ids: Ids.optional(), mapped_permission_ids: Ids.optional() }
const text = { description: Description.optional(), /** An unknown value means the default. */ usage: z.string().max(50).optional() }
const scopeInput = {
  ...text,
  ...ids,
  /** `resource:action`, or a resource for every action of it that the caller may give. */ resources: PermissionStrings.optional(),
}

export const NewScope = z.object({ scope_name: Name, ...scopeInput }).meta({ id: 'NewScope' })
export const ScopeChange = z.object(scopeInput).meta({ id: 'ScopeChange' })
export const ScopePath = z.object({ scope_name: z.string().min(1).max(200) })
export const ScopeTenantPath = z.object({ tenant_id: Id })
const sort = z.enum(['name', '-name', 'created_at', '-created_at'])
export const ScopeQuery = z.object({ sort: sort.default('-created_at'), ...paging })
export const MappingQuery = z.object({ sort: sort.default('name'), ...paging })

const API_SCOPE = { name: 'people:read', description: 'See people.', usage: 'oauth', permission_ids: [] }
export const NewApiScope = z.object({ name: ApiName, ...text, ...ids }).meta({ id: 'NewApiScope', examples: [API_SCOPE] })
export const ApiScopeChange = z.object({ name: ApiName.optional(), ...text, ...ids }).meta({ id: 'ApiScopeChange', examples: [API_SCOPE] })
export const ApiScopePath = z.object({ scope_id: Id })
export const ApiScopeQuery = z.object({
  /** Part of the name. */ name: z.string().max(200).optional(),
  sort: sort.default('-created_at'),
  ...paging,
})

const Usage = z.enum(['internal', 'oauth', 'both'])
export const ScopeNames = z.array(z.string())
export const ScopeMappings = z.array(
  z
    .object({
      scope_name: z.string(),
      usage: Usage,
      description: z.string().optional(),
      /** `resource:action` */
      resources: z.array(z.string()),
      permission_ids: z.array(z.string()),
      permission_strings: z.array(z.string()),
    })
    .meta({ id: 'ScopeMapping' }),
)
export const SavedScope = z.object({ message: z.string(), scope_id: z.string(), scope_name: z.string() }).meta({ id: 'SavedScope' })
const apiScope = {
  id: z.string(),
  name: z.string(),
  description: z.string(),
  usage: Usage,
  permissions_linked: z.int(),
  created_at: z.string(),
  updated_at: z.string(),
}
export const ApiScopes = z.array(z.object(apiScope).meta({ id: 'ListedApiScope' }))
export const ApiScope = z
  .object({ ...apiScope, permission_ids: z.array(z.string()), permission_strings: z.array(z.string()), resources: z.array(z.string()) })
  .meta({ id: 'ApiScope' })
