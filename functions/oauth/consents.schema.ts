// Wire shapes of what a person allowed clients.
import * as z from 'zod'

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
