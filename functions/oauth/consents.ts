// What the caller allowed clients, in the shape of this group's routes.
import type * as z from 'zod'
import { consentsOf } from '#shared/domains/oauth/consents'
import type { User } from '#shared/platform/principals/principal'
import type { GrantList } from './consents.schema.ts'
import type { Ctx } from './group.ts'

export const listOwnConsents = async (ctx: Ctx, caller: User): Promise<z.input<typeof GrantList>> => ({
  consent_grants: (await consentsOf(ctx, caller)).map((row) => ({
    id: row.id,
    client_id: row.clientId,
    client_name: row.clientName,
    resource: row.resource,
    scopes: row.scopes,
    created_at: row.createdAt.toISOString(),
    updated_at: row.updatedAt.toISOString(),
  })),
})
