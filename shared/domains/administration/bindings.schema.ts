// Wire shapes of bindings.
import * as z from 'zod'
import { Id, paging } from './fields.schema.ts'

/** Tenant-wide: no scope, or an empty or `*` id, whatever the type. For one resource: its type and id. */
const Scope = z.object({
  type: z.string().trim().max(100).nullish(),
  id: z.union([z.literal(['', '*']), Id]).nullish(),
})

export const BindingBody = z
  .object({
    user_id: Id.optional(),
    service_account_id: Id.optional(),
    group_id: Id.optional(),
    role_id: Id,
    scope: Scope.optional(),
    /** `mfa_required`, `max_auth_age`, `ip_ranges`, `hours`. */
    conditions: z.record(z.string(), z.unknown()).optional(),
    expires_at: z.iso.datetime({ offset: true }).optional(),
  })
  .refine((body) => [body.user_id, body.service_account_id, body.group_id].filter((id) => id !== undefined).length === 1, {
    path: ['user_id'],
    message: 'exactly one of user_id, service_account_id and group_id is required',
  })
  .refine((body) => !isConcrete(body.scope) || !['', '*', null, undefined].includes(body.scope?.type), {
    path: ['scope', 'type'],
    message: 'the id of a resource needs the type of that resource',
  })
  .meta({
    id: 'BindingBody',
    examples: [
      {
        user_id: '0190aaaa-bbbb-7ccc-8ddd-eeeeeeeeeeee',
        role_id: '0190aaaa-bbbb-7ccc-8ddd-ffffffffffff',
        scope: { type: 'project', id: '0190aaaa-bbbb-7ccc-8ddd-000000000000' },
        conditions: { mfa_required: true },
        expires_at: '2030-01-31T12:00:00Z',
      },
    ],
  })

const isConcrete = (scope: z.output<typeof Scope> | undefined): boolean => !['', '*', null, undefined].includes(scope?.id)

export const BindingPath = z.object({ id: Id })
export const BindingQuery = z.object({
  user_id: Id.optional(),
  service_account_id: Id.optional(),
  group_id: Id.optional(),
  role_id: Id.optional(),
  scope_type: z.string().max(100).optional(),
  sort: z.enum(['created_at', '-created_at']).default('-created_at'),
  cursor: paging.cursor,
  limit: paging.limit,
})

const conditions = z.record(z.string(), z.unknown()).optional()
export const AssignedBinding = z
  .object({
    id: z.string(),
    status: z.literal('active'),
    scope_description: z.string(),
    role_name: z.string(),
    /** As stored: an existing binding is not changed. */
    conditions,
    expires_at: z.string().optional(),
  })
  .meta({ id: 'AssignedBinding' })
export const ListedBinding = z
  .object({
    id: z.string(),
    user_id: z.string().optional(),
    username: z.string().optional(),
    email: z.string().optional(),
    service_account_id: z.string().optional(),
    group_id: z.string().optional(),
    role_id: z.string(),
    role_name: z.string(),
    scope_type: z.string().optional(),
    scope_id: z.string().optional(),
    conditions,
    created_at: z.string(),
    expires_at: z.string().optional(),
  })
  .meta({ id: 'ListedBinding' })
export const Bindings = z.array(ListedBinding)
export const RevokedBinding = z.object({ message: z.string(), id: z.string() }).meta({ id: 'RevokedBinding' })
