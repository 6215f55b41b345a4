// Consents, in the shape of this group's routes.
import type * as z from 'zod'
import { atomically, forTenant } from '#db/engine/tenant'
import { deleteConsent, findConsent, listAllConsents } from '#db/store/oauth-authorizations'
import { consentsOf } from '#shared/domains/oauth/consents'
import { AppError } from '#shared/kernel/errors'
import { byUser, recordEvent } from '#shared/platform/audit/audit-log'
import type { User } from '#shared/platform/principals/principal'
import type { AdminGrantList, GrantFilter, GrantList, GrantRevoked } from './consents.schema.ts'
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

const MAX_LISTED = 500

/** The consents of all people of the tenant, newest first. */
export const listConsentsOfTenant = async (
  ctx: Ctx,
  caller: User,
  { user_id: userId, client_id: clientId, rs_id: serverId }: z.output<typeof GrantFilter>,
): Promise<z.input<typeof AdminGrantList>> => {
  const rows = await listAllConsents(forTenant(ctx.db, caller.tenantId), { userId, clientId, serverId }, MAX_LISTED)
  return {
    consent_grants: rows.map((row) => ({
      id: row.id,
      tenant_id: row.tenantId,
      user_id: row.userId,
      client_id: row.clientId,
      client_name: row.clientName,
      resource_server_id: row.resourceServerId,
      ...(row.resourceName === null ? {} : { resource_name: row.resourceName }),
      granted_scopes: row.scopes,
      expires_at: null,
      created_at: row.createdAt.toISOString(),
      updated_at: row.updatedAt.toISOString(),
    })),
  }
}

/** Revokes another person's consent. @throws AppError not_found */
export const revokeConsentOfPerson = (ctx: Ctx, caller: User, id: string): Promise<z.input<typeof GrantRevoked>> =>
  atomically(forTenant(ctx.db, caller.tenantId), async (t) => {
    const found = await findConsent(t, id)
    const row = found === undefined ? undefined : await deleteConsent(t, id, found.userId)
    if (row === undefined) throw new AppError('not_found')
    await recordEvent(t, ctx, {
      event: 'oauth.consent_revoked',
      actor: byUser(caller),
      target: { type: 'user', id: row.userId },
      before: { grant_id: id, client_id: row.clientId, scopes: row.scopes },
    })
    return { status: 'revoked' }
  })
