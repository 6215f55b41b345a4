// Wire shapes of admission to a resource server: pending redirect URIs, access policy, validation of the server, and scope presets.
import * as z from 'zod'
import { Id } from '#shared/domains/administration/fields.schema'

export const RedirectDecision = z.object({ approve: z.boolean().default(true) }).meta({ id: 'RedirectDecision' })
export const DecidedRedirects = z
  .object({ client_id: Id, redirect_uris: z.array(z.string()), status: z.enum(['approved', 'denied']) })
  .meta({ id: 'DecidedRedirects' })

/** `default_role_id` is the administration UI’s name of `role_id`. */
export const AccessPolicyChange = z
  .object({ enabled: z.boolean(), role_id: Id.nullable().optional(), default_role_id: Id.nullable().optional() })
  .meta({ id: 'AccessPolicyChange' })
export const AccessPolicy = z
  .object({
    resource_server_id: Id,
    enabled: z.boolean(),
    role_id: Id.nullable(),
    role_name: z.string().nullable(),
    default_role_id: Id.optional(),
    default_role_name: z.string().optional(),
    assignment_trigger: z.literal('first_authorization'),
    assignment_source: z.literal('access_policy'),
    /** Empty for a caller who may not read roles. */
    role_options: z.array(
      z.object({
        role_id: Id,
        name: z.string(),
        description: z.string(),
        is_generated: z.literal(false),
        /** Whether it has a permission that a scope of the server requires. */
        recommended: z.boolean(),
        permissions: z.int(),
      }),
    ),
  })
  .meta({ id: 'AccessPolicy' })

export const Validation = z
  .object({
    valid: z.boolean(),
    status: z.enum(['passed', 'failed']),
    last_validated_at: z.iso.datetime(),
    checks: z.array(
      z.object({
        name: z.enum(['metadata', 'resource', 'authorization_server', 'challenge']),
        ok: z.boolean(),
        detail: z.string(),
        key: z.string(),
        label: z.string(),
        status: z.enum(['passed', 'failed']),
        message: z.string(),
      }),
    ),
  })
  .meta({ id: 'ResourceServerValidation' })

export const ScopePresets = z
  .object({
    scope_presets: z.array(z.object({ id: z.string(), name: z.string(), scopes: z.array(z.object({ name: z.string(), description: z.string() })) })),
  })
  .meta({ id: 'ScopePresets' })

export const AccessRequests = z
  .object({
    access_requests: z.array(
      z.object({ id: Id, client_id: Id, status: z.literal('pending'), created_at: z.iso.datetime(), expires_at: z.iso.datetime() }),
    ),
  })
  .meta({ id: 'AccessRequests' })
