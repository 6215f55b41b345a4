// Wire shapes of the roles that give access to a resource server, and of their bindings.
import * as z from 'zod'
import { Id } from '#shared/domains/administration/fields.schema'
import { ServerPath } from './servers.schema.ts'

export const ServerBindingPath = ServerPath.extend({ binding_id: Id })

export const ServerRoles = z
  .object({
    roles: z.array(
      z.object({
        id: Id,
        name: z.string(),
        description: z.string(),
        /** The role of the access policy. */
        is_default: z.boolean(),
        permissions: z.int(),
        bindings: z.int(),
      }),
    ),
  })
  .meta({ id: 'ResourceServerRoles' })
export const ServerBindings = z
  .object({
    bindings: z.array(
      z.object({
        id: Id,
        user_id: Id,
        username: z.string(),
        user_email: z.string(),
        role_id: Id,
        role_name: z.string(),
        scope_type: z.string().nullable(),
        scope_id: z.string().nullable(),
        created_at: z.iso.datetime(),
        /** `system`: by the access policy, or with the tenant. */
        assignment_source: z.enum(['manual', 'system']),
      }),
    ),
  })
  .meta({ id: 'ResourceServerBindings' })
export const NewServerBinding = z.object({ user_id: Id, role_id: Id }).meta({ id: 'NewResourceServerBinding' })
export const ServerBinding = z.object({ id: Id, user_id: Id, role_id: Id, role_name: z.string() }).meta({ id: 'ResourceServerBinding' })
export const ServerBindingRevoked = z.object({ status: z.literal('revoked') }).meta({ id: 'ResourceServerBindingRevoked' })
export const EligibleUsersQuery = z.object({ search: z.string().trim().min(1).max(200).optional() })
export const EligibleUsers = z.object({ users: z.array(z.object({ id: Id, email: z.string(), name: z.string() })) }).meta({ id: 'EligibleUsers' })
