// What a person allowed clients: to see, and to take back.
import type * as z from 'zod'
import { atomically, forTenant } from '#db/engine/tenant'
import { deleteConsent, listConsents } from '#db/store/oauth-authorizations'
import { AppError } from '#shared/kernel/errors'
import { byUser, recordEvent } from '#shared/platform/audit/audit-log'
import type { User } from '#shared/platform/principals/principal'
import type { GrantList } from './consents.schema.ts'
import type { Ctx } from './group.ts'

const MOST_LISTED = 500

export const listOwnConsents = async (ctx: Ctx, caller: User): Promise<z.input<typeof GrantList>> => {
  const rows = await listConsents(forTenant(ctx.db, caller.tenantId), caller.userId, { sort: 'updated_at', descending: true, limit: MOST_LISTED })
  return {
    consent_grants: rows.map((row) => ({
      id: row.id,
      client_id: row.clientId,
      client_name: row.clientName,
      resource: row.resource,
      scopes: row.scopes,
      created_at: row.createdAt.toISOString(),
      updated_at: row.updatedAt.toISOString(),
    })),
  }
}

/** Everything that the client holds by it counts no more. @throws AppError not_found when it is not the caller's */
export const revokeConsent = (ctx: Ctx, caller: User, id: string): Promise<undefined> =>
  atomically(forTenant(ctx.db, caller.tenantId), async (t) => {
    const row = await deleteConsent(t, id, caller.userId)
    if (row === undefined) throw new AppError('not_found')
    await recordEvent(t, ctx, {
      event: 'oauth.grant_revoked',
      actor: byUser(caller),
      target: { type: 'client', id: row.clientId },
      before: { grant_id: id, scopes: row.scopes },
    })
    return undefined
  })
