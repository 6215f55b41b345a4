// Wire shapes of consents.
import * as z from 'zod'

export const GrantFilter = z.object({ user_id: z.uuid().optional(), client_id: z.uuid().optional(), rs_id: z.uuid().optional() })
export const AdminGrantList = z
  .object({
    consent_grants: z.array(
      z.object({
        id: z.uuid(),
        tenant_id: z.uuid(),
        user_id: z.uuid(),
        client_id: z.uuid(),
        client_name: z.string(),
        resource_server_id: z.uuid().nullable(),
        resource_name: z.string().optional(),
        granted_scopes: z.array(z.string()),
        /** Always null: a consent lasts until it is revoked. */
        expires_at: z.null(),
        created_at: z.iso.datetime(),
        updated_at: z.iso.datetime(),
      }),
    ),
  })
  .meta({ id: 'ConsentGrantsOfTenant' })
export const GrantRevoked = z.object({ status: z.literal('revoked') }).meta({ id: 'ConsentGrantRevoked' })

export const GrantPath = z.object({ id: z.uuid() })
export const GrantList = z
  .object({
    consent_grants: z.array(
      z.object({
        id: z.uuid(),
        client_id: z.uuid(),
        client_name: z.string(),
        resource: z.string().nullable(),
        scopes: z.array(z.string()),
        created_at: z.iso.datetime(),
        updated_at: z.iso.datetime(),
      }),
    ),
  })
  .meta({ id: 'ConsentGrants' })
