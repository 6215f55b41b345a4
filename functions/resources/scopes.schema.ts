// Wire shapes of a resource server's scopes for the administration UI, which names them by id.
import * as z from 'zod'
import { Id } from '#shared/domains/administration/fields.schema'
import { ScopeName } from './servers.schema.ts'

export const ScopePath = z.object({ scope_id: Id })
const Risk = z.enum(['low', 'medium', 'high', 'critical'])
const text = {
  description: z.string().max(300).optional(),
  risk_level: Risk.optional(),
  /** The permission that the person needs to get the scope: one at most. */
  permission_ids: z.array(Id).max(1, 'a scope requires one permission at most').optional(),
}
export const NewServerScope = z
  .object({ scope_string: ScopeName, display_name: z.string().max(200).default(''), ...text })
  .meta({ id: 'NewResourceScope' })
export const ServerScopeChange = z.object({ display_name: z.string().max(200).optional(), ...text }).meta({ id: 'ResourceScopeChange' })

export const ServerScope = z
  .object({
    id: Id,
    tenant_id: Id,
    resource_server_id: Id,
    scope_string: z.string(),
    display_name: z.string(),
    description: z.string(),
    risk_level: Risk,
    is_auto_discovered: z.literal(false),
    source: z.literal('manual'),
    permissions: z.array(z.object({ id: Id, resource: z.string(), action: z.string() })),
  })
  .meta({ id: 'ResourceScope' })
export const ServerScopes = z.array(ServerScope)
